"""``responses`` and ``chat/completions``: judged when a picture goes in, or one may come out.

Every turn counts, whoever is said to have spoken: pictures of earlier turns are pictures of this one, their words are
its context. What the request only refers to (an earlier response, a stored item, a template) is looked up or refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from consentry.gateway.data_urls import from_base64
from consentry.gateway.dialect import Lookup, Reply
from consentry.gateway.exchange import Call
from consentry.gateway.json_body import Json, JsonObject, folded, folded_object
from consentry.gateway.off_loop import off_loop
from consentry.gateway.openai import refusals
from consentry.gateway.openai.answers import pictures_of_answer
from consentry.gateway.openai.history import earlier_turns
from consentry.gateway.openai.own_names import OWN_NAMES
from consentry.gateway.refusals import Refusal
from consentry.gateway.request import GatewayRequest, Picture, Sent, StoredFile
from consentry.gateway.sources import address, base64_picture, parted, picture_in
from consentry.gateway.words import fitted, split_prompt
from consentry.kernel.errors import BadRequest, UnsupportedMediaType

_MAKERS = frozenset({"image_generation"})
_FILES = frozenset({"input_file", "file"})
_ELSEWHERE = frozenset({"item_reference", "compaction"})
_UNHEARD = frozenset({"input_audio", "input_video", "video_url", "audio_url"})
_NOT_WORDS = frozenset(
    {
        "type",
        "role",
        "id",
        "status",
        "detail",
        "call_id",
        "model",
        "encrypted_content",
        "user",
        "safety_identifier",
        "prompt_cache_key",
        "service_tier",
        "truncation",
        "include",
        "strict",
        "action",
        "background",
        "quality",
        "size",
        "output_format",
        "moderation",
        "effort",
        "verbosity",
        "tool_choice",
    }
)
_FILE_NAMES = frozenset({"file_id", "file_url", "file_data"})
_LATER = frozenset({"background", "deferred"})
"""What leaves the answer to another request, which does not know these words."""
_ASKERS = ("safety_identifier", "user")
_Whole: TypeAlias = Callable[[], Awaitable[GatewayRequest]]


@dataclass(frozen=True, slots=True)
class ConversationEndpoint:
    """One of the two; ``turns`` is the field that holds the conversation."""

    route: str
    turns: str
    reads: bool = True
    inspects: bool = True

    async def ask(self, call: Call, lookup: Lookup) -> Sequence[GatewayRequest]:
        """Read a request (`consentry.gateway.dialect.Endpoint`)."""
        if call.head.media_type != "application/json":
            raise UnsupportedMediaType("The body is JSON: application/json.")
        size = len(call.body)
        body, asked = await off_loop(size, lambda: self._opened(call))
        if asked.is_judged_at_once and asked.has_history:
            return (await self._with_earlier(body, lookup),)
        # From the bytes, which are held anyway: what was read from them takes many times their room.
        return await off_loop(size, lambda: asked.requests(body, lambda: self._again(call, lookup)))

    def read_json(self, body: JsonObject) -> Sequence[GatewayRequest]:
        """Read a request for which nothing is looked up; its names are as they were written."""
        body = folded(body, OWN_NAMES)
        return self._read(body, ()).requests(body)

    async def _again(self, call: Call, lookup: Lookup) -> GatewayRequest:
        body, _ = await off_loop(len(call.body), lambda: self._opened(call))
        return await self._with_earlier(body, lookup)

    def _opened(self, call: Call) -> tuple[JsonObject, _Conversation]:
        body = folded_object(call.body, OWN_NAMES)
        return body, self._read(body, ())

    async def _with_earlier(self, body: JsonObject, lookup: Lookup) -> GatewayRequest:
        earlier = await earlier_turns(body, lookup)

        def read() -> GatewayRequest:
            asked = self._read(body, earlier)
            asked.has_history = False
            return asked.judged(body)

        # The earlier turns may be as large as one body, and are read together with this one.
        return await asyncio.to_thread(read)

    def _read(self, body: JsonObject, earlier: Sequence[Json]) -> _Conversation:
        conversation = _Conversation()
        for name, value in body.items():
            if name != self.turns:
                conversation.take_aside(name, value)
        for turn in earlier:
            conversation.take_turn(_role_of(turn), turn)
        turns = body.get(self.turns)
        if isinstance(turns, str):
            conversation.take_turn("user", turns)
        elif isinstance(turns, Sequence):
            for turn in turns:
                conversation.take_turn(_role_of(turn), turn)
        return conversation

    def found(self, media_type: str, body: bytes) -> Sequence[Picture]:
        """Find the pictures in an answer."""
        return pictures_of_answer(media_type, body)

    def refusal(self, refusal: Refusal, request_id: str) -> Reply:
        """Word a refusal."""
        return refusals.worded(refusal, request_id, blocked_code=self._blocked_code)

    def last_event(self, refusal: Refusal, request_id: str) -> bytes:
        """Word a refusal as the end of a stream."""
        return refusals.last_event(refusal, request_id, blocked_code=self._blocked_code)

    @property
    def _blocked_code(self) -> str:
        is_chat = self.turns == "messages"
        return refusals.CHAT_CODE if is_chat else refusals.IMAGES_CODE


@dataclass(slots=True)
class _Conversation:
    """A conversation, as it is come upon."""

    pictures: list[Picture] = field(default_factory=list)
    asides: list[str] = field(default_factory=list)
    turns: list[tuple[str, str]] = field(default_factory=list)
    files: list[Picture] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    makes_pictures: bool = False
    comes_later: bool = False
    has_history: bool = False
    named: int = 0
    made: int = 0

    @property
    def is_about_pictures(self) -> bool:
        """Whether a picture goes in, or one may come out."""
        return bool(self.pictures) or self.makes_pictures or self.named > self.made

    @property
    def is_judged_at_once(self) -> bool:
        """Whether its words are judged before anything has come of them."""
        return self.is_about_pictures or self.comes_later

    def take_aside(self, name: str, value: Json) -> None:
        """Take a field beside the turns: instructions, tools, settings."""
        if name in ("previous_response_id", "conversation") and value is not None:
            self.has_history = True
        if name in _LATER and value not in (None, False):
            self.comes_later = True
        if name == "prompt" and value is not None:
            # A template that is kept elsewhere may have tools of its own.
            self.unseen.append(name)
            self.makes_pictures = True
        if name == "modalities" and "image" in _listed(value):
            self.makes_pictures = True
        if name == "model" and isinstance(value, str) and "image" in value.lower():
            self.makes_pictures = True
        words = self._words_of(value, name)
        if words:
            self.asides.append(words)

    def take_turn(self, role: str, value: Json) -> None:
        """Take one turn."""
        words = self._words_of(value, "")
        if words:
            self.turns.append((role, words))

    def requests(self, body: JsonObject, whole: _Whole | None = None) -> Sequence[GatewayRequest]:
        """Return what has to be judged.

        Args:
            body: The request.
            whole: Reads it again, with what it refers to; None when nothing can be looked up.

        Raises:
            BadRequest: As `judged`, of what is judged at once.
        """
        return (self.judged(body) if self.is_judged_at_once else self._words_alone(body, whole),)

    def judged(self, body: JsonObject) -> GatewayRequest:
        """Return all of it.

        Raises:
            BadRequest: If something is referred to that nobody has seen, or there are more words
                than one check takes.
        """
        self._require_seen()
        return self._request(body)

    def _words_alone(self, body: JsonObject, whole: _Whole | None) -> GatewayRequest:
        """Return what is judged only if a picture comes of it after all."""
        try:
            return replace(self.judged(body), makes_pictures=False)
        except BadRequest as cause:
            # No reason to refuse a chat. But of what cannot be read, no picture may come.
            whole = whole or _never(str(cause))
            return GatewayRequest(pictures=(), prompt=None, makes_pictures=False, whole=whole)

    def _require_seen(self) -> None:
        if self.has_history:
            self.unseen.append("an earlier response")
        if self.named > self.made:
            # A picture that was made before, named without being sent.
            self.unseen.append("image_generation_call")
        if self.unseen:
            raise BadRequest(
                f"The request refers to what is kept elsewhere ({', '.join(sorted(set(self.unseen)))}). "
                "Send the turns themselves."
            )

    def _request(self, body: JsonObject) -> GatewayRequest:
        """Put it together: the last turn of a user is the prompt, all else its context."""
        last = max(
            (i for i, (role, _) in enumerate(self.turns) if role == "user"),
            default=len(self.turns) - 1,
        )
        others = [words for i, (_, words) in enumerate(self.turns) if i != last]
        before, prompt = split_prompt(self.turns[last][1] if self.turns else "")
        askers = (body.get(each) for each in _ASKERS)
        return GatewayRequest(
            pictures=(*self.pictures, *(self.files if self.makes_pictures else ())),
            prompt=prompt or None,
            context=fitted([*self.asides, *others, *before]),
            asker=next((each for each in askers if isinstance(each, str) and each), None),
        )

    def _words_of(self, value: Json, name: str) -> str:
        """Return the words in a piece of the request, and take its pictures."""
        words: list[str] = []
        for member in _members(name, value):
            kind, key, each = member.kind, member.key, member.text
            if each is None:
                self._look_at_kind(kind)
            elif (picture := _picture_of(member, each)) is not None:
                self.pictures.append(picture)
            elif kind in _FILES and key in _FILE_NAMES:
                # A document, to be read; a picture only where one is to be made.
                self.files.append(StoredFile(each) if key == "file_id" else _file(each))
            elif key == "result" and kind == "image_generation_call":
                self.made += 1
                self.pictures.append(Sent(from_base64(each)))
            elif key not in _NOT_WORDS:
                said, pictures = parted(each)
                words.append(said)
                self.pictures.extend(pictures)
        return "\n".join(words)

    def _look_at_kind(self, kind: str) -> None:
        if kind in _MAKERS:
            self.makes_pictures = True
        elif kind in _UNHEARD:
            raise UnsupportedMediaType(
                "The request holds sound or video, which is not examined here."
            )
        elif kind in _ELSEWHERE:
            self.unseen.append(kind)
        elif kind == "image_generation_call":
            self.named += 1


@dataclass(frozen=True, slots=True)
class _Member:
    """A string in a request, or an object.

    Attributes:
        kind: The type of the object that it is in, or its own.
        key: Its name; a member of a list has the list's.
        is_of_picture: It is in something that is called a picture, by type or by name: a part
            without a type is read by its names.
        text: None for an object.
    """

    kind: str
    key: str
    is_of_picture: bool
    text: str | None = None


def _members(name: str, value: Json) -> Iterator[_Member]:
    """Yield every string, and every object that says what it is."""
    names_count = name not in OWN_NAMES
    pending: list[tuple[_Member, Json]] = [(_Member("", name, "image" in name), value)]
    while pending:
        place, each = pending.pop()
        if isinstance(each, str):
            yield _Member(place.kind, place.key, place.is_of_picture, each)
        elif isinstance(each, Mapping):
            members = [(name.casefold(), member) for name, member in each.items()]
            # More than one where names are the caller's own, and stand as he wrote them.
            own = [
                member.casefold()
                for name, member in members
                if name == "type" and isinstance(member, str)
            ]
            kind = own[-1] if own else place.kind
            for said in own:
                yield replace(place, kind=said)
            if names_count and place.key in _UNHEARD:
                yield replace(place, kind=place.key)
            is_picture = (
                place.is_of_picture
                or any("image" in said for said in own)
                or (names_count and any(_is_picture_type(member) for _, member in members))
            )
            pending.extend(
                (_Member(kind, name, is_picture or (names_count and "image" in name)), member)
                for name, member in reversed(members)
            )
        elif isinstance(each, Sequence):
            pending.extend((place, member) for member in reversed(each))


def _picture_of(member: _Member, text: str) -> Picture | None:
    kind, key = member.kind, member.key
    if kind in _FILES and key in _FILE_NAMES:
        return None
    if key == "file_id":
        return StoredFile(text)
    if key == "image_url" or (key == "url" and member.is_of_picture):
        return address(text)
    if key == "result" and kind == "image_generation_call":
        return None
    if member.is_of_picture and key not in _NOT_WORDS:
        return picture_in(text)
    # Words may be an address or the name of a file; only a picture itself is taken for one.
    return picture_in(text) if text[:5].lower() == "data:" else base64_picture(text)


def _never(why: str) -> _Whole:
    async def whole() -> GatewayRequest:
        raise BadRequest(why)

    return whole


def _file(text: str) -> Picture:
    return picture_in(text) or Sent(from_base64(text))


def _is_picture_type(value: Json) -> bool:
    return isinstance(value, str) and value[:6].lower() == "image/"


def _listed(value: Json) -> Sequence[str]:
    values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return [each.strip().casefold() for each in values if isinstance(each, str)]


def _role_of(turn: Json) -> str:
    role = turn.get("role") if isinstance(turn, Mapping) else None
    return role.casefold() if isinstance(role, str) else ""
