"""Reads a folder of labelled photos: who is on each.

    DIR/IDENTITY/photo.jpg              any number of photos a person
    DIR/IDENTITY/CONDITION/photo.jpg    the same, told apart by condition (frontal, profile, ...)
    DIR/photo.jpg                       a flat folder: one photo a person

Names of people stay in memory: no report, log or file of ours holds one.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from consentry.kernel.errors import BadRequest

_SUFFIXES = frozenset(
    {".avif", ".bmp", ".gif", ".heic", ".heif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
)
_DEEPEST = 3  # IDENTITY, CONDITION, file
_SHAPE = "A folder of labelled photos is DIR/IDENTITY/photo.jpg, or flat with one photo a person."
_SAME = {"1": True, "0": False}


@dataclass(frozen=True, slots=True)
class Photo:
    """One labelled photo.

    Attributes:
        path: The file.
        subject: Whose it is; unique within its set only. Never written anywhere.
        condition: Name of the folder between the identity and the file; empty when there is none.
    """

    path: Path = field(repr=False)
    subject: str = field(repr=False)
    condition: str = ""


@dataclass(frozen=True, slots=True)
class PhotoSet:
    """The photos of one folder. People of two sets may be the same, so no pair goes across sets.

    Attributes:
        name: Of the folder.
        photos: In the order of their paths, so that a run can be repeated.
        pairs: Listed pairs as indices into ``photos``, with whether they show one person.
    """

    name: str
    photos: tuple[Photo, ...]
    pairs: tuple[tuple[int, int, bool], ...] = ()

    @property
    def subjects(self) -> int:
        """How many people."""
        return len({photo.subject for photo in self.photos})


def read_folder(folder: Path, pairs: Path | None = None) -> PhotoSet:
    """List a folder's photos.

    Args:
        folder: As the module says. Hidden files, and files that are no pictures by their name, are passed over.
        pairs: A list of pairs (`read_pairs`); None for the folder's own ``pairs.tsv``, if it has one.

    Raises:
        BadRequest: If it is no folder, holds no photos or those of one person only, or the list does not fit it.
    """
    if not folder.is_dir():
        raise BadRequest(f"There is no folder by that name. {_SHAPE}")
    photos = tuple(_photos(folder))
    if not photos:
        raise BadRequest(f"There are no pictures in the folder. {_SHAPE}")
    if len({photo.subject for photo in photos}) == 1:
        raise BadRequest(
            f"All pictures in the folder are of one person, so nobody could be confused with her. {_SHAPE}"
        )
    own = folder / "pairs.tsv"
    listed = pairs or (own if own.is_file() else None)
    return PhotoSet(
        folder.resolve().name, photos, read_pairs(listed, folder, photos) if listed else ()
    )


def _photos(folder: Path) -> Iterator[Photo]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            parts = path.relative_to(folder).parts
            if name.startswith(".") or path.suffix.lower() not in _SUFFIXES:
                continue
            if len(parts) > _DEEPEST:
                raise BadRequest(f"A picture lies too deep in the folder. {_SHAPE}")
            subject = path.stem if len(parts) == 1 else parts[0]
            yield Photo(path, subject, parts[1] if len(parts) == _DEEPEST else "")


def read_pairs(
    listed: Path, folder: Path, photos: tuple[Photo, ...]
) -> tuple[tuple[int, int, bool], ...]:
    """Read a list of pairs: two paths relative to ``folder`` and 1 (one person) or 0, by tabs.

    A first line that is a heading is passed over.

    Raises:
        BadRequest: If it cannot be read, names a photo that is not there, or contradicts the folders.
    """
    places = {photo.path.relative_to(folder).as_posix(): i for i, photo in enumerate(photos)}
    found = []
    try:
        with listed.open(encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.reader(file, delimiter="\t"), start=1):
                if number == 1 and row[2:3] and row[2] not in _SAME:
                    continue
                found.append(_pair(row, places, number))
    except (OSError, UnicodeDecodeError) as cause:
        raise BadRequest("The list of pairs cannot be read.") from cause
    for first, second, same in found:
        if same != (photos[first].subject == photos[second].subject):
            raise BadRequest(
                "The list of pairs says otherwise than the folders about who is one person."
            )
    return tuple(found)


def _pair(row: list[str], places: dict[str, int], number: int) -> tuple[int, int, bool]:
    match row:
        case [first, second, same] if same in _SAME and {first, second} <= places.keys():
            return places[first], places[second], _SAME[same]
        case _:
            raise BadRequest(
                f"Line {number} of the list of pairs is not two photos of the folder and 1 or 0, by tabs."
            )


def several(photos: tuple[Photo, ...]) -> int:
    """Return how many people have more than one photo."""
    return sum(count > 1 for count in Counter(photo.subject for photo in photos).values())
