"""What a platform asks her through the companion, answered in the extension's inbox; and who checked her face there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from asking import NAME, PASSPHRASE, Asking
from companion_home import FILE_PASSPHRASE, Home, move_and_pair, running_home
from engine_cases import jpeg, pictures, png
from playwright.sync_api import Page, expect

PLATFORM = "studio.example"
PROMPT = "make it a watercolour"
# Two seconds of Argon2id on a machine that does other things too.
SLOW_MS = 60_000


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with running_home() as found:
        yield found


@pytest.fixture(scope="module")
def ask(
    home: Home, new_browser: Callable[[], Any], tmp_path_factory: pytest.TempPathFactory
) -> Asking:
    asking = Asking(new_browser())
    asking("vault.create", passphrase=PASSPHRASE)
    asking.enrol()
    move_and_pair(asking, home, tmp_path_factory.mktemp("move"))
    return asking


class Platform:
    """A generator that asks the companion before it generates."""

    def __init__(self, home: Home) -> None:
        made = json.loads(home.run("platform", "add", "test", "--platform", PLATFORM, "--json"))
        headers = {"authorization": f"Bearer {made['secret']}"}
        self.http = httpx.Client(base_url=home.address, headers=headers, timeout=60)

    def ask(self, picture: bytes, *, prompt: str = PROMPT, **fields: str) -> dict[str, Any]:
        """Ask whether a picture may be used."""
        files = [("images", ("x", picture, "image/jpeg"))]
        data = {"prompt": prompt, "asker": "user 7", **fields}
        answer = self.http.post("/v1/checks", files=files, data=data)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def poll(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Ask what became of it."""
        return dict(self.http.get(f"/v1/consent-requests/{asked['request_id']}").json())


@pytest.fixture(scope="module")
def platform(ask: Asking, home: Home) -> Iterator[Platform]:
    found = Platform(home)
    with found.http:
        yield found


def inbox(ask: Asking, panel: str) -> Page:
    """Open the inbox at one of its panels."""
    return ask.browser.own_page(f"pages/inbox/inbox.html#{panel}")


def prove(page: Page, passphrase: str) -> None:
    """Give a passphrase to the dialog that asks for it."""
    page.get_by_role("dialog").get_by_label("Your passphrase in the companion").fill(passphrase)
    page.keyboard.press("Enter")


def test_a_question_is_shown_with_its_pictures_and_approved_with_her_passphrase(
    ask: Asking, platform: Platform
) -> None:
    asked = platform.ask(jpeg(pictures()["whole"]))
    page = inbox(ask, "questions")
    card = page.get_by_role("article")
    expect(card).to_contain_text(f"{PLATFORM} asks about {NAME}")
    expect(card).to_contain_text(PROMPT)
    expect(card).to_contain_text("user 7")
    picture = card.get_by_role("img").first
    expect(picture).to_be_visible()
    assert picture.evaluate("(img) => img.decode().then(() => img.naturalWidth)") > 0

    card.get_by_role("button", name="Approve once").click()
    # That of the vault in the browser proves nothing to the companion.
    prove(page, PASSPHRASE)
    expect(page.get_by_role("dialog")).to_contain_text("not the passphrase", timeout=SLOW_MS)
    assert platform.poll(asked)["state"] == "pending"
    prove(page, FILE_PASSPHRASE)

    expect(page.get_by_text("Approved, once.")).to_be_visible(timeout=SLOW_MS)
    answer = platform.poll(asked)
    assert answer["state"] == "approved"
    allowed = platform.ask(jpeg(pictures()["whole"]), token=answer["token"])
    assert allowed["verdict"] == "allow"
    page.close()


@pytest.mark.parametrize(("button", "again"), [("Decline", True), ("Block", False)])
def test_a_question_is_declined_without_one_and_a_blocked_asker_is_not_heard_again(
    ask: Asking, platform: Platform, button: str, *, again: bool
) -> None:
    asked = platform.ask(jpeg(pictures()["mirrored"]))
    page = inbox(ask, "questions")
    page.get_by_role("article").get_by_role("button", name=button).click()
    if button == "Block":
        page.get_by_role("dialog").get_by_role("button", name="Block").click()
    expect(page.get_by_text("Declined.")).to_be_visible()

    assert platform.poll(asked)["state"] != "approved"
    platform.ask(jpeg(pictures()["cropped"]))
    assert bool(ask("consent.list")["questions"]) is again
    for each in ask("consent.list")["questions"]:
        ask("consent.decline", request=each["request"])
    page.close()


def test_she_sees_who_checked_her_face_with_her_passphrase_and_strangers_are_not_in_it(
    ask: Asking, platform: Platform
) -> None:
    platform.ask(jpeg(pictures()["whole"]))
    stranger = platform.ask(png(pictures()["nobody"]), prompt="make the sky blue")
    page = inbox(ask, "checks")
    listed = page.locator("#checks").get_by_role("listitem")
    expect(listed).to_have_count(0)

    page.get_by_role("button", name="Show").click()
    prove(page, FILE_PASSPHRASE)

    expect(listed.first).to_contain_text(PLATFORM, timeout=SLOW_MS)
    expect(listed.first).to_contain_text("by your face")
    expect(listed.first).to_contain_text("Ask first")
    with page.expect_download() as saved:
        listed.first.get_by_role("button", name="Save the receipt").click()
    assert re.fullmatch(r"receipt-chk_\w+\.jws", saved.value.suggested_filename)
    assert saved.value.path().read_text().count(".") == 2
    assert stranger["check_id"] not in page.content()

    # The receipt is checked with the companion's own keys.
    page.goto(f"chrome-extension://{ask.browser.id}/pages/receipt/receipt.html")
    page.get_by_label("The receipt as a file").set_input_files(saved.value.path())
    page.get_by_role("button", name="Take those of my companion").click()
    expect(page.get_by_label("The keys of whoever issued it")).not_to_have_value("")
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_role("region", name="It is genuine")).to_contain_text("consent required")
    page.close()


def test_without_proof_the_browser_learns_and_does_nothing(ask: Asking, platform: Platform) -> None:
    subject = ask("vault.state")["subjects"][0]["subject"]
    asked = platform.ask(jpeg(pictures()["odd"]), asker="user 8")
    question = asked["request_id"]

    assert ask.reply("consent.checks", subject=subject, passphrase="no", before=None) == {
        "error": "companion_passphrase"
    }
    assert ask.reply("consent.approve", request=question, seconds=60, passphrase="no") == {
        "error": "companion_passphrase"
    }
    assert ask.reply("consent.approve", request="crq_x", seconds=60, passphrase="no") == {
        "error": "not_found"
    }
    assert platform.poll(asked)["state"] == "pending"


def test_a_locked_companion_says_so(ask: Asking, home: Home) -> None:
    home.run("lock")
    try:
        assert ask.reply("consent.list") == {"error": "companion_locked"}
        page = inbox(ask, "questions")
        expect(page.get_by_text("The companion is locked.")).to_be_visible()
        page.close()
    finally:
        home.run("unlock")
