"""The page that checks a receipt, in a real Chromium: genuine or not, by whom, when, and what it says."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.e2e]

VECTORS = Path(__file__).parents[1] / "vectors"
RECEIPTS = json.loads((VECTORS / "receipt_v1.json").read_text())
TOKENS = json.loads((VECTORS / "consent_token_v1.json").read_text())
PROVED = next(
    each["input"]
    for each in json.loads((VECTORS / "log_v1.json").read_text())["tests"]
    if each["id"] == "proof: a proved receipt"
)
ERASURES = json.loads((VECTORS / "erasure_v1.json").read_text())
ERASED = next(each["input"] for each in ERASURES["tests"] if each["id"] == "three people, proved")
RECEIPT = RECEIPTS["receipt"]["jws"]
KEYS = json.dumps(RECEIPTS["jwks"])
OTHER_KEYS = json.dumps({"keys": [TOKENS["key"]]})
LOG_KEY = next(line.split()[1] for line in PROVED["policy"].splitlines() if line.startswith("log "))


@pytest.fixture(scope="module")
def browser(new_browser: Callable[[], Any]) -> Any:
    """A browser in which nobody has set anything up: whoever is given a receipt need not."""
    return new_browser()


@pytest.fixture
def page(browser: Any) -> Iterator[Page]:
    """The page. What goes wrong in it unnoticed, and what it asks for elsewhere, fails the test."""
    page = browser.context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if _is_away(request.url) else None)
    page.goto(f"chrome-extension://{browser.id}/pages/receipt/receipt.html")
    yield page
    page.close()
    assert wrong == []


def _is_away(url: str) -> bool:
    return not url.startswith("chrome-extension:")


def check(page: Page, statement: str, keys: str = KEYS, log: str = "") -> None:
    page.get_by_label("The receipt", exact=True).fill(statement)
    page.get_by_label("The keys of whoever issued it").fill(keys)
    if log:
        page.get_by_text("Its place in the public log").click()
        page.get_by_label("The log's key").fill(log)
    page.get_by_role("button", name="Check it").click()


def changed(jws: str, **claims: object) -> str:
    """The same signature over another claim."""
    head, payload, signature = jws.split(".")
    told = json.loads(base64.urlsafe_b64decode(payload + "=="))
    text = json.dumps(told | claims, separators=(",", ":")).encode()
    return ".".join([head, base64.urlsafe_b64encode(text).decode().rstrip("="), signature])


def renamed(vkey: str, name: str) -> str:
    """The same key under another name, with the ID that it then has."""
    material = vkey.split("+", 2)[2]
    key_id = hashlib.sha256(name.encode() + b"\n" + base64.b64decode(material)).digest()[:4]
    return f"{name}+{key_id.hex()}+{material}"


def test_a_genuine_receipt_says_by_whom_when_and_what(page: Page) -> None:
    check(page, RECEIPT)

    expect(page.get_by_role("heading", name="It is genuine")).to_be_focused()
    result = page.get_by_role("region", name="It is genuine")
    expect(result).to_contain_text("2026, ")
    expect(result).to_contain_text("https://consentry.example answered: Ask first.")
    expect(result).to_contain_text("Ask first · consent required")
    expect(result).to_contain_text("Pictures: 2 · with words · earlier turns: 1")
    expect(result).to_contain_text("chk_aaaaaaaaaaaaaaaaaaaaaaaaaa")
    expect(result).to_contain_text("It names no log.")
    expect(result).to_contain_text(RECEIPTS["jwks"]["keys"][0]["kid"])


@pytest.mark.parametrize(
    ("statement", "keys"),
    [
        (changed(RECEIPT, verdict="allow", reasons=[]), KEYS),
        (changed(RECEIPT, iat=1), KEYS),
        (RECEIPT, OTHER_KEYS),
        (TOKENS["tests"][0]["input"]["jws"], KEYS),
        (RECEIPT[:-4], KEYS),
    ],
    ids=["another verdict", "another time", "other keys", "another's token", "cut off"],
)
def test_what_was_changed_or_signed_by_others_is_not_genuine(
    page: Page, statement: str, keys: str
) -> None:
    check(page, statement, keys)

    expect(page.get_by_role("heading", name="It is not genuine")).to_be_focused()
    # What it says is nobody's word, and is not shown.
    assert page.locator("#result dl").count() == 0


def test_its_place_in_the_log_is_proved_or_said_not_to_be(page: Page) -> None:
    document = json.dumps({"receipt": PROVED["receipt"], "proof": PROVED["proof"]})
    keys = json.dumps(PROVED["jwks"])
    result = page.locator("#result")

    check(page, document, keys)
    expect(result).to_contain_text("without the log's key it shows nothing")
    check(page, document, keys, PROVED["policy"])
    expect(result).to_contain_text("Proved: entry 257 of log.example/one/0001020304050607")
    expect(result).to_contain_text("260 entries. Witnesses that had to agree: 1.")
    page.get_by_label("The log's key").fill(renamed(LOG_KEY, "log.example/two"))
    page.get_by_role("button", name="Check it").click()

    expect(page.get_by_role("heading", name="its place in the log does not hold")).to_be_focused()
    expect(result).to_contain_text("The proof does not lead there.")
    expect(page.get_by_role("heading", name="It is genuine")).to_have_count(0)


def test_the_proofs_of_an_erasure_are_looked_at_or_said_not_to_be(page: Page) -> None:
    document, keys = json.dumps(ERASED), json.dumps(ERASURES["jwks"])
    result = page.locator("#result")

    check(page, document, keys)
    expect(result).to_contain_text("The proofs were not looked at: without the log's key")
    check(page, document, keys, ERASED["policy"])
    expect(result).to_contain_text("Proved: all of its entries stand in log.example/one/0001")
    expect(result).to_contain_text("a log of 260 entries. Witnesses that had to agree: 1.")
    check(page, json.dumps(ERASED | {"proofs": []}), keys)
    expect(result).to_contain_text("only proofs show; none were given")
    check(page, json.dumps(ERASED | {"proofs": ERASED["proofs"][1:]}), keys)

    expect(page.get_by_role("heading", name="its place in the log does not hold")).to_be_focused()
    expect(result).to_contain_text("The proofs do not show its entries in the log")
    expect(page.get_by_role("heading", name="It is genuine")).to_have_count(0)


def test_a_consent_token_says_for_whom_and_whether_it_has_lapsed(page: Page) -> None:
    check(
        page, json.dumps({"token": TOKENS["tests"][0]["input"]["jws"]}), json.dumps(TOKENS["key"])
    )

    result = page.get_by_role("region", name="It is genuine")
    expect(result).to_contain_text("A consent token")
    expect(result).to_contain_text("it has lapsed")
    expect(result).to_contain_text("Only whoever issued it can say.")


@pytest.mark.parametrize(
    ("statement", "keys", "log", "field", "words"),
    [
        ("", KEYS, "", "statement", "no receipt that Consentry knows"),
        ("a picture of a cat", KEYS, "", "statement", "no receipt that Consentry knows"),
        (RECEIPT, "", "", "keys", "no set of keys"),
        (RECEIPT, RECEIPT, "", "keys", "no set of keys"),
        (RECEIPT, KEYS, "log.example", "log", "neither a log's key nor a trust policy"),
        (
            PROVED["receipt"],
            json.dumps(PROVED["jwks"]),
            LOG_KEY.replace("log.example", "log.exampel"),
            "log",
            "neither a log's key nor a trust policy",
        ),
        (
            json.dumps({"receipts": [{"receipt": RECEIPT}, {"receipt": changed(RECEIPT, iat=1)}]}),
            KEYS,
            "",
            "statement",
            "more than one. Paste one at a time",
        ),
    ],
)
def test_what_cannot_be_read_is_said_where_it_stands(
    page: Page, statement: str, keys: str, log: str, field: str, words: str
) -> None:
    check(page, statement, keys, log)

    expect(page.get_by_role("status")).to_contain_text(words)
    expect(page.locator(f"#{field}")).to_be_focused()
    expect(page.locator(f"#{field}")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#result")).to_be_hidden()


def test_files_are_chosen_or_dropped(page: Page, tmp_path: Path) -> None:
    receipt, keys = tmp_path / "receipt-chk_a.jws", tmp_path / "jwks.json"
    receipt.write_text(RECEIPT + "\n")
    keys.write_text(KEYS)

    page.get_by_label("The keys as a file").set_input_files(keys)
    box = page.locator("#statement").bounding_box()
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(receipt)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        place = {"x": box["x"] + 20, "y": box["y"] + 20}
        session.send("Input.dispatchDragEvent", {"type": kind, "data": data, **place})
    expect(page.locator("#statement")).to_have_value(RECEIPT + "\n")
    page.get_by_role("button", name="Check it").click()

    expect(page.get_by_role("heading", name="It is genuine")).to_be_focused()


def test_a_picture_is_no_receipt(page: Page, tmp_path: Path) -> None:
    large = tmp_path / "film.mp4"
    large.write_bytes(bytes(1_000_001))
    page.get_by_label("The receipt as a file").set_input_files(large)

    expect(page.get_by_role("status")).to_contain_text("no receipt that Consentry knows")
    expect(page.locator("#statement")).to_have_value("")


def test_what_was_said_goes_when_something_else_is_written(page: Page) -> None:
    check(page, RECEIPT)
    expect(page.locator("#result")).to_be_visible()

    page.get_by_label("The receipt", exact=True).press("End")
    page.keyboard.type("x")
    expect(page.locator("#result")).to_be_hidden()
    check(page, RECEIPT)
    expect(page.locator("#result")).to_be_visible()
    page.get_by_role("button", name="Clear").click()

    expect(page.locator("#result")).to_be_hidden()
    expect(page.locator("#statement")).to_have_value("")
    expect(page.locator("#statement")).to_be_focused()


# What the page waits for is held until the test says so: `go()`, or `fail()`.
HELD = """(place, name) => {
  const whole = place[name].bind(place);
  place[name] = (...all) => new Promise((go, fail) => Object.assign(window, {go, fail})).then(() => whole(...all));
}"""
WAITS = "() => window.go !== undefined"


def test_what_was_written_while_it_was_checked_is_not_called_genuine(page: Page) -> None:
    page.evaluate(f"({HELD})(crypto.subtle, 'verify')")
    check(page, RECEIPT)
    page.wait_for_function(WAITS)
    page.locator("#keys").fill(OTHER_KEYS)
    page.evaluate("window.go()")

    expect(page.locator("#act")).to_be_enabled()
    expect(page.locator("#result")).to_be_hidden()


def hold_files(page: Page) -> None:
    page.evaluate(
        """() => {
          window.files = [];
          File.prototype.text = () => new Promise((give, fail) => window.files.push({give, fail}));
        }"""
    )


def test_a_file_that_comes_late_takes_away_what_was_said_of_another(
    page: Page, tmp_path: Path
) -> None:
    keys = tmp_path / "jwks.json"
    keys.write_text(OTHER_KEYS)
    page.locator("#keys").fill(KEYS)
    page.locator("#statement").fill(RECEIPT)
    hold_files(page)
    page.get_by_label("The keys as a file").set_input_files(keys)
    page.wait_for_function("window.files.length === 1")
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_role("heading", name="It is genuine")).to_be_visible()
    page.evaluate("keys => window.files[0].give(keys)", OTHER_KEYS)

    expect(page.locator("#keys")).to_have_value(OTHER_KEYS)
    expect(page.locator("#result")).to_be_hidden()


def test_of_two_files_the_later_stands_whichever_is_read_first(page: Page, tmp_path: Path) -> None:
    hold_files(page)
    for number, name in enumerate(("one", "two"), start=1):
        (tmp_path / name).write_text(name)
        page.get_by_label("The keys as a file").set_input_files(tmp_path / name)
        page.wait_for_function("count => window.files.length === count", arg=number)
    page.evaluate("window.files[1].give('two'), window.files[0].give('one')")

    expect(page.locator("#keys")).to_have_value("two")


def test_a_file_that_cannot_be_read_is_said(page: Page, tmp_path: Path) -> None:
    gone = tmp_path / "receipt.jws"
    gone.write_text(RECEIPT)
    hold_files(page)
    page.get_by_label("The receipt as a file").set_input_files(gone)
    page.wait_for_function("window.files.length === 1")
    page.evaluate("window.files[0].fail(new DOMException('gone', 'NotFoundError'))")

    expect(page.get_by_role("status")).to_contain_text("no receipt that Consentry knows")
    expect(page.locator("#statement")).to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize("meanwhile", ["checked", "written"])
def test_keys_that_come_late_are_beside_nothing_that_others_showed(
    page: Page, meanwhile: str
) -> None:
    page.evaluate(
        """() => {
          chrome.runtime.sendMessage = () => new Promise((give) => { window.give = give; });
          document.getElementById("keys-companion").hidden = false;
        }"""
    )
    page.locator("#statement").fill(RECEIPT)
    page.locator("#keys").fill(KEYS)
    page.get_by_role("button", name="Take those of my companion").click()
    if meanwhile == "checked":
        page.get_by_role("button", name="Check it").click()
        expect(page.get_by_role("heading", name="It is genuine")).to_be_visible()
    else:
        page.locator("#keys").fill("hers")
    page.evaluate("keys => window.give({answer: {keys}})", OTHER_KEYS)

    expect(page.locator("#keys-take")).to_be_enabled()
    expect(page.locator("#keys")).to_have_value(OTHER_KEYS if meanwhile == "checked" else "hers")
    expect(page.locator("#result")).to_be_hidden()


def test_the_keyboard_is_enough(page: Page) -> None:
    page.locator("#statement").focus()
    page.keyboard.insert_text(RECEIPT)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("#keys")).to_be_focused()
    page.keyboard.insert_text(KEYS)
    for _ in range(3):
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Check it")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="It is genuine")).to_be_focused()


def test_the_way_there_is_in_the_settings(browser: Any, page: Page) -> None:
    page.goto(f"chrome-extension://{browser.id}/pages/settings/settings.html")
    page.get_by_role("link", name="Open", exact=True).click()

    expect(page.get_by_role("heading", name="Check a receipt")).to_be_visible()
