"""What a dialect reads out of a generator's request: the pictures, and the words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from consentry.kernel.taxonomy import Purpose


@dataclass(frozen=True, slots=True)
class Sent:
    """A picture whose bytes are in the request itself."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DataUrl:
    """A picture in a ``data:`` URL, not decoded yet."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WebAddress:
    """A picture at an address, for the SSRF-safe client alone."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A picture that the generator keeps, by its own name for it."""

    file_id: str = field(repr=False)


Picture: TypeAlias = Sent | DataUrl | WebAddress | StoredFile


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayRequest:
    """One thing that is asked of a generator.

    Attributes:
        pictures: Every one that the generator will see, in order: inputs, masks, markup, those of
            earlier turns.
        prompt: What is asked for; None when nothing is written.
        context: Earlier turns and whatever other words there are, oldest first.
        purpose: What it is for; can only tighten.
        asker: The end user, as the platform refers to him; None when it does not.
        makes_pictures: False when no picture goes in, and as far as can be told none comes out: it
            is judged only if one does.
        whole: Reads it again with what it only refers to, before it is judged; raises `BadRequest`
            when not all of it can be read. None when all of it is here.
    """

    pictures: tuple[Picture, ...]
    prompt: str | None = field(repr=False)
    context: tuple[str, ...] = field(repr=False, default=())
    purpose: Purpose = Purpose.EDIT
    asker: str | None = field(repr=False, default=None)
    makes_pictures: bool = True
    whole: Callable[[], Awaitable[GatewayRequest]] | None = field(
        repr=False, compare=False, default=None
    )
