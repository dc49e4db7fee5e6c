"""What the detector finds, side by side with face_recognition in one run.

    python benchmarks/bench_detect.py DIR [--models-dir DIR] [--full]

DIR is a folder of folders of photos, one a person, each with a face in its middle that is 0.45 of the
photo wide (as LFW is laid out). The second half of the people is used, by name: the detector's limits
were chosen on the first. Prints

    small     faces of 20 to 40 pixels, laid into photographs and textures of 2 to 12 megapixels
    changed   one photo turned, mirrored, tilted, covered, shrunk, set into a canvas, cut close, ...
    none      what is seen in textures, things and drawings, where there is no face, and whether it matches
    time      whole photos: load, find, and for face_recognition also encode

Trust the ratios: both engines run in turns.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# As the program has it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import face_recognition
import numpy as np
import numpy.typing as npt
from consentry.checks.search import MATCH_FPIR
from consentry.faces.detect import Detector
from consentry.faces.pipeline import FacePipeline, open_pipeline
from consentry.imagery.decoding import decode
from consentry.inference.sessions import ModelStore
from consentry.kernel.biometrics import as_pixels
from PIL import Image, ImageDraw, ImageFilter
from skimage import data

Picture = npt.NDArray[np.uint8]
Find = Callable[[Picture], list["Square"]]

_PART = 0.45  # of a photo's side that the face is wide


@dataclass(frozen=True, slots=True)
class Square:
    """A face: its middle and its side, in pixels."""

    x: float
    y: float
    side: float

    def is_found(self, found: Sequence[Square]) -> bool:
        """Whether one of ``found`` is this face."""
        return any(
            max(abs(each.x - self.x), abs(each.y - self.y)) < 0.5 * self.side
            and 0.4 < each.side / self.side < 2.5
            for each in found
        )


def engines(models_dir: Path) -> dict[str, Find]:
    """The ways to find faces, by name."""
    detector = Detector(ModelStore(models_dir, threads=1))

    def ours(pixels: Picture, *, thorough: bool) -> list[Square]:
        return [
            Square(face.box.x + face.box.w / 2, face.box.y + face.box.h / 2, face.long_side)
            for face in detector.detect(as_pixels(pixels), thorough=thorough)
        ]

    def theirs(pixels: Picture) -> list[Square]:
        return [
            Square((left + right) / 2, (top + bottom) / 2, float(bottom - top))
            for top, right, bottom, left in face_recognition.face_locations(pixels)
        ]

    return {
        "act": lambda pixels: ours(pixels, thorough=True),
        "inform": lambda pixels: ours(pixels, thorough=False),
        "face_recognition": theirs,
    }


def photos(folder: Path, count: int) -> list[Picture]:
    """Photos of the second half of the people, one each and then more."""
    people = sorted(path for path in folder.iterdir() if path.is_dir())
    people = people[len(people) // 2 :]
    files = [sorted(path.glob("*.jpg")) for path in people]
    ordered = [each[i] for i in range(50) for each in files if len(each) > i]
    return [np.asarray(Image.open(path).convert("RGB")) for path in ordered[:count]]


def resized(pixels: Picture, width: int, height: int) -> Picture:
    """The picture at another size."""
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((max(1, width), max(1, height)), Image.Resampling.LANCZOS))


def clouds(random: np.random.Generator, width: int, height: int) -> Picture:
    """A texture of noise at several scales."""
    total = np.zeros((height, width, 3), np.float64)
    for cells in 2 ** np.arange(1, 8):
        noise = random.integers(0, 256, (int(cells), int(cells), 3), dtype=np.uint8)
        total += resized(noise, width, height) * random.uniform(0.2, 1)
    low, high = np.percentile(total, (1, 99))
    return np.asarray(np.clip((total - low) / (high - low), 0, 1) * 255, np.uint8)


def things(random: np.random.Generator, width: int, height: int) -> Picture:
    """Round and cornered things, some shaded by a blur, on a plain ground."""
    image = Image.new("RGB", (width, height), colour(random))
    draw = ImageDraw.Draw(image)
    for _ in range(int(random.integers(3, 40))):
        x, y = random.uniform(0, width), random.uniform(0, height)
        w, h = random.uniform(5, width / 3), random.uniform(5, height / 3)
        shape = draw.ellipse if random.random() < 0.6 else draw.rectangle
        shape((x - w / 2, y - h / 2, x + w / 2, y + h / 2), fill=colour(random))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(float(random.uniform(0, 6)))))


def drawing(random: np.random.Generator, width: int, height: int) -> Picture:
    """Lines, arcs and letters on paper."""
    image = Image.new("RGB", (width, height), (250, 248, 240))
    draw = ImageDraw.Draw(image)
    for _ in range(int(random.integers(20, 150))):
        x, y = random.uniform(0, width), random.uniform(0, height)
        size = float(random.uniform(4, width / 4))
        kind = random.random()
        if kind < 0.4:
            end = (x + random.uniform(-size, size), y + random.uniform(-size, size))
            draw.line(((x, y), end), fill=colour(random), width=int(random.integers(1, 6)))
        elif kind < 0.7:
            start = float(random.uniform(0, 360))
            box = (x, y, x + size, y + size * random.uniform(0.4, 1.6))
            draw.arc(box, start, start + random.uniform(60, 360), fill=colour(random), width=3)
        else:
            draw.text((x, y), chr(int(random.integers(33, 126))), fill=colour(random))
    return np.asarray(image)


def colour(random: np.random.Generator) -> tuple[int, int, int]:
    """Any colour."""
    red, green, blue = (int(value) for value in random.integers(0, 256, 3))
    return red, green, blue


def sample(name: str) -> Picture:
    """A public-domain picture, in colour."""
    made: Callable[[], Picture] = getattr(data, name)
    pixels = made()
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels


def grounds() -> list[Picture]:
    """Photographs without a face."""
    names = ("coffee", "rocket", "chelsea", "brick", "grass", "gravel", "moon", "coins")
    return [sample(name) for name in names]


def ground(random: np.random.Generator, width: int, height: int) -> Picture:
    """A large photograph without a face: one photograph, a mosaic of them, or a texture."""
    kind, every = random.random(), grounds()
    if kind < 0.3:
        return clouds(random, width, height).copy()
    if kind < 0.6:
        return resized(every[int(random.integers(len(every)))], width, height).copy()
    canvas = np.empty((height, width, 3), np.uint8)
    step = int(random.integers(300, 700))
    for top in range(0, height, step):
        for left in range(0, width, step):
            tile = resized(every[int(random.integers(len(every)))], step, step)
            room = canvas[top : top + step, left : left + step]
            room[:] = tile[: room.shape[0], : room.shape[1]]
    return canvas


def middle(photo: Picture, around: float) -> Picture:
    """The face and ``around`` of its side on every side."""
    side = len(photo)
    half = min(side / 2, side * _PART * (0.5 + around))
    first, last = int(side / 2 - half), int(side / 2 + half)
    return photo[first:last, first:last]


def small_faces(
    random: np.random.Generator, people: Sequence[Picture], per_photo: int = 12
) -> Iterator[tuple[Picture, list[Square]]]:
    """Large photographs with small faces in them, and where these are."""
    for start in range(0, len(people), per_photo):
        area = random.uniform(2e6, 12e6)
        ratio = random.uniform(0.6, 1.6)
        width, height = int((area * ratio) ** 0.5), int((area / ratio) ** 0.5)
        canvas = ground(random, width, height)
        placed: list[Square] = []
        for photo in people[start : start + per_photo]:
            face, around = random.uniform(20, 40), 0.4
            crop = middle(photo, around)
            side = round(face * (1 + 2 * around))
            small = resized(crop, side, side)
            while True:
                left, top = random.integers(0, width - side), random.integers(0, height - side)
                square = Square(float(left + side / 2), float(top + side / 2), float(face))
                if all(max(abs(s.x - square.x), abs(s.y - square.y)) > 90 for s in placed):
                    break
            canvas[top : top + side, left : left + side] = small
            placed.append(square)
        buffer = io.BytesIO()
        Image.fromarray(canvas).save(buffer, "JPEG", quality=90)
        yield np.asarray(Image.open(buffer).convert("RGB")), placed


def changed(photo: Picture, random: np.random.Generator) -> Iterator[tuple[str, Picture, Square]]:
    """One photo, changed in many ways, and where its face is afterwards."""
    side = len(photo)
    face = Square(side / 2, side / 2, side * _PART)
    yield "as it is", photo, face
    for turns in (1, 2, 3):
        yield f"turned {90 * turns}", np.rot90(photo, turns), face
        yield f"mirrored, turned {90 * turns}", np.rot90(photo[:, ::-1], turns), face
    yield "mirrored", photo[:, ::-1], face
    image = Image.fromarray(photo)
    for degrees in (15, 30, 45, 60, 75, 105, 135, 165):
        tilted = image.rotate(degrees, Image.Resampling.BICUBIC)
        yield f"tilted {degrees}", np.asarray(tilted), face
    yield "grey", np.asarray(image.convert("L").convert("RGB")), face
    for quality in (10, 30):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        yield f"JPEG {quality}", np.asarray(Image.open(buffer).convert("RGB")), face
    yield "blurred", np.asarray(image.filter(ImageFilter.GaussianBlur(3))), face
    dark = (photo * 0.25).astype(np.uint8)
    yield "dark", dark, face
    for name, top, bottom in (("eyes covered", 0.38, 0.50), ("mouth covered", 0.54, 0.72)):
        covered = photo.copy()
        covered[int(side * top) : int(side * bottom), int(side * 0.3) : int(side * 0.7)] = 20
        yield name, covered, face
    half = photo.copy()
    half[:, side // 2 :] = 128
    yield "half covered", half, Square(side * 0.42, side / 2, side * _PART)
    close = middle(photo, -0.08)
    for large in (200, 1000):
        cut = resized(close, large, large)
        yield f"fills {large} px", cut, Square(large / 2, large / 2, large * 1.1)
        yield f"fills {large} px, turned", np.rot90(cut), Square(large / 2, large / 2, large * 1.1)
    canvas = np.full((2000, 3000, 3), 235, np.uint8)
    left, top = int(random.choice((0, 2900))), int(random.choice((0, 1900)))
    canvas[top : top + 100, left : left + 100] = resized(photo, 100, 100)
    yield "corner of a canvas", canvas, Square(left + 50.0, top + 50.0, 100 * _PART)
    letter = np.zeros((700, 400, 3), np.uint8)
    letter[150:550] = resized(photo, 400, 400)
    yield "letter-boxed", letter, Square(200, 350, 400 * _PART)


def negatives(random: np.random.Generator, count: int) -> Iterator[tuple[str, Picture]]:
    """Pictures without a face."""
    for name, make in (("textures", clouds), ("things", things), ("drawings", drawing)):
        for _ in range(count):
            width, height = (int(value) for value in random.integers(300, 1600, 2))
            yield name, make(random, width, height)
    for _ in range(count):
        width, height = (int(value) for value in random.integers(600, 2400, 2))
        yield "photographs and mosaics", ground(random, width, height)


def grid(people: Sequence[Picture], columns: int, cell: int) -> tuple[Picture, list[Square]]:
    """A grid of photos."""
    rows = -(-len(people) // columns)
    canvas = np.full((rows * cell, columns * cell, 3), 255, np.uint8)
    faces: list[Square] = []
    for i, photo in enumerate(people):
        top, left = i // columns * cell, i % columns * cell
        canvas[top : top + cell, left : left + cell] = resized(photo, cell, cell)
        faces.append(Square(left + cell / 2, top + cell / 2, cell * _PART))
    return canvas, faces


def jpeg(pixels: Picture) -> bytes:
    """The picture as a file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def print_small(find: dict[str, Find], people: Sequence[Picture]) -> None:
    """Recall of small faces by engine and size."""
    found: dict[str, list[tuple[float, bool]]] = {name: [] for name in find}
    extra = dict.fromkeys(find, 0)
    for canvas, faces in small_faces(np.random.default_rng(1), people):
        for name, engine in find.items():
            seen = engine(canvas)
            found[name] += [(face.side, face.is_found(seen)) for face in faces]
            extra[name] += sum(not each.is_found(faces) for each in seen)
    print(f"\nsmall: {len(people)} faces of 20 to 40 px in photographs of 2 to 12 megapixels")
    for name, each in found.items():
        bands = [
            f"{100 * statistics.mean(ok for side, ok in each if low <= side < low + 5):5.1f} %"
            for low in (20, 25, 30, 35)
        ]
        share = 100 * statistics.mean(ok for _, ok in each)
        print(f"  {name:18} {share:5.1f} %   by 5 px: {' '.join(bands)}   no faces: {extra[name]}")


def print_changed(find: dict[str, Find], people: Sequence[Picture]) -> None:
    """Recall by change and engine."""
    random = np.random.default_rng(2)
    found: dict[str, dict[str, list[bool]]] = {}
    for photo in people:
        for change, pixels, face in changed(photo, random):
            for name, engine in find.items():
                row = found.setdefault(change, {key: [] for key in find})
                row[name].append(face.is_found(engine(np.ascontiguousarray(pixels))))
    for columns, cell in ((3, 250), (12, 120), (20, 60)):
        many = [people[i % len(people)] for i in range(columns * columns)]
        canvas, faces = grid(many, columns, cell)
        row = found.setdefault(f"grid of {columns * columns}", {})
        for name, engine in find.items():
            seen = engine(canvas)
            row[name] = [face.is_found(seen) for face in faces]
    print(f"\nchanged: {len(people)} photos, found")
    for change, by_engine in found.items():
        values = "  ".join(f"{100 * statistics.mean(by_engine[name]):6.1f} %" for name in find)
        print(f"  {change:24} {values}")


def print_none(
    find: dict[str, Find], pipeline: FacePipeline, people: Sequence[Picture], count: int
) -> None:
    """Pictures without a face in which one was seen, and whether it was taken for one of ``people``."""
    known = [pipeline.observe(as_pixels(photo), thorough=False) for photo in people]
    enrolled = np.stack(
        [faces[0].embedding for faces in known if faces and faces[0].embedding is not None]
    )
    # The lowest threshold that `match` ever has: of one comparison.
    match = pipeline.operating_curve.for_identification(MATCH_FPIR, 1).threshold
    seen: dict[str, dict[str, int]] = {}
    likest = matches = 0.0
    for kind, pixels in negatives(np.random.default_rng(3), count):
        row = seen.setdefault(kind, dict.fromkeys(find, 0))
        for name, engine in find.items():
            row[name] += bool(engine(pixels))
        faces = pipeline.observe(as_pixels(pixels), thorough=True)
        scores = [
            float((enrolled @ face.embedding).max()) for face in faces if face.embedding is not None
        ]
        likest = max([likest, *scores])
        matches += any(score >= match for score in scores)
    print(
        f"\nnone: {matches:.0f} pictures match one of {len(enrolled)} people; "
        f"likest {likest:.3f}, match from {match:.3f}"
    )
    print(f"pictures of {count} in which a face was seen")
    for kind, by_engine in seen.items():
        print(f"  {kind:24} " + "  ".join(f"{by_engine[name]:8}" for name in find))


def print_time(find: dict[str, Find], people: Sequence[Picture], runs: int) -> None:
    """Whole photos."""
    astronaut = sample("astronaut")
    party, _ = grid(people[:6], 3, 400)
    crowd, _ = grid([people[i % len(people)] for i in range(144)], 12, 120)
    for title, pixels in (
        ("1 megapixel, one face", resized(astronaut, 1000, 1000)),
        ("1 megapixel, six faces", party),
        ("1 megapixel, no face", resized(sample("coffee"), 1224, 816)),
        ("2 megapixels, 144 faces", crowd),
        ("12 megapixels, one face", resized(astronaut, 3464, 3464)),
    ):
        file = jpeg(pixels)

        def theirs(file: bytes = file) -> int:
            loaded = face_recognition.load_image_file(io.BytesIO(file))
            places = face_recognition.face_locations(loaded)
            return len(face_recognition.face_encodings(loaded, places))

        def ours(name: str, file: bytes = file) -> int:
            return len(find[name](decode(file).views[0]))

        work: dict[str, Callable[[], int]] = {
            "face_recognition": theirs,
            "inform": lambda: ours("inform"),
            "act": lambda: ours("act"),
        }
        times: dict[str, list[float]] = {name: [] for name in work}
        faces = {name: run() for name, run in work.items()}
        for _ in range(runs):
            for name, run in work.items():
                start = time.perf_counter()
                run()
                times[name].append(time.perf_counter() - start)
        print(f"\ntime: {title} (median of {runs}; face_recognition also encodes)")
        first = statistics.median(times["face_recognition"])
        for name, each in times.items():
            median = statistics.median(each)
            print(
                f"  {name:18} {1e3 * median:9.0f} ms {first / median:6.1f} x  {faces[name]} faces"
            )


def main() -> None:
    """Print all four parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--models-dir", type=Path, default=Path.home() / ".cache" / "consentry" / "models"
    )
    parser.add_argument(
        "--full", action="store_true", help="2,000 small faces, 150 photos, 500 ..."
    )
    parser.add_argument("--only", choices=["small", "changed", "none", "time"])
    arguments = parser.parse_args()
    full: bool = arguments.full
    find = engines(arguments.models_dir)
    wanted = {arguments.only} if arguments.only else {"small", "changed", "none", "time"}
    people = photos(arguments.folder, 2000)
    if "small" in wanted:
        many = [people[i % len(people)] for i in range(2000 if full else 240)]
        print_small({name: find[name] for name in ("act", "inform")}, many)
    if "changed" in wanted:
        print_changed(find, people[: 150 if full else 20])
    if "none" in wanted:
        pipeline = open_pipeline("companion", ModelStore(arguments.models_dir, threads=1))
        print_none(find, pipeline, people[: 1000 if full else 50], 125 if full else 15)
    if "time" in wanted:
        print_time(find, people, 7 if full else 3)


if __name__ == "__main__":
    main()
