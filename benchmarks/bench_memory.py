"""Does a server grow? Its resident memory over mixed checks: many sizes, files that are broken.

    python benchmarks/bench_memory.py [--checks 1000]

The claim is for `--checks 5000`: after them within 5 % of what it was after a tenth of them (500).
Sizes, formats and breakage are drawn at random from a fixed seed, over HTTP; every fourth question
is `inform`, the others are `act`.
Reads /proc, so it runs on Linux only.
"""

from __future__ import annotations

import argparse
import io
import random
import time
from pathlib import Path

from bench_api import asked, server
from bench_detect import resized, sample
from consentry.kernel.taxonomy import Mode
from PIL import Image

BOUND = 1.05
_SIDES_PX = (48, 96, 160, 240, 320, 480, 640, 1000)
_NAMES = ("astronaut", "coffee", "chelsea", "rocket")


def rss_mib(process: int) -> float:
    """Resident memory of a process."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("this system does not say how much memory a process has")


def file(choice: random.Random) -> bytes:
    """A picture of any size and format; one in five is cut, flipped in a byte, or no picture."""
    width, height = choice.choice(_SIDES_PX), choice.choice(_SIDES_PX)
    buffer = io.BytesIO()
    pixels = resized(sample(choice.choice(_NAMES)), width, height)
    Image.fromarray(pixels).save(buffer, choice.choice(("JPEG", "PNG", "WEBP")))
    data = bytearray(buffer.getvalue())
    kind = choice.random()
    if kind < 0.08:
        return bytes(data[: choice.randrange(1, len(data))])
    if kind < 0.16:
        for _ in range(8):
            data[choice.randrange(len(data))] ^= 0xFF
    elif kind < 0.2:
        return choice.randbytes(choice.randrange(1, 50_000))
    return bytes(data)


def main() -> None:
    """Ask, and print the memory on the way."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--checks", type=int, default=1000)
    checks: int = parser.parse_args().checks
    choice = random.Random(5)
    marks: dict[int, float] = {}
    with server() as (client, process):
        print(f"at the start {rss_mib(process):.0f} MiB", flush=True)
        began = time.perf_counter()
        codes: dict[int, int] = {}
        for done in range(1, checks + 1):
            mode = Mode.INFORM if done % 4 == 0 else Mode.ACT
            code = asked(client, file(choice), mode).status_code
            codes[code] = codes.get(code, 0) + 1
            if done % max(1, checks // 10) == 0:
                marks[done] = rss_mib(process)
                print(f"after {done:5} {marks[done]:.0f} MiB", flush=True)
        first, last = marks[checks // 10], marks[max(marks)]
        print(
            f"{checks} checks in {time.perf_counter() - began:.0f} s, answers {codes}; last to first "
            f"mark {last / first:.3f} (target at most {BOUND} with 5,000)"
        )


if __name__ == "__main__":
    main()
