"""Write decisions_v1.json: what the server decides in cases that a browser can be in, for the browser to decide alike.

Run ``.venv/bin/python tests/vectors/make_decisions_v1.py`` after a change of a law, and look at the difference.
"""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias, cast

from consentry.consent.authority import NO_AUTHORITY
from consentry.consent.decide import POLICY_VERSION, decide
from consentry.consent.findings import (
    FaceFinding,
    Findings,
    ImageFinding,
    MatchLevel,
    NamesState,
    PersonPresence,
    SearchState,
    SubjectMatch,
)
from consentry.consent.request import Request
from consentry.kernel.ids import SubjectId
from consentry.kernel.taxonomy import Assessment, IntentCategory, Mode, Purpose, SubjectPolicy

Json: TypeAlias = dict[str, object]
FILE = Path(__file__).with_name("decisions_v1.json")

_CASES = 1000
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_SUBJECTS = ("sub_a", "sub_b")


def content() -> str:
    """Return the file: one case a line."""
    head = {
        "comment": f"docs/architecture.md, the laws; {POLICY_VERSION}. purpose edit, no region.",
        "source": "tests/vectors/make_decisions_v1.py",
    }
    lines = ",\n".join(f"  {json.dumps(case, separators=(',', ':'))}" for case in _cases())
    return json.dumps(head, indent=1).removesuffix("\n}") + f',\n "tests": [\n{lines}\n ]\n}}\n'


def _cases() -> list[Json]:
    chance = random.Random(2027)
    found: dict[str, Json] = {}
    while len(found) < _CASES:
        given = _given(chance)
        key = json.dumps(given, sort_keys=True)
        found[key] = {"id": f"case-{len(found) + 1}", "input": given, "result": "valid"} | {
            "error": None,
            "output": _decided(given),
        }
    return list(found.values())


def _given(chance: random.Random) -> Json:
    search = chance.choice([*[SearchState.COMPLETE] * 6, *SearchState])
    is_searched = search is SearchState.COMPLETE
    images = [
        _image(chance, is_searched=is_searched) for _ in range(chance.choice([0, 1, 1, 1, 2]))
    ]
    categories = [IntentCategory.NONE] * 14 + list(IntentCategory)
    return {
        "mode": chance.choice([Mode.ACT, Mode.ACT, Mode.INFORM]),
        "category": chance.choice(categories),
        "readable": chance.random() < 0.93,
        "text": chance.random() < 0.7,
        "age_cue": chance.random() < 0.15,
        "refers": chance.random() < 0.3,
        "intent_read": chance.random() < 0.97,
        "search": search,
        "images": images,
        "actor": chance.choice([None, None, *_SUBJECTS]),
        "policies": {subject: chance.choice(list(SubjectPolicy)) for subject in _SUBJECTS},
        "named": sorted(chance.sample(_SUBJECTS, chance.choice([0, 0, 0, 0, 1, 2]))),
        "names": chance.choice([*[NamesState.CHECKED] * 12, NamesState.LOCKED, NamesState.FAILED]),
    }


def _image(chance: random.Random, *, is_searched: bool) -> Json:
    is_readable, is_checked = chance.random() < 0.95, chance.random() < 0.95
    count = chance.choice([0, 0, 1, 1, 2]) if is_readable and is_checked else 0
    return {
        "readable": is_readable,
        "faces_checked": is_checked,
        "person": chance.choice(list(PersonPresence)),
        "faces": [_face(chance, is_searched=is_searched) for _ in range(count)],
    }


def _face(chance: random.Random, *, is_searched: bool) -> Json:
    is_identifiable = chance.random() < 0.85
    is_matched = is_searched and is_identifiable and chance.random() < 0.6
    levels = [MatchLevel.POSSIBLE, MatchLevel.MATCH]
    who = chance.sample(_SUBJECTS, chance.choice([1, 1, 2])) if is_matched else []
    return {
        "identifiable": is_identifiable,
        "matches": [{"subject": subject, "level": chance.choice(levels)} for subject in who],
    }


def _decided(given: Json) -> Json:
    actor = given["actor"]
    decision = decide(
        Findings(
            images=tuple(_image_finding(image) for image in cast("list[Json]", given["images"])),
            search=SearchState(str(given["search"])),
            intent_read=bool(given["intent_read"]),
            named=tuple(SubjectId(each) for each in cast("list[str]", given["named"])),
            names=NamesState(str(given["names"])),
        ),
        Assessment(
            category=IntentCategory(str(given["category"])),
            spans=(),
            language="en",
            is_readable=bool(given["readable"]),
            has_text=bool(given["text"]),
            has_age_cue=bool(given["age_cue"]),
            refers_to_person=bool(given["refers"]),
        ),
        Request(
            mode=Mode(str(given["mode"])),
            purpose=Purpose.EDIT,
            region=None,
            platform=None,
            actor=None if actor is None else SubjectId(str(actor)),
            declares_minor=False,
        ),
        {
            SubjectId(subject): SubjectPolicy(policy)
            for subject, policy in cast("dict[str, str]", given["policies"]).items()
        },
        NO_AUTHORITY,
        _NOW,
    )
    return {
        "verdict": decision.verdict,
        "reasons": list(decision.reasons),
        "private": list(decision.private_reasons),
        "obligations": list(decision.obligations),
        "subjects": list(decision.subjects),
        "checked": decision.checked,
    }


def _image_finding(image: Json) -> ImageFinding:
    return ImageFinding(
        readable=bool(image["readable"]),
        faces_checked=bool(image["faces_checked"]),
        person=PersonPresence(str(image["person"])),
        faces=tuple(
            FaceFinding(
                identifiable=bool(face["identifiable"]),
                matches=tuple(
                    SubjectMatch(SubjectId(match["subject"]), MatchLevel(match["level"]))
                    for match in cast("list[dict[str, str]]", face["matches"])
                ),
            )
            for face in cast("list[Json]", image["faces"])
        ),
    )


if __name__ == "__main__":
    FILE.write_text(content(), encoding="utf-8")
