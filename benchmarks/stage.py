"""What several benchmarks share: photos whose faces are known, and a home filled with templates.

No program of its own. Photos are made in memory; the faces in them come from a folder of labelled
photos laid out as LFW is, or, where none is given, from one public-domain portrait.
"""

from __future__ import annotations

import io
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bench_detect import Picture, Square, middle, photos, resized, sample
from bench_load import fill
from consentry.checks.check import CheckRequest
from consentry.kernel.ids import ModelId
from consentry.kernel.taxonomy import Mode, Purpose
from consentry.settings import load_settings
from consentry.vault.passphrase import Passphrase
from consentry.wiring import Home, open_home
from PIL import Image

PROMPT = "make the sky blue"
_AROUND = 0.4  # of a face's side, pasted with it
_SMALLEST_PX, _LARGEST_PX = 30.0, 240.0
_WIDTH, _HEIGHT = 1216, 832  # one megapixel


@dataclass(frozen=True, slots=True)
class Scene:
    """A JPEG file, and where its faces are."""

    title: str
    file: bytes
    placed: tuple[Square, ...]


def portraits(folder: Path | None, count: int) -> list[Picture]:
    """Square photos with a face in their middle."""
    if folder is not None:
        return photos(folder, count)
    return [np.ascontiguousarray(sample("astronaut")[5:225, 112:332])]  # its face, as LFW cuts them


def scenes(
    people: Sequence[Picture], counts: Sequence[int], per_count: int, seed: int = 20261122
) -> list[Scene]:
    """Photographs of one megapixel with faces pasted in, their sizes even on a logarithmic scale."""
    random = np.random.default_rng(seed)
    grounds = [resized(sample(name), _WIDTH, _HEIGHT) for name in ("coffee", "rocket", "chelsea")]
    made = []
    for count in counts:
        for turn in range(per_count):
            canvas = grounds[(len(made) + turn) % len(grounds)].copy()
            placed = [
                _paste(random, canvas, people[int(random.integers(len(people)))], column, count)
                for column in range(count)
            ]
            made.append(Scene(f"{count} faces", jpeg(canvas), tuple(placed)))
    return made


def _paste(
    random: np.random.Generator, canvas: Picture, person: Picture, column: int, columns: int
) -> Square:
    room = _WIDTH / columns
    most = min(_LARGEST_PX, room / (1 + 2 * _AROUND) - 2)
    face = math.exp(random.uniform(math.log(_SMALLEST_PX), math.log(most)))
    crop = middle(person, _AROUND)
    side = round(face * (1 + 2 * _AROUND))
    left = int(column * room + random.integers(0, max(1, int(room) - side)))
    top = int(random.integers(0, _HEIGHT - side))
    canvas[top : top + side, left : left + side] = resized(crop, side, side)
    return Square(left + side / 2, top + side / 2, face)


def jpeg(pixels: Picture, quality: int = 90) -> bytes:
    """The picture as a file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


@contextmanager
def filled_home(templates: int, per_subject: int = 1) -> Iterator[Home]:
    """Open a home in a temporary folder, with random templates of its model in the tables."""
    with (
        tempfile.TemporaryDirectory(prefix="consentry-bench-") as folder,
        open_home(load_settings(home=Path(folder) / "home")) as home,
    ):
        services = home.services
        services.custody.create(Passphrase("a passphrase of this benchmark"))
        if templates:
            faces = services.enrol.faces
            model, dimension = ModelId(faces.model_id), faces.dimension
            fill(
                home.database,
                services.custody,
                templates,
                per_subject,
                model=model,
                dimension=dimension,
            )
        home.warm_up()
        services.gallery.refresh()
        yield home


def request(file: bytes, mode: Mode, prompt: str | None = PROMPT) -> CheckRequest:
    """An everyday question about one photo; a picture in a feed comes without a prompt."""
    return CheckRequest(
        images=(file,),
        prompt=prompt,
        mode=mode,
        purpose=Purpose.EDIT,
        region=None,
        platform=None,
        actor=None,
        declares_minor=False,
    )


@dataclass(frozen=True, slots=True)
class Took:
    """One run: wall-clock and processor seconds. Processor time is of all threads of this process."""

    wall_s: float
    cpu_s: float


def timed(call: Callable[[], object]) -> Took:
    """Time one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return Took(time.perf_counter() - wall, time.process_time() - cpu)


def in_turns(rounds: int, calls: dict[str, Callable[[], object]]) -> dict[str, list[Took]]:
    """Run all in turns, after one round that is not counted: other work slows them alike."""
    for call in calls.values():
        call()
    took: dict[str, list[Took]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            took[name].append(timed(call))
    return took


def median_ms(took: Sequence[Took], *, cpu: bool = False) -> float:
    """The median, in milliseconds."""
    return 1e3 * statistics.median(each.cpu_s if cpu else each.wall_s for each in took)
