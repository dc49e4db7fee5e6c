"""Promises about the repository itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "server" / "consentry"


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def _texts() -> list[tuple[Path, str]]:
    return [
        (path, path.read_text(encoding="utf-8"))
        for path in _tracked()
        if path.suffix not in {".png", ".ico", ".woff2", ".npz", ".bin"}
    ]


def _documents() -> list[Path]:
    return [path for path in _tracked() if path.suffix == ".md"]


def test_no_picture_is_tracked_but_drawings():
    pictures = [
        path.relative_to(ROOT).as_posix()
        for path in _tracked()
        if path.suffix.lower()
        in {".jpg", ".jpeg", ".png", ".webp", ".gif", ".heic", ".avif", ".bmp", ".tiff"}
    ]

    assert pictures == []


# What we trained ourselves stands beside a package's network, which is not tracked (ADR 0020).
TRAINED_HERE = "server/consentry/inference/converters/paraphrase.npz"


def test_no_model_weights_are_tracked():
    heavy = [
        path.relative_to(ROOT).as_posix()
        for path in _tracked()
        if path.stat().st_size
        > (5_000_000 if path.relative_to(ROOT).as_posix() == TRAINED_HERE else 1_000_000)
        or path.suffix in {".onnx", ".dat", ".tflite"}
    ]

    assert heavy == []


def test_nothing_is_left_to_do():
    word = re.compile(r"\b(TODO|FIXME|XXX)\b")

    left = [
        str(path.relative_to(ROOT))
        for path, text in _texts()
        if path != Path(__file__)
        and path.suffix in {".py", ".ts", ".js", ".html", ".css"}
        and word.search(text)
    ]

    assert left == []


def test_locks_name_no_address():
    locks = list((ROOT / "requirements").glob("*.lock"))

    assert locks
    assert [path.name for path in locks if "://" in path.read_text()] == []


@pytest.mark.parametrize("document", _documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())

    dead = [
        link
        for link in links
        if "://" not in link
        and not link.startswith("mailto:")
        and not (document.parent / link).exists()
    ]

    assert dead == []


def _places_of_where_is_x() -> list[str]:
    text = (ROOT / "docs" / "architecture.md").read_text().partition("## Where is X?")[2]
    places = re.findall(r"^\| [^|]+ \| (.+) \|$", text, flags=re.MULTILINE)
    return [place for row in places for place in re.findall(r"`([\w./-]+)`", row)]


def test_where_is_x_names_places_that_exist():
    named = _places_of_where_is_x()

    assert len(named) > 20
    assert [place for place in named if not (ROOT / place).exists()] == []


def test_where_is_x_knows_every_room():
    named = _places_of_where_is_x()
    rooms = [
        path.relative_to(ROOT).as_posix()
        for path in SERVER.iterdir()
        if path.name not in {"__pycache__", "__init__.py", "py.typed"}
    ]

    assert [room for room in rooms if not any(place.startswith(room) for place in named)] == []


def test_every_room_stands_in_the_floor_plan():
    plan = (ROOT / "docs" / "architecture.md").read_text()
    rooms = [path.name for path in SERVER.iterdir() if path.is_dir() and path.name != "__pycache__"]

    assert [room for room in rooms if f"{room}/" not in plan] == []


def test_the_index_of_decision_records_is_the_records():
    folder = ROOT / "docs" / "adr"
    listed = re.findall(
        r"^\| \[(.+)\]\((.+)\) \| (\w+) \|$", (folder / "README.md").read_text(), re.MULTILINE
    )
    records = []
    for path in sorted(folder.glob("0*.md")):
        front = re.match(
            r'---\nadr: "(\d{4})"\nstatus: (\w+)\ndate: [\d-]{10}\ntags: \[.+\]\n---\n# (.+)\n',
            path.read_text(),
        )
        assert front is not None, path.name
        assert path.name.startswith(f"{front[1]}-"), path.name
        assert front[3].startswith(f"{front[1]} "), path.name
        records.append((front[3], path.name, front[2]))

    assert listed == records


def test_every_runtime_dependency_is_justified():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    record = (ROOT / "docs" / "adr" / "0003-runtime-dependencies.md").read_text()
    wanted = [
        *project["dependencies"],
        *(r for extra in project["optional-dependencies"].values() for r in extra),
    ]
    names = {re.split(r"[<>=\[ ]", requirement)[0] for requirement in wanted}

    assert sorted(name for name in names if name not in record) == []


def test_only_settings_reads_the_environment():
    readers = [
        path.relative_to(SERVER).as_posix()
        for path in SERVER.rglob("*.py")
        if re.search(r"os\.(environ|getenv)", path.read_text())
    ]

    # __main__ sets one variable, for a library that takes it in no other way.
    assert sorted(readers) == ["__main__.py", "settings.py"]


def test_only_the_clock_asks_for_the_time():
    asking = re.compile(r"datetime\.now\(|time\.(time|monotonic)\(|date\.today\(")
    askers = [
        path.relative_to(SERVER).as_posix()
        for path in SERVER.rglob("*.py")
        if asking.search(path.read_text())
    ]

    assert askers == ["kernel/clock.py"]


def test_imports_go_down_only():
    run = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout


def test_importing_a_module_changes_nothing(tmp_path: Path):
    """Every module, in one fresh process: no file, no environment, no thread, no output."""
    modules = sorted(
        ".".join(path.relative_to(SERVER.parent).with_suffix("").parts)
        for path in SERVER.rglob("*.py")
        if path.name != "__main__.py"
        and "migrations" not in path.parts
        and path.stem != "reference"
    )
    program = (
        "import os, sys, threading, importlib\n"
        "before = dict(os.environ)\n"
        f"for name in {modules!r}: importlib.import_module(name.removesuffix('.__init__'))\n"
        "assert dict(os.environ) == before, 'the environment changed'\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
        "assert os.listdir('.') == [], os.listdir('.')\n"
    )

    run = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
