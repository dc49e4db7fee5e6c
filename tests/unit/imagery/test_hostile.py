from __future__ import annotations

import multiprocessing
import resource
import time
import warnings
from multiprocessing.connection import Connection
from pathlib import Path

import hostile
import pytest
from consentry.imagery.decoding import decode
from consentry.kernel.errors import ImageError
from hostile import BOMBS, POLYGLOTS

GIBIBYTE = 1 << 30
ADDRESS_SPACE = 3 * GIBIBYTE // 2
WATCHDOG_S = 60
ALLOWED_S = 5
"""The promise is one second (benchmarks/bench_imagery.py measures it); a busy machine gets more."""


def serve(calls: Connection) -> None:
    """Decode what is named, in a process that may not grow, and answer with error, seconds and peak memory."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    warnings.simplefilter("error")
    bombs = {bomb.name: bomb for bomb in BOMBS}
    while name := calls.recv():
        data = bombs[name].make()
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak of making it
        started = time.perf_counter()
        try:
            decode(data)
            raised = "nothing"
        except ImageError as error:
            raised = type(error).__name__
        seconds = time.perf_counter() - started
        status = Path("/proc/self/status").read_text()
        peak_kib = int(status.partition("VmHWM:")[2].split()[0])
        calls.send((raised, seconds, peak_kib * 1024))


class Cell:
    """A child process that is replaced when it dies or hangs."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.calls, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()

    def decode(self, name: str) -> tuple[str, float, int]:
        self.calls.send(name)
        try:
            if self.calls.poll(WATCHDOG_S):
                return self.calls.recv()
            died = "hung"
        except EOFError:
            died = "died"
        self.stop()
        self.start()
        pytest.fail(f"the decoder {died} on: {name}")

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.calls.close()


@pytest.fixture(scope="module")
def cell():
    one = Cell()
    yield one
    one.stop()


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="peak memory is read from /proc"
)
@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.name)
def test_a_bomb_gets_its_named_error_soon_and_in_little_memory(cell, bomb):
    raised, seconds, peak = cell.decode(bomb.name)

    assert raised == bomb.error.__name__
    assert seconds < ALLOWED_S
    assert peak < GIBIBYTE


@pytest.mark.parametrize("file", POLYGLOTS, ids=lambda file: file.name)
def test_a_file_that_is_two_things_gets_its_named_error(file):
    with pytest.raises(ImageError) as raised:
        decode(file.make())

    assert raised.type is file.error


@pytest.mark.parametrize("file", [*POLYGLOTS, *BOMBS[:12]], ids=lambda file: file.name)
def test_an_error_says_how_to_mend_it_and_quotes_nothing_of_the_file(file):
    with pytest.raises(ImageError) as raised:
        decode(file.make())

    message = str(raised.value)
    assert any(word in message for word in ("save", "scale", "crop", "send", "open", "fetch"))
    assert not any(word in message for word in ("alert", "PK", "%PDF", "0x"))


def test_every_hostile_file_has_a_name_of_its_own():
    names = [one.name for one in (*hostile.BOMBS, *hostile.POLYGLOTS)]

    assert len(set(names)) == len(names)
