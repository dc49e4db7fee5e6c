"""After erasing somebody nothing on the disk opens or links to her, and every old receipt still verifies.

Everything is real but the eyes. What must be gone is read from the database before, row by row, so
that a table added later is searched for, too.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from consentry.checks.look import LookAtFaces
from consentry.checks.ports import StoredReceipt
from consentry.enrolment.aliases import AliasKind, AliasProof
from consentry.enrolment.backups import Restored
from consentry.imagery.limits import Limits
from consentry.kernel.errors import NotFound, ProofInvalid, SealBroken
from consentry.kernel.ids import SubjectId
from consentry.kernel.taxonomy import Purpose, Verdict
from consentry.transparency.erasure import (
    SignedErasure,
    require_about,
    require_logged,
    verify_erasure,
)
from consentry.transparency.jwks import encode_base64url
from consentry.transparency.logged import verify_logged
from consentry.transparency.policy import KnownLog, TrustPolicy
from consentry.transparency.proofs import LogProof
from consentry.transparency.publication import ProveEntry
from consentry.transparency.receipts import verify_receipt
from consentry.transparency.whole import verify_whole
from consentry.vault.backup import open_backup
from consentry.vault.backup_keys import BackupKey, read_key_file
from consentry.vault.passphrase import Passphrase
from fakes.coloured_faces import picture
from fakes.home import PASSPHRASE, TestHome
from fakes.terms import everyday

ADA, EVE = (200, 10, 10), (10, 200, 10)
NAME, HANDLE = "Unmistakable Ocelot-Quagga", "zyzzyva_of_the_north"
OWN = Passphrase("hers alone, and of nobody else")
DOCS = Path(__file__).parents[2] / "docs"
_SHORTEST = 12
"""Bytes below which a value is not searched for: it would be found by chance."""
# What a table keeps after its subject is gone is about nobody: counters, and what everybody may see.
_OF_NOBODY = {"log_leaves", "log_nodes", "log_state", "log_checkpoints", "receipts", "feed"}


def _enrol_ada(home: TestHome) -> SubjectId:
    """Somebody of whom there is everything that can be kept of anybody."""
    subject = home.enrol(ADA, ADA, name=NAME).subject
    home.own_passphrases.set(subject, OWN, old=None)
    eve = home.enrol(EVE, name="Eve").subject
    home.aliases.add(subject, HANDLE, AliasKind.HANDLE, AliasProof.OWN_WORD)
    home.contests.open(eve, subject)
    home.grants.create(subject, everyday(platform="studio.example", max_uses=5))
    home.consent_tokens.attest_adult(subject)
    home.check(picture(ADA), platform="studio.example", purpose=Purpose.EDIT)
    home.check(picture(ADA), platform="other.example", purpose=Purpose.FACE_SWAP)
    home.check(picture(ADA), prompt="put her in a bikini")
    home.log.take_in()
    home.enrol(ADA, name=NAME)
    return subject


def files_of(home: TestHome) -> bytes:
    """Every byte of the home as it lies on the disk: database, journal, its index, and all others."""
    return b"".join(path.read_bytes() for path in sorted(home.path.rglob("*")) if path.is_file())


def traces_of(home: TestHome, subject: str) -> dict[str, bytes]:
    """Every value of every row that names her, and of every row that such a row points to."""
    connection = sqlite3.connect(home.path / "consentry.db")
    connection.row_factory = sqlite3.Row
    tables = [
        row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type='table'")
    ]
    found: dict[str, bytes] = {}
    for table in tables:
        if table in _OF_NOBODY or table.startswith("sqlite_"):
            continue
        for number, row in enumerate(connection.execute(f"SELECT * FROM {table}")):
            if subject not in map(str, tuple(row)):
                continue
            for column in list(row.keys()):
                value = row[column]
                data = value.encode() if isinstance(value, str) else value
                if isinstance(data, bytes) and subject.encode() in data:
                    data = subject.encode()
                if isinstance(data, bytes) and len(data) >= _SHORTEST and not _is_word(data):
                    found[f"{table}[{number}].{column}"] = data
    connection.close()
    return found


def _is_word(data: bytes) -> bool:
    """Whether a value is one of a vocabulary, or names another person, and so says nothing of her."""
    return data in {b"every_edit", b"intimate_and_impersonating", b"colours@1"}


def pieces(data: bytes) -> list[bytes]:
    """The value in parts that are each its own: its bytes may have been cut in two."""
    return [data[start : start + 16] for start in range(0, max(1, len(data) - 15), 16)]


def left_of(traces: dict[str, bytes], haystack: bytes) -> list[str]:
    return [
        place for place, data in traces.items() if any(each in haystack for each in pieces(data))
    ]


def hers(home: TestHome, subject: SubjectId) -> dict[str, bytes]:
    """What is of her alone: not the identifiers of others in rows that name both."""
    others = [stored.subject for stored in home.store.subjects() if stored.subject != subject]
    theirs = {value for other in others for value in traces_of(home, other).values()}
    return {
        k: v
        for k, v in traces_of(home, subject).items()
        if v == subject.encode() or v not in theirs
    } | {
        "her name": NAME.encode(),
        "her handle": HANDLE.encode(),
        "her identifier": subject.encode(),
    }


@dataclass(frozen=True)
class Erased:
    """A home before and after an erasure."""

    home: TestHome
    ada: SubjectId
    traces: dict[str, bytes]
    found_before: set[str]
    templates: list[bytes]
    backup: bytes
    old_keys: Sequence[BackupKey]
    receipts: Sequence[StoredReceipt]
    erasure: SignedErasure


@pytest.fixture(scope="module")
def erased(tmp_path_factory):
    home = TestHome(tmp_path_factory.mktemp("erasure") / "home").create()
    ada = _enrol_ada(home)
    home.publish_log.batch()
    backup, old_keys = home.export_backup(PASSPHRASE), _keys_of(home)
    traces = hers(home, ada)
    looked = LookAtFaces(home.faces, Limits())(picture(ADA))
    templates = [
        *(stored.sealed for stored in home.store.templates_of(ada, home.faces.model_id)),
        *(face.embedding.tobytes() for face in looked.faces),
    ]
    yield Erased(
        home=home,
        ada=ada,
        traces=traces,
        found_before=set(left_of(traces, files_of(home))),
        templates=templates,
        backup=backup,
        old_keys=old_keys,
        receipts=home.receipts.newest(100, None),
        erasure=home.revoke(ada),
    )
    home.close()


@pytest.fixture
def elsewhere(tmp_path):
    opened = TestHome(tmp_path / "elsewhere")
    yield opened
    opened.close()


def test_before_the_erasure_the_search_finds_her_in_every_table_that_is_about_somebody(erased):
    tables = {place.split("[")[0] for place in erased.found_before}

    # But for her names, which are sealed.
    assert erased.found_before == set(erased.traces) - {"her name", "her handle"}
    assert tables >= {
        "aliases",
        "backup_keys",
        "contests",
        "declarations",
        "grants",
        "log_openings",
        "subjects",
        "templates",
    }


def test_after_the_erasure_no_byte_of_hers_is_in_any_file_of_the_home(erased):
    assert left_of(erased.traces, files_of(erased.home)) == []


def test_no_template_is_in_the_home_or_an_old_backup_either_sealed_or_raw(erased):
    traces = {str(number): data for number, data in enumerate(erased.templates)}
    opened = open_backup(erased.backup, PASSPHRASE)

    assert len(traces) == 4
    assert left_of(traces, files_of(erased.home) + erased.backup + opened) == []


def test_an_old_backup_says_nothing_of_her_to_whoever_has_its_passphrase(erased):
    assert left_of(erased.traces, open_backup(erased.backup, PASSPHRASE)) == []


def test_with_passphrase_and_home_an_old_backup_opens_others_and_not_her(erased, elsewhere):
    restored = elsewhere.restore_backup(erased.backup, PASSPHRASE, _keys_of(erased.home))

    assert restored == Restored(subjects=1, closed=1)
    assert [person.name for person in elsewhere.people.all()] == ["Eve"]
    assert left_of(erased.traces, files_of(elsewhere)) == []


def test_no_key_that_is_left_opens_her_section(erased):
    label = base64.b64encode(_missing(erased).label).decode()
    sections = json.loads(open_backup(erased.backup, PASSPHRASE))["sections"]
    (sealed,) = (base64.b64decode(s["sealed"]) for s in sections if s["label"] == label)

    for key in _keys_of(erased.home):
        with pytest.raises(SealBroken):
            key.open(sealed)
    assert erased.ada.encode() in _missing(erased).open(sealed)


def test_her_backup_key_is_in_no_file(erased):
    assert _missing(erased).secret not in files_of(erased.home) + erased.backup


def test_what_is_not_reached_is_an_old_key_file_that_somebody_kept(erased, elsewhere):
    """Written down in ADR 0032; here so that the search above is known to have something to find."""
    assert elsewhere.restore_backup(erased.backup, PASSPHRASE, erased.old_keys).subjects == 2
    assert elsewhere.check(picture(ADA)).decision.verdict is Verdict.NEEDS_CONSENT


def test_nothing_that_is_left_links_what_is_in_the_log_to_her(erased):
    connection = sqlite3.connect(erased.home.path / "consentry.db")
    openings = connection.execute("SELECT opened, subject FROM log_openings").fetchall()
    connection.close()

    assert openings, "of verdicts there still are some"
    assert [row for row in openings if row[1] == erased.ada or erased.ada in row[0]] == []
    with pytest.raises(NotFound):
        erased.home.people.find(erased.ada)


def test_every_old_receipt_still_verifies_and_is_still_in_the_log(erased):
    home, policy = erased.home, _trust(erased.home)
    prove = ProveEntry(home.log, home.publish_log)

    assert len(erased.receipts) >= 3
    for stored in erased.receipts:
        claims = verify_receipt(stored.jws, home.signer.jwks())
        verify_logged(stored.jws, claims, prove(stored.log.origin, stored.log.index), policy)


def test_the_log_is_whole_and_records_the_erasure(erased):
    home = erased.home
    home.publish_log.batch()

    claims = verify_erasure(erased.erasure.jws, home.signer.jwks())
    entries = erased.erasure.entries
    require_about(claims, entries)
    require_logged(claims, [each.entry for each in entries], _proofs(erased), _trust(home))
    with home.log.view() as view:
        verify_whole(view.entries(), view.heads(), view.nodes(view.size))


def test_a_proof_of_another_entry_does_not_prove_the_erasure(erased):
    home = erased.home
    home.publish_log.batch()
    claims = verify_erasure(erased.erasure.jws, home.signer.jwks())
    entries = [each.entry for each in erased.erasure.entries]
    with home.log.view() as view:
        other = ProveEntry(home.log, home.publish_log)(view.origin, 0)

    for proofs in ([], [other]):
        with pytest.raises(ProofInvalid):
            require_logged(claims, entries, proofs, _trust(home))
    elsewhere = dataclasses.replace(claims, log="another.example/1")
    with pytest.raises(ProofInvalid):
        require_logged(elsewhere, entries, _proofs(erased), _trust(home))


def test_the_receipt_counts_what_was_there(erased):
    claims = verify_erasure(erased.erasure.jws, erased.home.signer.jwks())

    expected = {
        "subjects": 1,
        "templates": 3,
        "aliases": 1,
        "grants": 1,
        "backup_keys": 1,
        "contests": 1,
        "declarations": 1,
        "log_openings": 1,
    }
    assert dict(claims.destroyed) == expected


def test_her_receipt_is_kept_nowhere(erased):
    left = files_of(erased.home)

    assert erased.erasure.jws.encode() not in left
    assert [each for each in erased.erasure.entries if each.salt in left] == []


def test_an_erasure_receipt_verifies_without_consentry(erased, tmp_path):
    home = erased.home
    home.publish_log.batch()
    with home.log.view() as view:
        key = str(home.publish_log.vkey(view.origin))
    document = {
        "receipt": erased.erasure.jws,
        "entries": [
            {
                "subject": each.subject,
                "entry": encode_base64url(each.entry),
                "salt": encode_base64url(each.salt),
            }
            for each in erased.erasure.entries
        ],
        "proofs": [str(proof) for proof in _proofs(erased)],
    }
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps(home.signer.jwks()))
    of_eve = [document["entries"][0] | {"subject": "sub_eve"}]

    whole = _script(tmp_path, document, keys, key)
    broken = [
        _script(tmp_path, document | change, keys, key).returncode
        for change in (
            {"receipt": erased.erasure.jws[:-4] + "AAAA"},
            {"proofs": []},
            {"entries": of_eve},
        )
    ]

    assert (whole.returncode, whole.stderr) == (0, "")
    assert "proved in the log: 1" in whole.stdout
    assert broken == [1, 1, 1]


def test_checks_go_on_after_an_erasure_and_know_her_no_more(erased):
    assert erased.home.check(picture(ADA)).decision.verdict is Verdict.ALLOW


def test_deleting_everything_leaves_no_byte_of_anybody(tmp_path):
    home = TestHome(tmp_path / "home").create()
    ada = _enrol_ada(home)
    home.export_backup(PASSPHRASE)
    people = [stored.subject for stored in home.store.subjects()]
    traces = {f"{who} {k}": v for who in people for k, v in traces_of(home, who).items()}
    header = home.custody._store.load()

    erasure = home.erase_home()
    left = left_of(traces | {"header": header}, files_of(home))
    people_erased = verify_erasure(erasure.jws, home.signer.jwks()).people
    home.close()

    assert ada in people
    assert left == []
    assert people_erased == 2
    # Nor when everybody has let go of the database, and SQLite has tidied up.
    assert left_of(traces | {"header": header}, files_of(home)) == []


def _keys_of(home: TestHome) -> Sequence[BackupKey]:
    return read_key_file(home.export_backup.key_file(PASSPHRASE).encode())


def _missing(erased: Erased) -> BackupKey:
    """Her backup key, from the key file of before."""
    left = {key.label for key in _keys_of(erased.home)}
    (gone,) = (key for key in erased.old_keys if key.label not in left)
    return gone


def _proofs(erased: Erased) -> list[LogProof]:
    home = erased.home
    prove = ProveEntry(home.log, home.publish_log)
    with home.log.view() as view:
        origin = view.origin
    return [prove(origin, home.log.index_of(each.entry)) for each in erased.erasure.entries]


def _trust(home: TestHome) -> TrustPolicy:
    with home.log.view() as view:
        return TrustPolicy(logs=(KnownLog(vkey=home.publish_log.vkey(view.origin)),))


def _script(folder: Path, document: dict, keys: Path, log: str) -> subprocess.CompletedProcess[str]:
    file = folder / "erasure.json"
    file.write_text(json.dumps(document))
    return subprocess.run(
        [sys.executable, DOCS / "verify_erasure.py", file, "--keys", keys, "--log", log],
        capture_output=True,
        text=True,
        check=False,
    )
