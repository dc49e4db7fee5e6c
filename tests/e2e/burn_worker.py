"""One of the processes that use one token at once; see test_burn.py."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from fakes.home import PASSPHRASE, TestHome


def use_tokens(
    home_path: Path,
    key_pem: bytes,
    image: bytes,
    rounds: list[dict[str, str]],
    uses: int,
    together: Barrier,
    answers: Queue,
) -> None:
    """Use each token ``uses`` times at once, in step with the other processes."""
    home = TestHome(home_path, signing_key=load_pem_private_key(key_pem, None))
    home.custody.unlock(PASSPHRASE)
    home.check(image)  # loads what the first check waits for
    start = threading.Barrier(uses)
    failures: list[str] = []

    def use(asked: dict[str, str]) -> str:
        start.wait(60)
        try:
            return home.check(image, **asked).decision.verdict.value
        except Exception as error:  # noqa: BLE001 -- told to the parent, which fails
            failures.append(repr(error))
            return "error"

    with ThreadPoolExecutor(uses) as pool:
        for number, asked in enumerate(rounds):
            together.wait(300)  # the others may still be loading, on a busy machine
            answers.put((number, list(pool.map(use, [asked] * uses)), list(failures)))
    home.close()
