"""Threads of a server share their heaps."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest
from consentry.cli.heap import HEAPS

THREADS = 8
PROGRAM = """
import ctypes, sys, threading
from consentry.cli.heap import share_heaps
if sys.argv[2] == "shared":
    share_heaps()
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.malloc.argtypes = [ctypes.c_size_t]
together = threading.Barrier(int(sys.argv[3]))
def take():
    together.wait()
    library.malloc(100_000)
    together.wait()
threads = [threading.Thread(target=take) for _ in range(int(sys.argv[3]))]
for each in threads:
    each.start()
for each in threads:
    each.join()
library.fopen.restype = ctypes.c_void_p
library.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
library.fclose.argtypes = [ctypes.c_void_p]
file = library.fopen(sys.argv[1].encode(), b"w")
library.malloc_info(0, file)
library.fclose(file)
"""


@pytest.mark.skipif(
    not (sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_info")),
    reason="only glibc keeps a heap for each thread, and tells how many there are",
)
@pytest.mark.parametrize(("how", "is_shared"), [("shared", True), ("own", False)])
def test_threads_share_their_heaps_once_asked_to(tmp_path: Path, how: str, is_shared: bool) -> None:
    report = tmp_path / "heaps.xml"

    subprocess.run(
        [sys.executable, "-c", PROGRAM, str(report), how, str(THREADS)], check=True, timeout=120
    )

    assert (report.read_text().count("<heap nr=") <= HEAPS) is is_shared
