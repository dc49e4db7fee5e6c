"""An auditor elsewhere: the command in a process of its own, a log behind an address, an operator who forges."""

from __future__ import annotations

import functools
import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from consentry.storage.log_folder import CHECKPOINT, FolderLog
from consentry.transparency.tiles import Tile, bundles_of, tiles_of
from fakes.audited_log import REFUSED, KeptLog, Verdict

pytestmark = pytest.mark.e2e

COMMAND = Path(sys.executable).with_name("consentry")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def site(tmp_path):
    """A log as static files over HTTP, with what the operator gives to an auditor."""
    kept = KeptLog(tmp_path)
    for number in range(300):
        refused = number % 3 == 0
        kept.keep(*((Verdict.REFUSE, REFUSED) if refused else ()))
    signed = kept.publish()
    folder = tmp_path / "site"
    copy = FolderLog(folder)
    with kept.log.view() as view:
        for tile in (*bundles_of(view.size), *tiles_of(view.size)):
            copy.write(tile, view.read(tile))
    (folder / CHECKPOINT).write_text(str(signed))
    (tmp_path / "kept.checkpoint").write_text(str(signed))
    (tmp_path / "jwks.json").write_text(json.dumps(kept.signer.jwks()))
    (tmp_path / "receipt.txt").write_text(kept.receipts[270])
    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", folder, str(kept.vkey)
    server.shutdown()
    server.server_close()
    thread.join()


def consentry(tmp_path, *arguments):
    environment = {**os.environ, "CONSENTRY_HOME": str(tmp_path / "auditor")}
    return subprocess.run(
        [COMMAND, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_auditor_reads_a_log_behind_an_address_and_recomputes_its_figures(site, tmp_path):
    url, folder, key = site
    log = ("--log", url, "--key", key)
    found = consentry(
        tmp_path, "audit", "verify", *log, "--since", tmp_path / "kept.checkpoint",
        "--receipt", tmp_path / "receipt.txt", "--jwks", tmp_path / "jwks.json", "--json",
    )  # fmt: skip
    assert found.returncode == 0, found.stdout + found.stderr
    document = json.loads(found.stdout)
    assert document["verdicts"] == {"allow": 200, "refuse": 100}
    assert document["receipts"] == {"given": 1, "found": 1}

    out = tmp_path / "export"
    assert consentry(tmp_path, "audit", "export", *log, "--out", out).returncode == 0
    assert consentry(tmp_path, "audit", "recompute", out, *log).returncode == 0
    figures = out / "figures.json"
    figures.write_text(figures.read_text().replace('"refuse": 100', '"refuse": 90'))
    assert consentry(tmp_path, "audit", "recompute", out, *log).returncode == 20

    bundle = FolderLog(folder)
    first = Tile(None, 0)
    bundle.write(first, bundle.read(first).replace(b'"verdict":"refuse"', b'"verdict":"REFUSE"', 1))
    forged = consentry(tmp_path, "audit", "verify", *log)
    assert forged.returncode == 20
    assert "malformed" in forged.stdout
    assert "rewritten" in forged.stdout
    assert not (tmp_path / "auditor").exists()
