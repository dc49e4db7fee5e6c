"""A whole session, from a clean profile: what the browser asked the network for, and what lies in its storage afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from closed_roots import ClosedRoots
from fakes.internet import Internet
from generator import PAGE
from subject import PASSPHRASE, asked, enrol, herself, nobody, portraits

pytestmark = [pytest.mark.e2e]

FEED, PICTURES, GENERATOR = "x.com", "pbs.twimg.com", "grok.com"
# The parts and the whole of what the companion's model makes, and the shorter parts of it.
DIMENSIONS = (128, 192, 320)


@pytest.fixture(scope="module")
def session(
    own_hosts: set[str], new_browser: Callable[[], Any], internet: Internet
) -> dict[str, Any]:
    """Install, enrol, look at a feed, upload, close. Returns what was asked for, and the profile."""
    internet.forget()
    internet.put(f"//{PICTURES}/me.jpg", herself())
    internet.put(f"//{FEED}/", f'<img width="200" height="200" src="https://{PICTURES}/me.jpg">')
    internet.put(f"//{GENERATOR}/", PAGE)
    internet.put(f"//{GENERATOR}/me.jpg", herself())
    internet.put(f"//{GENERATOR}/nobody.jpg", nobody())
    internet.put(f"//{GENERATOR}/up", "ok")

    browser = new_browser()
    enrol(browser, portraits())
    page = browser.context.new_page()
    page.goto(f"https://{FEED}/")
    ClosedRoots(page).wait("button", _class="found")
    page.goto(f"https://{GENERATOR}/")
    page.evaluate("ways['fetch, form data']('me.jpg'); 0")
    drawn = ClosedRoots(page)
    drawn.wait("dialog", text="shows somebody protected")
    drawn.press("button", text="Do not upload")
    for path in ("popup", "inbox", "enrol", "settings", "privacy", "welcome"):
        browser.own_page(f"pages/{path}/{path}.html").close()
    page.wait_for_timeout(1500)
    asked_for = internet.requests
    dump = everything_in(browser)
    browser.restart()
    after = asked(browser, "vault.state")
    wrong = browser.ask(
        {
            "to": "background",
            "kind": "vault.unlock",
            "ask": {"secret": {"passphrase": "not the right one"}},
        }
    )
    right = asked(browser, "vault.unlock", secret={"passphrase": PASSPHRASE})
    browser.context.close()
    return {
        "own": own_hosts,
        "requests": asked_for,
        "dump": dump,
        "profile": browser.profile,
        "after": after,
        "wrong": wrong,
        "right": right,
    }


def everything_in(browser: Any) -> bytes:
    """All that the extension's storages hold, as bytes."""
    page = browser.own_page("manifest.json")
    parts = page.evaluate(
        """async () => {
          const out = [];
          const visit = (value) => {
            if (value instanceof ArrayBuffer) out.push([...new Uint8Array(value)]);
            else if (ArrayBuffer.isView(value)) out.push([...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)]);
            else if (typeof value === 'string') {
              out.push([...new TextEncoder().encode(value)]);
              try { out.push([...Uint8Array.from(atob(value), (c) => c.charCodeAt(0))]); } catch {}
            } else if (Array.isArray(value) && value.length > 64 && value.every((x) => typeof x === 'number')) out.push([...new Uint8Array(Float32Array.from(value).buffer)]);
            else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit);
          };
          for (const { name } of await indexedDB.databases()) {
            const db = await new Promise((done, fail) => { const r = indexedDB.open(name); r.onsuccess = () => done(r.result); r.onerror = () => fail(r.error); });
            for (const store of db.objectStoreNames) {
              visit(await new Promise((done) => { const r = db.transaction(store).objectStore(store).getAll(); r.onsuccess = () => done(r.result); }));
            }
            db.close();
          }
          visit(await chrome.storage.local.get(null));
          visit(await chrome.storage.session.get(null));
          return out;
        }"""
    )
    page.close()
    return b"\x00".join(bytes(each) for each in parts)


def embeddings_in(data: bytes) -> list[int]:
    """Where in `data` something lies that is a vector of norm 1, as an embedding is, of one of the model's dimensions."""
    found = []
    for shift in range(4):
        usable = len(data[shift:]) // 4 * 4
        floats: npt.NDArray[np.float32] = np.frombuffer(data[shift : shift + usable], "<f4")
        with np.errstate(all="ignore"):
            # An embedding's components are small, none is tiny beyond reason, and together they have norm 1.
            plain = np.isfinite(floats) & (np.abs(floats) < 1) & (np.abs(floats) > 1e-12)
            squares = np.where(plain, floats.astype(np.float64) ** 2, 0)
        sums = np.concatenate([[0.0], np.cumsum(squares)])
        known = np.concatenate([[0], np.cumsum(plain)])
        for dimension in DIMENSIONS:
            if len(floats) < dimension:
                continue
            norms = sums[dimension:] - sums[:-dimension]
            whole = known[dimension:] - known[:-dimension]
            at = np.flatnonzero((np.abs(norms - 1) < 2e-3) & (whole > dimension * 0.97))
            found += [shift + 4 * int(each) for each in at]
    return found


def test_the_search_for_embeddings_finds_one() -> None:
    random = np.random.default_rng(1)
    vector = random.normal(size=320).astype("<f4")
    vector /= np.linalg.norm(vector)
    noise = random.bytes(10_001)

    assert 10_001 in embeddings_in(noise + vector.tobytes() + noise)
    assert embeddings_in(random.bytes(400_000)) == []


def test_nothing_is_asked_for_beyond_the_pages_own_hosts(session: dict[str, Any]) -> None:
    hosts = {each.host.partition(":")[0] for each in session["requests"]}

    assert {FEED, PICTURES, GENERATOR} <= hosts
    assert hosts - session["own"] == {FEED, PICTURES, GENERATOR}


def test_nothing_of_a_picture_is_sent_anywhere(session: dict[str, Any]) -> None:
    sent = [each for each in session["requests"] if each.body and each.host not in session["own"]]

    assert sent == []


def test_the_vault_is_locked_after_a_restart_and_opens_for_her_alone(
    session: dict[str, Any],
) -> None:
    assert session["after"]["state"] == "locked"
    assert session["after"]["subjects"] == [] or all(
        not each.get("name") for each in session["after"]["subjects"]
    )
    assert session["wrong"] == {"error": "wrong_passphrase"}
    assert session["right"]["state"] == "open"


def test_no_template_and_no_name_lies_in_the_storage_in_the_clear(session: dict[str, Any]) -> None:
    assert len(session["dump"]) > 1000
    assert embeddings_in(session["dump"]) == []
    assert b"Eileen" not in session["dump"]
    assert PASSPHRASE.encode() not in session["dump"]


def test_no_template_lies_in_the_profile_on_the_disk(session: dict[str, Any]) -> None:
    places = ("IndexedDB", "Local Extension Settings", "Extension State", "Local Storage")
    profile: Path = session["profile"]
    files = [
        each
        for place in places
        for each in (profile / "Default" / place).rglob("*")
        if each.is_file()
    ]
    stored = b"".join(each.read_bytes() for each in files)

    assert len(stored) > 1000
    assert embeddings_in(stored) == []
    assert b"Eileen" not in stored
    assert PASSPHRASE.encode() not in stored
