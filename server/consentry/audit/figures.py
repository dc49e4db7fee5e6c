"""The figures of a log: what is published of its counts, with small ones held back (docs/specs/audit-export.md).

Every table of verdicts is over all of them and has the same sums, so no table gives away what another holds back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from consentry.audit.beside import Beside
from consentry.audit.counts import Announced, Counts
from consentry.audit.disclosure import SUM, Cell, Table, disclosed
from consentry.audit.examine import Audited
from consentry.audit.openings import OPENABLE
from consentry.audit.rates import Rate
from consentry.kernel.errors import BadRequest
from consentry.kernel.taxonomy import Verdict

VERDICTS = tuple(verdict.value for verdict in Verdict)
CHANGES = "changes"
NO_REASON = "no reason"
NOT_OPENED = "not opened"
NOT_STATED = "not stated"
STATED = "stated: "

NOT_IN_THE_LOG = (
    "False refusals: an entry does not say whether a verdict was right. Measured and tried ones stand beside it.",
    "Appeals: they are not entries of the log. What the operator states stands beside it.",
    "Error rates of engines that have none here: they do not ship as data.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is published.

    Attributes:
        origin, size, root: Of the head that the entries make.
        threshold: The least count that is shown.
        tables: By name, each by row and column.
        renewals: How often the log went on after a loss.
        announced: Versions, in order.
        rates: Measured error rates of engines that were announced.
        beside: What was measured, stated or tried otherwise; no entry shows it.
    """

    origin: str
    size: int
    root: bytes
    threshold: int
    tables: Mapping[str, Table]
    renewals: int
    announced: tuple[Announced, ...]
    rates: tuple[Rate, ...]
    beside: Beside = field(default_factory=Beside)

    @property
    def verdicts(self) -> int | None:
        """How many verdicts there are; None when that is held back."""
        return self.tables["days"].cells[SUM, SUM]

    @property
    def changes(self) -> int | None:
        """How many changes of enrolments there are; None when that is held back."""
        return self.tables[CHANGES].cells[SUM, SUM]


def figures_of(
    audited: Audited, threshold: int, rates: tuple[Rate, ...], beside: Beside | None = None
) -> Figures:
    """Return the figures of a log that was read.

    Raises:
        BadRequest: If no head counts, or not all of its entries could be read.
    """
    if audited.head is None or audited.read != audited.head.checkpoint.size:
        raise BadRequest(
            "There are no figures of a log that cannot be read up to a signed head. Run "
            "`consentry audit verify` to see what is wrong."
        )
    return Figures(
        origin=audited.head.checkpoint.origin,
        size=audited.read,
        root=audited.root,
        threshold=threshold,
        tables=_tables(audited.counts, threshold),
        renewals=audited.counts.renewals,
        announced=tuple(audited.counts.announced),
        rates=rates,
        beside=(beside or Beside()).held_back(threshold),
    )


def _tables(counts: Counts, threshold: int) -> Mapping[str, Table]:
    of_verdicts = {
        "days": Counter(
            {(day.isoformat(), verdict.value): n for (day, verdict), n in counts.verdicts.items()}
        ),
        "reasons": _reasons(counts),
        "deciders": _deciders(counts),
        **{name: _opened(counts, name) for name in OPENABLE},
    }
    changes = Counter({(day.isoformat(), CHANGES): n for day, n in counts.changes.items()})
    hidden: frozenset[Cell] = frozenset()
    total_hidden: frozenset[Cell] = frozenset()
    while True:
        tables = {
            name: disclosed(each, VERDICTS, threshold, hidden | total_hidden)
            for name, each in of_verdicts.items()
        }
        tables[CHANGES] = disclosed(changes, (CHANGES,), threshold, total_hidden)
        found = frozenset[Cell]().union(*(tables[name].hidden_sums for name in of_verdicts))
        # The size of the log is public: one of the two totals would give the other away.
        both = (found | tables[CHANGES].hidden_sums) & {(SUM, SUM)}
        if (found, both) == (hidden, total_hidden):
            return tables
        hidden, total_hidden = found, both


def _reasons(counts: Counts) -> Counter[Cell]:
    found: Counter[Cell] = Counter()
    for (reasons, verdict), n in counts.reasons.items():
        found["+".join(sorted(each.value for each in reasons)) or NO_REASON, verdict.value] += n
    return found


def _deciders(counts: Counts) -> Counter[Cell]:
    found: Counter[Cell] = Counter()
    for (policy, engines, verdict), n in counts.deciders.items():
        named = "; ".join([policy, *(f"{name} {version}" for name, version in engines)])
        found[f"laws {named}", verdict.value] += n
    return found


def _opened(counts: Counts, wanted: str) -> Counter[Cell]:
    left: Counter[Cell] = Counter()
    for (_, verdict), n in counts.verdicts.items():
        left[NOT_OPENED, verdict.value] += n
    found: Counter[Cell] = Counter()
    for (name, value, verdict), n in counts.opened.items():
        if name == wanted:
            found[f"{STATED}{value}" if value else NOT_STATED, verdict.value] += n
            left[NOT_OPENED, verdict.value] -= n
    return Counter({cell: n for cell, n in (found + left).items() if n})
