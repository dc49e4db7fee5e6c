"""What a text asks for, for the owner and her own programs: what a browser's rules alone do not hear."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from consentry.accounts.principals import Door, Principal, Scope
from consentry.api.authentication import may
from consentry.api.bodies import read_json
from consentry.api.problems import documented
from consentry.api.runtime import runtime_of
from consentry.api.wire import Inbound, Outbound, answer, json_body
from consentry.api.work import Kind
from consentry.checks.check import MAX_CONTEXT_TURNS, MAX_PROMPT_CHARS
from consentry.kernel.errors import Forbidden, ModelUnavailable
from consentry.kernel.taxonomy import IntentCategory

router = APIRouter(tags=["checks"])

Asker = Annotated[Principal, Depends(may(Scope.CHECKS_WRITE))]

Turn = Annotated[str, Field(max_length=MAX_PROMPT_CHARS)]


class WordsIn(Inbound):
    """A text, and the turns before it."""

    prompt: Turn = Field(repr=False)
    context: tuple[Turn, ...] = Field(
        default=(), repr=False, max_length=MAX_CONTEXT_TURNS, description="Oldest first."
    )


class WordsOut(Outbound):
    """What it asks for. No rule and no score: those would help to write around them."""

    format: Literal["consentry.words/1"] = "consentry.words/1"
    category: IntentCategory
    is_readable: bool
    has_age_cue: bool
    refers_to_person: bool


@router.post(
    "/v1/words",
    operation_id="assessWords",
    response_model=WordsOut,
    openapi_extra=json_body(WordsIn),
    responses=documented(Forbidden, ModelUnavailable, reads_body=True),
)
async def assess_words(request: Request, principal: Asker) -> Response:
    """Say what a text asks for. Nothing of it is kept, and nobody is looked up. Not for keys: they get verdicts."""
    if principal.door is Door.KEY:
        raise Forbidden("A key gets verdicts (`POST /v1/checks`), not what they are made of.")
    runtime = runtime_of(request)
    assess = runtime.services.check.intent.assess
    found = await runtime.work.do_with(
        Kind.STORE,
        # As for a check: fifty turns of 32,000 characters are within the document.
        partial(read_json, request, WordsIn, max_bytes=runtime.max_body_bytes),
        lambda body: assess(body.prompt, body.context),
    )
    return answer(
        WordsOut(
            category=found.category,
            is_readable=found.is_readable,
            has_age_cue=found.has_age_cue,
            refers_to_person=found.refers_to_person,
        )
    )
