"""The same extension in a real Firefox: it installs, enrols, marks her in a feed, and holds an upload."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.firefox import Firefox, Tab
from fakes.internet import Internet
from generator import PAGE
from subject import PASSPHRASE, herself, nobody, portraits
from thread_pages import Post, x_article, x_timeline

WAIT_S = 90
ESCAPE = "\ue00c"
FEED, PICTURES, GENERATOR = "x.com", "pbs.twimg.com", "grok.com"
pytestmark = [pytest.mark.e2e]


@pytest.fixture(scope="module")
def firefox(
    extension_builds: Path,
    internet: Internet,
    browser_path: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Firefox]:
    """A Firefox with the extension in it, all sites allowed."""
    executable = browser_path("firefox-esr")
    folder = tmp_path_factory.mktemp("firefox") / "extension"
    shutil.copytree(extension_builds / "firefox", folder)
    file = folder / "manifest.json"
    manifest = json.loads(file.read_text())
    manifest["host_permissions"] = manifest.pop("optional_host_permissions")
    file.write_text(json.dumps(manifest))
    with Firefox(executable, internet.address) as firefox:
        firefox.install(folder)
        yield firefox


@pytest.fixture(scope="module")
def own_page(firefox: Firefox) -> Tab:
    """One of the extension's own pages, in a browser where she has enrolled."""
    tab = firefox.own_page("pages/privacy/privacy.html")
    asked(tab, "vault.create", passphrase=PASSPHRASE)
    for photo in portraits():
        text = base64.b64encode(photo).decode()
        assert asked(tab, "enrol.photo", session="s", photo=text)["accepted"]
    asked(tab, "enrol.finish", session="s", name="Eileen", policy="every_edit")
    return tab


def asked(tab: Tab, kind: str, **ask: object) -> Any:
    message = json.dumps({"to": "background", "kind": kind, "ask": ask})
    reply = tab.evaluate(f"browser.runtime.sendMessage({message})")
    assert "answer" in reply, reply
    return reply["answer"]


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


def test_it_marks_her_in_a_feed_and_nobody_else(
    firefox: Firefox, own_page: Tab, internet: Internet
) -> None:
    internet.put(f"//{PICTURES}/me.jpg", herself())
    internet.put(f"//{PICTURES}/nobody.jpg", nobody())
    internet.put(
        f"//{FEED}/",
        f'<img width="200" height="200" src="https://{PICTURES}/me.jpg">'
        f'<div style="width:200px;height:200px;background:url(https://{PICTURES}/me.jpg?b)"></div>'
        f'<img width="200" height="200" src="https://{PICTURES}/nobody.jpg">',
        content_security_policy="default-src 'self'; img-src https:; style-src-attr 'unsafe-inline'",
    )
    feed = firefox.open(f"https://{FEED}/")

    wait_until(lambda: feed.tree().count('"class": "badge"') == 2)
    wait_until(lambda: "pictures here that show you: 2" in feed.tree())
    assert feed.evaluate("[...document.querySelectorAll('*')].every((e) => e.shadowRoot === null)")


def test_it_holds_an_upload_of_her_and_lets_one_of_nobody_go_on(
    firefox: Firefox, own_page: Tab, internet: Internet, tmp_path: Path
) -> None:
    internet.put(f"//{GENERATOR}/", PAGE)
    internet.put(f"//{GENERATOR}/up", "ok")
    for name, picture in {"me.jpg": herself(), "nobody.jpg": nobody()}.items():
        internet.put(f"//{GENERATOR}/{name}", picture)
        (tmp_path / name).write_bytes(picture)
    page = firefox.open(f"https://{GENERATOR}/")
    internet.forget()

    page.set_files("#file", tmp_path / "me.jpg")
    wait_until(lambda: "shows somebody protected" in page.tree())
    assert page.evaluate("seen") == []
    assert own_page.evaluate("browser.declarativeNetRequest.getSessionRules()") != []
    page.press(ESCAPE)
    wait_until(lambda: "<dialog" not in page.tree() and '"localName": "dialog"' not in page.tree())
    assert page.evaluate("seen") == []

    page.evaluate("void ways['fetch, form data']('me.jpg').then((r) => { window.sent = r; })")
    wait_until(lambda: "shows somebody protected" in page.tree())
    assert internet.uploads(GENERATOR) == []
    page.press(ESCAPE)
    wait_until(lambda: page.evaluate("window.sent") == "error")
    assert internet.uploads(GENERATOR) == []

    page.set_files("#file", tmp_path / "nobody.jpg")
    wait_until(lambda: page.evaluate("seen") != [])


def test_a_request_that_cannot_wait_fails_with_words_in_it_and_goes_without(
    firefox: Firefox, own_page: Tab, internet: Internet
) -> None:
    internet.put(f"//{GENERATOR}/", PAGE)
    internet.put(f"//{GENERATOR}/up", "ok")
    page = firefox.open(f"https://{GENERATOR}/")
    internet.forget()

    def sent(body: dict[str, str]) -> Any:
        return page.evaluate(
            "(() => { const x = new XMLHttpRequest(); x.open('POST', '/up', false);"
            f" try {{ x.send({json.dumps(json.dumps(body))}); return x.status; }} catch (error) {{ return error.name; }} }})()"
        )

    assert sent({"prompt": "a portrait of somebody on the moon"}) == "NetworkError"
    assert internet.uploads(GENERATOR) == []
    assert sent({"event": "click"}) == 200
    assert [each.body for each in internet.uploads(GENERATOR)] == [b'{"event": "click"}']


def test_a_request_beneath_her_picture_is_an_alert_and_beneath_a_cat_none(
    firefox: Firefox, own_page: Tab, internet: Internet
) -> None:
    internet.put(f"//{PICTURES}/hers.jpg", herself())
    internet.put(f"//{PICTURES}/cat.jpg", nobody())
    cat = Post("tom", "My cat", "7", f"https://{PICTURES}/cat.jpg")
    mine = Post("sara", "A day at the lake", "1", f"https://{PICTURES}/hers.jpg")
    asks = "@grok put her in a bikini"
    cells = x_article(Post("troll", asks, "2"), quoted=cat)
    internet.put(
        f"//{FEED}/i/timeline", x_timeline(cells + x_article(Post("other", asks, "3"), quoted=mine))
    )

    firefox.open(f"https://{FEED}/i/timeline")

    wait_until(lambda: asked(own_page, "inbox.list")["unread"] == 1)
    (summary,) = asked(own_page, "inbox.list")["alerts"]
    alert = asked(own_page, "inbox.read", alert=summary["alert"])
    assert [each["account"] for each in alert["evidence"]] == ["other"]
