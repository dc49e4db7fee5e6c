"""What the extension draws over a page. It lies in closed shadow roots, so a test looks the way the debugger does."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Error, Page

WAIT_S = 30
TRIES = 20


@dataclass(frozen=True)
class Drawn:
    """One element in a closed root."""

    node: int
    tag: str
    attributes: dict[str, str]
    text: str
    is_hidden: bool


class ClosedRoots:
    """The closed shadow roots of a page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._session = page.context.new_cdp_session(page)

    def all(self) -> list[Drawn]:
        """Every element in them, in the order of the document."""
        root = self._session.send("DOM.getDocument", {"depth": -1, "pierce": True})["root"]
        return list(_closed(root, inside=False))

    def find(self, tag: str, *, text: str = "", **attributes: str) -> list[Drawn]:
        """Those with this tag, which contain this text and have these attributes (a class: among others)."""
        named = {name.strip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            each
            for each in self.all()
            if each.tag == tag
            and text in each.text
            and all(value in each.attributes.get(name, "").split() for name, value in named.items())
        ]

    def wait(self, tag: str, *, text: str = "", **attributes: str) -> Drawn:
        """The first of them that is shown, once it is there."""
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            for each in self.find(tag, text=text, **attributes):
                if not each.is_hidden:
                    return each
            self._page.wait_for_timeout(50)
        raise AssertionError(f"no <{tag}> {text!r} {attributes} in {self.all()}")

    def press(self, tag: str, *, text: str = "", **attributes: str) -> None:
        """Click it with the mouse, as she would: what a script dispatches is not listened to."""
        for _ in range(TRIES):
            # What is looked up may be drawn anew before it is pressed.
            drawn = self.wait(tag, text=text, **attributes)
            with contextlib.suppress(Error):
                self._session.send("DOM.scrollIntoViewIfNeeded", {"nodeId": drawn.node})
            middle = self.place(drawn)
            if middle is not None:
                self._page.mouse.click(*middle)
                return
        raise AssertionError(f"<{tag}> {text!r} {attributes} cannot be pressed")

    def place(self, drawn: Drawn) -> tuple[float, float] | None:
        """Where its middle is in the viewport, or None if it is not there, or not on the screen."""
        try:
            box = self._session.send("DOM.getBoxModel", {"nodeId": drawn.node})["model"]["border"]
        except Error:
            return None
        return (box[0] + box[2]) / 2, (box[1] + box[5]) / 2


def _closed(node: dict[str, Any], *, inside: bool) -> Iterator[Drawn]:
    if inside and node["nodeType"] == 1:
        flat = node.get("attributes", [])
        attributes = dict(zip(flat[::2], flat[1::2], strict=True))
        yield Drawn(
            node["nodeId"], node["localName"], attributes, _text(node), "hidden" in attributes
        )
    for root in node.get("shadowRoots", []):
        yield from _closed(root, inside=inside or root.get("shadowRootType") == "closed")
    for child in [*node.get("children", []), *filter(None, [node.get("contentDocument")])]:
        yield from _closed(child, inside=inside and child.get("nodeName") != "#document")


def _text(node: dict[str, Any]) -> str:
    if node["nodeType"] == 3:
        return str(node["nodeValue"])
    return "".join(_text(child) for child in node.get("children", []))
