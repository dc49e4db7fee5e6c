"""Makes `sighting_v1.json`. HPKE takes fresh randomness, so boxes differ each time: run it for a new version only."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from consentry.checks.sightings import How, SealSighting, Sighting, Stage, place_of
from consentry.kernel.ids import CheckId, SubjectId
from consentry.kernel.taxonomy import IntentCategory, PublicReason, Purpose, Verdict
from consentry.vault.lids import BOX_BYTES, ReaderKey

READERS = {SubjectId(f"sub_{n}"): ReaderKey(bytes([n]) * 32) for n in (1, 2, 3)}
CHECK = CheckId("chk_vectorvectorvectorvectorve")
SIGHTING = Sighting(
    check=CHECK,
    at=datetime(2026, 11, 22, 12, tzinfo=UTC),
    stage=Stage.REQUEST,
    category=IntentCategory.NONE,
    purpose=Purpose.EDIT,
    region="DE",
    platform="pictures.example",
    verdict=Verdict.NEEDS_CONSENT,
    reasons=(PublicReason.CONSENT_REQUIRED,),
)


class _Addresses:
    def address(self, subject: SubjectId) -> bytes:
        return READERS[subject].address


def main() -> None:
    """Write the file."""
    ada, bob, _ = READERS
    (box,) = SealSighting(_Addresses())(SIGHTING, {ada: How.FACE, bob: How.POSSIBLE})
    changed = bytearray(box)
    changed[-1] ^= 1

    def case(name: str, sealed: bytes, secret: int, **wanted: object) -> dict[str, object]:
        return {"id": name, "box": sealed.hex(), "secret": (bytes([secret]) * 32).hex(), **wanted}

    tests = [
        case("first-reader", box, 1, result="valid", mark=0),
        case("second-reader", box, 2, result="valid", mark=2),
        case("not-hers", box, 3, result="closed"),
        case("another-place", box, 1, result="closed", place="sighting chk_other"),
        case("changed-body", bytes(changed), 1, result="invalid", error="seal-broken"),
        case("not-hers-and-changed", bytes(changed), 3, result="closed"),
        case("cut-short", box[:-1], 1, result="invalid", error="seal-broken"),
        case("another-version", b"\x52" + box[1:], 1, result="invalid", error="seal-broken"),
        case("nothing", b"", 1, result="invalid", error="seal-broken"),
    ]
    document = {
        "comment": "Boxes with lids (docs/specs/sighting.md)",
        "source": "tests/vectors/make_sighting_v1.py",
        "bytes": BOX_BYTES,
        "place": place_of(CHECK),
        "body": '{"at":1795348800,"category":"none","check":"chk_vectorvectorvectorvectorve",'
        '"platform":"pictures.example","purpose":"edit","reasons":["consent_required"],'
        '"region":"DE","stage":"request","v":1,"verdict":"needs_consent"}',
        "tests": tests,
    }
    path = Path(__file__).with_name("sighting_v1.json")
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
