"""The background of the extension in a real Chromium: enrolling, looking, deciding, locking, and being ended meanwhile."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from asking import NAME, PASSPHRASE, Asking, text
from authenticators import Devices
from engine_cases import jpeg, pictures, png
from PIL import Image


@pytest.fixture(scope="module")
def ask(new_browser: Callable[[], Any]) -> Asking:
    """A browser in which somebody is enrolled; the vault is open."""
    asking = Asking(new_browser())
    assert asking("vault.state")["state"] == "none"
    asking("vault.create", passphrase=PASSPHRASE)
    asking.enrol()
    return asking


@pytest.fixture
def opened(ask: Asking) -> Asking:
    ask("vault.unlock", secret={"passphrase": PASSPHRASE})
    return ask


def stranger() -> bytes:
    """A face that is drawn by code, and nobody's."""
    return png(pictures()["nobody"])


def test_the_engine_says_that_it_is_ready(opened: Asking) -> None:
    assert opened("engine.state") == {
        "state": "ready",
        "engine": "browser",
        "model": "mfn192+sface@1",
    }


@pytest.mark.parametrize("name", ["cropped", "mirrored", "small", "in-noise"])
def test_she_is_found_in_a_feed(opened: Asking, name: str) -> None:
    answer = opened.check(jpeg(pictures()[name]))

    assert (answer["checked"], answer["shows"], answer["by"]) == (True, "match", "browser")
    (sighting,) = answer["sightings"]
    assert sighting["match"] == "match"
    place = sighting["place"]
    assert 0 <= place["x"] < 1
    assert 0 < place["w"] < 1


def test_a_picture_of_nobody_shows_nobody(opened: Asking) -> None:
    answer = opened.check(stranger())

    assert (answer["checked"], answer["shows"], answer["sightings"]) == (
        True,
        "nobody_enrolled",
        [],
    )


def test_what_is_no_picture_is_not_checked(opened: Asking) -> None:
    assert opened.check(b"<html>") == {"checked": False, "why": "picture_unreadable"}


def test_a_page_of_another_kind_may_not_ask_for_secrets(opened: Asking) -> None:
    page = opened.browser.context.new_page()
    url = opened.browser.internet.put("//asking.example/", "<title>a page</title>")
    page.goto(url)

    assert page.evaluate("typeof chrome === 'undefined' || chrome.runtime === undefined") is True
    page.close()


def test_an_ordinary_edit_of_her_needs_her_consent_and_her_passphrase(opened: Asking) -> None:
    answer = opened.upload(jpeg(pictures()["whole"]), "make it a watercolour")
    assert (answer["verdict"], answer["shows"]) == ("needs_consent", "match")
    assert answer["reasons"] == ["consent_required"]
    shown = opened("upload.hold", hold=answer["hold"])
    assert shown["subjects"] == [NAME]
    assert len(shown["thumbnails"]) == 1

    wrong = opened.reply(
        "upload.release", hold=answer["hold"], secret={"passphrase": "not it at all"}
    )
    assert wrong == {"error": "wrong_passphrase"}
    released = opened("upload.release", hold=answer["hold"], secret={"passphrase": PASSPHRASE})
    assert released == {"released": True}
    again = opened.reply("upload.release", hold=answer["hold"], secret={"passphrase": PASSPHRASE})
    assert again == {"error": "not_found"}


def test_an_upload_without_words_of_somebody_else_goes_on(opened: Asking) -> None:
    answer = opened.upload(stranger(), None)

    assert (answer["verdict"], answer["hold"], answer["checked"]) == ("allow", None, True)


def test_a_revealing_request_is_refused_whoever_is_in_the_picture(opened: Asking) -> None:
    for file in (jpeg(pictures()["whole"]), stranger()):
        answer = opened.upload(file, "put her in a bikini")

        assert (answer["verdict"], answer["hold"]) == ("refuse", None)
        assert answer["reasons"] == ["revealing_real_person"]


def test_what_cannot_be_read_is_refused_at_the_door(opened: Asking) -> None:
    answer = opened.upload(b"nothing that anybody can read", "make it a watercolour")

    assert (answer["verdict"], answer["checked"]) == ("refuse", False)
    assert answer["reasons"] == ["unreadable"]


def test_while_locked_a_face_is_not_let_through_and_a_feed_is_not_checked(opened: Asking) -> None:
    opened("vault.lock")

    assert opened("vault.state")["subjects"] == []
    assert opened.check(jpeg(pictures()["whole"])) == {"checked": False, "why": "locked"}
    answer = opened.upload(jpeg(pictures()["whole"]), "make it a watercolour")
    assert (answer["verdict"], answer["checked"]) == ("refuse", False)
    assert answer["privateReasons"] == ["locked"]


def test_a_wrong_passphrase_opens_nothing(opened: Asking) -> None:
    opened("vault.lock")

    reply = opened.reply("vault.unlock", secret={"passphrase": "plum ladder cobalt ten"})
    assert reply == {"error": "wrong_passphrase"}
    assert opened("vault.state")["state"] == "locked"


def test_a_passkey_of_the_device_opens_the_vault(opened: Asking) -> None:
    opened.page.bring_to_front()
    Devices(opened.page).add()
    salt = opened("vault.passkey")["salt"]
    made = opened.page.evaluate(_PASSKEY, {"salt": salt})
    prf = made["prf"] or opened.page.evaluate(_PASSKEY, {"salt": salt, "id": made["id"]})["prf"]
    secret = {"passphrase": PASSPHRASE}
    added = opened("vault.passkey.add", secret=secret, credential=made["id"], prf=prf)
    assert added["hasPasskey"] is True

    opened("vault.lock")
    known = opened("vault.passkey")
    again = opened.page.evaluate(_PASSKEY, {"salt": known["salt"], "id": known["credential"]})
    assert opened("vault.unlock", secret={"prf": again["prf"]})["state"] == "open"
    other = opened.page.evaluate(_PASSKEY, {"salt": "A" * 43 + "=", "id": known["credential"]})
    reply = opened.reply("vault.unlock", secret={"prf": other["prf"]})
    assert reply == {"error": "passkey_refused"}

    assert opened("vault.passkey.remove")["hasPasskey"] is False
    reply = opened.reply("vault.unlock", secret={"prf": again["prf"]})
    assert reply == {"error": "passkey_refused"}


def test_an_ended_background_comes_back_to_an_open_vault(opened: Asking) -> None:
    opened.browser.end_worker()

    assert opened("vault.state")["state"] == "open"
    assert opened.check(jpeg(pictures()["cropped"]))["shows"] == "match"


def test_a_background_ended_in_mid_check_loses_nothing_and_lets_nothing_through(
    opened: Asking,
) -> None:
    file = text(jpeg(pictures()["large"]))
    page = "https://generator.example/"
    body = {"id": "7", "pictures": [file], "prompt": None, "page": page}
    message = {"to": "background", "kind": "upload.check", "ask": body}
    started = """(m) => { globalThis.outcome = chrome.runtime.sendMessage(m).then(
      (reply) => ({ reply }), () => ({ interrupted: true })); }"""
    opened.page.evaluate(started, message)
    opened.browser.end_worker()

    outcome = opened.page.evaluate("globalThis.outcome")
    assert outcome == {"interrupted": True} or outcome["reply"] is None
    # The sender asks again under the same id: the same check, whole.
    answer = dict(opened("upload.check", **body))
    assert answer["verdict"] == "needs_consent"


def test_photos_that_wait_survive_the_background_and_are_sealed(opened: Asking) -> None:
    opened("enrol.photo", session="b", photo=text(jpeg(pictures()["whole"])))
    opened.browser.end_worker()

    again = opened("enrol.photo", session="b", photo=text(jpeg(pictures()["odd"])))
    assert again["photos"] == 2
    opened("enrol.cancel", session="b")
    nobody = opened.reply("enrol.finish", session="b", name="Bea", policy="every_edit")
    assert nobody == {"error": "no_photos"}


def test_a_photo_without_a_face_or_too_poor_is_not_taken(opened: Asking) -> None:
    assert opened.reply("enrol.photo", session="c", photo=text(stranger())) == {"error": "no_face"}

    tiny = Image.fromarray(pictures()["whole"]).resize((100, 100))
    poor = opened("enrol.photo", session="c", photo=text(jpeg(np.asarray(tiny))))
    assert (poor["accepted"], poor["photos"]) == (False, 0)
    assert "too_small" in poor["issues"]


def test_a_dump_of_all_storage_holds_no_template_in_the_clear(opened: Asking) -> None:
    dump = opened.page.evaluate(_DUMP)
    assert len(dump["indexed"]) > 1000
    embeddings = opened.page.evaluate(_EMBED, text(jpeg(pictures()["whole"])))
    assert len(embeddings) == 320

    everything = base64.b64decode(dump["indexed"]) + json.dumps(dump["areas"]).encode()
    floats = np.array(embeddings, "<f4")
    for start in range(0, 316, 4):
        assert floats[start : start + 4].tobytes() not in everything
    on_disk = base64.b64decode(dump["indexed"]) + json.dumps(dump["areas"]["local"]).encode()
    assert NAME.encode() not in on_disk


def test_the_vault_is_locked_after_the_browser_was_restarted(opened: Asking) -> None:
    opened.browser.restart()
    fresh = Asking(opened.browser)

    assert fresh("vault.state")["state"] == "locked"
    assert fresh.check(jpeg(pictures()["cropped"])) == {"checked": False, "why": "locked"}
    fresh("vault.unlock", secret={"passphrase": PASSPHRASE})
    assert fresh.check(jpeg(pictures()["cropped"]))["shows"] == "match"
    opened.page = fresh.page


def test_what_was_tampered_with_is_said_to_be_damaged(opened: Asking) -> None:
    opened.page.evaluate(_TAMPER)
    opened.browser.end_worker()

    assert opened.check(jpeg(pictures()["cropped"])) == {"checked": False, "why": "storage_damaged"}
    answer = opened.upload(jpeg(pictures()["cropped"]), None)
    assert (answer["verdict"], answer["privateReasons"]) == ("refuse", ["search_failed"])


_STORE = """const records = () => new Promise((resolve, reject) => {
  const request = indexedDB.open('consentry-vault');
  request.onerror = () => reject(request.error);
  request.onsuccess = () => resolve(request.result);
});
const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
"""

_DUMP = (
    "async () => {"
    + _STORE
    + """
  const database = await records();
  const parts = [];
  const walk = (value) => {
    if (ArrayBuffer.isView(value)) parts.push(String.fromCharCode(...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)));
    else if (value instanceof CryptoKey) parts.push(JSON.stringify({ extractable: value.extractable }));
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk);
    else parts.push(unescape(encodeURIComponent(String(value))));
  };
  const store = database.transaction('records').objectStore('records');
  walk(await done(store.getAll()));
  const areas = { local: await chrome.storage.local.get(null), session: await chrome.storage.session.get(null) };
  return { indexed: btoa(parts.join('|')), areas };
}"""
)

_PASSKEY = """async ({ salt, id }) => {
  const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const challenge = crypto.getRandomValues(new Uint8Array(32));
  const extensions = { prf: { eval: { first: bytes(salt) } } };
  const shared = { challenge, extensions };
  const credential = id === undefined
    ? await navigator.credentials.create({ publicKey: { ...shared, rp: { name: 'Consentry' },
        user: { id: new Uint8Array([1]), name: 'me', displayName: 'me' },
        pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' } } })
    : await navigator.credentials.get({ publicKey: { ...shared, userVerification: 'required',
        allowCredentials: [{ type: 'public-key', id: bytes(id) }] } });
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));
  const first = credential.getClientExtensionResults().prf?.results?.first;
  return { id: text(credential.rawId), prf: first === undefined ? null : text(first) };
}"""

_EMBED = """async (file) => {
  const engine = new Worker('/engine/engine.js', { type: 'module' });
  const channel = new MessageChannel();
  const answer = new Promise((resolve) => { channel.port1.onmessage = (event) => resolve(event.data); });
  const bytes = Uint8Array.from(atob(file), (character) => character.charCodeAt(0)).buffer;
  engine.postMessage({ op: 'look', file: bytes, thorough: false }, [channel.port2]);
  const seen = await answer;
  engine.terminate();
  return [...seen.views[0].faces[0].embedding];
}"""

_TAMPER = (
    "async () => {"
    + _STORE
    + """
  const database = await records();
  const read = database.transaction('records').objectStore('records');
  const vault = await done(read.get('vault'));
  vault.templates[0].sealed[40] ^= 1;
  await done(database.transaction('records', 'readwrite').objectStore('records').put(vault, 'vault'));
}"""
)
