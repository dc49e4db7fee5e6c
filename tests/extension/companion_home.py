"""A real companion in a folder of its own: its process, and its other commands."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from asking import PASSPHRASE, Asking
from consentry.settings import Settings

COMMAND = Path(sys.executable).with_name("consentry")
READY = "consentry-ready "
FILE_PASSPHRASE = "seven wet pebbles sing"


@dataclass
class Home:
    """A companion's data folder, and its running process."""

    environment: dict[str, str]
    process: subprocess.Popen[str] | None = None
    address: str = ""

    def start(self) -> None:
        """Run the companion until `stop`."""
        self.process = subprocess.Popen(
            [COMMAND, "serve", "--port", "0"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        output = self.process.stdout
        assert output is not None
        lines = []
        for line in output:
            lines.append(line)
            if line.startswith(READY):
                self.address = line.split()[1]
                break
        assert self.address, "".join(lines)
        # What it prints besides is read, so that it never waits for a reader.
        threading.Thread(target=output.read, daemon=True).start()

    def stop(self) -> None:
        """End it, as Ctrl-C does."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        with contextlib.suppress(ValueError):
            self.process.stdout.close()
        self.process = None

    def run(self, *arguments: str, passphrase: str = FILE_PASSPHRASE) -> str:
        """Run another command on the same folder, and return what it printed."""
        done = subprocess.run(
            [COMMAND, *arguments],
            env={**self.environment, "CONSENTRY_PASSPHRASE": passphrase},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@contextlib.contextmanager
def running_home() -> Iterator[Home]:
    """A companion that runs until the end of the block."""
    # Not tmp_path: the path of a unix socket has about a hundred characters at most.
    with tempfile.TemporaryDirectory(prefix="consentry-") as folder:
        environment = {
            **{name: value for name, value in os.environ.items() if "CONSENTRY_" not in name},
            "CONSENTRY_HOME": folder,
            "CONSENTRY_MODELS_DIR": str(Settings().models_dir),
            "PYTHONUNBUFFERED": "1",
            "COLUMNS": "200",
        }
        found = Home(environment)
        found.start()
        try:
            yield found
        finally:
            found.stop()


def move_and_pair(ask: Asking, home: Home, folder: Path) -> None:
    """Move the extension's vault to the companion with the sealed file, and pair the two."""
    secret = {"passphrase": PASSPHRASE}
    moved = ask("vault.export", secret=secret, passphrase=FILE_PASSPHRASE)
    file = folder / "vault.consentry"
    file.write_bytes(base64.b64decode(moved["file"]))
    home.run("backup", "restore", str(file))
    code = json.loads(home.run("pair", "--json"))["code"]
    ask("companion.pair", origin=home.address, code=code.lower().replace("-", " "))
