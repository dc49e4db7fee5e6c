"""The upload guard in a real Chromium: every way into a generator is held, and then goes on or does not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from closed_roots import WAIT_S, ClosedRoots
from fakes.internet import Internet
from generator import PAGE
from playwright.sync_api import Page
from subject import enrol, herself, nobody, portraits

SITE = "grok.com"
QUIET_MS = 200
pytestmark = [pytest.mark.e2e]


@dataclass
class Generator:
    """A generator's page that is open in a browser where she has enrolled."""

    browser: Any
    internet: Internet
    page: Page
    pictures: dict[str, Path]
    drawn: ClosedRoots = field(init=False)

    def __post_init__(self) -> None:
        self.drawn = ClosedRoots(self.page)

    @property
    def seen(self) -> list[str]:
        """What the page's own script has seen, and what its server has got, until now."""
        sent = [
            f"{each.method} {each.path}"
            for each in self.internet.uploads(SITE)
            if len(each.body) > 200
        ]
        return [*self.page.evaluate("seen"), *sent]

    def wait(self, words: str) -> None:
        """Wait until the guard says this."""
        self.drawn.wait("dialog", text=words)

    def press(self, words: str) -> None:
        """Press the button with these words, in the guard's dialog."""
        self.drawn.press("button", text=words)

    def wait_until_seen(self) -> None:
        """Wait until the page or its server has got something."""
        end = time.monotonic() + WAIT_S
        while self.seen == []:
            assert time.monotonic() < end, "it never went on"
            self.page.wait_for_timeout(20)

    def settle(self) -> None:
        """Give a page that could see something the time to see it."""
        self.page.wait_for_timeout(QUIET_MS)

    def write(self, prompt: str) -> None:
        """Write into the prompt box."""
        self.page.fill("#prompt", prompt)

    def send(self, way: str, name: str) -> None:
        """Have the page's script send a picture in one of its ways; do not wait for it."""
        self.page.evaluate(
            "([way, name]) => { window.sent = undefined; ways[way](name).then((r) => { window.sent = r; }); }",
            [way, name],
        )

    @property
    def sent(self) -> object:
        """What became of it, for the page's script."""
        self.page.wait_for_function("window.sent !== undefined")
        return self.page.evaluate("window.sent")


PICTURES = {"me.jpg": herself(), "nobody.jpg": nobody()}


@pytest.fixture(scope="module")
def home(new_browser: Callable[[], Any]) -> Any:
    """A browser in which she has enrolled."""
    browser = new_browser()
    enrol(browser, portraits())
    browser.context.grant_permissions(
        ["clipboard-read", "clipboard-write"], origin=f"https://{SITE}"
    )
    return browser


@pytest.fixture
def generator(home: Any, internet: Internet, tmp_path: Path) -> Iterator[Generator]:
    internet.put(f"//{SITE}/", PAGE)
    internet.put(f"//{SITE}/up", "ok")
    for name, picture in PICTURES.items():
        internet.put(f"//{SITE}/{name}", picture)
        (tmp_path / name).write_bytes(picture)
    page = home.context.new_page()
    page.goto(f"https://{SITE}/")
    internet.forget()
    yield Generator(home, internet, page, {name: tmp_path / name for name in PICTURES})
    page.close()


def choose(generator: Generator, name: str) -> None:
    generator.page.set_input_files("#file", generator.pictures[name])


def choose_in_open_root(generator: Generator, name: str) -> None:
    generator.page.set_input_files("#inner", generator.pictures[name])


def choose_in_closed_root(generator: Generator, name: str) -> None:
    handle = generator.page.evaluate_handle("closedInput").as_element()
    handle.set_input_files(generator.pictures[name])


def choose_in_detached_input(generator: Generator, name: str) -> None:
    with generator.page.expect_file_chooser() as chooser:
        generator.page.click("#pick")
    chooser.value.set_files(generator.pictures[name])


def drop(generator: Generator, name: str) -> None:
    box = generator.page.locator("#zone").bounding_box()
    session = generator.page.context.new_cdp_session(generator.page)
    data = {"items": [], "files": [str(generator.pictures[name])], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        place = {"x": box["x"] + 20, "y": box["y"] + 20}
        session.send("Input.dispatchDragEvent", {"type": kind, "data": data, **place})


def drop_on_input(generator: Generator, name: str) -> None:
    box = generator.page.locator("#file").bounding_box()
    session = generator.page.context.new_cdp_session(generator.page)
    data = {"items": [], "files": [str(generator.pictures[name])], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        place = {"x": box["x"] + 20, "y": box["y"] + 8}
        session.send("Input.dispatchDragEvent", {"type": kind, "data": data, **place})


def paste(generator: Generator, name: str) -> None:
    generator.page.bring_to_front()
    generator.page.evaluate(
        """async (name) => {
          const bitmap = await createImageBitmap(await (await fetch('/' + name)).blob());
          const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
          canvas.getContext('2d').drawImage(bitmap, 0, 0);
          await navigator.clipboard.write([new ClipboardItem({'image/png': await canvas.convertToBlob()})]);
        }""",
        name,
    )
    generator.page.focus("#prompt")
    generator.page.keyboard.press("Control+V")


GIVEN = [
    choose,
    choose_in_open_root,
    choose_in_closed_root,
    choose_in_detached_input,
    drop,
    drop_on_input,
    paste,
]
SENT = [
    "fetch, form data",
    "fetch, bytes",
    "fetch, a request",
    "fetch, base64 in JSON",
    "fetch, changed after the call",
    "fetch, inside other bytes",
    "xhr, form data",
    "xhr, bytes",
    "beacon",
    "form, submitted by a script",
    "socket",
    "worker",
    "an empty frame",
    "a file handle",
]


@pytest.mark.parametrize("give", GIVEN)
def test_what_is_given_to_a_page_is_held_before_it_sees_it(
    generator: Generator, give: Callable[[Generator, str], None]
) -> None:
    give(generator, "me.jpg")
    generator.wait("shows somebody protected")
    generator.settle()
    assert generator.seen == []

    generator.press("Do not upload")
    generator.settle()
    assert generator.seen == []

    give(generator, "nobody.jpg")
    generator.wait_until_seen()
    assert generator.drawn.find("dialog") == []


@pytest.mark.parametrize("way", SENT)
def test_what_a_page_sends_is_held_before_it_leaves(generator: Generator, way: str) -> None:
    generator.send(way, "me.jpg")
    generator.wait("shows somebody protected")
    generator.settle()
    assert generator.seen == []

    generator.press("Do not upload")
    generator.settle()
    assert generator.seen == []

    generator.send(way, "nobody.jpg")
    assert generator.sent in {200, "sent", True, "read"}
    generator.wait_until_seen()
    assert generator.drawn.find("dialog") == []
