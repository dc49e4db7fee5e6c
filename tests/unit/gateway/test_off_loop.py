"""Large bodies are read in a thread, so that the event loop answers others meanwhile; small ones where they come in."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest
from consentry.gateway.exchange import Call, Head
from consentry.gateway.off_loop import LARGE_BYTES, LARGE_JSON_BYTES, off_loop
from consentry.gateway.openai import conversations, history
from consentry.gateway.openai.dialect import OpenAIDialect

JSON = ((b"content-type", b"application/json"),)


def ran_beside(work) -> bool:
    """Whether a coroutine did its work in another thread."""
    return asyncio.run(work) is not threading.current_thread()


@pytest.mark.parametrize("large", [LARGE_JSON_BYTES, LARGE_BYTES])
def test_work_is_done_here_when_it_is_small_and_beside_when_it_is_large(large):
    assert not ran_beside(off_loop(large - 1, threading.current_thread, large=large))
    assert ran_beside(off_loop(large, threading.current_thread, large=large))


@pytest.mark.parametrize("turns", [1, 3000])
def test_a_large_chat_is_read_and_put_together_beside_the_loop(monkeypatch, turns):
    body = json.dumps({"messages": ["hello"] * turns}).encode()
    threads = set()
    for kind, name in ((conversations, "folded_object"), (conversations._Conversation, "requests")):
        noted(monkeypatch, kind, name, threads)

    ask("chat/completions", body, None)

    if len(body) < LARGE_JSON_BYTES:
        assert threads == {threading.current_thread()}
    else:
        assert threading.current_thread() not in threads


def test_large_earlier_turns_are_read_beside_the_loop(monkeypatch):
    class Kept:
        async def get(self, path, query=b""):
            turn = {"role": "user", "content": "hello " * LARGE_JSON_BYTES}
            return json.dumps(
                {"output": [], "data": [turn], "padding": "x" * LARGE_JSON_BYTES}
            ).encode()

    threads = set()
    noted(monkeypatch, history, "folded_object", threads)
    tool = {"type": "image_generation"}
    body = {"input": "go on", "tools": [tool], "previous_response_id": "resp_1"}

    ask("responses", json.dumps(body).encode(), Kept())

    assert threads
    assert threading.current_thread() not in threads


def noted(monkeypatch, place, name, threads):
    """Let a function note the thread that it runs in."""
    real = getattr(place, name)

    def noting(*given):
        threads.add(threading.current_thread())
        return real(*given)

    monkeypatch.setattr(place, name, noting)


def ask(path, body, lookup):
    call = Call(head=Head(method="POST", path=path, headers=JSON), body=body)
    return asyncio.run(OpenAIDialect().endpoint("POST", path).ask(call, lookup))
