"""The same engine and vault in a real Firefox, where the background is a page that the browser ends when it likes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asking import NAME, PASSPHRASE, text
from consentry.faces.pipeline import open_pipeline
from consentry.imagery.decoding import decode
from consentry.inference.sessions import ModelStore
from consentry.settings import Settings
from engine_cases import animation, jpeg, pictures
from fakes.firefox import Firefox, Tab
from fakes.internet import Internet
from launching import need

_LOOK = """(async () => {
  const engine = new Worker('/engine/engine.js', { type: 'module' });
  const channel = new MessageChannel();
  const answer = new Promise((resolve) => { channel.port1.onmessage = (event) => resolve(event.data); });
  const bytes = Uint8Array.from(atob(FILE), (character) => character.charCodeAt(0)).buffer;
  engine.postMessage({ op: 'look', file: bytes, thorough: true }, [channel.port2]);
  const seen = await answer;
  engine.terminate();
  return seen.views.map((view) => view.faces.map((face) => face.embedding && [...face.embedding]));
})()"""


@pytest.fixture(scope="module")
def tab(extension_builds: Path, internet: Internet) -> Iterator[Tab]:
    """One of the extension's own pages."""
    with Firefox(need("firefox-esr"), internet.address) as firefox:
        firefox.install(extension_builds / "firefox")
        yield firefox.own_page("pages/privacy/privacy.html")


def ask(tab: Tab, kind: str, **body: object) -> Any:
    message = json.dumps({"to": "background", "kind": kind, "ask": body})
    reply = tab.evaluate(f"chrome.runtime.sendMessage({message})")
    assert "answer" in reply, (kind, reply)
    return reply["answer"]


def check(tab: Tab, file: bytes) -> dict[str, Any]:
    picture = {"bytes": text(file)}
    return dict(ask(tab, "picture.check", id="1", picture=picture, page="https://feed.example/"))


@pytest.mark.parametrize(("name", "orientation"), [("whole", 1), ("odd", 6), ("nobody", 1)])
def test_firefox_sees_what_the_server_sees(tab: Tab, name: str, orientation: int) -> None:
    file = jpeg(pictures()[name], orientation=orientation)
    server = open_pipeline("companion", ModelStore(Settings().models_dir, 1))
    expected = [server.observe(pixels, thorough=True) for pixels in decode(file).views]

    views = tab.evaluate(_LOOK.replace("FILE", json.dumps(text(file))))

    assert [len(faces) for faces in views] == [len(faces) for faces in expected]
    for theirs, ours in zip(views, expected, strict=True):
        for embedding, face in zip(theirs, ours, strict=True):
            assert face.embedding is not None
            assert float(np.array(embedding, np.float32) @ face.embedding) > 0.9999


def test_firefox_enrols_finds_asks_and_locks(tab: Tab) -> None:
    assert ask(tab, "engine.state")["state"] == "ready"
    ask(tab, "vault.create", passphrase=PASSPHRASE)
    for name in ("whole", "mirrored", "odd"):
        assert ask(tab, "enrol.photo", session="a", photo=text(jpeg(pictures()[name])))["accepted"]
    ask(tab, "enrol.finish", session="a", name=NAME, policy="every_edit")

    nobody, hers = pictures()["nobody"], pictures()["in-noise"]
    assert check(tab, jpeg(pictures()["cropped"]))["shows"] == "match"
    assert check(tab, animation([nobody, hers], "GIF"))["shows"] == "match"
    assert check(tab, jpeg(nobody))["shows"] == "nobody_enrolled"

    body = {"id": "1", "pictures": [text(jpeg(hers))], "page": "https://generator.example/"}
    assert ask(tab, "upload.check", **body, prompt="a watercolour")["verdict"] == "needs_consent"
    assert ask(tab, "upload.check", **body, prompt="put her in a bikini")["verdict"] == "refuse"

    assert ask(tab, "vault.lock")["subjects"] == []
    assert check(tab, jpeg(pictures()["cropped"])) == {"checked": False, "why": "locked"}
