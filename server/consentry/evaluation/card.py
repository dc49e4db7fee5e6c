"""robustness.md and the robustness part of report.json."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from consentry.evaluation.attack import Attack, AttackReport, Goal
from consentry.evaluation.comparisons import TICKS
from consentry.evaluation.documents import interval, number
from consentry.evaluation.plots import Dot, dot_plot
from consentry.evaluation.report import Heading, with_interval
from consentry.evaluation.robustness import ENOUGH, Card, Outcomes, weaknesses
from consentry.evaluation.sizes import SizeTable
from consentry.evaluation.transforms import UNTOUCHED
from consentry.evaluation.work import Json, JsonObject

_HEAD = """\
# What happens when a picture is altered

Written by `{command}` on {date} with Consentry {version}; do not edit. The same figures for programs:
[report.json](report.json) (docs/specs/evaluation-report.md).

{note}- **Protocol.** A gallery holds one reference each of {gallery} people of `{name}`. Another photo of {known} of
  them, and a photo of each of {strangers} people who are not in it, are altered in each of the ways below
  (`server/consentry/evaluation/transforms.py`), then go the whole way of a check in `act` mode: a thorough look, every
  face described and searched, at the thresholds of a check with so many comparisons.
- **Known**: any face of the picture matches the person's own reference. **Possible**: it reaches the looser point at
  which consent is asked for without naming anybody. **Strangers**: any face matches anybody. **Left**: known, as a part
  of the rate of the untouched photos.
- A transform that leaves less than {enough:.0f} % is set in bold; docs/limitations.md says why.
- Intervals: Wilson, 95 %. Each rate has few photos behind it, so differences of some per cent mean nothing.
"""

_SIZES = """\
## How small a face may be

{probes} photos, shrunk and laid on a larger picture, against all others at full size: `{model}` at FMR {fmr}. Eyes are
measured in pixels of the picture, as if the face looked straight ahead; the whole face is about twice as wide. Behind
`IDENTIFIABLE_EYE_PX`.

| eyes apart | found | FNMR of those found | FMR |
|---|---|---|---|"""

_ATTACK = """\
## An attacker who holds the weights

Projected gradient descent (Madry et al., 2018) changes every value of a photo by at most `eps` of 255, which is hard to
see, for {probes} photos: away from the person's own reference (dodge), or towards another person's (impersonate). The
attacker holds the parts named in the first column, the reference and the place of the face. The attacked photo then
goes the whole way. Each cell is the part of the photos at which the attacker got what he wanted from that model, or
from that part alone. The last line of each block is saved as a JPEG of quality 75 afterwards.
"""


@dataclass(frozen=True, slots=True)
class Robustness:
    """Everything of the card.

    Attributes:
        name: Of the set.
        cards: One for each model.
        sizes: How small a face may be; None where that was not measured.
        attacks: None where nobody attacked.
    """

    name: str
    cards: tuple[Card, ...]
    sizes: SizeTable | None
    attacks: AttackReport | None


def markdown(found: Robustness, heading: Heading) -> str:
    """Write the card. It holds no name of a person and no path."""
    first = found.cards[0]
    note = f"{heading.note.strip()}\n" if heading.note.strip() else ""
    lines = [
        _HEAD.format(
            command=heading.command,
            date=heading.date,
            version=heading.version,
            note=note,
            name=found.name,
            gallery=first.gallery,
            known=first.known,
            strangers=first.strangers,
            enough=100 * ENOUGH,
        )
    ]
    for card in found.cards:
        lines += [*_card(card), ""]
    if found.sizes is not None:
        lines += [*_sizes(found.sizes), ""]
    if found.attacks is not None:
        lines += [*_attacks(found.attacks), ""]
    return "\n".join(lines).rstrip() + "\n"


def plot_file(model_id: str) -> str:
    """Return the name of a model's plot."""
    return f"robustness-{''.join(c if c.isalnum() else '-' for c in model_id)}.svg"


def plots(found: Robustness) -> dict[str, str]:
    """Draw the rate of each transform, one plot a model, by the name of its file."""
    return {plot_file(card.model_id): _plot(card) for card in found.cards}


def document(found: Robustness) -> JsonObject:
    """Return the part of report.json."""
    return {
        "set": found.name,
        "cards": {card.model_id: _card_document(card) for card in found.cards},
        "sizes": None if found.sizes is None else _sizes_document(found.sizes),
        "attacks": None if found.attacks is None else _attacks_document(found.attacks),
    }


def _plot(card: Card) -> str:
    dots = [Dot(row.transform, row.known.value, row.known.low, row.known.high) for row in card.rows]
    limit = ENOUGH * card.rows[0].known.value
    return dot_plot(
        f"Still known: {card.model_id}", "part of the people who are known", dots, limit
    )


def _card(card: Card) -> Iterator[str]:
    yield f"## `{card.model_id}`"
    yield ""
    yield (
        f"Thresholds for one face: {card.match:.4f} to be known, {card.possible:.4f} for a possible match."
    )
    yield ""
    yield f"![Part of the people still known after each transform]({plot_file(card.model_id)})"
    yield ""
    yield "| transform | what it does | face found | known (95 %) | left | possible | strangers | strangers, possible |"
    yield "|---|---|---|---|---|---|---|---|"
    weak = weaknesses(card)
    for row in card.rows:
        yield _line(card, row, is_weak=row in weak)


def _line(card: Card, row: Outcomes, *, is_weak: bool) -> str:
    mark = "**" if is_weak else ""
    ratio = card.ratio(row)
    left = "-" if row.transform == UNTOUCHED.name or math.isnan(ratio) else f"{100 * ratio:.0f} %"
    return (
        f"| {mark}{row.transform}{mark} | {row.says} | {100 * row.found.value:.0f} % | {with_interval(row.known)} "
        f"| {mark}{left}{mark} | {100 * row.possible.value:.0f} % | {with_interval(row.strangers)} "
        f"| {100 * row.strangers_possible.value:.0f} % |"
    )


def _sizes(table: SizeTable) -> Iterator[str]:
    yield _SIZES.format(probes=table.probes, model=table.model_id, fmr=table.fmr)
    for row in table.rows:
        matched = "-" if not row.matched.count else f"{row.matched.value:.1e}"
        yield f"| {row.eye_px} px | {with_interval(row.found)} | {with_interval(row.missed)} | {matched} |"


def _attacks(found: AttackReport) -> Iterator[str]:
    yield _ATTACK.format(probes=found.probes)
    yield (
        "Known is what reaches the threshold for "
        + ", ".join(
            f"FMR {view.fmr} of `{view.name}` ({view.threshold / TICKS:.4f})"
            for view in found.views
        )
        + ". Without an attack:"
    )
    yield ""
    names = [f"`{view.name}`" for view in found.views]
    yield f"| goal | {' | '.join(names)} |"
    yield "|---|" + "---|" * len(names)
    for goal in Goal:
        cells = [with_interval(found.untouched[view.name][goal]) for view in found.views]
        yield f"| {goal} | {' | '.join(cells)} |"
    yield ""
    yield f"| attacker holds | goal | eps | {' | '.join(names)} |"
    yield "|---|---|---|" + "---|" * len(names)
    for attack in dict.fromkeys(fate.attack for fate in found.fates):
        cells = [with_interval(fate.fooled) for fate in found.fates if fate.attack == attack]
        yield f"| {', '.join(attack.known)} | {attack.goal} | {_strength(attack)} | {' | '.join(cells)} |"


def _strength(attack: Attack) -> str:
    return f"{attack.eps}/255, JPEG" if attack.is_recoded else f"{attack.eps}/255"


def _card_document(card: Card) -> JsonObject:
    rows: list[Json] = [
        {
            "transform": row.transform,
            **interval("found", row.found),
            **interval("known", row.known),
            "left": number(card.ratio(row)),
            **interval("possible", row.possible),
            **interval("strangers", row.strangers),
            **interval("strangers_possible", row.strangers_possible),
        }
        for row in card.rows
    ]
    return {
        "gallery": card.gallery,
        "known_probes": card.known,
        "stranger_probes": card.strangers,
        "threshold_match": card.match,
        "threshold_possible": card.possible,
        "transforms": rows,
        "weaknesses": [row.transform for row in weaknesses(card)],
    }


def _sizes_document(table: SizeTable) -> JsonObject:
    return {
        "model": table.model_id,
        "fmr": table.fmr,
        "threshold": table.threshold / TICKS,
        "probes": table.probes,
        "rows": [
            {
                "eye_px": row.eye_px,
                **interval("found", row.found),
                **interval("fnmr", row.missed),
                **interval("fmr", row.matched),
            }
            for row in table.rows
        ],
    }


def _attacks_document(found: AttackReport) -> JsonObject:
    return {
        "probes": found.probes,
        "views": [
            {"name": view.name, "fmr": view.fmr, "threshold": view.threshold / TICKS}
            for view in found.views
        ],
        "without": {
            view.name: {
                goal.value: interval("fooled", found.untouched[view.name][goal]) for goal in Goal
            }
            for view in found.views
        },
        "attacks": [
            {
                "holds": list(fate.attack.known),
                "goal": fate.attack.goal.value,
                "eps": fate.attack.eps,
                "jpeg": fate.attack.is_recoded,
                "view": fate.view,
                **interval("fooled", fate.fooled),
            }
            for fate in found.fates
        ],
    }


def told(cards: Sequence[Card]) -> Iterator[tuple[str, str, str]]:
    """Yield for each model: its name, the untouched rate, the weaknesses."""
    for card in cards:
        weak = ", ".join(row.transform for row in weaknesses(card))
        yield card.model_id, with_interval(card.rows[0].known), weak or "none"
