"""The one way through the gateway.

    head -> endpoint (none: closed) -> body -> ask -> pictures fetched -> checks -> upstream
         -> pictures in the answer -> output check -> delivered, byte for byte

Whatever fails on the way refuses, in the words of the dialect. Nothing is forwarded before its check, and no picture
is delivered before its own.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

from consentry.checks.check import MAX_IMAGES, CheckRequest
from consentry.checks.output import Basis, OutputRequest
from consentry.checks.ports import ProbeMeter
from consentry.gateway.answers import events_of, whole_of
from consentry.gateway.dialect import Dialect, Endpoint
from consentry.gateway.exchange import (
    Answer,
    Call,
    Head,
    Headers,
    Messages,
    each_of,
    one,
    without,
)
from consentry.gateway.gathering import Gathering
from consentry.gateway.off_loop import LARGE_BYTES, off_loop
from consentry.gateway.passage import Passage
from consentry.gateway.plain import ELSEWHERE, require_plain, with_query
from consentry.gateway.ports import (
    Checks,
    Incoming,
    OutputCheck,
    PictureSource,
    Upstream,
)
from consentry.gateway.receipts import RECEIPT_FIELDS, receipt_headers
from consentry.gateway.refusals import Refusal, Stage, refusal_for, refusal_of
from consentry.gateway.request import GatewayRequest, WebAddress
from consentry.kernel.clock import Clock
from consentry.kernel.errors import (
    BadRequest,
    ConsentryError,
    ImageNotFetched,
    NotFound,
    Unauthenticated,
    Unreachable,
)
from consentry.kernel.ids import ConsentRequestId, Random
from consentry.kernel.taxonomy import Mode, PublicReason, Verdict
from consentry.transparency.receipts import SignedReceipt

OWN_FIELDS = frozenset({b"consentry-token"})
"""Header fields that are for the gateway: they go no further."""

_REQUEST_ID_BYTES = 16
_CHOICES = frozenset({b"accept-encoding", b"range", b"if-range"})
_REDIRECTS = range(300, 400)
_LENGTH = frozenset({b"content-length"})


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLimits:
    """What one request may take.

    Attributes:
        max_pictures: In one request, earlier turns included.
        max_picture_bytes: Of one picture that is fetched.
        max_answer_bytes: Of an answer, or an event of a stream, that is held until it is examined.
    """

    max_pictures: int = 64
    max_picture_bytes: int = 20 * 1024 * 1024
    max_answer_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Stands in front of one generator. Keeps no state between requests.

    Attributes:
        platform: Whom the gateway acts for; goes into receipts and grants.
        caller: The platform's own credential here, under which it may follow questions; or a
            name of the gateway.
        meter: Charged with the faces in what is sent and in what comes back; None for nobody's.
    """

    dialect: Dialect
    upstream: Upstream
    pictures: PictureSource
    checks: Checks
    outputs: OutputCheck
    limits: GateLimits
    clock: Clock
    platform: str | None = None
    caller: str = "gateway"
    meter: ProbeMeter | None = None
    random: Random = os.urandom

    async def open(
        self, head: Head, incoming: Incoming, passage: Passage, stack: AsyncExitStack
    ) -> Answer:
        """Answer a request: with the generator's answer, or with a refusal.

        Args:
            head: The request without its body.
            incoming: Its body.
            passage: Filled in on the way, for metrics and the log.
            stack: Holds what the answer needs until it has been delivered.
        """
        way = self._way(head, passage, stack)
        try:
            return await way.go(incoming)
        except Blocked as blocked:
            return way.refuse(blocked.refusal)
        except ConsentryError as error:
            return way.fail(error)

    def refused(self, head: Head, passage: Passage, error: ConsentryError) -> Answer:
        """Refuse a request that came no further than the door, or what nobody foresaw."""
        return self._way(head, passage, AsyncExitStack()).fail(error)

    def passage(self) -> Passage:
        """Begin to note what becomes of a request, under a name of its own."""
        return Passage(request_id=f"req_{self.random(_REQUEST_ID_BYTES).hex()}")

    def _way(self, head: Head, passage: Passage, stack: AsyncExitStack) -> _Way:
        endpoint = self.dialect.endpoint(head.method, head.path)
        return _Way(gate=self, endpoint=endpoint, head=head, passage=passage, stack=stack)


class Blocked(Exception):
    """The verdict is no, or the generator's work is withheld."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.kind.value)
        self.refusal = refusal


@dataclass(slots=True, kw_only=True)
class _Way:
    """One request on its way; lives as long as that."""

    gate: Gate
    endpoint: Endpoint | None
    head: Head
    passage: Passage
    stack: AsyncExitStack
    bases: list[Basis] = field(default_factory=list)
    cleared: set[bytes] = field(default_factory=set)
    signed: list[SignedReceipt | None] = field(default_factory=list)
    question: ConsentRequestId | None = None
    unjudged: list[GatewayRequest] = field(default_factory=list)

    async def go(self, incoming: Incoming) -> Answer:
        if self.endpoint is None:
            raise NotFound("This route is not open here.")
        self.passage.route = self.endpoint.route
        if not self.gate.dialect.has_credentials(self.head):
            raise Unauthenticated("The request brings no credentials for the generator.")
        if self.endpoint.reads:
            body: bytes | AsyncIterator[bytes] = await self._judged(self.endpoint, incoming)
        elif self.head.method == "POST":
            body = incoming.chunks()
        else:
            body = await incoming.whole()
        answer = await self._forward(self.endpoint, body)
        if not self.endpoint.inspects:
            return self._marked(answer)
        return self._marked(await self._inspected(self.endpoint, answer))

    def fail(self, error: ConsentryError) -> Answer:
        self.passage.error = error.code
        return self.refuse(refusal_of(error, self.passage.stage))

    def refuse(self, refusal: Refusal) -> Answer:
        self.passage.refusal = refusal
        words = self.endpoint or self.gate.dialect
        worded = words.refusal(refusal, self.passage.request_id)
        headers = (*worded.headers, (b"content-length", str(len(worded.body)).encode()))
        marked = (*headers, *receipt_headers(self.signed, self.question))
        return Answer(status=worded.status, headers=marked, chunks=one(worded.body))

    async def _judged(self, endpoint: Endpoint, incoming: Incoming) -> bytes:
        require_plain(self.head)
        call = Call(head=self.head, body=await incoming.whole())
        gathering = self._gathering(self.gate.limits.max_picture_bytes)
        fetched: dict[str, bytes] = {}
        for asked in await endpoint.ask(call, gathering):
            request = with_query(asked, self.head)
            # Without an answer to look into, a picture of it would come unseen, or in another request.
            if endpoint.inspects and not request.makes_pictures and not request.pictures:
                self.unjudged.append(request)
                continue
            request = await self._whole(request)
            images = await gathering.gather(request.pictures)
            self.passage.pictures += len(images)
            await self._judge(request, images)
            for picture, image in zip(request.pictures, images, strict=True):
                if (
                    isinstance(picture, WebAddress)
                    and fetched.setdefault(picture.url, image) != image
                ):
                    raise ImageNotFetched("An address gave two pictures. Send the picture itself.")
        body = call.body
        if fetched:
            body = await off_loop(
                len(body), lambda: self.gate.dialect.pinned(call, fetched), large=LARGE_BYTES
            )
        held = sum(len(image) for basis in self.bases for image in basis.request.images)
        incoming.keep(len(body) + held)
        return body

    async def _whole(self, request: GatewayRequest) -> GatewayRequest:
        """Return a request with all that it refers to.

        Raises:
            BadRequest: If that cannot be read.
        """
        return request if request.whole is None else with_query(await request.whole(), self.head)

    async def _judge_late(self, request: GatewayRequest) -> None:
        """Check words of which no picture was to be expected, now that one has come.

        Raises:
            Blocked: If they are not allowed, or cannot be read: then nobody knows what was asked for.
        """
        try:
            request = await self._whole(request)
        except BadRequest:
            unreadable = refusal_for((PublicReason.UNREADABLE,), self.passage.stage)
            raise Blocked(unreadable) from None
        # Its words alone: among the pictures of earlier turns may be the one that has just been made.
        await self._judge(request, ())

    async def _judge(self, request: GatewayRequest, images: tuple[bytes, ...]) -> None:
        """Check a request, in groups when it has many pictures: every group with all of the words.

        Raises:
            Blocked: If one of them is not allowed.
        """
        groups = [images[i : i + MAX_IMAGES] for i in range(0, len(images), MAX_IMAGES)] or [()]
        for group in groups:
            began = self.gate.clock.monotonic()
            question = self._question(request, group)
            result = await self.gate.checks(question)
            self.passage.check_s += self.gate.clock.monotonic() - began
            self.signed.append(result.receipt)
            self.question = result.request or self.question
            self.passage.note(result.check, result.decision)
            if result.decision.verdict is not Verdict.ALLOW:
                raise Blocked(refusal_for(result.decision.reasons, self.passage.stage))
            self.bases.append(Basis(request=question, result=result))

    def _question(self, request: GatewayRequest, images: tuple[bytes, ...]) -> CheckRequest:
        return CheckRequest(
            images=images,
            prompt=request.prompt,
            context=request.context,
            mode=Mode.ACT,
            purpose=request.purpose,
            # What a client says of its place could only loosen; unknown is the strictest.
            region=None,
            platform=self.gate.platform,
            actor=None,
            declares_minor=False,
            token=self.head.value(b"consentry-token"),
            asker=request.asker,
            caller=self.gate.caller,
            meter=self.gate.meter,
        )

    def _gathering(self, max_bytes: int) -> Gathering:
        return Gathering(
            dialect=self.gate.dialect,
            upstream=self.gate.upstream,
            source=self.gate.pictures,
            head=self._onward(),
            max_bytes=max_bytes,
            max_pictures=self.gate.limits.max_pictures,
            max_answer_bytes=self.gate.limits.max_answer_bytes,
        )

    def _onward(self) -> Head:
        return replace(self.head, headers=without(self.head.headers, OWN_FIELDS | ELSEWHERE))

    async def _forward(self, endpoint: Endpoint, body: bytes | AsyncIterator[bytes]) -> Answer:
        head = self._onward()
        if endpoint.inspects:
            # What is examined is asked for in plain; what passes unread keeps the caller's choice.
            # As a whole, too: nobody recognises a picture in pieces.
            plain = (*without(head.headers, _CHOICES), (b"accept-encoding", b"identity"))
            head = replace(head, headers=plain)
        began = self.gate.clock.monotonic()
        answer = await self.stack.enter_async_context(self.gate.upstream.send(head, body))
        self.passage.upstream_s += self.gate.clock.monotonic() - began
        if answer.status in _REDIRECTS:
            # Clients would follow it, past the gateway.
            raise Unreachable("The generator sends to another address, and that is not followed.")
        return answer

    async def _inspected(self, endpoint: Endpoint, answer: Answer) -> Answer:
        """Hold an answer until its pictures are cleared: whole, or event by event."""
        self.passage.stage = Stage.OUTPUT
        if answer.is_stream:
            events = self._events(endpoint, answer)
            # The first event is cleared before the status goes out: it may still be a refusal.
            first = await anext(events, None)
            # A refusal may take the place of what its length was said of.
            headers = without(answer.headers, _LENGTH)
            stream = self._stream(endpoint, answer, first, events)
            return replace(answer, headers=headers, chunks=stream)
        body = await whole_of(answer, self.gate.limits.max_answer_bytes)
        await self._clear(endpoint, answer.media_type, body.plain)
        return replace(answer, chunks=each_of(body.chunks))

    async def _events(self, endpoint: Endpoint, answer: Answer) -> AsyncIterator[bytes]:
        async for event in events_of(answer, self.gate.limits.max_answer_bytes):
            await self._clear(endpoint, answer.media_type, event.data)
            yield event.raw

    async def _stream(
        self, endpoint: Endpoint, answer: Answer, first: bytes | None, events: AsyncIterator[bytes]
    ) -> AsyncIterator[bytes]:
        if first is not None:
            yield first
        try:
            async for event in events:
                yield event
        except Blocked as blocked:
            refusal = blocked.refusal
        except ConsentryError as error:
            refusal = refusal_of(error, Stage.OUTPUT)
            self.passage.error = error.code
        else:
            return
        self.passage.refusal = refusal
        if answer.messages is None:
            yield endpoint.last_event(refusal, self.passage.request_id)
        else:
            worded = endpoint.refusal(refusal, self.passage.request_id)
            answer.messages.trailers = worded.headers

    async def _clear(self, endpoint: Endpoint, media_type: str, body: bytes) -> None:
        """Pass when every picture in a piece of an answer may be delivered.

        Raises:
            Blocked: If one is withheld.
        """
        found = await off_loop(len(body), lambda: endpoint.found(media_type, body))
        if not found:
            return
        pictures = await self._gathering(self.gate.limits.max_answer_bytes).gather(found)
        fresh = {hashlib.sha256(each).digest(): each for each in pictures}
        fresh = {digest: each for digest, each in fresh.items() if digest not in self.cleared}
        if not fresh:
            return
        self.passage.outputs += len(fresh)
        while self.unjudged:
            await self._judge_late(self.unjudged.pop())
        began = self.gate.clock.monotonic()
        result = await self.gate.outputs(
            OutputRequest(
                results=tuple(fresh.values()),
                bases=tuple(self.bases),
                platform=self.gate.platform,
                caller=self.gate.caller,
                meter=self.gate.meter,
            )
        )
        self.passage.check_s += self.gate.clock.monotonic() - began
        self.signed.append(result.receipt)
        self.passage.note(result.check, result.decision)
        if result.decision.verdict is not Verdict.ALLOW:
            raise Blocked(refusal_for(result.decision.reasons, Stage.OUTPUT))
        self.cleared.update(fresh)

    def _marked(self, answer: Answer) -> Answer:
        """Add the receipt and, where the generator gave none, a name for the request."""
        if answer.messages is not None:
            return replace(answer, chunks=self._marked_at_end(answer, answer.messages))
        return replace(answer, headers=self._with_marks(answer.headers))

    async def _marked_at_end(self, answer: Answer, messages: Messages) -> AsyncIterator[bytes]:
        async for chunk in answer.chunks:
            yield chunk
        messages.trailers = self._with_marks(messages.trailers)

    def _with_marks(self, headers: Headers) -> Headers:
        added: Headers = receipt_headers(self.signed, self.question)
        theirs = without(headers, RECEIPT_FIELDS)
        if not any(name.lower() == b"x-request-id" for name, _ in theirs):
            added = (*added, (b"x-request-id", self.passage.request_id.encode()))
        return (*theirs, *added)
