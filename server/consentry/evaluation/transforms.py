"""What people do to a picture, by accident or on purpose: the transforms of the robustness card.

Each takes a photo, where its face is, pictures of other people and a random generator, and gives the altered picture.
The same seed gives the same picture. Sizes are parts of the face's width, so that they mean the same in any photo.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from consentry.faces.detect import DetectedFace, Point
from consentry.kernel.biometrics import Pixels, as_pixels

Floats = npt.NDArray[np.float64]

_GREY = (124, 124, 124)
_INK = (18, 18, 22)
_ROOM = (1280, 960)  # of the canvas that small faces are laid on
_TILE_PX = 240
_LINES_OF_TEXT = (
    (112, 146, 260),
    (112, 178, 160),
    (28, 1180, 640),
    (28, 1216, 690),
    (28, 1252, 380),
)
_SEPIA = ((0.393, 0.769, 0.189), (0.349, 0.686, 0.168), (0.272, 0.534, 0.131))


@dataclass(frozen=True, slots=True)
class Scene:
    """A photo and all that a transform may need.

    Attributes:
        image: The photo.
        face: The labelled face in it.
        others: Photos of other people, for collages; never of anybody enrolled.
        random: Seeded for this photo and transform.
    """

    image: Image.Image
    face: DetectedFace
    others: Sequence[Image.Image]
    random: np.random.Generator

    @property
    def width(self) -> float:
        """Width of the face in pixels."""
        return self.face.box.w


@dataclass(frozen=True, slots=True)
class Transform:
    """One way to alter a picture.

    Attributes:
        name: Stable; the report and report.json call it so.
        says: What it does, in a few words.
        apply: Makes the altered picture.
    """

    name: str
    says: str
    apply: Callable[[Scene], Image.Image]

    def __call__(self, scene: Scene) -> Pixels:
        """Return the altered picture's pixels."""
        return as_pixels(np.array(self.apply(scene).convert("RGB")))


def _untouched(scene: Scene) -> Image.Image:
    return scene.image


def _crop(scene: Scene, *, part: float) -> Image.Image:
    """Cut to the face, and ``part`` of its width and height off, half on either side."""
    box, inset = scene.face.box, part / 2
    return _cut(
        scene,
        box.x + inset * box.w,
        box.y + inset * box.h,
        box.x + (1 - inset) * box.w,
        box.y + (1 - inset) * box.h,
    )


def _crop_side(scene: Scene, *, part: float) -> Image.Image:
    box = scene.face.box
    return _cut(scene, box.x + part * box.w, 0, scene.image.width, scene.image.height)


def _cut(scene: Scene, left: float, top: float, right: float, bottom: float) -> Image.Image:
    width, height = scene.image.size
    left, top = max(0, math.floor(left)), max(0, math.floor(top))
    right, bottom = min(width, math.ceil(right)), min(height, math.ceil(bottom))
    return scene.image.crop((left, top, max(right, left + 8), max(bottom, top + 8)))


def _mirror(scene: Scene) -> Image.Image:
    return ImageOps.mirror(scene.image)


def _turn(scene: Scene, *, degrees: float) -> Image.Image:
    return scene.image.rotate(degrees, Image.Resampling.BICUBIC, expand=True)


def _gray(scene: Scene) -> Image.Image:
    return ImageOps.grayscale(scene.image)


def _jpeg(scene: Scene, *, quality: int) -> Image.Image:
    return _recoded(scene.image, quality)


def _recoded(image: Image.Image, quality: int) -> Image.Image:
    file = BytesIO()
    image.save(file, "JPEG", quality=quality)
    with Image.open(file) as again:
        return again.convert("RGB")


def _blur(scene: Scene, *, part: float) -> Image.Image:
    return scene.image.filter(ImageFilter.GaussianBlur(part * scene.width))


def _noise(scene: Scene, *, spread: float) -> Image.Image:
    values = _values(scene.image)
    return _image(values + scene.random.normal(0, spread, values.shape))


def _small(scene: Scene, *, face_px: int) -> Image.Image:
    """Shrink until the face is so wide, and lay the photo somewhere on a larger picture."""
    factor = face_px / scene.width
    width, height = (max(8, round(side * factor)) for side in scene.image.size)
    photo = scene.image.resize((width, height), Image.Resampling.LANCZOS)
    room = _shaded(_ROOM)
    left = int(scene.random.integers(0, max(1, _ROOM[0] - width)))
    top = int(scene.random.integers(0, max(1, _ROOM[1] - height)))
    room.paste(photo, (left, top))
    return room


def _sunglasses(scene: Scene) -> Image.Image:
    image, pen = _pen(scene)
    left, right = scene.face.landmarks[:2]
    reach = 0.30 * math.dist(left, right) + 0.02 * scene.width
    for x, y in (left, right):
        pen.ellipse((x - 1.3 * reach, y - reach, x + 1.3 * reach, y + reach), fill=_INK)
    pen.line((left, right), fill=_INK, width=max(2, round(0.03 * scene.width)))
    return image


def _mask(scene: Scene) -> Image.Image:
    """Cover the face from the ridge of the nose to below the chin."""
    image, pen = _pen(scene)
    left, right, nose, *mouth = (np.array(point) for point in scene.face.landmarks)
    eyes = (left + right) / 2
    down = sum(mouth) / 2 - eyes
    across = right - left
    bridge = eyes + 0.5 * (nose - eyes)
    chin = eyes + 1.75 * down
    outline = [
        bridge,
        eyes + 0.85 * across + 0.45 * down,
        eyes + 0.75 * across + 1.15 * down,
        chin + 0.35 * across,
        chin - 0.35 * across,
        eyes - 0.75 * across + 1.15 * down,
        eyes - 0.85 * across + 0.45 * down,
    ]
    pen.polygon([(float(x), float(y)) for x, y in outline], fill=(96, 142, 178))
    return image


def _bar(scene: Scene) -> Image.Image:
    """Lay a black bar over the eyes, as papers do."""
    image, pen = _pen(scene)
    (lx, ly), (rx, ry) = scene.face.landmarks[:2]
    dx, dy = 0.55 * (rx - lx), 0.55 * (ry - ly)
    thick = max(2, round(0.55 * math.dist((lx, ly), (rx, ry))))
    pen.line((lx - dx, ly - dy, rx + dx, ry + dy), fill=(0, 0, 0), width=thick)
    return image


def _sticker(scene: Scene, *, point: int, part: float) -> Image.Image:
    """Put a round sticker on a landmark, or between the cheek's landmarks for -1."""
    image, pen = _pen(scene)
    points = scene.face.landmarks
    x, y = points[point] if point >= 0 else _between(points[0], points[3])
    reach = part * scene.width / 2
    pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=(250, 205, 60))
    for side in (-0.35, 0.35):
        at = (x + side * reach, y - 0.25 * reach)
        dot = 0.12 * reach
        pen.ellipse((at[0] - dot, at[1] - dot, at[0] + dot, at[1] + dot), fill=_INK)
    pen.arc(
        (x - 0.5 * reach, y - 0.3 * reach, x + 0.5 * reach, y + 0.6 * reach), 20, 160, fill=_INK
    )
    return image


def _between(a: Point, b: Point) -> Point:
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2


def _border(scene: Scene) -> Image.Image:
    return ImageOps.expand(scene.image, round(0.35 * max(scene.image.size)), (255, 255, 255))


def _letterbox(scene: Scene) -> Image.Image:
    """Show it on a tall black screen."""
    width, height = scene.image.size
    screen = Image.new("RGB", (width, round(width * 19.5 / 9)), (0, 0, 0))
    screen.paste(scene.image, (0, (screen.height - height) // 2))
    return screen


def _corner(scene: Scene) -> Image.Image:
    """Lay it, at a third of the size, in a corner of a large picture."""
    width, height = scene.image.size
    room = _shaded((max(1800, 3 * width), max(1200, 3 * height)))
    room.paste(scene.image, (room.width - width, room.height - height))
    return room


def _collage(scene: Scene, *, side: int) -> Image.Image:
    """Put it into a grid of photos of other people."""
    tiles = [
        ImageOps.fit(scene.others[i % len(scene.others)], (_TILE_PX, _TILE_PX))
        for i in range(side * side - 1)
    ]
    place = int(scene.random.integers(0, side * side))
    tiles.insert(place, ImageOps.fit(scene.image, (_TILE_PX, _TILE_PX)))
    sheet = Image.new("RGB", (side * _TILE_PX, side * _TILE_PX))
    for number, tile in enumerate(tiles):
        sheet.paste(tile, (number % side * _TILE_PX, number // side * _TILE_PX))
    return sheet


def _screenshot(scene: Scene) -> Image.Image:
    """Show it in a post on a telephone's screen: bars, lines of text, buttons; saved as a JPEG."""
    screen = Image.new("RGB", (720, 1440), (250, 250, 252))
    pen = ImageDraw.Draw(screen)
    pen.rectangle((0, 0, 720, 96), fill=(28, 32, 44))
    pen.ellipse((28, 132, 92, 196), fill=(150, 170, 200))
    for x, y, width in _LINES_OF_TEXT:
        pen.rectangle((x, y, x + width, y + 14), fill=(170, 174, 184))
    photo = ImageOps.contain(scene.image, (664, 900))
    screen.paste(photo, ((720 - photo.width) // 2, 226 + (900 - photo.height) // 2))
    for x in (60, 200, 340):
        pen.ellipse((x, 1310, x + 44, 1354), outline=(90, 94, 110), width=4)
    return _recoded(screen, 70)


def _caption(scene: Scene) -> Image.Image:
    """Write over it in large letters, at the top and at the bottom."""
    image, pen = _pen(scene)
    size = max(10, image.height // 9)
    for text, y in (("WHEN THEY ASK", 0.01), ("AND NOBODY SAID YES", 0.87)):
        pen.text(
            (image.width / 2, y * image.height),
            text,
            fill=(255, 255, 255),
            stroke_width=max(1, size // 12),
            stroke_fill=(0, 0, 0),
            font_size=size * 0.7,
            anchor="ma",
        )
    return image


def _watermark(scene: Scene) -> Image.Image:
    """Write across all of it, half transparent."""
    layer = Image.new("RGBA", scene.image.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(layer)
    step = max(24, scene.image.height // 6)
    for y in range(0, scene.image.height, step):
        pen.text((0, y), "sample  " * 12, fill=(255, 255, 255, 110), font_size=step * 0.5)
    return Image.alpha_composite(scene.image.convert("RGBA"), layer.rotate(20))


def _sepia(scene: Scene) -> Image.Image:
    return _image(_values(scene.image) @ np.array(_SEPIA).T)


def _tint(scene: Scene, *, red: float, blue: float) -> Image.Image:
    return _image(_values(scene.image) * np.array([red, 1.0, blue]))


def _contrast(scene: Scene, *, factor: float, lift: float = 0.0) -> Image.Image:
    values = _values(scene.image)
    return _image((values - values.mean()) * factor + values.mean() + lift)


def _negative(scene: Scene) -> Image.Image:
    return ImageOps.invert(scene.image)


def _posterised(scene: Scene) -> Image.Image:
    return ImageOps.posterize(scene.image, 2)


def _perspective(scene: Scene, *, part: float) -> Image.Image:
    """Show it as if on a poster that is seen from the side."""
    width, height = scene.image.size
    seen = [(0.0, 0.0), (width, part * height), (width, (1 - part) * height), (0.0, height)]
    corners = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)]
    return scene.image.transform(
        (width, height), Image.Transform.PERSPECTIVE, _homography(seen, corners),
        Image.Resampling.BICUBIC,
    )  # fmt: skip


def _homography(seen: Sequence[Point], source: Sequence[Point]) -> list[float]:
    """Solve for the eight numbers that take each seen point to its source."""
    rows, values = [], []
    for (x, y), (u, v) in zip(seen, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    solved: Floats = np.linalg.solve(np.array(rows, np.float64), np.array(values, np.float64))
    return [float(value) for value in solved]


def _stretch(scene: Scene, *, factor: float) -> Image.Image:
    width, height = scene.image.size
    return scene.image.resize((round(width * factor), height), Image.Resampling.BICUBIC)


def _moire(scene: Scene) -> Image.Image:
    """Photograph it from a screen: its grid against the camera's, a little glare, a JPEG."""
    large = scene.image.resize((2 * scene.image.width, 2 * scene.image.height))
    values = _values(large)
    down, across = np.mgrid[: large.height, : large.width].astype(np.float64)
    turn = math.radians(3)
    grid = np.sin(2 * np.pi * (across * math.cos(turn) + down * math.sin(turn)) / 2.27)
    lines = np.sin(2 * np.pi * (down * math.cos(turn) - across * math.sin(turn)) / 2.9)
    beats = np.sin(2 * np.pi * (across + 0.3 * down) / 23)
    pattern = 1 + 0.10 * grid + 0.08 * lines + 0.06 * beats
    glare = 25 * across / large.width
    seen = _image(values * pattern[..., None] + glare[..., None])
    return _recoded(seen.resize(scene.image.size, Image.Resampling.BILINEAR), 75)


def _low_light(scene: Scene) -> Image.Image:
    """Underexpose it by three stops, with the noise that comes with that."""
    dark = _values(scene.image) / 255 * 0.16
    grainy = scene.random.poisson(np.maximum(dark, 0) * 400) / 400
    return _image(255 * grainy + scene.random.normal(0, 2.0, dark.shape))


def _bright(scene: Scene) -> Image.Image:
    return _image(_values(scene.image) * 1.7 + 30)


def _repost(scene: Scene) -> Image.Image:
    """Mirror, shrink to half, warm up, frame and save as a JPEG: what a chain of reposts does."""
    image = ImageOps.mirror(scene.image)
    image = image.resize((max(8, image.width // 2), max(8, image.height // 2)))
    image = _image(_values(image) * np.array([1.1, 1.0, 0.85]))
    return _recoded(ImageOps.expand(image, image.width // 6, (255, 255, 255)), 40)


def _pen(scene: Scene) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = scene.image.copy()
    return image, ImageDraw.Draw(image)


def _shaded(size: tuple[int, int]) -> Image.Image:
    """A plain ground that gets darker downwards: nothing in it that could be a face."""
    shade = Image.linear_gradient("L").resize(size)
    return Image.blend(Image.new("RGB", size, _GREY), ImageOps.invert(shade).convert("RGB"), 0.35)


def _values(image: Image.Image) -> Floats:
    return np.asarray(image, np.float64)


def _image(values: Floats) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


UNTOUCHED = Transform("untouched", "the photo as it is", _untouched)

TRANSFORMS: tuple[Transform, ...] = (
    UNTOUCHED,
    Transform("crop-tight", "cut to the face", partial(_crop, part=0.0)),
    Transform("crop-10", "10 % of the face's width and height cut off", partial(_crop, part=0.1)),
    Transform("crop-20", "20 % cut off", partial(_crop, part=0.2)),
    Transform("crop-30", "30 % cut off", partial(_crop, part=0.3)),
    Transform(
        "crop-side-25", "a quarter of the face cut off on one side", partial(_crop_side, part=0.25)
    ),
    Transform("mirror", "left and right exchanged", _mirror),
    Transform("turn-90", "turned by 90 degrees", partial(_turn, degrees=90)),
    Transform("turn-180", "turned by 180 degrees", partial(_turn, degrees=180)),
    Transform("turn-270", "turned by 270 degrees", partial(_turn, degrees=270)),
    Transform("turn-15", "turned by 15 degrees", partial(_turn, degrees=15)),
    Transform("turn-30", "turned by 30 degrees", partial(_turn, degrees=30)),
    Transform("turn-45", "turned by 45 degrees", partial(_turn, degrees=45)),
    Transform("gray", "without colour", _gray),
    Transform("jpeg-50", "saved as a JPEG of quality 50", partial(_jpeg, quality=50)),
    Transform("jpeg-30", "quality 30", partial(_jpeg, quality=30)),
    Transform("jpeg-10", "quality 10", partial(_jpeg, quality=10)),
    Transform("blur-2", "blurred by 2 % of the face's width", partial(_blur, part=0.02)),
    Transform("blur-4", "blurred by 4 %", partial(_blur, part=0.04)),
    Transform("noise-10", "noise of 10 levels of 255", partial(_noise, spread=10)),
    Transform("noise-25", "noise of 25 levels", partial(_noise, spread=25)),
    Transform("face-48px", "a face of 48 pixels in a large picture", partial(_small, face_px=48)),
    Transform("face-32px", "a face of 32 pixels", partial(_small, face_px=32)),
    Transform("face-24px", "a face of 24 pixels", partial(_small, face_px=24)),
    Transform("sunglasses", "dark glasses", _sunglasses),
    Transform("mask", "nose, mouth and chin covered", _mask),
    Transform("bar", "a black bar over the eyes", _bar),
    Transform(
        "sticker-cheek",
        "a sticker on the cheek, a quarter of the face wide",
        partial(_sticker, point=-1, part=0.25),
    ),
    Transform(
        "sticker-nose", "a sticker on the nose, a third wide", partial(_sticker, point=2, part=0.33)
    ),
    Transform(
        "sticker-eye", "a sticker over one eye, 30 % wide", partial(_sticker, point=0, part=0.30)
    ),
    Transform("border", "a wide white border", _border),
    Transform("letterbox", "on a tall black screen", _letterbox),
    Transform("corner", "in the corner of a large picture", _corner),
    Transform("collage-2", "one of 4 photos in a grid", partial(_collage, side=2)),
    Transform("collage-4", "one of 16 photos in a grid", partial(_collage, side=4)),
    Transform("screenshot", "in a post on a telephone's screen", _screenshot),
    Transform("caption", "large letters over it", _caption),
    Transform("watermark", "writing across all of it", _watermark),
    Transform("sepia", "sepia", _sepia),
    Transform("cool", "a cool filter", partial(_tint, red=0.75, blue=1.3)),
    Transform("warm", "a warm filter", partial(_tint, red=1.25, blue=0.7)),
    Transform("contrast", "contrast times 1.8", partial(_contrast, factor=1.8)),
    Transform("faded", "contrast times 0.35, lifted", partial(_contrast, factor=0.35, lift=50)),
    Transform("posterised", "four levels of each colour", _posterised),
    Transform("negative", "colours inverted", _negative),
    Transform(
        "perspective-15",
        "a poster seen from the side, 15 % shorter at each corner",
        partial(_perspective, part=0.15),
    ),
    Transform("perspective-25", "25 % shorter", partial(_perspective, part=0.25)),
    Transform("stretch-130", "1.3 times as wide", partial(_stretch, factor=1.3)),
    Transform("stretch-160", "1.6 times as wide", partial(_stretch, factor=1.6)),
    Transform("moire", "photographed from a screen", _moire),
    Transform("low-light", "three stops too dark, and noisy", _low_light),
    Transform("too-bright", "overexposed", _bright),
    Transform("repost", "mirrored, shrunk, warmed, framed, JPEG 40", _repost),
)
"""All of them, by stable names; the first changes nothing."""
