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
    "an object that calls itself nothing": "(words) => ({[Symbol.toStringTag]: '', toString: () => words})",
    "an object that calls itself an empty file": "(words) => ({[Symbol.toStringTag]: 'Blob', size: 0, toString: () => words})",
    "an object that calls itself bytes": "(words) => ({[Symbol.toStringTag]: 'ArrayBuffer', slice() { return {...this, [Symbol.toStringTag]: ''}; }, toString: () => words})",
    "an object that calls itself shared bytes": "(words) => ({[Symbol.toStringTag]: 'SharedArrayBuffer', toString: () => words})",
    "an object of the browser's that says that there is none": "(words) => { document.all.toString = () => words; return document.all; }",
    "form data of a frame, that calls itself nothing": """(words) => { const frame = document.createElement('iframe'); document.body.append(frame);
      const data = new frame.contentWindow.FormData(); data.append('prompt', words); return Object.defineProperty(data, Symbol.toStringTag, {value: ''}); }""",
    "a file that says that it is empty": "(words) => Object.defineProperty(new Blob([words], {type: 'text/plain'}), 'size', {value: 0})",
    "bytes that say that there are none": "(words) => Object.defineProperty(new TextEncoder().encode(words), 'byteLength', {value: 0})",
}
# A beacon takes no document, a request does.
DOCUMENT = "(words) => new DOMParser().parseFromString(`<p>${words}</p>`, 'text/html')"
AT_ONCE = """([body, words]) => { const x = new XMLHttpRequest(); x.open('POST', '/up', false);
  try { x.send(eval(body)(words)); return x.status; } catch (error) { return error.name; } }"""
# The page puts its own functions back, for what drives it in the test needs them, too.
REPLACED = """([bodies, words]) => {
  const made = bodies.map((body) => eval(body)(words));
  const bytes = Object.getPrototypeOf(Uint8Array.prototype);
  const replaced = [
    [Object.prototype, 'toString', {value: () => '[object ]'}], [Array.prototype, 'push', {value: () => 0}],
    [Array.prototype, Symbol.iterator, {value: function* () {}}], [bytes, 'slice', {value: () => new Uint8Array()}],
    [bytes, 'byteLength', {get: () => 0}], [ArrayBuffer.prototype, 'slice', {value: () => new ArrayBuffer()}],
    [Blob.prototype, 'size', {get: () => 0}], [FormData.prototype, 'entries', {value: () => []}],
    [FormData.prototype, 'forEach', {value: () => undefined}], [URLSearchParams.prototype, 'toString', {value: () => ''}],
    [window, 'Blob', {value: class {}}], [window, 'FormData', {value: class {}}], [window, 'URLSearchParams', {value: class {}}],
    [window, 'String', {value: () => ''}],
  ];
  const {length} = replaced;
  const define = Object.defineProperty;
  const before = replaced.map(([owner, name]) => Object.getOwnPropertyDescriptor(owner, name));
  const sent = [];
  for (let i = 0; i < length; i++) define(replaced[i][0], replaced[i][1], replaced[i][2]);
  try {
    for (let i = 0; i < made.length; i++) {
      const x = new XMLHttpRequest(); x.open('POST', '/up', false);
      try { x.send(made[i]); sent[i] = x.status; } catch (error) { sent[i] = error.name; }
    }
  } finally {
    for (let i = 0; i < length; i++) define(replaced[i][0], replaced[i][1], before[i]);
  }
  return sent;
}"""
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


def test_a_page_cannot_say_what_its_bodies_are(generator: Generator) -> None:
    """What the guard reads a body by, replaced by the page: all of it was taken before."""
    sent = generator.page.evaluate(REPLACED, [list(BODIES.values()), HERS])

    assert sent == ["NetworkError"] * len(BODIES)
    assert uploads(generator) == []


@pytest.mark.parametrize(
    "forged",
    [
        "Object.defineProperty(request, Symbol.toStringTag, {value: ''})",
        "Request.prototype.text = async () => ''",
        "Object.defineProperty(Request.prototype, 'body', {get: () => null})",
    ],
)
def test_a_request_waits_whatever_it_says_of_itself(generator: Generator, forged: str) -> None:
    generator.page.evaluate(
        f"""(words) => {{ const request = new Request('/up', {{method: 'POST', body: words}}); {forged};
          fetch(request).catch(() => undefined); }}""",
        HERS,
    )

    generator.wait(NAMED)
    generator.settle()
    assert uploads(generator) == []


def test_a_page_cannot_answer_in_the_guards_place(generator: Generator) -> None:
    """What the guard asks by, replaced by the page before it sends: all of it was taken before, or is in a world of its own."""
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
