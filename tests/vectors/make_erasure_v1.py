"""Write ``erasure_v1.json``: erasure receipts, with what travels beside them, and every way of spoiling them.

Run ``python tests/vectors/make_erasure_v1.py`` after a change of the format; never edit the file.
Receipts and entries of the valid cases are the server's. Proofs, and whatever is spoiled, are put
together by hand as in ``make_log_v1.py``, so that they do not inherit a mistake of the code.
"""

from __future__ import annotations

import hashlib
import json
import runpy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from consentry.kernel.ids import SubjectId
from consentry.transparency.entries import (
    SubjectChange,
    SubjectEntry,
    encode_entry,
    subject_change,
)
from consentry.transparency.erasure import Destroyed, ErasedEntry, ErasureScope, ErasureSigner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TARGET = Path(__file__).with_name("erasure_v1.json")
LOG = runpy.run_path(str(Path(__file__).with_name("make_log_v1.py")))
b64, b64url, leaf, vkey = LOG["b64"], LOG["b64url"], LOG["leaf"], LOG["vkey"]
KEY: Ed25519PrivateKey = LOG["ISSUER"]
OTHER: Ed25519PrivateKey = LOG["OTHER"]
ORIGIN, POLICY = LOG["ORIGIN"], LOG["POLICY"]
ELSEWHERE = "log.example/two"
SIZE, PLACES = 260, (12, 200, 257, 5, 77)

Beside = dict[str, str]


@dataclass(frozen=True)
class FixedClock:
    """A clock that stands still."""

    def now(self) -> datetime:
        return datetime(2026, 11, 21, 12, 0, 0, 500_000, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


def erased(n: int, change: SubjectChange = SubjectChange.REVOKED) -> ErasedEntry:
    subject = SubjectId("sub_" + "abcdefghijklmnopqrstuvwxyz"[n % 26] * 26)
    salt = hashlib.sha256(f"salt {n}".encode()).digest()
    commitment = subject_change(change, subject, salt).commit("change")
    entry = encode_entry(SubjectEntry(day=date(2026, 11, 22), change=commitment))
    return ErasedEntry(subject=subject, entry=entry, salt=salt)


def beside(entries: Sequence[ErasedEntry]) -> list[Beside]:
    return [
        {"subject": each.subject, "entry": b64url(each.entry), "salt": b64url(each.salt)}
        for each in entries
    ]


def signed(
    entries: Sequence[ErasedEntry],
    scope: ErasureScope = ErasureScope.HOME,
    log: str | None = ORIGIN,
) -> str:
    signer = ErasureSigner(
        private_key=KEY,
        issuer="https://consentry.example",
        clock=FixedClock(),
        random=lambda size: bytes(range(size)),
    )
    counts = {"subjects": len(entries), "templates": 3 * len(entries)} if entries else {}
    return signer.sign(scope, Destroyed(counts=counts, entries=entries, log=log)).jws


def claims_of(jws: str) -> dict[str, object]:
    payload = jws.split(".")[1]
    return json.loads(LOG["base64"].urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def assemble(
    claims: Mapping[str, object] | bytes,
    key: Ed25519PrivateKey = KEY,
    typ: str = "consentry-erasure+jwt",
) -> str:
    x = b64url(key.public_key().public_bytes_raw())
    jwk = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"))
    header = {"alg": "EdDSA", "kid": b64url(hashlib.sha256(jwk.encode()).digest()), "typ": typ}
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    signing_input = f"{b64url(json.dumps(header).encode())}.{b64url(payload)}"
    return f"{signing_input}.{b64url(key.sign(signing_input.encode()))}"


def proofs(
    entries: Sequence[bytes], *, origin: str = ORIGIN, key: Ed25519PrivateKey | None = None
) -> list[str]:
    """A proof of each of these entries, from one tree in which they stand far from each other."""
    places = PLACES[: len(entries)]
    leaves = [leaf(b"entry %d" % n) for n in range(SIZE)]
    for place, entry in zip(places, entries, strict=True):
        leaves[place] = leaf(entry)
    head = LOG["head"](LOG["tree"](leaves), size=SIZE, origin=origin, key=key or LOG["LOG"])
    return [
        LOG["proof"](entry, LOG["path"](place, leaves), head, place)
        for place, entry in zip(places, entries, strict=True)
    ]


def alike() -> list[ErasedEntry]:
    """Three people, two of whose leaf hashes differ only after their first byte, the greater first."""
    seen: dict[int, ErasedEntry] = {}
    n = 100
    while True:
        new = erased(n)
        old = seen.setdefault(leaf(new.entry)[0], new)
        if old is not new:
            first, second = sorted((old, new), key=lambda each: leaf(each.entry), reverse=True)
            return [first, erased(0), second]
        n += 1


def case(
    name: str,
    jws: str,
    entries: Sequence[Beside] = (),
    proved: Sequence[str] = (),
    *,
    policy: str = POLICY,
    error: str | None = None,
) -> dict[str, object]:
    made: dict[str, object] = {
        "id": name,
        "input": {
            "receipt": jws,
            "entries": list(entries),
            "proofs": list(proved),
            "policy": policy,
        },
        "result": "invalid" if error else "valid",
        "error": error,
    }
    if error is None:
        made["output"] = claims_of(jws)
    return made


def valid() -> list[dict[str, object]]:
    one, three, five = [erased(0)], [erased(n) for n in range(3)], [erased(n) for n in range(5)]
    by_hash = sorted(five, key=lambda each: leaf(each.entry))
    found = [case("one person", signed(one, ErasureScope.PERSON), beside(one))]
    found += [case("nobody was there", signed([])), case("no entries", signed(three))]
    # The digest is of sorted hashes: whoever does not sort, or sorts otherwise, refuses one of these.
    orders = {
        "ascending": by_hash,
        "descending": by_hash[::-1],
        "in no order": [by_hash[n] for n in (3, 0, 4, 1, 2)],
    }
    found += [
        case(f"five people, {name}", signed(five), beside(each)) for name, each in orders.items()
    ]
    found += [
        case("three people whose hashes begin alike", signed(alike()), beside(alike())),
        case("a home without a log", signed(three, log=None), beside(three)),
        case("three people, proved", signed(three), beside(three), proved_of(three)),
        case("proofs in another order", signed(three), beside(three), proved_of(three)[::-1]),
        case(
            "a home without a log, proved later",
            signed(three, log=None),
            beside(three),
            proved_of(three),
        ),
    ]
    return found


def proved_of(entries: Sequence[ErasedEntry]) -> list[str]:
    return proofs([each.entry for each in entries])


def spoiled_receipts() -> dict[str, str]:
    jws = signed([erased(n) for n in range(3)])
    claims = claims_of(jws)
    head, payload, signature = jws.split(".")
    data = json.dumps(claims).encode()
    changed = b64url(json.dumps(claims | {"people": 2}).encode())
    flipped = signature[:20] + ("A" if signature[20] != "A" else "B") + signature[21:]
    values: dict[str, dict[str, object]] = {
        "a claim too many": {"subject": "sub_a"},
        "an unknown scope": {"scope": "town"},
        "no scope": {"scope": None},
        "people as text": {"people": "3"},
        "people as bool": {"people": True},
        "people below zero": {"people": -1},
        "people as a fraction": {"people": 3.0},
        "a time as text": {"iat": "1795262400"},
        "a time beyond the calendar": {"iat": 253_402_300_800},
        "no issuer": {"iss": None},
        "an empty issuer": {"iss": ""},
        "an empty number": {"jti": ""},
        "an empty log": {"log": ""},
        "destroyed as a list": {"destroyed": []},
        "a count below zero": {"destroyed": {"keys": -1}},
        "a count as text": {"destroyed": {"keys": "1"}},
        "a thing without a name": {"destroyed": {"": 1}},
        "a short digest": {"entries": b64url(bytes(31))},
        "a digest as null": {"entries": None},
        "a padded digest": {"entries": b64url(bytes(32)) + "="},
    }
    return {
        "nothing": "",
        "two parts": f"{head}.{payload}",
        "a changed claim": f"{head}.{changed}.{signature}",
        "a changed signature": f"{head}.{payload}.{flipped}",
        "another key": assemble(claims, OTHER),
        "a receipt of a check": assemble(claims, typ="consentry-receipt+jwt"),
        "a claim twice": assemble(data.replace(b'{"iss"', b'{"people":1,"iss"', 1)),
        **{
            f"without {name}": assemble({k: v for k, v in claims.items() if k != name})
            for name in claims
        },
        **{name: assemble(claims | change) for name, change in values.items()},
    }


def spoiled_entries() -> list[dict[str, object]]:
    three = [erased(n) for n in range(3)]
    jws, good = signed(three), beside(three)
    first, second, third = good
    enrolled = [erased(0, SubjectChange.ENROLLED), *three[1:]]
    verdict = LOG["canonical"](LOG["verdict_entry"](jws))
    of_verdict = ErasedEntry(subject=three[0].subject, entry=verdict, salt=three[0].salt)
    spaced = ErasedEntry(
        subject=three[0].subject,
        entry=three[0].entry.replace(b'"v":1', b'"v": 1'),
        salt=three[0].salt,
    )
    fewer = assemble(claims_of(jws) | {"people": 2})
    spoiled: dict[str, tuple[str, list[Beside]]] = {
        "an entry too few": (jws, good[:2]),
        "an entry too many": (jws, [*good, *beside([erased(3)])]),
        "an entry twice": (jws, [first, second, second]),
        "an entry of another": (jws, [first, second, *beside([erased(3)])]),
        "another number of people": (fewer, good),
        "another subject": (jws, [first | {"subject": second["subject"]}, second, third]),
        "two subjects exchanged": (
            jws,
            [
                first | {"subject": second["subject"]},
                second | {"subject": first["subject"]},
                third,
            ],
        ),
        "another salt": (jws, [first | {"salt": b64url(bytes(32))}, second, third]),
        "two salts exchanged": (
            jws,
            [first | {"salt": second["salt"]}, second | {"salt": first["salt"]}, third],
        ),
        "an entry of an enrolment": (signed(enrolled), beside(enrolled)),
        "an entry of a verdict": (
            signed([of_verdict, *three[1:]]),
            beside([of_verdict, *three[1:]]),
        ),
        "an entry in another spelling": (
            signed([spaced, *three[1:]]),
            beside([spaced, *three[1:]]),
        ),
        # The digest of the hashes as they stand: what somebody signs who does not sort.
        "a digest in another order": (
            assemble(claims_of(jws) | {"entries": unsorted_digest(three)}),
            good,
        ),
    }
    return [
        case(name, receipt, entries, error="ReceiptInvalid")
        for name, (receipt, entries) in spoiled.items()
    ]


def unsorted_digest(entries: Sequence[ErasedEntry]) -> str:
    descending = sorted((leaf(each.entry) for each in entries), reverse=True)
    return b64url(hashlib.sha256(b"".join(descending)).digest())


def spoiled_proofs() -> list[dict[str, object]]:
    three = [erased(n) for n in range(3)]
    jws, good, entries = signed(three), beside(three), [each.entry for each in three]
    proved = proofs(entries)
    others = proofs([*entries[:2], erased(3).entry])
    shorter = "\n".join(line for n, line in enumerate(proved[1].split("\n")) if n != 3)
    two = f"log {vkey(ELSEWHERE, 1, LOG['LOG'])[0]}\nquorum none\n"
    elsewhere = proofs(entries, origin=ELSEWHERE)
    uncosigned = [each.rsplit("\u2014 witness", 1)[0] for each in proved]
    moved = proved[0].replace(f"index {PLACES[0]}\n", f"index {PLACES[0] + 1}\n")
    spoiled: dict[str, tuple[list[str], str]] = {
        "a proof too few": (proved[:2], POLICY),
        "a proof too many": ([*proved, others[2]], POLICY),
        "a proof twice": ([proved[0], proved[1], proved[1]], POLICY),
        "a proof of another entry": ([*proved[:2], others[2]], POLICY),
        "a proof that does not lead there": ([proved[0], shorter, proved[2]], POLICY),
        "a proof of another place": ([moved, *proved[1:]], POLICY),
        "proofs of a log that the receipt does not name": (elsewhere, two),
        "proofs of a log that is not believed": (proved, two),
        "proofs of a log that somebody else signed": (proofs(entries, key=OTHER), POLICY),
        "proofs without their quorum": (uncosigned, POLICY),
        "proofs that are none": (["", "", ""], POLICY),
    }
    return [
        case(name, jws, good, each, policy=policy, error="ProofInvalid")
        for name, (each, policy) in spoiled.items()
    ]


def vectors() -> dict[str, object]:
    return {
        "comment": "docs/specs/erasure-receipt.md. Without proofs the policy is not looked at.",
        "source": "tests/vectors/make_erasure_v1.py",
        "jwks": LOG["JWKS"],
        "tests": [
            *valid(),
            *(case(name, jws, error="ReceiptInvalid") for name, jws in spoiled_receipts().items()),
            *spoiled_entries(),
            *spoiled_proofs(),
        ],
    }


def text() -> str:
    return json.dumps(vectors(), indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
