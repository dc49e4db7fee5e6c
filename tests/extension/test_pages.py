"""The extension's own pages in a real Chromium, with its real vault and engine: a first run, and everything after it."""

from __future__ import annotations

import base64
import contextlib
import io
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from launching import WAIT_MS, Browser
from PIL import Image
from playwright.sync_api import Error, Page, Request, expect
from skimage import data

PASSPHRASE = "velvet harbour nineteen crumb"
WORDS = Path(__file__).parents[2] / "extension" / "_locales"
PAGES = ("welcome", "enrol", "inbox", "settings", "privacy", "receipt", "approve", "popup")
# Two seconds of Argon2id and the loading of four networks, on a machine that does other things too.
SLOW_MS = 90_000

NewBrowser = Callable[..., Browser]
_WITHOUT_WORDS = """
    [...document.querySelectorAll("[data-i18n]")].filter((each) => each.textContent === "").map((each) => each.outerHTML)
"""
# What the request watch of a page reports; the page is this one, which speaks for its own address only.
_REPORT = """({ text, pictures }) => chrome.runtime.sendMessage({
    to: "background",
    kind: "thread.report",
    ask: {
        page: location.href,
        posts: [{
            text, account: "@somebody99", url: `${location.href}/reply`, postedAt: null, turns: [],
            about: [{ account: "@eileen", url: location.href, pictures: pictures.map((bytes) => ({ bytes })) }],
        }],
    },
})"""


def astronaut(size: int = 512) -> bytes:
    """A public-domain portrait, as a JPEG file."""
    file = io.BytesIO()
    Image.fromarray(data.astronaut()).resize((size, size)).save(file, "JPEG", quality=92)
    return file.getvalue()


def landscape() -> bytes:
    """A picture with nobody in it."""
    file = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").resize((400, 300)).save(file, "JPEG")
    return file.getvalue()


def photo(name: str, content: bytes) -> dict[str, str | bytes]:
    return {"name": name, "mimeType": "image/jpeg", "buffer": content}


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


class Visit:
    """A person at one browser's pages. What goes wrong unnoticed in a page fails the test at its end."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.wrong: list[str] = []

    def open(self, path: str) -> Page:
        page = self.browser.context.new_page()
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on(
            "console", lambda line: self.wrong.append(line.text) if line.type == "error" else None
        )
        page.on("requestfailed", self._failed)
        page.on("request", lambda request: self._own(request.url))
        page.goto(f"chrome-extension://{self.browser.id}/pages/{path}")
        return page

    def _failed(self, request: Request) -> None:
        # What was still loading when a page was left.
        if "ERR_ABORTED" not in str(request.failure):
            self.wrong.append(f"{request.url} {request.failure}")

    def _own(self, url: str) -> None:
        if not url.startswith(("chrome-extension:", "data:", "blob:")):
            self.wrong.append(f"the page asked for {url}")

    def create_vault(self) -> None:
        page = self.open("welcome/welcome.html#vault")
        page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
        page.get_by_label("The same once more").fill(PASSPHRASE)
        page.get_by_role("button", name="Set the passphrase").click()
        expect(page.get_by_role("heading", name="Show it your face")).to_be_visible()
        page.close()

    def enrol(self, name: str) -> None:
        page = self.open("enrol/enrol.html")
        page.get_by_label("Name", exact=True).fill(name)
        page.locator("#photos").set_input_files([photo("me.jpg", astronaut())])
        expect(page.get_by_text("Face found")).to_be_visible()
        page.get_by_role("button", name="Protect this face").click()
        expect(page.get_by_text(f"{name} is protected from now on.")).to_be_visible()
        page.close()


@pytest.fixture(scope="module", autouse=True)
def patience() -> Iterator[None]:
    """Argon2id takes its time on purpose, and more of it on a machine that does other things too."""
    expect.set_options(timeout=SLOW_MS)
    yield
    expect.set_options(timeout=WAIT_MS)


@pytest.fixture
def visit(new_browser: NewBrowser) -> Iterator[Visit]:
    """A browser that nobody has used yet."""
    visit = Visit(new_browser())
    yield visit
    visit.browser.context.close()
    assert visit.wrong == []


@pytest.fixture(scope="module")
def at_home(new_browser: NewBrowser) -> Iterator[Visit]:
    """A browser with a vault in which one person is enrolled. Each test leaves it unlocked and her enrolled."""
    visit = Visit(new_browser())
    visit.create_vault()
    visit.enrol("Eileen")
    yield visit
    assert visit.wrong == []


@pytest.fixture(scope="module", params=["en", "de", "ar"])
def spoken(
    request: pytest.FixtureRequest,
    new_browser: NewBrowser,
    extension_allowed: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, Visit]]:
    """A browser whose extension speaks one language, whatever the browser's own is: its words stand in for the default's."""
    language = request.param
    folder = tmp_path_factory.mktemp("spoken") / "extension"
    shutil.copytree(extension_allowed, folder)
    shutil.copy(WORDS / language / "messages.json", folder / "_locales" / "en" / "messages.json")
    browser = new_browser()
    browser.context.close()
    browser.built = folder
    browser.start()
    visit = Visit(browser)
    yield language, visit
    browser.context.close()
    assert visit.wrong == []


def test_a_first_run_leads_from_the_installation_to_a_protected_face(visit: Visit) -> None:
    expect_page = visit.browser.context.wait_for_event
    opened = [each for each in visit.browser.context.pages if "welcome" in each.url]
    page = (
        opened[0] if opened else expect_page("page", predicate=lambda each: "welcome" in each.url)
    )
    page.bring_to_front()

    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("heading", name="A passphrase for your vault")).to_be_focused()
    page.get_by_label("Passphrase", exact=True).fill("password12")
    expect(page.locator("#strength")).to_contain_text("Weak")
    page.get_by_role("button", name="Suggest one").click()
    expect(page.locator("#strength")).to_have_text("Strong.")
    page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    page.get_by_role("button", name="Set the passphrase").click()
    expect(page.locator("#create-status")).to_have_text("The two are not the same.")
    page.get_by_label("The same once more").fill(PASSPHRASE)
    page.get_by_role("button", name="Set the passphrase").click()

    expect(
        page.get_by_text("It is looked at and forgotten").or_(
            page.get_by_text("looked at and forgotten")
        )
    ).to_be_visible()
    page.get_by_role("link", name="Enrol my face").click()
    page.get_by_label("Name", exact=True).fill("Eileen")
    page.locator("#photos").set_input_files(
        [
            photo("me.jpg", astronaut()),
            photo("sea.jpg", landscape()),
            photo("notes.txt", b"no picture"),
        ]
    )
    expect(page.locator("#shots li")).to_have_count(3)
    expect(page.locator("#shots li").nth(0)).to_contain_text("Face found")
    expect(page.locator("#shots li").nth(1)).to_contain_text("No face was found in it.")
    expect(page.locator("#shots li").nth(2)).to_contain_text("cannot read the file")
    expect(page.locator("#shots-status")).to_have_text("Photos that can be used: 1")
    page.get_by_role("button", name="Protect this face").click()

    expect(page.get_by_text("Eileen is protected from now on.")).to_be_visible()
    expect(page.locator("#people-list h3")).to_have_text("Eileen")
    expect(page.locator("#shots li")).to_have_count(0)
    page.get_by_role("link", name="Next: your sites").click()
    expect(page.get_by_role("switch", name="Instagram")).to_be_visible()


def test_whoever_uses_the_keyboard_alone_can_set_a_passphrase(visit: Visit) -> None:
    page = visit.open("welcome/welcome.html")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Begin")).to_be_focused()
    page.keyboard.press("Enter")
    title = page.get_by_role("heading", name="A passphrase for your vault")
    expect(title).to_be_focused()
    skip = page.get_by_role("link", name="Skip to the content")
    skip.focus()
    page.keyboard.press("Enter")
    expect(skip).not_to_be_focused()
    expect(title).to_be_visible()
    page.get_by_label("Passphrase", exact=True).focus()
    page.keyboard.type(PASSPHRASE)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSPHRASE)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Show it your face")).to_be_focused()


def test_locked_pages_show_nothing_until_the_right_passphrase(at_home: Visit) -> None:
    page = at_home.open("enrol/enrol.html")
    expect(page.get_by_role("heading", name="Eileen")).to_be_visible()

    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_role("heading", name="Your vault is locked")).to_be_visible()
    expect(page.get_by_text("Eileen")).to_have_count(0)

    page.get_by_label("Passphrase", exact=True).fill("not the passphrase")
    page.get_by_role("button", name="Unlock").click()
    expect(page.get_by_text("That did not open it.")).to_be_visible()
    page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    page.get_by_role("button", name="Unlock").click()
    expect(page.get_by_role("heading", name="Eileen")).to_be_visible()
    page.close()


def test_what_is_protected_is_changed_by_whoever_knows_the_passphrase(at_home: Visit) -> None:
    page = at_home.open("enrol/enrol.html")
    people, less = page.locator("#people-list"), "Only intimate and impersonating uses"

    def change() -> None:
        page.get_by_role("button", name="Change what is protected for Eileen").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
        dialog.get_by_role("button", name="Change it").click()

    change()
    expect(people).to_contain_text(less)
    change()
    expect(people).not_to_contain_text(less)
    page.close()


def test_her_accounts_are_kept(at_home: Visit) -> None:
    page = at_home.open("enrol/enrol.html")
    page.get_by_text("Accounts and names", exact=True).click()
    page.get_by_label("Accounts of Eileen").fill("@eileen\n@eileen@example.social")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.reload()
    page.get_by_text("Accounts and names", exact=True).click()

    expect(page.get_by_label("Accounts of Eileen")).to_have_value("@eileen\n@eileen@example.social")
    page.close()


def test_nothing_is_typed_or_saved_before_her_accounts_are_there(at_home: Visit) -> None:
    page = at_home.open("enrol/enrol.html")
    closed = page.locator("details.accounts").first
    expect(closed).to_be_attached()

    assert closed.evaluate(
        """(details) => {
          details.open = true;
          return [...details.querySelectorAll('textarea, button')].every((each) => each.disabled);
        }"""
    )
    expect(page.get_by_label("Accounts of Eileen")).to_be_enabled()
    expect(page.get_by_role("button", name="Save", exact=True).first).to_be_enabled()
    page.close()


def test_deleting_asks_for_the_passphrase_says_what_is_destroyed_and_destroys_it(
    at_home: Visit,
) -> None:
    at_home.enrol("Second")
    page = at_home.open("enrol/enrol.html")
    page.get_by_role("button", name="Delete Second").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("are destroyed. Nobody can restore them")

    dialog.get_by_label("Passphrase", exact=True).fill("not the passphrase")
    dialog.get_by_role("button", name="Destroy it").click()
    expect(dialog).to_contain_text("That did not open it.")
    dialog.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    dialog.get_by_role("button", name="Destroy it").click()

    expect(
        page.get_by_text("Done. The key and the templates of Second are destroyed.")
    ).to_be_visible()
    expect(page.locator("#people-list h3")).to_have_text(["Eileen"])
    page.close()


def test_a_vault_that_was_exported_comes_back_in_another_browser(
    at_home: Visit, visit: Visit, tmp_path: Path
) -> None:
    page = at_home.open("settings/settings.html")
    page.get_by_text("Export the sealed vault").click()
    page.locator("#export-passphrase").fill(PASSPHRASE)
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save the file").click()
    saving.value.save_as(tmp_path / "vault")
    expect(page.locator("#export-status")).to_have_text("Saved to your downloads. People in it: 1.")
    page.close()
    assert b"Eileen" not in (tmp_path / "vault").read_bytes()

    there = visit.open("welcome/welcome.html#vault")
    there.get_by_text("You have a file from another computer?").click()
    there.locator("#import-file").set_input_files(tmp_path / "vault")
    there.locator("#import-passphrase").fill("not the passphrase")
    there.get_by_role("button", name="Import").click()
    expect(there.locator("#import-status")).to_contain_text("That did not open it.")
    there.locator("#import-passphrase").fill(PASSPHRASE)
    there.get_by_role("button", name="Import").click()
    expect(there.get_by_role("heading", name="Where shall it watch?")).to_be_visible()

    people = visit.open("enrol/enrol.html")
    expect(people.get_by_role("heading", name="Eileen")).to_be_visible()


def test_a_new_passphrase_opens_and_in_the_end_it_destroys_everything(visit: Visit) -> None:
    new = "lantern gravel second whistle"
    visit.create_vault()
    page = visit.open("settings/settings.html")
    page.get_by_text("Change the passphrase").first.click()
    page.locator("#old").fill(PASSPHRASE)
    page.locator("#new").fill(new)
    page.locator("#new-again").fill(new)
    page.locator("#change").get_by_role("button", name="Change the passphrase").click()
    expect(page.locator("#change-status")).to_contain_text("The passphrase is changed.")

    page.get_by_role("button", name="Lock", exact=True).click()
    page.locator("#unlock-passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Unlock").click()
    expect(page.get_by_text("That did not open it.")).to_be_visible()
    page.locator("#unlock-passphrase").fill(new)
    page.get_by_role("button", name="Unlock").click()
    expect(page.locator("#vault-open")).to_be_visible()

    page.get_by_role("button", name="Destroy everything").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Passphrase", exact=True).fill(new)
    dialog.get_by_role("button", name="Destroy everything").click()
    expect(page.get_by_text("Nothing about you is kept here any more.")).to_be_visible()
    assert state(visit) == "none"


def test_a_face_is_enrolled_from_the_camera_with_guidance(
    new_browser: NewBrowser, camera_film: Path
) -> None:
    visit = Visit(
        new_browser(
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={camera_film}",
        )
    )
    visit.create_vault()
    page = visit.open("enrol/enrol.html")
    page.get_by_label("Name", exact=True).fill("Eileen")
    page.get_by_role("button", name="Use the camera").click()
    expect(page.locator("#guidance")).not_to_be_empty()
    for pose in range(3):
        page.get_by_role("button", name="Take the photo").click()
        expect(page.locator("#shots li.good")).to_have_count(pose + 1)
    expect(page.locator("#camera")).to_be_hidden()
    page.get_by_role("button", name="Protect this face").click()

    expect(page.locator("#people-list")).to_contain_text("Photos: 3.")
    visit.browser.context.close()
    assert visit.wrong == []


def state(visit: Visit) -> str:
    return visit.browser.ask({"to": "background", "kind": "vault.state", "ask": {}})["answer"][
        "state"
    ]


def hold(page: Page, prompt: str) -> str:
    """Have an upload of her picture held, as the guard of that page does."""
    answer = page.evaluate(
        "(asked) => chrome.runtime.sendMessage({ to: 'background', kind: 'upload.check', ask: asked })",
        {
            "id": "one",
            "pictures": [b64(astronaut())],
            "prompt": prompt,
            "page": "https://grok.com/imagine",
        },
    )["answer"]
    assert (answer["verdict"], answer["shows"]) == ("needs_consent", "match")
    return answer["hold"]


def outcome(page: Page, held: str) -> str:
    answer = page.evaluate(
        "(hold) => chrome.runtime.sendMessage({ to: 'background', kind: 'upload.outcome', ask: { hold } })",
        held,
    )
    return answer["answer"]["state"]


def test_an_upload_goes_on_only_after_her_own_passphrase(at_home: Visit) -> None:
    tab = at_home.open("privacy/privacy.html")
    held = hold(tab, "make the sky blue")

    window = at_home.open(f"approve/approve.html?hold={held}")
    expect(window.get_by_text("grok.com")).to_be_visible()
    expect(window.locator("#prompt")).to_have_text("make the sky blue")
    expect(window.locator("#who")).to_have_text("Eileen")
    expect(window.locator("#picture img")).to_be_visible()
    assert window.locator("input[type=checkbox]").count() == 0
    window.get_by_label("Passphrase", exact=True).fill("not the passphrase")
    window.get_by_role("button", name="Approve once").click()
    expect(window.get_by_text("That did not open it.")).to_be_visible()
    assert outcome(tab, held) == "waiting"

    window.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    with window.expect_event("close", timeout=SLOW_MS):
        window.get_by_role("button", name="Approve once").click()
    assert outcome(tab, held) == "released"
    tab.close()


@pytest.mark.parametrize("how", ["button", "escape", "closed"])
def test_anything_but_a_yes_is_a_no(at_home: Visit, how: str) -> None:
    tab = at_home.open("privacy/privacy.html")
    held = hold(tab, "make the sky blue")
    window = at_home.open(f"approve/approve.html?hold={held}")
    expect(window.get_by_label("Passphrase", exact=True)).to_be_focused()

    if how == "button":
        with window.expect_event("close", timeout=SLOW_MS):
            window.get_by_role("button", name="Do not upload").click()
    elif how == "escape":
        # The window may be gone before the key is up again.
        with window.expect_event("close", timeout=SLOW_MS), contextlib.suppress(Error):
            window.keyboard.press("Escape")
    else:
        window.close(run_before_unload=True)

    tab.wait_for_timeout(300)
    assert outcome(tab, held) == "cancelled"
    tab.close()


def test_a_question_that_is_over_cannot_be_answered(at_home: Visit) -> None:
    window = at_home.open("approve/approve.html?hold=3f8c1c3e-0000-4000-8000-000000000000")

    expect(window.get_by_text("This question is over")).to_be_visible()
    expect(window.get_by_label("Passphrase", exact=True)).to_be_hidden()
    window.close()


def test_the_same_window_without_a_question_only_unlocks(at_home: Visit) -> None:
    at_home.browser.ask({"to": "background", "kind": "vault.lock", "ask": {}})
    window = at_home.open("approve/approve.html")
    expect(window.get_by_role("heading", name="Your vault is locked")).to_be_visible()
    expect(window.get_by_role("button", name="Approve once")).to_be_hidden()
    window.locator("#unlock-passphrase").fill(PASSPHRASE)
    with window.expect_event("close", timeout=SLOW_MS):
        window.get_by_role("button", name="Unlock").click()

    assert state(at_home) == "open"


def test_a_site_is_paused_from_its_switches_and_goes_on(at_home: Visit) -> None:
    page = at_home.open("settings/settings.html")
    x = page.locator("#site-list > li").filter(
        has=page.get_by_role("heading", name="X", exact=True)
    )
    x.get_by_label("Hold uploads").uncheck()
    expect(x.get_by_label("Hold uploads")).not_to_be_checked()
    page.reload()
    expect(x.get_by_label("Hold uploads")).not_to_be_checked()
    x.get_by_label("Hold uploads").check()

    x.get_by_role("switch").uncheck()
    expect(x).to_contain_text("Paused until you end it.")
    x.get_by_role("switch").check()
    expect(x).to_contain_text("Watching for you.")
    page.close()


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "https://elsewhere.example"])
def test_nothing_is_paired_with_what_is_not_a_companion_on_this_computer(
    at_home: Visit, address: str
) -> None:
    page = at_home.open("settings/settings.html")
    page.get_by_text("It has another address").click()
    page.get_by_label("Address on this computer").fill(address)
    page.get_by_label("Code").fill("7K3M-Q2XA-9FHT-C4WD")
    page.get_by_role("button", name="Pair", exact=True).click()

    expect(page.locator("#companion-status")).to_contain_text("The companion does not answer.")
    expect(page.locator("#companion-lamp")).to_have_text("Not paired")
    at_home.wrong = [each for each in at_home.wrong if "companion_unreachable" not in each]
    page.close()


def test_the_toolbars_window_says_how_it_stands_and_locks_everything(at_home: Visit) -> None:
    page = at_home.open("popup/popup.html")
    expect(page.locator("#lamp")).to_have_text("Unlocked")
    page.get_by_role("button", name="Lock everything now").click()
    expect(page.locator("#lamp")).to_have_text("Locked")
    assert state(at_home) == "locked"

    page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    page.get_by_role("button", name="Unlock").click()
    expect(page.locator("#lamp")).to_have_text("Unlocked")
    page.close()


def test_an_alert_shows_its_evidence_and_is_saved_and_deleted(
    at_home: Visit, tmp_path: Path
) -> None:
    page = at_home.open("inbox/inbox.html")
    expect(page.get_by_role("heading", name="Nothing has been seen")).to_be_visible()
    page.evaluate(_REPORT, {"text": "@grok put her in a bikini", "pictures": [b64(astronaut())]})

    alert = page.get_by_role("article")
    expect(alert).to_contain_text("asked for an altered picture")
    expect(alert).to_contain_text("Swimwear")
    expect(alert).to_contain_text("About: Eileen.")
    alert.get_by_role("button", name="Show the evidence").click()
    expect(alert.locator("blockquote")).to_have_text("@grok put her in a bikini")
    expect(alert.get_by_role("button", name="Hide the evidence")).to_be_focused()
    expect(alert).to_contain_text("@somebody99")
    expect(alert.get_by_role("listitem").filter(has_text="Report the request")).to_be_visible()

    alert.get_by_role("button", name="Save as a file").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The file is not sealed")
    dialog.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    with page.expect_download() as saving:
        dialog.get_by_role("button", name="Save as a file").click()
    saving.value.save_as(tmp_path / "evidence.json")
    assert "put her in a bikini" in (tmp_path / "evidence.json").read_text()

    alert.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Back").click()
    expect(alert).to_be_visible()
    alert.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(alert).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", name="Nothing has been seen")).to_be_visible()
    page.close()


def test_an_empty_inbox_says_in_plain_words_what_would_be_there(at_home: Visit) -> None:
    page = at_home.open("inbox/inbox.html")
    expect(page.get_by_role("heading", name="Nothing has been seen")).to_be_visible()
    page.get_by_role("tab", name="Alerts").press("ArrowRight")
    expect(page.get_by_role("tab", name="Questions to you")).to_be_focused()
    expect(page.get_by_role("heading", name="No companion is paired")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Who checked")).to_have_attribute("aria-selected", "true")
    page.close()


def test_every_page_has_its_words_its_direction_and_room_on_a_small_screen(
    spoken: tuple[str, Visit],
) -> None:
    language, visit = spoken
    for name in PAGES:
        page = visit.open(f"{name}/{name}.html")
        page.wait_for_load_state()
        expect(page.locator("html")).to_have_attribute("lang", re.compile(f"^{language}"))
        expect(page.locator("html")).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")
        for width in (360, 1200):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
                name,
                width,
            )
        if page.locator(".side").count():
            side, main = (page.locator(each).bounding_box() for each in (".side", "main"))
            assert (side["x"] > main["x"]) == (language == "ar")
        assert page.evaluate(_WITHOUT_WORDS) == []
        page.close()


@pytest.fixture(scope="module")
def camera_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the browser's camera shows: somebody sitting in front of it, as concatenated JPEG frames."""
    scene = Image.new("RGB", (640, 480), (120, 130, 140))
    scene.paste(
        Image.fromarray(data.astronaut()).crop((60, 0, 400, 340)).resize((480, 480)), (80, 0)
    )
    film = tmp_path_factory.mktemp("camera") / "astronaut.mjpeg"
    frame = io.BytesIO()
    scene.save(frame, "JPEG", quality=92)
    film.write_bytes(frame.getvalue() * 2)
    return film
