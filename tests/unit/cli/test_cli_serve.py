"""What `serve` does before a request comes: one companion a folder, a private socket, plain words for a taken port."""

from __future__ import annotations

import asyncio
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from consentry.cli.companion import answers, socket_address
from consentry.cli.serve import listen_on, listen_on_socket, only_companion
from consentry.kernel.errors import BadRequest, Conflict, StorageFailed


def test_a_folder_has_one_companion(tmp_path):
    lock = tmp_path / "serve.lock"
    script = (
        "import sys; from pathlib import Path; from consentry.cli.serve import only_companion\n"
        f"with only_companion(Path({str(lock)!r})): pass"
    )

    with only_companion(lock):
        second = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=False
        )
    third = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )

    assert "already" in second.stderr
    assert second.returncode != 0
    assert third.returncode == 0


def test_a_lock_that_cannot_be_made_says_so(tmp_path):
    with (
        pytest.raises(StorageFailed, match="CONSENTRY_HOME"),
        only_companion(tmp_path / "none" / "serve.lock"),
    ):
        pass


def test_the_socket_is_for_its_owner_only(tmp_path):
    path = tmp_path / "c.sock"

    with listen_on_socket(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_socket_that_nobody_answers_is_replaced(tmp_path):
    path = tmp_path / "c.sock"
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    assert not answers(str(path))

    with listen_on_socket(path):
        assert answers(str(path))


def test_a_socket_that_somebody_answers_is_left_alone(tmp_path):
    path = tmp_path / "c.sock"

    with listen_on_socket(path):
        with pytest.raises(Conflict, match="answers on this data folder's socket"):
            listen_on_socket(path)
        assert answers(str(path))


def test_a_path_too_long_for_a_socket_has_no_address():
    assert socket_address(Path("/" + "x" * 120)) is None
    assert socket_address(Path("/run/c.sock")) == "/run/c.sock"


def test_a_taken_port_is_told_in_plain_words():
    with listen_on("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(Conflict, match=f"Port {port} is taken"):
            listen_on("127.0.0.1", port)


def test_no_piece_of_an_answer_waits_for_the_one_before_it_to_be_acknowledged():
    async def answered() -> int:
        found = asyncio.get_running_loop().create_future()

        def note(_reader, writer):
            accepted = writer.get_extra_info("socket")
            found.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listener = listen_on("127.0.0.1", 0)
        async with await asyncio.start_server(note, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            writer.close()
            return await found

    assert asyncio.run(answered()) == 1


def test_an_address_of_another_machine_is_told_in_plain_words():
    with pytest.raises(BadRequest, match="Cannot listen on"):
        listen_on("192.0.2.1", 0)
