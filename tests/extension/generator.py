"""A generator's page, made as such pages are made, which notes whatever its own script gets to see."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from closed_roots import WAIT_S, ClosedRoots
from fakes.internet import Internet
from playwright.sync_api import Page
from subject import PASSPHRASE, herself, nobody

SITE = "grok.com"
QUIET_MS = 200
PICTURES = {"me.jpg": herself(), "nobody.jpg": nobody()}

PAGE = """<!doctype html><meta charset="utf-8"><title>generator</title><body>
<script>
  window.seen = [];
  const see = (way, files) => seen.push(...[...files].map((file) => `${way} ${file.size}`));
  // As early and as high up as a page's script can be.
  addEventListener('change', (e) => { const t = e.composedPath()[0]; if (t.files) see('window', t.files); }, true);
  addEventListener('drop', (e) => see('window', e.dataTransfer.files), true);
  addEventListener('paste', (e) => see('window', e.clipboardData.files), true);
  setInterval(() => { for (const i of document.querySelectorAll('input[type=file]')) if (i.files.length && !i.dataset.told) { i.dataset.told = 1; see('polled', i.files); } }, 5);
</script>
<input type="file" id="file"><div id="open"></div><div id="closed"></div>
<div id="zone" style="width:300px;height:120px;background:#eee">drop here</div>
<textarea id="prompt" style="width:400px;height:60px" placeholder="What shall I make?"></textarea>
<button id="pick">choose a picture</button>
<form id="form" action="/up" method="post" enctype="multipart/form-data" target="answer"><input type="hidden" name="a" value="b"></form>
<iframe name="answer" style="width:10px;height:10px"></iframe>
<script>
  file.onchange = () => see('input', file.files);
  const inOpen = document.querySelector('#open').attachShadow({mode: 'open'});
  inOpen.innerHTML = '<input type="file" id="inner">';
  inOpen.querySelector('input').onchange = (e) => see('input', e.target.files);
  const inClosed = document.querySelector('#closed').attachShadow({mode: 'closed'});
  inClosed.innerHTML = '<input type="file">';
  window.closedInput = inClosed.querySelector('input');
  closedInput.onchange = (e) => see('input', e.target.files);
  zone.ondragover = (e) => e.preventDefault();
  zone.ondrop = (e) => { e.preventDefault(); see('drop', e.dataTransfer.files); };
  document.querySelector('#prompt').onpaste = (e) => see('paste', e.clipboardData.files);
  pick.onclick = () => { const i = document.createElement('input'); i.type = 'file'; i.onchange = () => see('input', i.files); i.click(); };
  const picture = async (name) => (await fetch('/' + name)).blob();
  const base64 = async (name) => new Promise(async (done) => { const r = new FileReader(); r.onload = () => done(r.result); r.readAsDataURL(await picture(name)); });
  const form = async (name) => { const data = new FormData(); data.append('image', await picture(name), name); return data; };
  const xhr = (body) => new Promise((done) => { const x = new XMLHttpRequest(); x.open('POST', '/up'); x.onload = () => done(x.status); x.onerror = () => done('error'); x.send(body); });
  const post = (body, f = fetch) => f('/up', {method: 'POST', body}).then((r) => r.status, () => 'error');
  /** Ways in which a page's script sends a picture away. */
  window.ways = {
    'fetch, form data': async (n) => post(await form(n)),
    'fetch, bytes': async (n) => post(await (await picture(n)).arrayBuffer()),
    'fetch, a request': async (n) => fetch(new Request('/up', {method: 'PUT', body: await picture(n)})).then((r) => r.status, () => 'error'),
    'fetch, base64 in JSON': async (n) => post(JSON.stringify({prompt: 'a hat', image: await base64(n)})),
    'fetch, changed after the call': async (n) => { const body = await form(n); const sent = post(body); body.delete('image'); body.append('x', 'y'); return sent; },
    'fetch, inside other bytes': async (n) => post(new Blob(['\\x0a\\x05frame', await picture(n)])),
    'xhr, form data': async (n) => xhr(await form(n)),
    'xhr, bytes': async (n) => xhr(new Uint8Array(await (await picture(n)).arrayBuffer())),
    'beacon': async (n) => navigator.sendBeacon('/up', await picture(n)),
    'form, submitted by a script': async (n) => { const d = new DataTransfer(); d.items.add(new File([await picture(n)], n, {type: 'image/jpeg'})); const i = document.createElement('input'); i.type = 'file'; i.name = 'image'; i.files = d.files; const f = document.querySelector('#form'); f.append(i); f.submit(); i.remove(); return 'sent'; },
    'socket': async (n) => { const s = new WebSocket('wss://grok.com/socket'); await new Promise((open) => { s.onopen = open; }); s.send(await picture(n)); return 'sent'; },
    'worker': async (n) => { const w = new Worker(URL.createObjectURL(new Blob([`onmessage = (e) => fetch('https://grok.com/up', {method: 'POST', body: e.data.picture}).then((r) => postMessage(r.status), () => postMessage('error'))`]))); const answer = new Promise((done) => { w.onmessage = (e) => done(e.data); }); w.postMessage({picture: await picture(n)}); return answer; },
    'an empty frame': async (n) => { const f = document.createElement('iframe'); document.body.append(f); return post(await form(n), f.contentWindow.fetch.bind(f.contentWindow, ...[])).catch(() => 'error'); },
    'the clipboard': async (n) => { const bitmap = await createImageBitmap(await picture(n)); const canvas = new OffscreenCanvas(bitmap.width, bitmap.height); canvas.getContext('2d').drawImage(bitmap, 0, 0); await navigator.clipboard.write([new ClipboardItem({'image/png': await canvas.convertToBlob()})]); return navigator.clipboard.read().then(async ([item]) => { see('clipboard', [await item.getType('image/png')]); return 'read'; }, () => 'error'); },
    'a file handle': async (n) => { const root = await navigator.storage.getDirectory(); const h = await root.getFileHandle(n, {create: true}); const w = await h.createWritable(); await w.write(await picture(n)); await w.close(); return h.getFile().then((f) => { see('handle', [f]); return 'read'; }, () => 'error'); },
  };
</script>"""


@dataclass
class Generator:
    """A generator's page that is open in a browser where she has enrolled."""

    browser: Any
    internet: Internet
    page: Page
    pictures: dict[str, Path]
    drawn: ClosedRoots = field(init=False)

    def __post_init__(self) -> None:
        self.drawn = ClosedRoots(self.page)

    @property
    def seen(self) -> list[str]:
        """What the page's own script has seen, and what its server has got, until now."""
        sent = [
            f"{each.method} {each.path}"
            for each in self.internet.uploads(SITE)
            if len(each.body) > 200
        ]
        return [*self.page.evaluate("seen"), *sent]

    def wait(self, words: str) -> None:
        """Wait until the guard says this."""
        self.drawn.wait("dialog", text=words)

    def press(self, words: str) -> None:
        """Press the button with these words, in the guard's dialog."""
        self.drawn.press("button", text=words)

    def wait_until_seen(self) -> None:
        """Wait until the page or its server has got something."""
        end = time.monotonic() + WAIT_S
        while self.seen == []:
            assert time.monotonic() < end, "it never went on"
            self.page.wait_for_timeout(20)

    def settle(self) -> None:
        """Give a page that could see something the time to see it."""
        self.page.wait_for_timeout(QUIET_MS)

    def write(self, prompt: str) -> None:
        """Write into the prompt box."""
        self.page.fill("#prompt", prompt)

    def send(self, way: str, name: str) -> None:
        """Have the page's script send a picture in one of its ways; do not wait for it."""
        self.page.evaluate(
            "([way, name]) => { window.sent = undefined; ways[way](name).then((r) => { window.sent = r; }); }",
            [way, name],
        )

    def say(self, prompt: str) -> None:
        """Have the page send words for the picture that it has."""
        self.page.evaluate(
            """(prompt) => { window.sent = undefined;
              fetch('/up', {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify({prompt, file: 'f_1', pad: '.'.repeat(300)})})
                .then((r) => { window.sent = r.status; }, () => { window.sent = 'error'; }); }""",
            prompt,
        )

    def approving(self) -> Page:
        """Press "approve", and return the extension's own window that opens."""
        self.wait("shows somebody protected")
        with self.page.context.expect_page() as window:
            self.press("Approve")
        window.value.wait_for_selector("#asked:not([hidden])")
        return window.value

    def approve(self) -> None:
        """Approve as the subject."""
        window = self.approving()
        window.fill("#passphrase", PASSPHRASE)
        with window.expect_event("close"):
            window.click("#yes")

    @property
    def sent(self) -> object:
        """What became of it, for the page's script."""
        self.page.wait_for_function("window.sent !== undefined")
        return self.page.evaluate("window.sent")
