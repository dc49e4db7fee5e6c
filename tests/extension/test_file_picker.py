"""Files that a page gets by the browser's file picker, and from handles, in a real Chromium.

Nothing can choose in the browser's own picker: it is no part of the page, and what controls a browser can only close it. So
one test sees it open through the guard. In the others a stand-in, put in its place before the guard starts, gives handles of
the page's private file system. They are handles of the same class, read in the same way.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from generator import Generator

pytestmark = [pytest.mark.e2e]

HELD = "shows somebody protected"
STAND_IN = """
  const handleOf = async (name) => {
    const root = await navigator.storage.getDirectory();
    const handle = await root.getFileHandle(name, {create: true});
    const writable = await handle.createWritable();
    await writable.write(await (await fetch('/' + name)).blob());
    await writable.close();
    return handle;
  };
  const {showOpenFilePicker: own} = Object.getOwnPropertyDescriptors(window);
  Object.defineProperty(window, 'showOpenFilePicker', {...own, value: async () => Promise.all(CHOSEN.map(handleOf))});
  Object.defineProperty(window, 'showDirectoryPicker', {...own, value: async () => {
    await Promise.all(CHOSEN.map(handleOf));
    return navigator.storage.getDirectory();
  }});
"""
OPEN = """() => { window.result = undefined; window.handles = undefined;
  showOpenFilePicker().then((handles) => { window.handles = handles; window.result = handles.length; },
    (error) => { window.result = error.name; }); }"""
READ = """() => { window.result = undefined;
  Promise.all(handles.map((handle) => handle.getFile())).then((files) => { see('read', files); window.result = files.length; },
    (error) => { window.result = error.name; }); }"""


def choosing(generator: Generator, *names: str) -> None:
    """Load the page anew; whoever opens the picker chooses these."""
    script = STAND_IN.replace("CHOSEN", json.dumps(names))
    generator.page.add_init_script(f"if (location.protocol === 'https:') {{ {script} }}")
    generator.page.reload()
    generator.internet.forget()


def result(generator: Generator) -> Any:
    """What the page's script was told."""
    generator.page.wait_for_function("window.result !== undefined")
    return generator.page.evaluate("result")


def got(generator: Generator) -> list[str]:
    """What the page's script has: handles, and files that it read."""
    handles = generator.page.evaluate("window.handles?.length ?? 0")
    return [*generator.seen, *["handle"] * handles]


def test_the_browsers_own_picker_opens_through_the_guard(generator: Generator) -> None:
    session = generator.page.context.new_cdp_session(generator.page)
    session.send("Page.enable")
    opened: list[dict[str, Any]] = []
    session.on("Page.fileChooserOpened", lambda told: opened.append(told))  # noqa: PLW0108 -- a builtin cannot be registered
    session.send("Page.setInterceptFileChooserDialog", {"enabled": True})
    generator.page.evaluate(
        "(open) => { const button = document.createElement('button'); button.id = 'picker'; button.onclick = eval(open); document.body.append(button); }",
        OPEN,
    )

    generator.page.click("#picker")

    # Whoever intercepts it closes it.
    assert result(generator) == "AbortError"
    assert [each["mode"] for each in opened] == ["selectSingle"]
    assert "native code" in generator.page.evaluate("String(showOpenFilePicker)")


def test_what_is_chosen_is_held_before_the_page_has_it(generator: Generator) -> None:
    choosing(generator, "me.jpg")
    generator.page.evaluate(OPEN)
    generator.wait(HELD)
    generator.settle()
    assert got(generator) == []

    generator.press("Do not upload")
    assert result(generator) == "AbortError"
    assert got(generator) == []


def test_one_of_several_is_enough_to_hold_all(generator: Generator) -> None:
    choosing(generator, "nobody.jpg", "me.jpg")
    generator.page.evaluate(OPEN)
    generator.wait(HELD)
    generator.settle()
    assert got(generator) == []

    generator.press("Do not upload")
    assert result(generator) == "AbortError"


def test_what_shows_nobody_goes_on(generator: Generator) -> None:
    choosing(generator, "nobody.jpg")
    generator.page.evaluate(OPEN)
    assert result(generator) == 1

    generator.page.evaluate(READ)
    assert result(generator) == 1
    assert generator.drawn.find("dialog") == []


def test_what_she_approved_is_read_without_a_second_question(generator: Generator) -> None:
    choosing(generator, "me.jpg")
    generator.page.evaluate(OPEN)
    generator.approve()
    assert result(generator) == 1

    generator.page.evaluate(READ)
    assert result(generator) == 1
    assert generator.drawn.find("dialog") == []


def test_a_file_that_is_another_by_the_time_it_is_read_is_held(generator: Generator) -> None:
    choosing(generator, "nobody.jpg")
    generator.page.evaluate(OPEN)
    assert result(generator) == 1
    generator.page.evaluate(
        """async () => { const writable = await handles[0].createWritable();
          await writable.write(await (await fetch('/me.jpg')).blob()); await writable.close(); }"""
    )

    generator.page.evaluate(READ)
    generator.wait(HELD)
    generator.settle()
    assert generator.seen == []
    generator.press("Do not upload")
    assert result(generator) == "NotReadableError"


def test_a_file_of_a_chosen_folder_is_held_when_it_is_read(generator: Generator) -> None:
    choosing(generator, "me.jpg")
    generator.page.evaluate(
        """async () => { const folder = await showDirectoryPicker(); window.handles = [];
          for await (const handle of folder.values()) if (handle.name === 'me.jpg') handles.push(handle); }"""
    )

    generator.page.evaluate(READ)
    generator.wait(HELD)
    generator.settle()
    assert generator.seen == []
    generator.press("Do not upload")
    assert result(generator) == "NotReadableError"
