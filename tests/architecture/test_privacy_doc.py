"""docs/privacy.md names everything that is kept: each table and column, each file."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from consentry.cli.serve import listen_on_socket, only_companion
from consentry.settings import Settings
from consentry.storage import tables
from consentry.wiring import open_home
from sqlmodel import SQLModel

DOC = Path(__file__).parents[2] / "docs" / "privacy.md"
TABLES = SQLModel.metadata.tables


def _rows(heading: str) -> dict[str, str]:
    """The rows of the table under a heading: the names in the first column, and the rest."""
    section = re.split(r"^## ", DOC.read_text(), flags=re.MULTILINE)
    text = next(part for part in section if part.startswith(heading))
    rows = re.findall(r"^\| (`.+?) \| (.+) \|$", text, flags=re.MULTILINE)
    return {name: rest for names, rest in rows for name in re.findall(r"`([^`]+)`", names)}


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose path is short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="cs-"))
    yield folder
    shutil.rmtree(folder)


def test_the_inventory_has_exactly_the_tables_that_there_are():
    assert tables.SubjectRow.__tablename__ in TABLES
    assert set(_rows("In the database")) == set(TABLES)


@pytest.mark.parametrize("table", sorted(TABLES))
def test_the_inventory_names_every_column(table: str):
    row = _rows("In the database").get(table, "")

    assert [name for name in TABLES[table].columns.keys() if f"`{name}`" not in row] == []  # noqa: SIM118 -- of columns, not of a dict


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

    assert made == {"consentry.db", *_rows("Beside it")}


def test_what_the_companion_leaves_when_it_stops_is_in_the_inventory(short_folder: Path):
    settings = Settings(home=short_folder / "home", models_dir=short_folder / "models")

    with open_home(settings):
        pass

    left = {path.name for path in settings.home.rglob("*") if path.is_file()}
    assert left == {"consentry.db", "receipts.pem", "identity.pem", "log.pem"}
