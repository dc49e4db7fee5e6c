"""The data inventory names everything that is kept: each table and column, each file; privacy.md is made from it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from consentry.cli.serve import listen_on_socket, only_companion
from consentry.rights.inventory import about_her, document, inventory
from consentry.rights.kept import Place
from consentry.rights.periods import Periods
from consentry.settings import Settings
from consentry.storage import tables
from consentry.wiring import open_home
from sqlmodel import SQLModel

DOC = Path(__file__).parents[2] / "docs" / "privacy.md"
TABLES = SQLModel.metadata.tables
KEPT = inventory(Periods())


def _names(*places: Place) -> set[str]:
    return {each.name for each in KEPT if each.place in places}


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose path is short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="cs-"))
    yield folder
    shutil.rmtree(folder)


def test_the_inventory_has_exactly_the_tables_that_there_are():
    assert tables.SubjectRow.__tablename__ in TABLES
    assert _names(Place.DATABASE) == set(TABLES)


@pytest.mark.parametrize("table", sorted(TABLES))
def test_the_inventory_names_every_column_and_no_other(table: str):
    kept = next((each for each in KEPT if each.name == table), None)

    assert kept is not None
    assert set(kept.fields) == set(TABLES[table].columns.keys())


def test_every_line_says_who_can_open_it_and_what_ends_it():
    assert [each for each in KEPT if not (each.opens and each.ends)] == []
    assert [each for each in KEPT if each.place is not Place.MEMORY and not each.name] == []


def test_the_document_is_made_from_the_inventory():
    """`python -m consentry.api.reference docs` makes it."""
    assert DOC.read_text() == document(DOC.read_text())


def test_the_periods_of_the_defaults_are_those_of_the_settings(tmp_path):
    assert asdict(Settings(home=tmp_path).periods) == asdict(Periods())


def test_a_person_is_told_of_every_table_in_which_she_is_named():
    about = {each.name for each in about_her(Periods())}
    # Of those, what is sealed and lapses within a session is told with the questions and grants.
    told_with_others = {"consent_tokens", "contests", "log_waiting"}

    named = {
        name
        for name, table in TABLES.items()
        if {"subject", "claimant"} & set(table.columns.keys())
    }
    assert named - told_with_others <= about


def test_the_inventory_has_exactly_the_files_that_a_running_companion_makes(short_folder: Path):
    settings = Settings(home=short_folder / "home", models_dir=short_folder / "models")
    settings.socket_path.parent.mkdir(parents=True)

    with (
        only_companion(settings.socket_path.with_name("serve.lock")),
        open_home(settings) as home,
    ):
        listener = listen_on_socket(settings.socket_path)
        home.services.receipts.count()
        made = {
            (Path(folder) / name).relative_to(settings.home).as_posix()
            for folder, _, names in os.walk(settings.home)
            for name in names
        }
        if listener is not None:
            listener.close()

    assert made == {"consentry.db", *_names(Place.FILE)}


def test_what_the_companion_leaves_when_it_stops_is_in_the_inventory(short_folder: Path):
    settings = Settings(home=short_folder / "home", models_dir=short_folder / "models")

    with open_home(settings):
        pass

    left = {path.name for path in settings.home.rglob("*") if path.is_file()}
    assert left == {"consentry.db", "receipts.pem", "identity.pem", "log.pem"}
