"""The feed watch in a real Chromium: marks what shows her, and nobody else; the page learns nothing."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from closed_roots import ClosedRoots
from fakes.internet import Internet
from feeds import CARRIERS, ENDLESS, SCRIPT, every_carrier
from PIL import Image, ImageOps
from playwright.sync_api import Page
from subject import asked, enrol, herself, jpeg, nobody, portraits

SITE = "x.com"
PICTURES = "pbs.twimg.com"
PATIENCE_S = 240
STEP_PX = 420
pytestmark = [pytest.mark.e2e]

AT = """([x, y]) => { const hit = document.elementFromPoint(x, y); return hit?.closest('[data-name]')?.dataset.name ?? null; }"""


def marked(page: Page, roots: ClosedRoots) -> set[str]:
    """The names of the pictures on the screen that carry a mark."""
    places = [roots.place(each) for each in roots.find("div", _class="badge") if not each.is_hidden]
    return {page.evaluate(AT, list(place)) for place in places if place is not None} - {None}


def wait_for_marks(page: Page, roots: ClosedRoots, expected: set[str]) -> set[str]:
    """What is marked once `expected` is, or after a while."""
    end = time.monotonic() + PATIENCE_S
    while (found := marked(page, roots)) != expected and time.monotonic() < end:
        page.wait_for_timeout(200)
    return found


@pytest.fixture(scope="module")
def home(new_browser: Callable[[], Any]) -> Any:
    """A browser in which she has enrolled."""
    browser = new_browser()
    enrol(browser, portraits())
    return browser


@pytest.fixture
def page(home: Any, internet: Internet) -> Any:
    internet.put(f"//{PICTURES}/me.jpg", herself(), access_control_allow_origin="*")
    internet.put(f"//{PICTURES}/nobody.jpg", nobody(), access_control_allow_origin="*")
    page = home.context.new_page()
    page.set_viewport_size({"width": 1200, "height": 2200})
    yield page
    page.close()


def test_she_is_marked_whatever_carries_her_picture(page: Page, internet: Internet) -> None:
    address = f"https://{PICTURES}/me.jpg"
    internet.put(f"//{SITE}/", every_carrier(address, "me") + SCRIPT)
    page.goto(f"https://{SITE}/")
    roots = ClosedRoots(page)

    assert wait_for_marks(page, roots, {f"me-{each}" for each in CARRIERS}) == {
        f"me-{each}" for each in CARRIERS
    }


def test_nobody_else_is_marked_and_each_picture_is_fetched_once(
    page: Page, internet: Internet
) -> None:
    address = f"https://{PICTURES}/nobody.jpg"
    internet.put(f"//{SITE}/", every_carrier(address, "nobody") + SCRIPT)
    internet.forget()
    page.goto(f"https://{SITE}/")
    roots = ClosedRoots(page)
    page.wait_for_timeout(2500)
    wait_until_looked(page, roots)

    assert marked(page, roots) == set()
    fetched = Counter(each.path for each in internet.requests if each.host == PICTURES)
    # Once by the page and once by the watch, which has a cache of its own; blob: and data: by the page alone.
    assert max(fetched.values()) <= 2
    assert not any("cookie" in each.headers for each in internet.requests)


def test_a_small_picture_and_a_sites_own_emoji_are_not_looked_at(
    page: Page, internet: Internet
) -> None:
    internet.put("//abs.twimg.com/emoji.png", herself())
    internet.put(
        f"//{SITE}/",
        f'<img src="https://{PICTURES}/me.jpg?small" style="width:24px;height:24px">'
        '<img src="https://abs.twimg.com/emoji.png" width=100>',
    )
    internet.forget()
    page.goto(f"https://{SITE}/")
    page.wait_for_timeout(2000)

    asked_for = Counter(each.path for each in internet.requests)
    assert asked_for["/me.jpg?small"] == 1
    assert asked_for["/emoji.png"] == 1


def test_a_mark_goes_when_the_picture_is_swapped_and_comes_with_the_next_page(
    page: Page, internet: Internet
) -> None:
    internet.put(
        f"//{SITE}/",
        f'<div data-name="a" style="display:inline-block"><img id="a" width="200" height="200" src="https://{PICTURES}/me.jpg"></div><main></main>',
    )
    page.goto(f"https://{SITE}/")
    roots = ClosedRoots(page)
    assert wait_for_marks(page, roots, {"a"}) == {"a"}

    page.evaluate(f"a.src = 'https://{PICTURES}/nobody.jpg'")
    assert wait_for_marks(page, roots, set()) == set()

    page.evaluate(
        f"""() => {{ history.pushState(null, '', '/somebody');
        document.querySelector('main').innerHTML = '<div data-name="b" style="display:inline-block"><img width="200" height="200" src="https://{PICTURES}/me.jpg"></div>'; }}"""
    )
    assert wait_for_marks(page, roots, {"b"}) == {"b"}


def test_the_page_cannot_tell_what_was_found(page: Page, internet: Internet) -> None:
    def left(picture: str) -> object:
        # An icon of its own: the browser asks for a site's icon by itself, once, whenever it gets to it.
        internet.put(
            f"//{SITE}/",
            f'<link rel="icon" href="data:,"><div data-name="a" style="display:inline-block"><img width="200" height="200" src="https://{PICTURES}/{picture}"></div>',
        )
        page.goto(f"https://{SITE}/")
        roots = ClosedRoots(page)
        wait_until_looked(page, roots)
        wait_for_marks(page, roots, {"a"} if picture == "me.jpg" else set())
        page.wait_for_function(
            "document.images[0].complete && performance.getEntriesByType('resource').length > 0"
        )
        return page.evaluate(
            """() => [
              document.documentElement.outerHTML.replaceAll(/(me|nobody)\\.jpg/g, ''),
              [...document.querySelectorAll('*')].map((e) => [e.tagName, e.shadowRoot, JSON.stringify(e.getBoundingClientRect()), getComputedStyle(e).cssText]),
              Array.from({length: 60}, (_, i) => document.elementsFromPoint(i * 20, i * 35).map((e) => e.tagName)),
              Array.from({length: 20}, (_, i) => document.elementsFromPoint(innerWidth - 6 * i, innerHeight - 6 * i).map((e) => e.tagName)),
              performance.getEntriesByType('resource').map((e) => [e.name.replace(/(me|nobody)\\.jpg/, ''), e.initiatorType]),
            ]"""
        )

    assert left("me.jpg") == left("nobody.jpg")


def test_the_panel_counts_and_says_why_something_was_not_checked(
    page: Page, internet: Internet
) -> None:
    internet.put(f"//{PICTURES}/broken.jpg", herself()[:500])
    internet.put(
        f"//{SITE}/",
        "".join(
            f'<img width="200" height="200" src="https://{PICTURES}/{name}">'
            for name in ("me.jpg", "nobody.jpg")
        )
        + f'<video width="200" height="200" poster="https://{PICTURES}/broken.jpg"></video>',
    )
    page.goto(f"https://{SITE}/")
    roots = ClosedRoots(page)
    roots.wait("button", _class="found")
    wait_until_looked(page, roots, 3)
    roots.press("button", _class="opener")

    panel = roots.wait("section").text
    assert "Looked at2Show you1May show you0Waiting0" in panel
    assert "1 not checked" in panel
    assert "Nothing of what you look at is kept." in panel
    page.keyboard.press("Escape")


def test_while_the_vault_is_locked_nothing_counts_as_checked(
    home: Any, page: Page, internet: Internet
) -> None:
    internet.put(
        f"//{SITE}/",
        f'<div data-name="a" style="display:inline-block"><img width="200" height="200" src="https://{PICTURES}/me.jpg?locked"></div>',
    )
    asked(home, "vault.lock")
    try:
        page.goto(f"https://{SITE}/")
        roots = ClosedRoots(page)
        roots.wait("button", aria_label="locked.")
        assert marked(page, roots) == set()
    finally:
        asked(home, "vault.unlock", secret={"passphrase": "correct horse battery staple"})

    # It is looked at as soon as that is possible.
    assert wait_for_marks(page, roots, {"a"}) == {"a"}


def wait_until_looked(page: Page, roots: ClosedRoots, count: int = 1) -> None:
    """Wait until that many were looked at or given up, and nothing waits; for long, if nothing comes of it."""
    end, before = time.monotonic() + PATIENCE_S, -1
    # The button opens nothing before there is something to say, and has no name until then.
    while not any(
        "aria-label" in each.attributes for each in roots.find("button", _class="opener")
    ):
        assert time.monotonic() < end, "nothing is said"
        page.wait_for_timeout(50)
    roots.press("button", _class="opener")
    while time.monotonic() < end:
        numbers = [int(each.text) for each in roots.find("strong")]
        not_checked = sum(int(each.text.split()[0]) for each in roots.find("p", text="not checked"))
        done = (numbers[0] if numbers else 0) + not_checked
        if numbers and done >= count and numbers[3] == 0:
            break
        if done > before:
            end, before = time.monotonic() + PATIENCE_S, done
        page.wait_for_timeout(100)
    roots.press("button", text="Close")


def her_pictures(photos: list[Image.Image]) -> dict[str, bytes]:
    """Nine pictures of her, of three photos that she did not enrol with: cropped, turned, mirrored, small, grey, far away."""

    def around(image: Image.Image, by: float) -> Image.Image:
        w, h = image.size
        canvas = Image.new("RGB", (int(w * (1 + by)), int(h * (1 + by))), (90, 110, 130))
        canvas.paste(image, (int(w * by * 0.7), int(h * by * 0.4)))
        return canvas

    def cropped(image: Image.Image) -> Image.Image:
        w, h = image.size
        return image.crop((w // 6, h // 8, w - w // 6, h - h // 8))

    a, b, c = photos
    made = [
        a,
        cropped(a),
        ImageOps.mirror(a).resize((110, 110)),
        b.rotate(12, expand=False),
        ImageOps.mirror(cropped(b)),
        around(b, 1.2),
        ImageOps.autocontrast(c.convert("L")).convert("RGB"),
        c.resize((120, 120)),
        cropped(c).rotate(-8, expand=False),
    ]
    return {f"me{i}.jpg": jpeg(each, 85) for i, each in enumerate(made)}


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(
    "which", [0, *(pytest.param(which, marks=pytest.mark.figures) for which in range(1, 6))]
)
def test_of_two_hundred_pictures_of_sixty_people_hers_are_marked_and_no_strangers(
    new_browser: Callable[[], Any],
    internet: Internet,
    faces_data: Path,
    record_property: Callable[[str, object], None],
    which: int,
) -> None:
    """Each of the six people of whom there are most photos is the one who enrolled, once."""
    people = sorted(
        (sorted(folder.glob("*.jpg")) for folder in (faces_data / "faces-lfw-dev").iterdir()),
        key=lambda photos: (-len(photos), photos[0].name if photos else ""),
    )
    she = people.pop(which)
    others = people[:60]
    photos = [Image.open(photo).convert("RGB") for photo in she[:5]]
    browser = new_browser()
    enrol(browser, [jpeg(photo) for photo in photos[:2]])
    hers = her_pictures(photos[2:])
    strangers: dict[str, bytes] = {}
    turn = 0
    while len(strangers) < 191:
        for index, each in enumerate(others):
            if turn < len(each) or turn >= 3:
                image = Image.open(each[turn % len(each)]).convert("RGB")
                if turn >= len(each):
                    image = ImageOps.mirror(image)
                strangers[f"p{index}_{turn}.jpg"] = jpeg(image, 85)
        turn += 1
    order = list(strangers)[:191]
    for i, name in enumerate(hers):
        order.insert(7 + i * 21, name)
    for name, picture in (strangers | hers).items():
        internet.put(f"//{PICTURES}/{name}", picture)
    internet.put(f"//{SITE}/feed", ENDLESS.replace("PICTURES", json.dumps(order)))

    page = browser.context.new_page()
    page.goto(f"https://{SITE}/feed")
    roots = ClosedRoots(page)
    tasks = OurTasks(page)
    found: set[str] = set()
    end = time.monotonic() + 300
    while time.monotonic() < end:
        page.mouse.wheel(0, STEP_PX)
        page.wait_for_timeout(200)
        found |= marked(page, roots)
        if page.evaluate(
            "next >= pictures.length && scrollY + innerHeight > document.documentElement.scrollHeight - 5"
        ):
            break
    ours = tasks.stop()
    wait_until_looked(page, roots, 200)
    roots.press("button", _class="opener")
    looked, mine, possible, waiting = (int(each.text) for each in roots.find("strong"))
    for index in range(mine):
        roots.press("button", text=f"Go to picture {index + 1}")
        page.wait_for_timeout(500)
        found |= marked(page, roots)
    browser.context.close()

    for name, value in {
        "person": which,
        "of hers, marked": f"{len(found & set(hers))} of {len(hers)}",
        "of hers, not marked": sorted(set(hers) - found),
        "strangers marked": len(found - set(hers)),
        "counted as possible": possible,
        "looked at": looked,
        "our longest tasks, ms of the page's thread": ours[-5:],
        "our tasks": len(ours),
    }.items():
        record_property(name, value)
        print(f"{name}: {value}")
    # A machine that is busy with other things may still be at the last of them.
    assert looked + waiting >= 190
    assert looked >= 180
    assert found - set(hers) == set(), "a stranger was marked"
    assert len(found) == mine >= 8


class OurTasks:
    """How long the page's own thread was kept by scripts of the extension, as the browser's tracing tells."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._events: list[dict[str, Any]] = []
        self._session = page.context.new_cdp_session(page)
        self._session.on("Tracing.dataCollected", lambda data: self._events.extend(data["value"]))
        self._session.send(
            "Tracing.start",
            {
                "transferMode": "ReportEvents",
                "traceConfig": {"includedCategories": ["devtools.timeline"]},
            },
        )

    def stop(self) -> list[float]:
        """Each of our tasks, in milliseconds of processor time (other programs do not count), shortest first."""
        done: list[object] = []
        self._session.on("Tracing.tracingComplete", lambda told: done.append(told))  # noqa: PLW0108 -- a builtin cannot be registered
        self._session.send("Tracing.end")
        while not done:
            self._page.wait_for_timeout(50)
        return sorted(
            each.get("tdur", each.get("dur", 0)) / 1000
            for each in self._events
            if each.get("name") in {"FunctionCall", "EvaluateScript"}
            and str(each.get("args", {}).get("data", {}).get("url", "")).startswith(
                "chrome-extension://"
            )
        )
