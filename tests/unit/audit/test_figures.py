"""Figures: small counts stay held back whatever is subtracted, and every file can be made again."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections import Counter
from datetime import date, timedelta

import pytest
from consentry.audit.counts import Announced, Counts
from consentry.audit.disclosure import SUM, disclosed
from consentry.audit.examine import Audited, examine
from consentry.audit.export import export_files
from consentry.audit.figures import NOT_OPENED, NOT_STATED, STATED, figures_of
from consentry.audit.rates import measured_rates
from consentry.audit.recompute import recomputed
from consentry.kernel.errors import BadRequest
from consentry.kernel.taxonomy import PublicReason, Verdict
from consentry.transparency.entries import Versions
from fakes.audited_log import DAY, REFUSED, KeptLog
from hypothesis import given
from hypothesis import strategies as st

COLUMNS = ("a", "b", "c")
cells = st.dictionaries(
    st.tuples(st.sampled_from("uvwxyz"), st.sampled_from(COLUMNS)), st.integers(0, 40), max_size=18
)


def lines_of(table):
    for row in (*table.rows, SUM):
        yield [(row, column) for column in table.columns], (row, SUM)
    for column in (*table.columns, SUM):
        yield [(row, column) for row in table.rows], (SUM, column)


@given(cells, st.integers(1, 20))
def test_no_small_count_is_shown_or_is_a_sum_less_what_is_shown(counts, threshold):
    table = disclosed(counts, COLUMNS, threshold)
    for inside, total in lines_of(table):
        line = [*inside, total]
        assert all(not 0 < (table.cells[cell] or 0) < threshold for cell in line)
        hidden = [cell for cell in line if table.cells[cell] is None]
        assert len(hidden) != 1
        if hidden and total not in hidden:
            parts = [counts.get(cell, 0) for cell in hidden if SUM not in cell]
            if len(parts) == len(hidden):
                assert sum(parts) >= threshold


def test_what_need_not_be_held_back_is_shown():
    table = disclosed({("x", "a"): 50, ("y", "a"): 3, ("y", "b"): 40}, COLUMNS, 1)
    assert None not in table.cells.values()
    table = disclosed({("x", "a"): 50, ("y", "b"): 40}, COLUMNS, 10)
    assert None not in table.cells.values()


def counted(**opened) -> Counts:
    counts = Counts()
    for number in range(30):
        day = DAY + timedelta(number)
        counts.verdicts[day, Verdict.ALLOW] = 100 + number
        counts.verdicts[day, Verdict.REFUSE] = number
    allowed, refused = (
        sum(n for (_, v), n in counts.verdicts.items() if v is verdict)
        for verdict in (Verdict.ALLOW, Verdict.REFUSE)
    )
    counts.reasons[frozenset(), Verdict.ALLOW] = allowed
    counts.reasons[frozenset({PublicReason.MINOR}), Verdict.REFUSE] = 3
    counts.reasons[frozenset(REFUSED), Verdict.REFUSE] = refused - 3
    counts.deciders["laws@2", (("faces", "mfn192+sface@1"),), Verdict.ALLOW] = allowed
    counts.deciders["laws@2", (("faces", "mfn192+sface@1"),), Verdict.REFUSE] = refused
    counts.changes[DAY] = 40
    counts.announced.append(
        Announced(
            index=0,
            day=DAY,
            versions=Versions(
                program="1|<b>", policy="laws@2", engines={"faces": "mfn192+sface@1"}, models={}
            ),
        )
    )
    for name, values in opened.items():
        counts.opened.update({(name, value, Verdict.ALLOW): n for value, n in values.items()})
    return counts


def audited_of(kept, counts) -> Audited:
    copy = kept.copy()
    real = examine(copy, kept.terms())
    return Audited(
        head=real.head, root=real.root, read=real.read, heads=1, samples=0, counts=counts,
        findings=(),
    )  # fmt: skip


@pytest.fixture
def kept(tmp_path):
    log = KeptLog(tmp_path)
    log.keep()
    return log


def test_no_table_gives_away_a_sum_that_another_holds_back(kept):
    figures = figures_of(audited_of(kept, counted(region={"GB": 2, "": 90})), 10, ())
    sums = [
        {column: table.cells[SUM, column] for column in (*table.columns, SUM)}
        for name, table in figures.tables.items()
        if name != "changes"
    ]
    hidden = [{column for column, n in each.items() if n is None} for each in sums]
    assert all(each == hidden[0] for each in hidden)
    reasons = figures.tables["reasons"].cells
    assert reasons["minor", "refuse"] is None
    assert reasons["revealing_real_person", "refuse"] is None


def test_what_was_not_opened_is_said_to_be(kept):
    figures = figures_of(audited_of(kept, counted(region={"GB": 200, "": 90, "*": 70})), 10, ())
    region = figures.tables["region"]
    assert region.rows == (NOT_OPENED, NOT_STATED, f"{STATED}*", f"{STATED}GB")
    assert region.cells[f"{STATED}GB", "allow"] == 200
    assert figures.tables["purpose"].rows == (NOT_OPENED,)


def test_a_total_is_held_back_with_the_one_that_the_size_would_give_away(kept):
    counts = counted()
    counts.changes = Counter({date(2026, 1, 1): 2})
    figures = figures_of(audited_of(kept, counts), 10, ())
    assert (figures.changes, figures.verdicts) == (None, None)


def test_rates_are_those_that_were_measured_of_the_engines_that_decided():
    rates = measured_rates(["mfn192+sface@1", "composition@2"])
    assert {rate.engine for rate in rates} == {"mfn192+sface@1"}
    assert all(rate.fmr <= 1e-3 for rate in rates)
    assert rates[-1].fmr == min(rate.fmr for rate in rates)


def test_every_file_of_an_export_is_made_again_and_a_count_that_was_rewritten_is_found(kept):
    audited = audited_of(kept, counted())
    files = dict(export_files(figures_of(audited, 10, measured_rates(["mfn192+sface@1"]))))
    assert recomputed(audited, files.__getitem__) == ()
    for name, data in files.items():
        forged = {**files, name: data.replace(b"129", b"130", 1)}
        if forged == files:
            forged[name] += b" "
        found = recomputed(audited, forged.__getitem__)
        assert [each.kind.value for each in found] == ["count"], name
        assert name in found[0].message


@pytest.mark.parametrize(
    "document",
    [b"{", b"[]", b'{"format": "other/1"}', b'{"format": "consentry.audit-export/1"}'],
)
def test_what_is_no_export_is_refused(kept, document):
    with pytest.raises(BadRequest):
        recomputed(audited_of(kept, counted()), lambda _: document)


def test_a_log_that_could_not_be_read_has_no_figures(kept):
    copy = kept.copy()
    copy.shown = []
    with pytest.raises(BadRequest, match="audit verify"):
        figures_of(examine(copy, kept.terms()), 10, ())


def test_the_plot_is_well_formed_and_the_report_shows_no_markup_of_strangers(kept):
    files = export_files(
        figures_of(audited_of(kept, counted(platform={"a|<img>\n# b": 99})), 10, ())
    )
    assert ET.fromstring(files["days.svg"]).tag.endswith("svg")
    text = files["report.md"].decode()
    assert "<img" not in text
    assert "\n# b" not in text
    assert json.loads(files["figures.json"])["tables"]["platform"][1]["row"] == (
        "stated: a|<img>\n# b"
    )
