"""Chats of this API, in the form in which chats of the others are read (`consentry.gateway.openai.conversations`).

What stands for a picture without being it is refused there: an earlier response, a picture that an earlier turn made
and that is not sent again, and turns that came back encrypted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from consentry.gateway.json_body import Json, JsonObject
from consentry.gateway.openai.conversations import ConversationEndpoint
from consentry.gateway.request import GatewayRequest
from consentry.gateway.sources import pictures_within

_ROLES = {1: "user", 2: "assistant", 3: "system", 4: "function", 5: "tool", 6: "developer"}
_MAKES_PICTURES = 10
_HAS_FAILED = 3
_CHAT = ConversationEndpoint("chat", turns="messages")


def read_chat(message: JsonObject) -> Sequence[GatewayRequest]:
    """Read a ``GetCompletionsRequest``: what has to be judged, or nothing when it is about no picture.

    Raises:
        BadRequest: If it refers to what nobody has seen.
        ImageError, UnsupportedMediaType: If it holds what cannot be examined.
    """
    turns = list(_objects(message.get("messages")))
    sent = {
        turn.get("call_id") for turn in turns if any(pictures_within(each) for each in _words(turn))
    }
    aside = {name: value for name, value in message.items() if name not in ("messages", "tools")}
    if not aside.get("previous_response_id"):
        aside.pop("previous_response_id", None)
    tools = [_tool(each) for each in _objects(message.get("tools"))]
    body = aside | {"tools": tools, "messages": [_turn(turn, sent) for turn in turns]}
    return _CHAT.read_json(body)


def _tool(tool: JsonObject) -> JsonObject:
    return {name: _typed(name, value) for name, value in tool.items()}


def _turn(turn: JsonObject, sent: set[Json]) -> JsonObject:
    role = turn.get("role")
    found: dict[str, Json] = dict(turn)
    found["role"] = _ROLES.get(role, "") if isinstance(role, int) else ""
    found["content"] = [
        {name: _typed("file", value) if name == "file" else value for name, value in each.items()}
        for each in _objects(turn.get("content"))
    ]
    if found.pop("encrypted_content", None):
        found["encrypted"] = {"type": "compaction"}
    found["unseen"] = [
        {"type": "image_generation_call"}
        for call in _objects(turn.get("tool_calls"))
        if _made_a_picture(call) and call.get("id") not in sent
    ]
    return found


def _made_a_picture(call: JsonObject) -> bool:
    return call.get("kind") == _MAKES_PICTURES and call.get("status") != _HAS_FAILED


def _words(turn: JsonObject) -> Iterator[str]:
    for each in _objects(turn.get("content")):
        text = each.get("text")
        if isinstance(text, str):
            yield text


def _typed(kind: str, value: Json) -> Json:
    return {**value, "type": kind} if isinstance(value, Mapping) else value


def _objects(value: Json) -> Iterator[JsonObject]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        yield from (each for each in value if isinstance(each, Mapping))
