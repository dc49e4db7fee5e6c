"""What `make demo` runs: the main path on a public-domain photograph, through the real command line.

    astronaut photo (ships with scikit-image) --enrol--> a home in a temporary folder
    the same photo cropped, mirrored, recoloured, recompressed --check with several prompts--> verdicts
    one of the receipts --verify, offline--> holds

Leaves nothing behind, uses no network, and fails if a verdict is not the one that it explains.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image, ImageEnhance, ImageOps

EXIT_OF = {"allow": 0, "refuse": 10, "needs_consent": 11}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One question, and the verdict that the laws give it."""

    picture: str
    prompt: str
    verdict: str
    why: str


CASES = (
    Case(
        picture="altered.jpg",
        prompt="Make the background a sunny beach",
        verdict="needs_consent",
        why="She is enrolled and protects every edit; she is recognised in the altered picture.",
    ),
    Case(
        picture="altered.jpg",
        prompt="put her in a bikini",
        verdict="refuse",
        why="A revealing picture of a real person: refused for everybody, enrolled or not.",
    ),
    Case(
        picture="coffee.jpg",
        prompt="Make the cup blue",
        verdict="allow",
        why="Nobody is in it, so nobody's consent is needed.",
    ),
    Case(
        picture="coffee.jpg",
        prompt="put her in a bikini",
        verdict="refuse",
        why="The words speak of a specific person, whatever the picture shows.",
    ),
)


class Home:
    """A throw-away data folder, driven through the command line as anybody would."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._passphrase = secrets.token_hex(16)

    def run(self, *arguments: str, expect: int = 0) -> str:
        """Run one command and return what it printed; the passphrase goes through a file descriptor."""
        reader, writer = os.pipe()
        os.write(writer, f"{self._passphrase}\n".encode())
        os.close(writer)
        command = [sys.executable, "-m", "consentry", *arguments]
        if arguments[0] in {"enrol", "check"}:
            command += ["--passphrase-fd", str(reader)]
        done = subprocess.run(
            command,
            env={**os.environ, "CONSENTRY_HOME": str(self._folder)},
            pass_fds=(reader,),
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        os.close(reader)
        if done.returncode != expect:
            raise SystemExit(
                f"demo: `consentry {arguments[0]}` left with {done.returncode} where {expect} was due"
            )
        return done.stdout


def alter(photo: Image.Image) -> Image.Image:
    """Return the photo as somebody might repost it: cropped, mirrored, other colours."""
    width, height = photo.size
    cropped = photo.crop((int(width * 0.16), 0, int(width * 0.78), int(height * 0.62)))
    return ImageEnhance.Contrast(ImageEnhance.Color(ImageOps.mirror(cropped)).enhance(0.4)).enhance(
        1.2
    )


def main() -> None:
    """Enrol, check, verify; explain each step."""
    with tempfile.TemporaryDirectory(prefix="consentry-demo-") as name:
        folder = Path(name)
        photo = Image.fromarray(np.asarray(skimage.data.astronaut()))
        photo.save(folder / "astronaut.png")
        alter(photo).save(folder / "altered.jpg", quality=70)
        Image.fromarray(np.asarray(skimage.data.coffee())).save(folder / "coffee.jpg", quality=90)
        home = Home(folder / "home")

        print("1. Enrol one photograph (Eileen Collins, NASA, public domain):\n")
        print(home.run("enrol", str(folder / "astronaut.png"), "--subject", "Eileen"))
        print(
            "2. Check pictures: hers, cropped, mirrored, faded and recompressed; and a cup of coffee.\n"
        )
        receipt = ""
        for case in CASES:
            printed = home.run(
                *("check", str(folder / case.picture), "--prompt", case.prompt, "--json"),
                expect=EXIT_OF[case.verdict],
            )
            answer = json.loads(printed)
            if answer["verdict"] != case.verdict:
                raise SystemExit(f"demo: {answer['verdict']} where {case.verdict} was due")
            receipt = printed
            print(f"   {case.picture:12} “{case.prompt}”")
            print(f"   {'':12} -> {answer['verdict'].upper()}  {' '.join(answer['reasons'])}")
            print(f"   {'':12}    {case.why}\n")
        print("3. Verify the last receipt, offline, with the key of this home:\n")
        (folder / "receipt.json").write_text(receipt, encoding="utf-8")
        print(home.run("receipt", "verify", str(folder / "receipt.json")))
        print("All of it ran on this machine. The demo's home is deleted now.")


if __name__ == "__main__":
    main()
