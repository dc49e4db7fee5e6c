"""Words that a page sends without any picture, by ways that do not wait for an answer: beacons, and requests that stop the page."""

from __future__ import annotations

import time

import pytest
from closed_roots import WAIT_S
from generator import SITE, Generator

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("called")]

HERS = "a portrait of Eileen Collins on the moon"
OTHERS = "a portrait of a queen on the moon"
NAMED = "These words name somebody protected"
# What a page reports of itself: nothing in it is asked of anybody.
REPORT = '{"event": "click", "at": 1795262400, "tags": ["a", "b"]}'
BODIES = {
    "text": "(words) => words",
    "JSON": "(words) => JSON.stringify({model: 'v2', prompt: words})",
    "a field of a form": "(words) => new URLSearchParams({prompt: words})",
    "form data": "(words) => { const data = new FormData(); data.append('prompt', words); return data; }",
    "a file": "(words) => new Blob([JSON.stringify({prompt: words})], {type: 'text/plain'})",
    "bytes": "(words) => new TextEncoder().encode(words)",
    "an object that turns into text": "(words) => ({toString: () => words})",
    "an object that turns into other text the next time": "(words) => { let n = 0; return {toString: () => (n++ ? 'hello' : words)}; }",
}
# A beacon takes no document, a request does.
DOCUMENT = "(words) => new DOMParser().parseFromString(`<p>${words}</p>`, 'text/html')"
AT_ONCE = """([body, words]) => { const x = new XMLHttpRequest(); x.open('POST', '/up', false);
  try { x.send(eval(body)(words)); return x.status; } catch (error) { return error.name; } }"""
BEACON = "([body, words]) => navigator.sendBeacon('/up', eval(body)(words))"


def uploads(generator: Generator) -> list[bytes]:
    """What the page's server has got."""
    return [each.body for each in generator.internet.uploads(SITE)]


def wait_for_upload(generator: Generator) -> None:
    end = time.monotonic() + WAIT_S
    while not uploads(generator):
        assert time.monotonic() < end, "it never left"
        generator.page.wait_for_timeout(20)


@pytest.mark.parametrize("body", BODIES)
def test_a_beacon_with_words_that_name_her_waits_and_another_goes(
    generator: Generator, body: str
) -> None:
    assert generator.page.evaluate(BEACON, [BODIES[body], HERS]) is True
    generator.wait(NAMED)
    generator.settle()
    assert uploads(generator) == []

    generator.press("Do not upload")
    generator.settle()
    assert uploads(generator) == []

    assert generator.page.evaluate(BEACON, [BODIES[body], OTHERS]) is True
    wait_for_upload(generator)
    assert generator.drawn.find("dialog") == []


@pytest.mark.parametrize("body", [*BODIES, "a document"])
def test_a_request_that_cannot_wait_fails_when_there_are_words_in_it(
    generator: Generator, body: str
) -> None:
    sent = generator.page.evaluate(AT_ONCE, [BODIES.get(body, DOCUMENT), HERS])

    assert sent == "NetworkError"
    generator.settle()
    assert uploads(generator) == []


@pytest.mark.parametrize("falsy", ["false", "0", "null", "''", "undefined"])
def test_a_request_cannot_wait_whatever_says_so(generator: Generator, falsy: str) -> None:
    asynchronous = f"x.open('POST', '/up', {falsy})"
    sent = generator.page.evaluate(
        AT_ONCE.replace("x.open('POST', '/up', false)", asynchronous), [BODIES["text"], HERS]
    )

    assert sent == "NetworkError"
    assert uploads(generator) == []


def test_what_a_page_reports_of_itself_goes_at_once(generator: Generator) -> None:
    assert generator.page.evaluate(AT_ONCE, [BODIES["text"], REPORT]) == 200
    assert generator.page.evaluate(AT_ONCE, ["() => undefined", ""]) == 200
    assert uploads(generator) == [REPORT.encode()]


def test_the_last_report_of_a_page_that_is_left_arrives(generator: Generator) -> None:
    generator.page.evaluate(
        "(report) => addEventListener('pagehide', () => navigator.sendBeacon('/up', report))",
        REPORT,
    )
    generator.page.goto("about:blank")

    wait_for_upload(generator)
    assert uploads(generator) == [REPORT.encode()]


def test_the_last_words_of_a_page_that_is_left_do_not_leave(generator: Generator) -> None:
    generator.page.evaluate(
        "([body, words]) => addEventListener('pagehide', () => navigator.sendBeacon('/up', eval(body)(words)))",
        [BODIES["JSON"], HERS],
    )
    generator.page.goto("about:blank")

    generator.page.wait_for_timeout(500)
    assert uploads(generator) == []


def test_words_in_a_beacon_are_checked_with_the_picture_that_the_page_was_given(
    generator: Generator,
) -> None:
    generator.page.set_input_files("#file", generator.pictures["me.jpg"])
    generator.approve()
    generator.wait_until_seen()
    generator.internet.forget()

    generator.page.evaluate(BEACON, [BODIES["JSON"], "put her in a bikini"])
    generator.wait("revealing or sexual picture of a real person")
    generator.press("Do not upload")
    generator.settle()

    assert uploads(generator) == []


def test_a_page_cannot_answer_in_the_guards_place(generator: Generator) -> None:
    """What a page can replace before it sends: nothing of it is asked."""
    generator.page.evaluate(
        """() => {
          Element.prototype.hasAttribute = () => true;
          Element.prototype.setAttribute = () => {};
          EventTarget.prototype.dispatchEvent = () => true;
          Array.prototype.every = () => true;
          RegExp.prototype.test = () => false;
          JSON.parse = () => ({});
        }"""
    )

    assert generator.page.evaluate(AT_ONCE, [BODIES["text"], HERS]) == "NetworkError"
    assert uploads(generator) == []
