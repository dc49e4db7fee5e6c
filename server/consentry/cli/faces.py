"""`faces`: what the machine sees in a picture. Never an embedding, never who."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.files import write_file
from consentry.cli.invocation import Invocation
from consentry.cli.options import AsJson
from consentry.cli.terminal import say, say_document, say_table

if TYPE_CHECKING:
    from PIL import Image

    from consentry.cli.answers import FacesAnswer

_GOOD = (34, 160, 90)
_POOR = (224, 120, 20)
_HALO = (255, 255, 255)
# Of the picture's shorter side, so that lines are seen in small and large pictures alike.
_LINE = 1 / 250


def faces(
    context: typer.Context,
    *,
    image: Annotated[
        str, typer.Argument(metavar="IMAGE", help="A picture file; - for standard input.")
    ],
    draw: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.png",
            help="Write the picture with boxes and landmarks as a PNG.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over OUT.png if it is there.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Find the faces in a picture. Boxes, landmarks and quality; never who they are."""
    from consentry.cli import calls
    from consentry.cli.pictures import read_pictures

    invocation = Invocation.of(context)
    (picture,) = read_pictures([image], max_bytes=invocation.settings.max_image_bytes)
    with invocation.line() as line:
        answer = calls.faces(line, picture)
    if draw is not None:
        _write_png(_drawn(picture.data, answer), draw, force=force)
    if as_json:
        say_document(answer.document())
        return
    if not answer.faces:
        say("No face was found.")
        return
    say_table(
        ("face", "box (x, y, w, h)", "score", "quality", "issues"),
        [
            (
                str(number),
                ", ".join(f"{side:.0f}" for side in face.box),
                f"{face.score:.2f}",
                f"{face.quality.score:.2f}",
                ", ".join(face.quality.issues) or "none",
            )
            for number, face in enumerate(answer.faces, start=1)
        ],
    )


def _drawn(data: bytes, answer: FacesAnswer) -> Image.Image:
    from PIL import Image, ImageDraw

    from consentry.imagery.decoding import decode
    from consentry.imagery.limits import Limits

    picture = Image.fromarray(decode(data, Limits()).views[0])
    pen = ImageDraw.Draw(picture)
    width = max(2, round(min(picture.size) * _LINE))
    for face in answer.faces:
        x, y, w, h = face.box
        colour = _POOR if face.quality.issues else _GOOD
        pen.rectangle(
            (x - width, y - width, x + w + width, y + h + width), outline=_HALO, width=3 * width
        )
        pen.rectangle((x, y, x + w, y + h), outline=colour, width=width)
        for px, py in face.landmarks:
            reach = 1.5 * width
            pen.ellipse(
                (px - reach, py - reach, px + reach, py + reach), fill=colour, outline=_HALO
            )
    return picture


def _write_png(picture: Image.Image, path: Path, *, force: bool) -> None:
    buffer = BytesIO()
    picture.save(buffer, format="PNG")
    write_file(path, buffer.getvalue(), may_replace=force, is_private=False)
