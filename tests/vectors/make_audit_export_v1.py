"""Makes `audit_export_v1.json`: a small log, signed, and the files of its export. The same bytes every time."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, date, datetime
from pathlib import Path

from consentry.audit.beside import Beside, Stated, Tried, engine_rates
from consentry.audit.canary import Trial
from consentry.audit.examine import Terms, examine
from consentry.audit.export import FIGURES, export_files
from consentry.audit.figures import figures_of
from consentry.audit.openings import parse_openings
from consentry.audit.rates import measured_rates
from consentry.kernel.errors import NotFound
from consentry.kernel.taxonomy import PublicReason, Purpose, Verdict
from consentry.transparency.checkpoints import Checkpoint, SignedCheckpoint
from consentry.transparency.entries import (
    VerdictEntry,
    Versions,
    VersionsEntry,
    circumstances,
    encode_entry,
)
from consentry.transparency.jwks import encode_base64url
from consentry.transparency.notes import NoteSigner, SignatureType
from consentry.transparency.policy import KnownLog, TrustPolicy
from consentry.transparency.signing_key import new_signing_key
from consentry.transparency.tiles import encode_bundle
from consentry.transparency.tree import Frontier, leaf_hash

ORIGIN = "log.example/vectors"
ENGINES = {"faces": "mfn192+sface@1", "intent": "composition@13"}
POLICY = "consentry-policy@3"
KINDS = (
    (Verdict.ALLOW, ()),
    (Verdict.NEEDS_CONSENT, (PublicReason.CONSENT_REQUIRED,)),
    (Verdict.REFUSE, (PublicReason.REVEALING_REAL_PERSON,)),
)
THRESHOLD = 5


class Shown:
    """A log in memory."""

    has_tree = False

    def __init__(self, entries: list[bytes], signed: SignedCheckpoint) -> None:
        self.entries, self.signed = entries, signed

    def heads(self) -> tuple[SignedCheckpoint, ...]:
        """Return its one head."""
        return (self.signed,)

    def read(self, tile) -> bytes:
        """Return a bundle of entries."""
        if tile.level is not None:
            raise NotFound("no hashes")
        return encode_bundle(self.entries[tile.first : tile.first + tile.width])


def entries() -> tuple[list[bytes], str]:
    """Return the entries, and what opens some of them."""
    versions = Versions(program="1.0.0", policy=POLICY, engines=ENGINES, models={"m": "0" * 64})
    made = [encode_entry(VersionsEntry(day=date(2026, 11, 1), versions=versions))]
    openings = []
    for n in range(1, 41):
        verdict, reasons = KINDS[n % 3 if n % 7 else 0]
        opening = circumstances(
            platform="studio.example" if n % 2 else None,
            purpose=list(Purpose)[n % 2],
            region="DE",
            salt=hashlib.sha256(f"salt {n}".encode()).digest(),
        )
        made.append(
            encode_entry(
                VerdictEntry(
                    day=date(2026, 11, 1 + n // 8),
                    verdict=verdict,
                    reasons=reasons,
                    policy=POLICY,
                    engines=ENGINES,
                    receipt=hashlib.sha256(f"receipt {n}".encode()).digest(),
                    platform=opening.commit("platform"),
                    purpose=opening.commit("purpose"),
                    region=opening.commit("region"),
                )
            )
        )
        if n <= 30:
            salt = encode_base64url(opening.salt_of("purpose"))
            openings.append(
                json.dumps(
                    {
                        "index": n,
                        "name": "purpose",
                        "value": opening.values["purpose"],
                        "salt": salt,
                    }
                )
            )
    return made, "\n".join(openings) + "\n"


def main() -> None:
    """Write the file."""
    made, openings = entries()
    key = NoteSigner(
        name=ORIGIN, type=SignatureType.TEXT, private_key=new_signing_key(lambda n: bytes([9]) * n)
    )
    frontier, _ = Frontier.empty().append(map(leaf_hash, made))
    head = Checkpoint(origin=ORIGIN, size=len(made), root=frontier.root())
    signed = SignedCheckpoint.sign(head, key, datetime(2026, 11, 22, tzinfo=UTC))
    policy = TrustPolicy(logs=(KnownLog(vkey=key.vkey),))
    audited = examine(Shown(made, signed), Terms(policy=policy, openings=parse_openings(openings)))
    beside = Beside(
        engine_rates=engine_rates(ENGINES.values()),
        stated=Stated(day=date(2026, 11, 22), contests_open=7),
        tried=(Tried(trial=Trial.STRANGER, sent=40, right=39),),
    )
    files = export_files(figures_of(audited, THRESHOLD, measured_rates(ENGINES.values()), beside))
    document = {
        "comment": "A log and its export (docs/specs/audit-export.md)",
        "source": "tests/vectors/make_audit_export_v1.py",
        "key": str(key.vkey),
        "checkpoint": str(signed),
        "entries": [base64.b64encode(each).decode() for each in made],
        "openings": openings,
        "figures": json.loads(files[FIGURES]),
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
        "tests": [
            {"id": "as-it-is", "result": "valid"},
            {"id": "a-count", "result": "invalid", "error": "count",
             "replace": ['"sum": 40', '"sum": 41']},
            {"id": "a-rate-of-one-file-only", "result": "invalid", "error": "count",
             "replace": ['"threshold": 5', '"threshold": 6']},
            {"id": "an-entry", "result": "invalid", "error": "rewritten", "entry": 2},
        ],
    }  # fmt: skip
    path = Path(__file__).with_name("audit_export_v1.json")
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
