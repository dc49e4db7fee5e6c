"""Firefox over WebDriver BiDi, without a driver program: its own WebSocket server, and the few words that tests need."""

from __future__ import annotations

import base64
import itertools
import json
import os
import re
import secrets
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

START_S = 60
ANSWER_S = 60
EXTENSION_ID = "consentry@consentry.invalid"
# Chosen before the extension is there, so that the address of its pages is known.
EXTENSION_UUID = "6f8a1c1e-52a7-4f0f-9d0e-3f3a5c1f7b11"
_PREFERENCES: dict[str, object] = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.safebrowsing.downloads.remote.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.search.update": False,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.update.enabled": False,
    "extensions.webextensions.uuids": json.dumps({EXTENSION_ID: EXTENSION_UUID}),
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.proxy.allow_hijacking_localhost": True,
    "network.proxy.no_proxies_on": "",
    "network.proxy.type": 1,
    "network.stricttransportsecurity.preloadlist": False,
    "services.settings.server": "https://nowhere.invalid/v1",
    "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.unified": False,
}


class BidiError(Exception):
    """Firefox could not do what it was asked."""


class Firefox:
    """A Firefox with a profile of its own, behind a proxy, for the length of a `with` block."""

    def __init__(self, executable: str, proxy: str) -> None:
        self._profile = tempfile.TemporaryDirectory(
            prefix="consentry-firefox-", ignore_cleanup_errors=True
        )
        host, port = proxy.split(":")
        preferences = _PREFERENCES | {
            f"network.proxy.{kind}{what}": value
            for kind in ("http", "ssl")
            for what, value in (("", host), ("_port", int(port)))
        }
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in preferences.items()]
        Path(self._profile.name, "user.js").write_text("".join(lines))
        self._process = subprocess.Popen(
            [
                executable,
                *("--headless", "--no-remote", "--profile", self._profile.name),
                *("--remote-debugging-port", "0", "--remote-allow-system-access", "about:blank"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "MOZ_HEADLESS_WIDTH": "1200", "MOZ_HEADLESS_HEIGHT": "900"},
        )
        self._socket: _WebSocket | None = None
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        """Start, and open a session."""
        found: list[str] = []
        ready = threading.Event()

        def read() -> None:
            for line in self._process.stderr:
                if match := re.search(r"WebDriver BiDi listening on (ws://\S+)", line):
                    found.append(match[1])
                    ready.set()
            ready.set()

        self._reader = threading.Thread(target=read, daemon=True)
        self._reader.start()
        ready.wait(START_S)
        if not found:
            self.__exit__()
            raise BidiError("Firefox did not start")
        self._socket = _WebSocket(found[0] + "/session")
        self.call("session.new", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})
        return self

    def __exit__(self, *_: object) -> None:
        """End the browser and remove its profile."""
        if self._socket is not None:
            self._socket.close()
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(5)
        self._process.stderr.close()
        self._profile.cleanup()

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """One command of WebDriver BiDi."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.receive())
            if answer.get("id") == number:
                if answer["type"] == "error":
                    raise BidiError(f"{method}: {answer['error']}: {answer['message']}")
                return answer["result"]

    def install(self, folder: Path) -> None:
        """Install an unpacked extension until the browser ends."""
        self.call("webExtension.install", extensionData={"type": "path", "path": str(folder)})

    def open(self, url: str) -> Tab:
        """Open a tab and wait until its page is loaded."""
        context = self.call("browsingContext.create", type="tab")["context"]
        self.call("browsingContext.navigate", context=context, url=url, wait="complete")
        return Tab(self, context)

    def own_page(self, path: str) -> Tab:
        """Open one of the extension's own pages."""
        return self.open(f"moz-extension://{EXTENSION_UUID}/{path}")


class Tab:
    """One tab."""

    def __init__(self, firefox: Firefox, context: str) -> None:
        self._firefox = firefox
        self.context = context

    def evaluate(self, expression: str) -> Any:
        """What an expression (a promise: what it resolves to) gives, by way of JSON."""
        answer = self._firefox.call(
            "script.evaluate",
            expression=f"(async () => JSON.stringify((await ({expression})) ?? null))()",
            target={"context": self.context},
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise BidiError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def tree(self) -> str:
        """The document with its closed shadow roots, as JSON text of BiDi's own form."""
        answer = self._firefox.call(
            "script.evaluate",
            expression="document.documentElement",
            target={"context": self.context},
            awaitPromise=False,
            serializationOptions={"maxDomDepth": 12, "includeShadowTree": "all"},
        )
        return json.dumps(answer["result"])

    def set_files(self, selector: str, *files: Path) -> None:
        """Choose files in a file input, as its dialog does."""
        found = self._firefox.call(
            "browsingContext.locateNodes",
            context=self.context,
            locator={"type": "css", "value": selector},
        )["nodes"]
        self._firefox.call(
            "input.setFiles",
            context=self.context,
            element={"sharedId": found[0]["sharedId"]},
            files=[str(file) for file in files],
        )

    def press(self, key: str) -> None:
        """Press a key."""
        actions = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self._firefox.call(
            "input.performActions",
            context=self.context,
            actions=[{"type": "key", "id": "keyboard", "actions": actions}],
        )

    def screenshot(self) -> bytes:
        """What is on the screen, as PNG."""
        shot = self._firefox.call("browsingContext.captureScreenshot", context=self.context)
        return base64.b64decode(shot["data"])


class _WebSocket:
    """As much of RFC 6455 as a client needs that talks to a browser on the same machine."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=ANSWER_S)
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        self._socket.sendall(
            f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self._stream = self._socket.makefile("rb")
        status = self._stream.readline()
        if b" 101 " not in status:
            raise BidiError(f"no WebSocket: {status!r}")
        while self._stream.readline() != b"\r\n":
            pass

    def send(self, text: str) -> None:
        body = text.encode()
        size = len(body)
        if size < 126:
            head = bytes([0x81, 0x80 | size])
        elif size < 1 << 16:
            head = bytes([0x81, 0x80 | 126]) + size.to_bytes(2)
        else:
            head = bytes([0x81, 0x80 | 127]) + size.to_bytes(8)
        mask = secrets.token_bytes(4)
        masked = bytes(a ^ b for a, b in zip(body, itertools.cycle(mask), strict=False))
        self._socket.sendall(head + mask + masked)

    def receive(self) -> str:
        message = b""
        while True:
            first, second = self._stream.read(2)
            size = second & 0x7F
            if size >= 126:
                size = int.from_bytes(self._stream.read(2 if size == 126 else 8))
            body = self._stream.read(size)
            if first & 0x0F in {0, 1}:
                message += body
                if first & 0x80:
                    return message.decode()

    def close(self) -> None:
        self._stream.close()
        self._socket.close()
