"""Whatever happens inside, the process leaves with one line and a code that scripts can rely on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from consentry.cli.companion import Companion
from consentry.cli.problems import Problem
from consentry.cli.rim import run
from consentry.kernel.errors import BadRequest, StorageFailed, VaultLocked
from consentry.settings import Settings


def failing_with(error: BaseException):
    @contextmanager
    def connect(settings: Settings) -> Iterator[Companion]:
        raise error
        yield

    return connect


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (BadRequest("No good."), 2, "consentry: No good. [bad-request]"),
        (VaultLocked("Unlock it."), 2, "consentry: Unlock it. [vault-locked]"),
        (StorageFailed("Disk gone."), 1, "consentry: Disk gone. [storage-failed]"),
        (
            Problem(code="not-found", status=404, message="Nobody.", instance="r1"),
            2,
            "consentry: Nobody. [not-found]",
        ),
        (
            Problem(code="internal-error", status=500, message="Broke.", instance="r1"),
            1,
            "consentry: Broke. (r1) [internal-error]",
        ),
    ],
    ids=["caller", "vault", "operator", "problem-4xx", "problem-5xx"],
)
def test_an_error_is_one_line_on_stderr_and_an_exit_code(error, code, told, capsys):
    left_with = run(["subjects"], connect=failing_with(error))

    out, err = capsys.readouterr()
    assert (left_with, out, err.strip()) == (code, "", told)


def test_an_unexpected_error_shows_neither_its_text_nor_a_traceback(capsys):
    left_with = run(["subjects"], connect=failing_with(ValueError("her secret")))

    out, err = capsys.readouterr()
    assert left_with == 1
    assert "her secret" not in out + err
    assert "Traceback" not in err
    assert "ValueError" in err
    assert err.count("\n") == 1


def test_debug_shows_the_traceback_of_an_unexpected_error(capsys):
    run(["--debug", "subjects"], connect=failing_with(ValueError("told to whoever debugs")))

    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_leaves_with_130(capsys):
    assert run(["subjects"], connect=failing_with(KeyboardInterrupt())) == 130


@pytest.mark.parametrize(
    "arguments",
    [["no-such-command"], ["check"], ["check", "a", "--purpose", "fun"], ["faces", "a", "--nope"]],
)
def test_a_usage_error_leaves_with_2_and_prints_nothing_on_stdout(arguments, capsys):
    assert run(arguments) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_and_version_load_no_engine(arguments):
    heavy = [
        "numpy",
        "onnxruntime",
        "pydantic",
        "fastapi",
        "httpx",
        "sqlmodel",
        "PIL",
        "cryptography",
        "uvicorn",
    ]
    script = (
        "import sys; from consentry.cli.rim import run; "
        f"code = run({arguments!r}); "
        f"print([m for m in {heavy!r} if m in sys.modules], file=sys.stderr); sys.exit(code)"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stderr.strip() == "[]"


def test_a_reader_that_goes_away_is_met_with_silence():
    script = "import sys; from consentry.cli.rim import run; sys.exit(run(['--help']))"
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -c "{script}" | true; exit 0'],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stderr == ""


@pytest.mark.parametrize(
    ("command", "code"),
    [("config show --json >&-", 0), ("receipt verify /no/such 2>&-", 2), ("check - 0<&-", 10)],
)
def test_a_stream_that_is_closed_from_the_start_changes_no_exit_code(command, code):
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -m consentry {command}'],
        capture_output=True,
        check=False,
    )

    assert done.returncode == code


def test_a_setting_out_of_range_is_named(monkeypatch, capsys):
    monkeypatch.setenv("CONSENTRY_PORT", "seventy")

    assert run(["config", "show"]) == 2
    assert "CONSENTRY_PORT" in capsys.readouterr().err


def test_config_show_masks_the_passphrase(monkeypatch, capsys):
    monkeypatch.setenv("CONSENTRY_PASSPHRASE", "a passphrase from the environment")

    assert run(["config", "show", "--json"]) == 0
    assert "a passphrase from the environment" not in capsys.readouterr().out
