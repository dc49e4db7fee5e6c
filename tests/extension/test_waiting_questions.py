"""A question of the guard in a tab that she does not see: she is told once, calmly, and led to it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from closed_roots import WAIT_S
from generator import SITE, Generator
from playwright.sync_api import Frame, Page, expect
from subject import PASSPHRASE, asked

pytestmark = [pytest.mark.e2e]

WAY = "fetch, form data"
SEND = "(way) => { ways[way]('me.jpg'); }"
HELD = "shows somebody protected"
# What the background knows: a tab's uploads that wait for an answer, and the questions that stand behind notifications.
HELD_OF = """async (tabId) => Object.values(await chrome.storage.session.get(null)).filter((each) => each?.tabId === tabId && each.state === 'waiting').length"""
TOLD = "chrome.storage.session.get('waiting').then(({ waiting }) => Object.values(waiting ?? {}).flat().length)"
FRAME = """() => new Promise((loaded) => { const f = document.createElement('iframe'); f.name = 'another'; f.src = '/'; f.onload = () => loaded(); document.body.append(f); })"""
# What the system was asked to show, and what was taken back: a headless browser shows nothing.
NOTED = """() => { if (globalThis.raised !== undefined) { raised.length = 0; return; } globalThis.raised = []; const { create } = chrome.notifications;
  chrome.notifications.create = (id, options) => { raised.push([id, options.title, options.message, options.silent]); return create(id, options); }; }"""


@pytest.fixture
def elsewhere(generator: Generator) -> Iterator[Page]:
    """Another tab, in front of the generator's page, which is sending her picture."""
    listen(generator)
    page = generator.browser.context.new_page()
    page.bring_to_front()
    generator.send(WAY, "me.jpg")
    yield page
    page.close()


def another_frame(generator: Generator) -> Frame:
    """A frame of the generator's page with the same page in it."""
    generator.page.evaluate(FRAME)
    frame = generator.page.frame("another")
    assert frame is not None
    return frame


def listen(generator: Generator) -> None:
    """Note from now on what the system is asked to show."""
    generator.browser.worker.evaluate(NOTED)


def raised(generator: Generator) -> list[Any]:
    return list(generator.browser.worker.evaluate("raised"))


def shown(generator: Generator) -> list[str]:
    return list(
        generator.browser.worker.evaluate("chrome.notifications.getAll().then(Object.keys)")
    )


def wait_until_none_is_shown(generator: Generator, page: Page | None = None) -> None:
    end = time.monotonic() + WAIT_S
    while shown(generator):
        assert time.monotonic() < end, "it stays"
        (page or generator.page).wait_for_timeout(50)


def wait_until_told_of(generator: Generator, count: int) -> None:
    """Wait until that many questions stand behind notifications."""
    end = time.monotonic() + WAIT_S
    while (told := generator.browser.worker.evaluate(TOLD)) != count:
        assert time.monotonic() < end, f"{told} questions"
        generator.page.wait_for_timeout(50)


def tab_of(notification: str) -> int:
    return int(notification.rpartition("/")[2])


def is_in_front(generator: Generator) -> bool:
    """Whether her tab is the one that is shown."""
    [active] = generator.browser.worker.evaluate(
        "chrome.tabs.query({active: true, lastFocusedWindow: true})"
    )
    return active.get("url") == f"https://{SITE}/"


def wait_for_notification(generator: Generator) -> str:
    end = time.monotonic() + WAIT_S
    while not raised(generator):
        assert time.monotonic() < end, "nobody was told"
        generator.page.wait_for_timeout(50)
    [[notification, title, what, silent]] = raised(generator)
    assert title == "A question waits for you"
    assert what == f"On {SITE}. Nothing is sent before you answer."
    assert silent is True
    return str(notification)


@pytest.mark.usefixtures("elsewhere")
def test_she_is_told_once_and_led_to_the_question(generator: Generator) -> None:
    notification = wait_for_notification(generator)
    assert not is_in_front(generator)
    # A second upload of the same page waits for the first.
    generator.send(WAY, "me.jpg")
    end = time.monotonic() + WAIT_S
    while generator.browser.worker.evaluate(HELD_OF, tab_of(notification)) < 2:
        assert time.monotonic() < end, "the second is not held"
        generator.page.wait_for_timeout(50)
    assert len(raised(generator)) == 1

    generator.browser.worker.evaluate(
        "(id) => chrome.notifications.onClicked.dispatch(id)", notification
    )
    end = time.monotonic() + WAIT_S
    while not is_in_front(generator):
        assert time.monotonic() < end, "she was not led there"
        generator.page.wait_for_timeout(50)
    wait_until_none_is_shown(generator)
    for _ in range(2):
        generator.wait(HELD)
        generator.press("Do not upload")
        generator.settle()

    assert generator.seen == []
    assert len(raised(generator)) == 1


def test_whoever_comes_by_herself_is_told_no_more(generator: Generator, elsewhere: Page) -> None:
    wait_for_notification(generator)

    generator.page.bring_to_front()

    wait_until_none_is_shown(generator)
    generator.wait(HELD)
    generator.press("Do not upload")


def test_what_she_sees_she_is_not_told_of(generator: Generator) -> None:
    listen(generator)
    elsewhere = generator.browser.context.new_page()
    generator.page.bring_to_front()
    generator.send(WAY, "me.jpg")
    generator.wait(HELD)

    # Nor when she goes away: she knows of it. What comes up then is the first that she is told of.
    frame = another_frame(generator)
    elsewhere.bring_to_front()
    frame.evaluate(SEND, WAY)
    wait_for_notification(generator)
    generator.page.bring_to_front()
    wait_until_none_is_shown(generator)
    elsewhere.close()


def test_a_tab_that_is_closed_has_no_question(generator: Generator, elsewhere: Page) -> None:
    wait_for_notification(generator)

    generator.page.close()

    wait_until_none_is_shown(generator, elsewhere)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("address", [f"https://{SITE}/", "about:blank"])
def test_a_page_that_goes_takes_its_question_along(generator: Generator, address: str) -> None:
    wait_for_notification(generator)

    generator.page.goto(address)

    wait_until_none_is_shown(generator)
    # And whatever the next one asks she is told of.
    generator.page.goto(f"https://{SITE}/")
    listen(generator)
    generator.send(WAY, "me.jpg")
    wait_for_notification(generator)
    generator.page.bring_to_front()
    wait_until_none_is_shown(generator)


@pytest.mark.usefixtures("elsewhere")
def test_the_notification_stands_while_another_frame_still_asks(generator: Generator) -> None:
    notification = wait_for_notification(generator)
    another_frame(generator).evaluate(SEND, WAY)
    wait_until_told_of(generator, 2)

    # A frame that is thrown out says nothing.
    generator.page.evaluate("document.querySelector('[name=another]').remove()")
    wait_until_told_of(generator, 1)
    assert shown(generator) == [notification]
    assert len(raised(generator)) == 1

    generator.page.bring_to_front()
    generator.press("Do not upload")
    wait_until_none_is_shown(generator)


def test_a_question_that_was_settled_elsewhere_gives_way_to_the_next(generator: Generator) -> None:
    listen(generator)
    asked(generator.browser, "vault.lock")
    page = generator.browser.context.new_page()
    page.bring_to_front()
    generator.send(WAY, "me.jpg")
    wait_for_notification(generator)
    generator.wait("Consentry is locked")

    # Unlocked in another window, the upload is checked again, and there is another question.
    asked(generator.browser, "vault.unlock", secret={"passphrase": PASSPHRASE})

    generator.wait(HELD)
    end = time.monotonic() + WAIT_S
    while len(raised(generator)) < 2:
        assert time.monotonic() < end, "nobody was told of the second"
        page.wait_for_timeout(50)
    assert len(shown(generator)) == 1
    generator.page.bring_to_front()
    wait_until_none_is_shown(generator)
    generator.press("Do not upload")
    page.close()


def test_whoever_wants_none_gets_none(generator: Generator) -> None:
    settings = generator.browser.own_page("pages/settings/settings.html")
    switch = settings.get_by_label("Notifications")
    expect(switch).to_be_checked()
    switch.uncheck()
    expect(settings.locator("#other-status")).to_have_text("Saved.")
    try:
        listen(generator)
        settings.bring_to_front()
        generator.send(WAY, "me.jpg")
        wait_until_told_of(generator, 1)
        assert raised(generator) == []
        settings.reload()
        expect(switch).not_to_be_checked()
    finally:
        switch.check()
        expect(settings.locator("#other-status")).to_have_text("Saved.")
        settings.close()
    generator.page.bring_to_front()
    generator.press("Do not upload")
    assert generator.seen == []
