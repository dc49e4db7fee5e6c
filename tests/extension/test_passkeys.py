"""A passkey beside the passphrase, in a real Chromium with authenticators that the browser makes up itself."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from authenticators import Devices
from playwright.sync_api import Page, expect
from subject import PASSPHRASE, Refused, asked, herself, join, portraits

pytestmark = [pytest.mark.e2e]

OPENED = "A passkey of this device opens the vault, too."
REFUSED = "The passkey did not open it"
LEFT_OVER = "An unused passkey may have stayed on the device"


@pytest.fixture(scope="module")
def home(new_browser: Callable[[], Any]) -> Any:
    """A browser with a vault that opens by its passphrase alone."""
    browser = new_browser()
    asked(browser, "vault.create", passphrase=PASSPHRASE)
    return browser


@pytest.fixture
def page(home: Any) -> Iterator[Page]:
    """The settings, with the vault open. Afterwards there is no passkey."""
    asked(home, "vault.unlock", secret={"passphrase": PASSPHRASE})
    page = home.own_page("pages/settings/settings.html")
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    page.close()
    asked(home, "vault.passkey.remove")
    assert wrong == []


@pytest.fixture
def devices(page: Page) -> Devices:
    return Devices(page)


def add_passkey(page: Page, passphrase: str = PASSPHRASE) -> None:
    """Ask for a passkey, after a reload: a device that was plugged in is seen by a page that is opened then."""
    page.reload()
    page.get_by_role("button", name="Add a passkey").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Passphrase", exact=True).fill(passphrase)
    dialog.get_by_role("button", name="Add a passkey").click()


def lock(page: Page) -> None:
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_role("heading", name="Your vault is locked")).to_be_visible()


def state(home: Any) -> str:
    return str(asked(home, "vault.state")["state"])


def test_a_passkey_opens_the_vault_until_it_is_removed(
    home: Any, page: Page, devices: Devices
) -> None:
    device = devices.add()
    add_passkey(page)
    expect(page.get_by_text("The passkey opens the vault from now on.")).to_be_visible()
    assert len(devices.passkeys(device)) == 1

    lock(page)
    assert state(home) == "locked"
    page.get_by_role("button", name="Use the passkey").click()
    expect(page.get_by_text(OPENED)).to_be_visible()
    assert state(home) == "open"

    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("The passkey no longer opens the vault.")).to_be_visible()
    lock(page)
    expect(page.get_by_role("button", name="Use the passkey")).to_be_hidden()
    page.locator("#unlock-passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Unlock").click()
    expect(page.get_by_role("button", name="Add a passkey")).to_be_visible()


def test_the_passphrase_opens_it_as_before(home: Any, page: Page, devices: Devices) -> None:
    devices.add()
    add_passkey(page)
    expect(page.get_by_text(OPENED)).to_be_visible()
    lock(page)

    page.locator("#unlock-passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Unlock").click()

    expect(page.get_by_text(OPENED)).to_be_visible()
    assert state(home) == "open"


def test_another_authenticator_opens_nothing(home: Any, page: Page, devices: Devices) -> None:
    hers = devices.add()
    add_passkey(page)
    expect(page.get_by_text(OPENED)).to_be_visible()
    lock(page)
    devices.remove(hers)
    devices.add()

    page.get_by_role("button", name="Use the passkey").click()

    expect(page.get_by_text(REFUSED)).to_be_visible()
    assert state(home) == "locked"


def test_a_copy_of_the_passkey_without_its_secret_opens_nothing(
    home: Any, page: Page, devices: Devices
) -> None:
    hers = devices.add()
    add_passkey(page)
    expect(page.get_by_text(OPENED)).to_be_visible()
    lock(page)
    [copied] = devices.passkeys(hers)
    devices.remove(hers)
    devices.put(devices.add(), copied)

    page.get_by_role("button", name="Use the passkey").click()

    # The device answers, by the same name and the same key, and has nothing else of it.
    expect(page.get_by_text(REFUSED)).to_be_visible()
    assert state(home) == "locked"


def test_whoever_the_sensor_does_not_know_opens_nothing(
    home: Any, page: Page, devices: Devices
) -> None:
    device = devices.add()
    add_passkey(page)
    expect(page.get_by_text(OPENED)).to_be_visible()
    lock(page)
    devices.verify(device, is_she=False)

    page.get_by_role("button", name="Use the passkey").click()

    expect(page.get_by_text(REFUSED)).to_be_visible()
    assert state(home) == "locked"


def test_whoever_does_not_know_the_passphrase_adds_no_passkey(
    home: Any, page: Page, devices: Devices
) -> None:
    device = devices.add()

    add_passkey(page, "not the passphrase")

    expect(page.get_by_role("dialog")).to_contain_text("That did not open it.")
    assert devices.passkeys(device) == []
    assert asked(home, "vault.state")["hasPasskey"] is False


def test_a_device_whose_passkeys_have_no_secret_is_said_to_be_of_no_use(
    home: Any, page: Page, devices: Devices
) -> None:
    device = devices.add(hasPrf=False)

    add_passkey(page)

    expect(page.get_by_role("dialog")).to_contain_text("cannot open a vault")
    expect(page.get_by_role("dialog")).to_contain_text(LEFT_OVER)
    assert len(devices.passkeys(device)) == 1
    assert asked(home, "vault.state")["hasPasskey"] is False


@pytest.mark.parametrize("later", ["she stops the second question", "the vault does not take it"])
def test_a_passkey_that_stays_unused_on_the_device_is_spoken_of(
    home: Any, page: Page, devices: Devices, later: str
) -> None:
    device = devices.add()
    page.add_init_script(_LATER[later])

    add_passkey(page)

    expect(page.get_by_role("dialog")).to_contain_text("The passkey was not added")
    expect(page.get_by_role("dialog")).to_contain_text(LEFT_OVER)
    assert len(devices.passkeys(device)) == 1
    assert asked(home, "vault.state")["hasPasskey"] is False


def test_of_a_passkey_that_was_never_made_nothing_is_said_to_stay(
    home: Any, page: Page, devices: Devices
) -> None:
    device = devices.add(isUserVerified=False)

    add_passkey(page)

    expect(page.get_by_role("dialog")).to_contain_text(REFUSED)
    expect(page.get_by_role("dialog")).not_to_contain_text(LEFT_OVER)
    assert devices.passkeys(device) == []
    assert asked(home, "vault.state")["hasPasskey"] is False


def test_what_a_removed_passkey_gives_opens_nothing_again(
    home: Any, page: Page, devices: Devices
) -> None:
    devices.add()
    add_passkey(page)
    expect(page.get_by_text(OPENED)).to_be_visible()
    known = asked(home, "vault.passkey")
    given = page.evaluate(_EVALUATED, known)
    assert asked(home, "vault.unlock", secret={"prf": given})["state"] == "open"

    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("The passkey no longer opens the vault.")).to_be_visible()

    assert asked(home, "vault.passkey")["salt"] != known["salt"]
    with pytest.raises(Refused, match="passkey_refused"):
        asked(home, "vault.unlock", secret={"prf": given})
    add_passkey(page)
    expect(page.get_by_text(OPENED)).to_be_visible()
    with pytest.raises(Refused, match="passkey_refused"):
        asked(home, "vault.unlock", secret={"prf": given})


def test_an_upload_is_approved_with_the_passkey_and_not_without_her(
    home: Any, page: Page, devices: Devices
) -> None:
    device = devices.add()
    add_passkey(page)
    expect(page.get_by_text(OPENED)).to_be_visible()
    join(home, portraits())
    tab = home.own_page("pages/privacy/privacy.html")
    hold = tab.evaluate(_HOLD, base64.b64encode(herself()).decode())
    page.goto(f"chrome-extension://{home.id}/pages/approve/approve.html?hold={hold}")

    devices.verify(device, is_she=False)
    page.get_by_role("button", name="Use the passkey").click()
    expect(page.get_by_text(REFUSED)).to_be_visible()
    assert tab.evaluate(_OUTCOME, hold) == "waiting"
    devices.verify(device, is_she=True)
    page.get_by_role("button", name="Use the passkey").click()
    # It closes when it was opened as a window; here it is a tab that showed another page before.
    tab.wait_for_function(
        f"(hold) => ({_OUTCOME})(hold).then((state) => state === 'released')", arg=hold
    )
    tab.close()


# What goes wrong when the device has already made the passkey.
_LATER = {
    "she stops the second question": """
      PublicKeyCredential.prototype.getClientExtensionResults = () => ({ prf: { enabled: true } });
      navigator.credentials.get = async () => { throw new DOMException('stopped', 'NotAllowedError'); };""",
    "the vault does not take it": """
      const send = chrome.runtime.sendMessage.bind(chrome.runtime);
      chrome.runtime.sendMessage = (asked) => (asked.kind === 'vault.passkey.add' ? Promise.resolve({ error: 'failed' }) : send(asked));""",
}
_HOLD = """(picture) => chrome.runtime.sendMessage({ to: 'background', kind: 'upload.check', ask: {
  id: 'one', pictures: [picture], prompt: 'make the sky blue', page: 'https://grok.com/' } }).then(({ answer }) => answer.hold)"""
_OUTCOME = """(hold) => chrome.runtime.sendMessage({ to: 'background', kind: 'upload.outcome', ask: { hold } }).then(({ answer }) => answer.state)"""
_EVALUATED = """async ({ salt, credential }) => {
  const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const shown = await navigator.credentials.get({ publicKey: {
    challenge: crypto.getRandomValues(new Uint8Array(32)), userVerification: 'required',
    allowCredentials: [{ type: 'public-key', id: bytes(credential) }],
    extensions: { prf: { eval: { first: bytes(salt) } } },
  } });
  const { first } = shown.getClientExtensionResults().prf.results;
  return btoa(String.fromCharCode(...new Uint8Array(first)));
}"""
