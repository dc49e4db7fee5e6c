"""Asking the background of the extension, as its own pages do."""

from __future__ import annotations

import base64
from typing import Any

from engine_cases import jpeg, pictures

PASSPHRASE = "plum ladder cobalt nine"
NAME = "Ada Lovelace"


def text(data: bytes) -> str:
    """Return bytes as messages carry them."""
    return base64.b64encode(data).decode()


class Asking:
    """One of the extension's own pages."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.page = browser.own_page("engine/offscreen.html")

    def reply(self, kind: str, **ask: Any) -> dict[str, Any]:
        """Return the answer, or the failure."""
        message = {"to": "background", "kind": kind, "ask": ask}
        return dict(self.page.evaluate("(m) => chrome.runtime.sendMessage(m)", message))

    def __call__(self, kind: str, **ask: Any) -> Any:
        """Return the answer; a failure fails the test."""
        reply = self.reply(kind, **ask)
        assert "answer" in reply, (kind, reply)
        return reply["answer"]

    def check(self, file: bytes) -> dict[str, Any]:
        """Look at a picture of a feed."""
        picture = {"bytes": text(file)}
        return dict(self("picture.check", id="1", picture=picture, page="https://feed.example/"))

    def upload(self, file: bytes, prompt: str | None) -> dict[str, Any]:
        """Ask for an upload, as the guard does."""
        page = "https://generator.example/"
        body = {"id": "1", "pictures": [text(file)], "prompt": prompt, "page": page}
        return dict(self("upload.check", **body))

    def enrol(self) -> str:
        """Enrol the astronaut from three photos, and return her identifier."""
        astronaut = pictures()["whole"]
        for photo in (astronaut, astronaut[:, ::-1].copy(), pictures()["odd"]):
            answer = self("enrol.photo", session="a", photo=text(jpeg(photo)))
            assert answer["accepted"], answer
        answer = self("enrol.finish", session="a", name=NAME, policy="every_edit")
        return str(answer["subject"])
