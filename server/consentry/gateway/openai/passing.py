"""Endpoints whose requests ask for no picture: handed on unread; answers that may hold pictures are examined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from consentry.gateway.dialect import Lookup, Reply
from consentry.gateway.exchange import Call
from consentry.gateway.openai import refusals
from consentry.gateway.openai.answers import pictures_of_answer
from consentry.gateway.refusals import Refusal
from consentry.gateway.request import GatewayRequest, Picture


@dataclass(frozen=True, slots=True)
class PassingEndpoint:
    """One of them."""

    route: str
    inspects: bool
    reads: bool = False

    async def ask(self, call: Call, lookup: Lookup) -> Sequence[GatewayRequest]:
        """Ask nothing."""
        del call, lookup
        return ()

    def found(self, media_type: str, body: bytes) -> Sequence[Picture]:
        """Find the pictures in an answer."""
        return pictures_of_answer(media_type, body)

    def refusal(self, refusal: Refusal, request_id: str) -> Reply:
        """Word a refusal."""
        return refusals.worded(refusal, request_id)

    def last_event(self, refusal: Refusal, request_id: str) -> bytes:
        """Word a refusal as the end of a stream."""
        return refusals.last_event(refusal, request_id)
