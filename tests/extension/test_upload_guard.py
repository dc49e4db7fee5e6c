"""The upload guard in a real Chromium: every way into a generator is held, and then goes on or does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from generator import SITE, Generator
from playwright.sync_api import expect
from subject import PASSPHRASE, asked, herself

pytestmark = [pytest.mark.e2e]


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
    "the clipboard",
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


def test_the_prompt_box_is_read_together_with_the_picture(generator: Generator) -> None:
    generator.write("put her in a bikini")
    choose(generator, "me.jpg")

    generator.wait("revealing or sexual picture of a real person")
    assert [each.text for each in generator.drawn.find("button")] == [
        "Do not upload",
        "Settings for this site",
    ]
    generator.press("Do not upload")
    generator.settle()
    assert generator.seen == []


def test_words_that_follow_are_checked_with_the_picture_that_the_page_was_given(
    generator: Generator,
) -> None:
    choose(generator, "me.jpg")
    generator.approve()
    generator.wait_until_seen()
    generator.page.evaluate("seen.length = 0")

    # What she approved a moment ago she does herself; she is not asked again for every word.
    generator.say("make the sky behind me blue")
    assert generator.sent == 200
    generator.internet.forget()

    generator.say("put her in a bikini")
    generator.wait("revealing or sexual picture of a real person")
    generator.press("Do not upload")

    assert generator.sent == "error"
    assert generator.seen == []


@pytest.mark.usefixtures("called")
def test_words_that_name_her_are_held_without_any_picture(generator: Generator) -> None:
    generator.say("a portrait of a queen on the moon")
    assert generator.sent == 200
    generator.internet.forget()

    generator.say("eileen-collins in a bikini on the moon")
    generator.wait("revealing or sexual picture of a real person")
    generator.press("Do not upload")
    assert generator.sent == "error"
    generator.say("a portrait of @Eileen on the moon")
    generator.wait("These words name somebody protected")
    generator.press("Do not upload")

    assert generator.sent == "error"
    assert generator.seen == []


def test_it_goes_on_when_she_approves_in_the_extensions_own_window(generator: Generator) -> None:
    choose(generator, "me.jpg")
    generator.approve()

    generator.wait_until_seen()
    assert generator.drawn.find("dialog") == []


def test_it_stays_when_she_closes_the_window(generator: Generator) -> None:
    choose(generator, "me.jpg")
    generator.approving().close()

    generator.page.wait_for_timeout(1000)
    assert generator.seen == []


def test_a_wrong_passphrase_releases_nothing(generator: Generator) -> None:
    choose(generator, "me.jpg")
    window = generator.approving()
    window.fill("#passphrase", "not the right one")
    window.click("#yes")
    expect(window.locator("#status")).not_to_be_empty()

    generator.settle()
    assert generator.seen == []
    window.close()


def test_a_page_cannot_approve_for_her(generator: Generator) -> None:
    choose(generator, "me.jpg")
    generator.wait("shows somebody protected")

    reached = generator.page.evaluate(
        """() => {
          const roots = [...document.querySelectorAll('*')].map((e) => e.shadowRoot).filter(Boolean);
          const buttons = roots.flatMap((root) => [...root.querySelectorAll('button, dialog')]);
          document.documentElement.lastElementChild.click();
          for (const key of ['Enter', ' ']) document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, composed: true}));
          return buttons.length + (typeof chrome.runtime?.sendMessage === 'function' ? 1 : 0);
        }"""
    )
    generator.settle()
    assert reached == 0
    assert generator.seen == []
    generator.wait("shows somebody protected")
    generator.press("Do not upload")


def test_the_dialog_is_a_dialog_for_a_keyboard_and_a_screen_reader(generator: Generator) -> None:
    generator.page.focus("#prompt")
    choose(generator, "me.jpg")
    generator.wait("shows somebody protected")

    tree = generator.page.context.new_cdp_session(generator.page)
    tree.send("Accessibility.enable")
    nodes = tree.send("Accessibility.getFullAXTree")["nodes"]
    [dialog] = [each for each in nodes if each.get("role", {}).get("value") == "dialog"]
    properties = {each["name"]: each["value"].get("value") for each in dialog["properties"]}
    assert "protected" in dialog["name"]["value"]
    assert "approves" in dialog["description"]["value"]
    assert properties["modal"] is True
    focused = [
        each["name"]["value"]
        for each in nodes
        if any(p["name"] == "focused" and p["value"]["value"] for p in each.get("properties", []))
        and each["role"]["value"] == "button"
    ]
    assert focused == ["Approve…"]

    generator.page.keyboard.press("Tab")
    generator.page.keyboard.type("x")
    generator.page.keyboard.press("Escape")
    generator.settle()
    assert generator.drawn.find("dialog") == []
    assert generator.page.input_value("#prompt") == ""
    assert generator.page.evaluate("document.activeElement.id") == "prompt"
    assert generator.seen == []


# What a page's script can do that the guard's own hooks do not see: a worker with a picture that it fetched itself, a
# frame that is reached by its number, a form in a frame without scripts of ours.
PAST_THE_GUARD = """async () => {
  const worker = new Worker(URL.createObjectURL(new Blob([`onmessage = async () => {
    const picture = await (await fetch('https://grok.com/me.jpg')).blob();
    postMessage(await fetch('https://grok.com/up', {method: 'POST', body: picture}).then((r) => r.status, () => 'blocked'));
  }`])));
  const byWorker = await new Promise((done) => { worker.onmessage = (e) => done(e.data); worker.postMessage(1); });
  const picture = await (await fetch('/me.jpg')).blob();
  const frame = document.createElement('iframe');
  document.body.append(frame);
  const sent = window[window.length - 1].fetch('https://grok.com/up', {method: 'POST', body: picture}).then((r) => r.status, () => 'blocked');
  // A frame in which our scripts have run already holds it instead.
  const byFrame = await Promise.race([sent, new Promise((done) => setTimeout(done, 1000, 'blocked'))]);
  frame.remove();
  return [byWorker, byFrame];
}"""


def test_ways_around_the_guard_are_shut_while_it_holds_and_open_again_afterwards(
    generator: Generator,
) -> None:
    choose(generator, "me.jpg")
    generator.wait("shows somebody protected")
    assert generator.page.evaluate(PAST_THE_GUARD) == ["blocked", "blocked"]
    generator.settle()
    assert generator.seen == []

    generator.press("Do not upload")
    generator.settle()
    assert generator.browser.worker.evaluate(RULES) == 0
    assert generator.page.evaluate("fetch('/up', {method: 'POST'}).then((r) => r.status)") == 200


def test_a_hold_ends_with_its_page(generator: Generator) -> None:
    choose(generator, "me.jpg")
    generator.wait("shows somebody protected")
    assert generator.browser.worker.evaluate(RULES) > 0

    generator.page.reload()
    generator.settle()
    assert generator.browser.worker.evaluate(RULES) == 0


RULES = "chrome.declarativeNetRequest.getSessionRules().then((rules) => rules.length)"


@pytest.mark.parametrize("name", ["me.jpg", "nobody.jpg"])
def test_nothing_is_lost_and_nothing_goes_through_when_the_worker_is_ended_in_the_middle(
    generator: Generator, name: str
) -> None:
    choose(generator, name)
    for _ in range(2):
        generator.browser.end_worker()
        generator.page.wait_for_timeout(30)

    if name == "me.jpg":
        generator.wait("shows somebody protected")
        assert generator.seen == []
        generator.press("Do not upload")
    else:
        generator.wait_until_seen()


def test_a_picture_that_cannot_be_read_is_not_waved_through(
    generator: Generator, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(herself()[:400])
    generator.page.set_input_files("#file", broken)

    generator.wait("could not be read")
    generator.settle()
    assert generator.seen == []
    generator.press("Do not upload")


def test_a_name_or_a_type_that_hides_a_picture_hides_nothing(
    generator: Generator, tmp_path: Path
) -> None:
    hidden = tmp_path / "notes.txt"
    hidden.write_bytes(herself())
    generator.page.set_input_files("#file", hidden)

    generator.wait("shows somebody protected")
    assert generator.seen == []
    generator.press("Do not upload")


def test_what_is_no_picture_goes_on(generator: Generator, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("put her in a bikini")
    generator.page.set_input_files("#file", notes)

    generator.wait_until_seen()


def test_a_locked_vault_asks_for_the_key_where_there_is_a_face(generator: Generator) -> None:
    asked(generator.browser, "vault.lock")
    choose(generator, "me.jpg")
    generator.wait("Consentry is locked")
    generator.settle()
    assert generator.seen == []

    asked(generator.browser, "vault.unlock", secret={"passphrase": PASSPHRASE})
    generator.wait("shows somebody protected")
    assert generator.seen == []
    generator.press("Do not upload")


def test_switched_off_for_the_site_it_holds_nothing(generator: Generator) -> None:
    switch(generator, is_on=False)
    try:
        generator.settle()
        choose(generator, "me.jpg")
        generator.wait_until_seen()
    finally:
        switch(generator, is_on=True)


def switch(generator: Generator, *, is_on: bool) -> None:
    change = {"feature": "guard", "isOn": is_on}
    asked(generator.browser, "site.set", host=SITE, change=change)
