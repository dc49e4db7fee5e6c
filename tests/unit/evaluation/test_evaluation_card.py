from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
from consentry.evaluation.attack import Attack, AttackReport, Fate, Goal, View
from consentry.evaluation.card import Robustness, document, markdown, plots
from consentry.evaluation.rates import wilson
from consentry.evaluation.report import Heading
from consentry.evaluation.robustness import Card, Outcomes
from consentry.evaluation.sizes import SizeRow, SizeTable

SPEC = Path(__file__).parents[3] / "docs" / "specs" / "evaluation-report.md"
HEADING = Heading(command="consentry evaluate faces", version="1", date="2026-11-22", note="")


def row(name: str, known: int) -> Outcomes:
    few = wilson(1, 20)
    return Outcomes(name, f"{name} it", wilson(40, 40), wilson(known, 40), few, few, few)


def found() -> Robustness:
    view = View("m@1", "m@1", slice(None), 4321, "1e-4")
    attacks = [
        Attack(("net",), goal, eps, recoded)
        for goal in Goal
        for eps, recoded in ((2, False), (8, False), (8, True))
    ]
    return Robustness(
        "faces",
        (
            Card(
                "m@1",
                30,
                40,
                20,
                0.5,
                0.4,
                (row("untouched", 36), row("blur", 34), row("mask", 10)),
            ),
        ),
        SizeTable(
            "m@1", "1e-4", 4321, 40, (SizeRow(5, wilson(0, 40), wilson(0, 0), wilson(0, 0)),)
        ),
        AttackReport(
            (view,),
            tuple(Fate(attack, "m@1", wilson(n, 40)) for n, attack in enumerate(attacks)),
            {"m@1": {goal: wilson(0, 40) for goal in Goal}},
            40,
        ),
    )


def rows_of(text: str, first: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith(f"| {first}")
    ]


def test_what_is_lost_is_set_in_bold():
    text = markdown(found(), HEADING)

    assert rows_of(text, "blur")[0][4] == "94 %"
    assert rows_of(text, "**mask**")[0][4] == "**28 %**"
    assert rows_of(text, "untouched")[0][4] == "-"


def test_every_attack_has_a_line_in_the_order_they_were_made():
    lines = rows_of(markdown(found(), HEADING), "net")

    assert [line[1:3] for line in lines] == [
        [goal, strength] for goal in Goal for strength in ("2/255", "8/255", "8/255, JPEG")
    ]
    assert [line[3].partition(" ")[0] for line in lines] == [
        "0.00",
        "2.50",
        "5.00",
        "7.50",
        "10.00",
        "12.50",
    ]


def test_a_table_has_as_many_cells_in_every_line():
    text = markdown(found(), HEADING)

    for table in re.findall(r"(?:^\|.*\n?)+", text, flags=re.MULTILINE):
        assert len({line.count("|") for line in table.strip().splitlines()}) == 1


def test_the_card_has_a_plot_for_each_model_and_links_it():
    drawn = plots(found())

    assert list(drawn) == ["robustness-m-1.svg"]
    assert all(f"({name})" in markdown(found(), HEADING) for name in drawn)
    ET.fromstring(drawn["robustness-m-1.svg"])


def test_the_document_is_as_the_specification_says():
    text = re.search(
        r"^```json schema=consentry\.evaluation/1\n(.*?)^```$",
        SPEC.read_text(),
        re.DOTALL | re.MULTILINE,
    )
    schema = json.loads(text[1])
    part = {"$ref": "#/properties/robustness"} | {
        key: schema[key] for key in ("properties", "$defs")
    }

    written = json.loads(json.dumps(document(found())))

    jsonschema.validate(written, {"$defs": schema["$defs"]} | part["properties"]["robustness"])
    assert written["cards"]["m@1"]["weaknesses"] == ["mask"]
