"""What hostile and ordinary pictures cost: time of `decode` and peak memory, one fresh process each.

Run with `make bench`, or: .venv/bin/python benchmarks/bench_imagery.py [PART OF A NAME]
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit" / "imagery"))

from consentry.imagery.decoding import decode
from consentry.kernel.errors import ImageError
from hostile import BOMBS
from pictures import animate, encode, exif, noise
from PIL import Image

MIB = 1024 * 1024


def photo(width: int, height: int, grain: int = 24) -> Image.Image:
    """Slopes with grain: packs about as well as a photograph does."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.uint16)
    noisy = np.random.default_rng(0).integers(0, grain, (height, width), dtype=np.uint8)
    bands = (
        columns * 230 // width,
        rows * 230 // height,
        (columns + rows) * 115 // max(width, height),
    )
    return Image.fromarray(np.stack([band.astype(np.uint8) + noisy for band in bands], axis=2))


def translucent(image: Image.Image) -> Image.Image:
    """Make every pixel half opaque."""
    image.putalpha(128)
    return image


ORDINARY: dict[str, Callable[[], bytes]] = {
    "12 Mpx jpeg": lambda: encode(photo(4000, 3000), "JPEG"),
    "12 Mpx jpeg, turned": lambda: encode(photo(4000, 3000), "JPEG", exif=exif(6)),
    "12 Mpx heic": lambda: encode(photo(4000, 3000), "HEIC"),
    "2 Mpx png": lambda: encode(photo(1600, 1200), "PNG"),
    "2 Mpx webp": lambda: encode(photo(1600, 1200), "WEBP"),
    "2 Mpx avif": lambda: encode(photo(1600, 1200), "AVIF"),
    "100 gif frames of 240 x 180": lambda: animate(
        [noise(n, 240, 180).convert("L") for n in range(100)], "GIF"
    ),
    "50 Mpx jpeg, turned": lambda: encode(photo(8160, 6120), "JPEG", quality=60, exif=exif(6)),
    "50 Mpx png, translucent": lambda: encode(
        translucent(photo(8160, 6120, grain=1)), "PNG", compress_level=1
    ),
    "50 Mpx png, 16 bits": lambda: encode(
        Image.fromarray(np.asarray(photo(8160, 6120, grain=1))[..., 0].astype(np.uint16) * 250),
        "PNG",
        compress_level=1,
    ),
}
CASES = {**{bomb.name: bomb.make for bomb in BOMBS}, **ORDINARY}


def measure(name: str) -> None:
    """Decode one case in this process and print its line."""
    data = CASES[name]()
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of making it
    wall, processor = time.perf_counter(), time.process_time()
    try:
        decoded = decode(data)
        outcome = f"{len(decoded.views)} views"
    except ImageError as error:
        outcome = type(error).__name__
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024
    print(
        f"{name:34} {len(data) / MIB:7.2f} MiB {wall:7.3f} s {processor:7.3f} s CPU "
        f"{peak / MIB:6.0f} MiB  {outcome}",
        flush=True,
    )


def main() -> None:
    """Run every case whose name holds the argument, each in a process of its own."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    print(f"{'file':34} {'size':>11} {'wall':>9} {'':>13} {'peak':>10}")
    for name in CASES:
        if wanted in name:
            subprocess.run([sys.executable, __file__, "--one", name], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        measure(sys.argv[2])
    else:
        main()
