"""Where in a JSON document something is: names joined by dots. Lists are passed through; ``*`` is any name.

init_images                    "init_images": "…"   or   "init_images": ["…", "…"]
alwayson_scripts.*.args.image  "alwayson_scripts": {"controlnet": {"args": [{"image": "…"}]}}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from consentry.gateway.json_body import Json

Path: TypeAlias = tuple[str, ...]
Scalar: TypeAlias = str | float | bool | None


def place(written: str) -> Path:
    """Return a place as it is written in a description."""
    return tuple(written.split("."))


def is_at(path: Path, places: Sequence[Path]) -> bool:
    """Say whether a path is one of these places."""
    return any(len(path) == len(each) and _fits(path, each) for each in places)


def is_within(path: Path, places: Sequence[Path]) -> bool:
    """Say whether a path is one of these places, or below one."""
    return any(len(path) >= len(each) and _fits(path, each) for each in places)


def leaves(value: Json) -> Iterator[tuple[Path, Scalar]]:
    """Yield everything that is no object and no list, with the names that lead to it, in order."""
    pending: list[tuple[Path, Json]] = [((), value)]
    while pending:
        path, each = pending.pop()
        if isinstance(each, Mapping):
            pending.extend(((*path, name), member) for name, member in reversed(list(each.items())))
        elif isinstance(each, Sequence) and not isinstance(each, str):
            pending.extend((path, member) for member in reversed(each))
        else:
            yield path, each


def _fits(path: Path, written: Path) -> bool:
    # A server may be of those that do not mind the case of names.
    return all(
        name == "*" or name.casefold() == part.casefold()
        for part, name in zip(path, written, strict=False)
    )
