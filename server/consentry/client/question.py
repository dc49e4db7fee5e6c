"""What a platform asks: may these pictures, with this prompt, be used in this way?"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from consentry.kernel.taxonomy import Purpose

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


class Role(StrEnum):
    """Who wrote a turn of a conversation."""

    USER = "user"
    ASSISTANT = "assistant"
    POST = "post"
    """The post that is being answered."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation."""

    role: Role
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question. Send everything that the generator would be given: all of it is looked at.

    Attributes:
        images: Encoded files, inputs and references alike, at most 16 with the mask.
        mask: One more picture: which part is to be changed.
        prompt: What is asked for; None when nothing is written.
        context: Earlier turns, oldest first.
        conversation: In place of ``context``: all turns, oldest first. Without ``prompt`` the newest
            is the prompt.
        purpose: What it is for; can only make the verdict stricter.
        region: ISO 3166 code of where the result is meant to be seen; None is the strictest.
        asker: Your own opaque reference of the user who asks, so that she can block further requests.
        token: A consent token, if one was given.
        declares_minor: You know, or have been told, that a person in it is under age.
    """

    images: tuple[bytes, ...] = field(default=(), repr=False)
    mask: bytes | None = field(default=None, repr=False)
    prompt: str | None = field(default=None, repr=False)
    context: tuple[str, ...] = field(default=(), repr=False)
    conversation: tuple[Turn, ...] = field(default=(), repr=False)
    purpose: Purpose = Purpose.EDIT
    region: str | None = None
    asker: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    declares_minor: bool = False

    def pictures(self) -> tuple[bytes, ...]:
        """Return all files in the order of the receipt: the mask last."""
        return self.images if self.mask is None else (*self.images, self.mask)

    def words(self) -> tuple[str | None, tuple[str, ...]]:
        """Return the prompt, and the turns before it, oldest first."""
        if not self.conversation:
            return self.prompt, self.context
        turns = tuple(turn.text for turn in self.conversation)
        return (turns[-1], turns[:-1]) if self.prompt is None else (self.prompt, turns)

    def to_json(self) -> dict[str, Json]:
        """Return the body of the request. What was not said is left out."""
        said: dict[str, Json] = {
            "images": [base64.b64encode(image).decode("ascii") for image in self.images],
            "mask": None if self.mask is None else base64.b64encode(self.mask).decode("ascii"),
            "prompt": self.prompt,
            "context": list(self.context),
            "conversation": [
                {"role": turn.role.value, "text": turn.text} for turn in self.conversation
            ],
            "purpose": self.purpose.value,
            "region": self.region,
            "asker": self.asker,
            "token": self.token,
            "declares_minor": self.declares_minor,
        }
        return {name: value for name, value in said.items() if value not in (None, [])}
