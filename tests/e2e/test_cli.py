"""The real command line in its own process: real models, real database, with a companion running and without."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
import skimage.data
from fakes.terminal import require_documented
from PIL import Image, ImageEnhance, ImageOps

pytestmark = pytest.mark.e2e

PASSPHRASE = "four random words here"
EVERYDAY = ("--prompt", "make the background blue")
REVEALING = ("--prompt", "put her in a bikini")
# A shell starts what runs in its background with Ctrl-C ignored, and that is inherited.
_MINDING_CTRL_C = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from consentry.__main__ import main; main()"
)


@dataclass(frozen=True)
class Left:
    """How a command left."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict:
        return json.loads(self.out)


@dataclass
class DataFolder:
    """A data folder, and commands that run on it."""

    path: Path
    environment: dict[str, str]

    def run(self, *arguments: str, passphrase: str | None = PASSPHRASE, stdin: bytes = b"") -> Left:
        """Run one command; the passphrase goes through a descriptor."""
        reader, writer = os.pipe()
        os.write(writer, f"{passphrase}\n".encode())
        os.close(writer)
        takes_one = arguments[0] in {"enrol", "check", "subjects", "unlock", "backup"}
        given = ("--passphrase-fd", str(reader)) if passphrase is not None and takes_one else ()
        try:
            done = subprocess.run(
                [sys.executable, "-m", "consentry", *arguments, *given],
                env=self.environment,
                input=stdin,
                pass_fds=(reader,),
                capture_output=True,
                timeout=300,
                check=False,
            )
        finally:
            os.close(reader)
        return Left(done.returncode, done.stdout.decode(), done.stderr.decode())

    @contextmanager
    def serving(self, *arguments: str) -> Iterator[Server]:
        """Run a companion on this folder until the block ends."""
        process = subprocess.Popen(
            [sys.executable, "-m", "consentry", "serve", "--port", "0", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            lines = []
            for line in process.stdout:
                lines.append(line)
                if line.startswith("consentry-ready "):
                    break
            else:
                raise AssertionError(f"the companion did not start: {process.stderr.read()}")
            yield Server(process, "".join(lines))
        finally:
            if process.poll() is None:
                process.terminate()
            process.communicate(timeout=60)


@dataclass
class Server:
    """A running companion."""

    process: subprocess.Popen[str]
    printed: str

    @property
    def address(self) -> str:
        return re.search(r"^consentry-ready (\S+) pid=\d+$", self.printed, re.MULTILINE)[1]


@contextmanager
def new_folder(models_dir: Path) -> Iterator[DataFolder]:
    # Not tmp_path: the path of a unix socket has about a hundred characters at most.
    with tempfile.TemporaryDirectory(prefix="consentry-") as name:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("CONSENTRY_")}
        environment = {
            **kept,
            "CONSENTRY_HOME": str(Path(name) / "home"),
            "CONSENTRY_MODELS_DIR": str(models_dir),
            "PYTHONUNBUFFERED": "1",
        }
        yield DataFolder(Path(name) / "home", environment)


@pytest.fixture
def folder(models_dir: Path) -> Iterator[DataFolder]:
    """A data folder that nobody has used yet."""
    with new_folder(models_dir) as found:
        yield found


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The public-domain astronaut, an altered rendering of the photograph, and a cup of coffee."""
    path = tmp_path_factory.mktemp("pictures")
    photo = Image.fromarray(np.asarray(skimage.data.astronaut()))
    photo.save(path / "astronaut.png")
    cropped = ImageOps.mirror(photo.crop((80, 0, 400, 320)))
    ImageEnhance.Color(cropped).enhance(0.3).save(path / "altered.jpg", quality=60)
    Image.fromarray(np.asarray(skimage.data.coffee())).save(path / "coffee.jpg")
    return path


@pytest.fixture(scope="module")
def enrolled(models_dir: Path, pictures: Path) -> Iterator[DataFolder]:
    """A data folder in which the astronaut is enrolled. Tests leave its enrolments as they are."""
    with new_folder(models_dir) as found:
        left = found.run("enrol", str(pictures / "astronaut.png"), "--subject", "Eileen", "--json")
        assert left.code == 0, left.err
        require_documented(left.document)
        yield found


# -- without a companion


def test_another_rendering_of_her_photo_needs_consent(enrolled, pictures):
    left = enrolled.run("check", str(pictures / "altered.jpg"), *EVERYDAY, "--json")

    assert left.code == 11, left.err
    assert (left.document["verdict"], left.document["reasons"]) == (
        "needs_consent",
        ["consent_required"],
    )
    require_documented(left.document)


def test_a_revealing_edit_of_her_is_refused(enrolled, pictures):
    left = enrolled.run("check", str(pictures / "altered.jpg"), *REVEALING, "--json")

    assert left.code == 10
    assert left.document["reasons"] == ["revealing_real_person"]


def test_a_picture_without_anybody_is_allowed(enrolled, pictures):
    assert enrolled.run("check", str(pictures / "coffee.jpg"), *EVERYDAY).code == 0


def test_without_a_passphrase_a_face_is_refused_and_stderr_says_why(enrolled, pictures):
    left = enrolled.run(
        "check", str(pictures / "altered.jpg"), *EVERYDAY, "--json", passphrase=None
    )

    assert left.code == 10
    assert left.document["reasons"] == ["error"]
    assert "locked" in left.err


def test_the_passphrase_comes_from_the_environment(enrolled, pictures):
    asking = DataFolder(enrolled.path, {**enrolled.environment, "CONSENTRY_PASSPHRASE": PASSPHRASE})

    assert asking.run("check", str(pictures / "altered.jpg"), *EVERYDAY, passphrase=None).code == 11


def test_faces_finds_her_and_draws(enrolled, pictures, tmp_path):
    left = enrolled.run(
        "faces", str(pictures / "astronaut.png"), "--json", "--draw", str(tmp_path / "o.png")
    )

    require_documented(left.document)
    (face,) = left.document["faces"]
    x, y, w, h = face["box"]
    assert 170 < x < 200
    assert 45 < y < 100
    assert 60 < w < 110
    assert 70 < h < 130
    with Image.open(tmp_path / "o.png") as drawn:
        assert drawn.size == (512, 512)


def test_a_receipt_survives_its_companion(enrolled, pictures, tmp_path):
    picture = str(pictures / "altered.jpg")
    saved = tmp_path / "check.json"
    saved.write_text(enrolled.run("check", picture, *EVERYDAY, "--json").out)

    verified = enrolled.run(
        "receipt", "verify", str(saved), "--image", picture, *EVERYDAY, "--json"
    )

    assert verified.code == 0, verified.err
    assert verified.document["inputs_verified"] is True


def test_a_check_makes_no_connection(enrolled, pictures, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import socket\n"
        "def refuse(self, address):\n"
        "    if self.family != socket.AF_UNIX:\n"
        "        raise SystemExit('a connection was made')\n"
        "    raise ConnectionRefusedError\n"
        "socket.socket.connect = socket.socket.connect_ex = refuse\n"
        "def lookup(*_, **__): raise SystemExit('a name was looked up')\n"
        "socket.getaddrinfo = lookup\n"
    )
    watched = DataFolder(enrolled.path, {**enrolled.environment, "PYTHONPATH": str(tmp_path)})

    assert watched.run("check", str(pictures / "altered.jpg"), *EVERYDAY).code == 11


def test_verbose_output_names_no_person_picture_or_prompt(enrolled, pictures):
    left = enrolled.run("--verbose", "check", str(pictures / "altered.jpg"), *REVEALING, "--json")
    watched = DataFolder(enrolled.path, {**enrolled.environment, "CONSENTRY_LOG_LEVEL": "debug"})
    debugged = watched.run("check", str(pictures / "altered.jpg"), *REVEALING, "--json")

    for private in ("Eileen", "altered.jpg", "bikini", PASSPHRASE):
        assert private not in left.err
        assert private not in debugged.err


def test_ctrl_c_leaves_with_130(folder, tmp_path):
    os.mkfifo(tmp_path / "picture")
    process = subprocess.Popen(
        [sys.executable, "-c", _MINDING_CTRL_C, "check", str(tmp_path / "picture")],
        env=folder.environment,
        stderr=subprocess.PIPE,
    )
    with process, (tmp_path / "picture").open("wb"):
        # It has opened the picture, and waits for the first byte.
        process.send_signal(signal.SIGINT)
        err = process.stderr.read()

    assert process.returncode == 130
    assert b"Traceback" not in err


def test_two_processes_enrol_at_once_in_a_fresh_home(folder, pictures):
    def enrol(name: str) -> Left:
        return folder.run("enrol", str(pictures / "astronaut.png"), "--subject", name)

    with ThreadPoolExecutor(2) as pool:
        left = list(pool.map(enrol, ["Ada", "Eve"]))

    assert [each.code for each in left] == [0, 0], [each.err for each in left]
    names = {person["name"] for person in folder.run("subjects", "--json").document["subjects"]}
    assert names == {"Ada", "Eve"}


def test_a_backup_opens_in_another_home(enrolled, folder, pictures, tmp_path):
    assert enrolled.run("backup", "export", str(tmp_path / "b.bin")).code == 0

    restored = folder.run("backup", "restore", str(tmp_path / "b.bin"))

    assert restored.code == 0, restored.err
    assert folder.run("check", str(pictures / "altered.jpg"), *EVERYDAY).code == 11


def test_after_a_revocation_she_is_a_stranger(folder, pictures):
    folder.run("enrol", str(pictures / "astronaut.png"))
    (person,) = folder.run("subjects", "--json", passphrase=None).document["subjects"]

    assert folder.run("revoke", person["subject"], "--yes").code == 0

    assert folder.run("check", str(pictures / "altered.jpg"), *EVERYDAY).code == 0


def test_missing_models_say_how_to_build_them(folder, pictures, tmp_path):
    bare = DataFolder(
        folder.path, {**folder.environment, "CONSENTRY_MODELS_DIR": str(tmp_path / "none")}
    )

    left = bare.run("faces", str(pictures / "coffee.jpg"))

    assert left.code == 1
    assert "consentry models build" in left.err
    assert "Traceback" not in left.err


# -- with a companion


def test_only_loopback_is_listened_on(folder):
    left = folder.run("serve", "--host", "0.0.0.0", "--port", "0")

    assert left.code == 2
    assert "this machine only" in left.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "term"])
def test_a_companion_stops_in_order(enrolled, number):
    with enrolled.serving() as server:
        server.process.send_signal(number)
        out, err = server.process.communicate(timeout=60)

    assert server.process.returncode == 0, err
    assert "Stopped" in out
    assert not (enrolled.path / "run" / "companion.sock").exists()


def test_after_a_kill_the_socket_left_behind_is_in_nobodys_way(enrolled, pictures):
    with enrolled.serving() as server:
        server.process.kill()
        server.process.wait(timeout=60)
    assert (enrolled.path / "run" / "companion.sock").exists()

    assert enrolled.run("check", str(pictures / "altered.jpg"), *EVERYDAY).code == 11
    with enrolled.serving():
        assert enrolled.run("unlock").code == 0


def test_the_dashboard_link_opens_once(enrolled):
    with enrolled.serving("--no-link") as server:
        assert "#" not in server.printed
        link = enrolled.run("open").out.strip()
        page = httpx.get(link.partition("#")[0])
        secret = link.partition("#")[2]
        headers = {"origin": server.address}
        first = httpx.post(f"{server.address}/enter", data={"secret": secret}, headers=headers)
        second = httpx.post(f"{server.address}/enter", data={"secret": secret}, headers=headers)

    assert link.startswith(server.address)
    assert page.status_code == 200
    assert first.is_success
    assert "consentry_session" in first.cookies
    assert not second.is_success


# -- beside one companion that runs on


@pytest.fixture(scope="module")
def served(enrolled: DataFolder) -> Iterator[DataFolder]:
    """The data folder of `enrolled` with a companion, up to the end of the module."""
    with enrolled.serving():
        yield enrolled


def test_a_running_companion_gives_the_same_answers(served, pictures):
    locked = served.run("check", str(pictures / "altered.jpg"), *EVERYDAY, passphrase=None)
    unlocked = served.run("unlock")
    check = served.run("check", str(pictures / "altered.jpg"), *EVERYDAY, "--json", passphrase=None)
    revealing = served.run("check", str(pictures / "altered.jpg"), *REVEALING, passphrase=None)
    nobody = served.run("check", str(pictures / "coffee.jpg"), *EVERYDAY, passphrase=None)
    relocked = served.run("lock")
    again = served.run("check", str(pictures / "altered.jpg"), *EVERYDAY, passphrase=None)

    assert (locked.code, unlocked.code, relocked.code, again.code) == (10, 0, 0, 10)
    assert (check.code, revealing.code, nobody.code) == (11, 10, 0)
    require_documented(check.document)


def test_checks_at_the_same_time_get_their_own_answers(served, pictures):
    cases = [("altered.jpg", 11), ("coffee.jpg", 0)] * 4
    served.run("unlock")
    with ThreadPoolExecutor(4) as pool:
        codes = list(
            pool.map(
                lambda case: (
                    served.run("check", str(pictures / case[0]), *EVERYDAY, passphrase=None).code
                ),
                cases,
            )
        )

    assert codes == [code for _, code in cases]


def test_a_folder_has_one_companion_and_the_second_says_so(served):
    second = served.run("serve", "--port", "0")

    assert second.code == 1
    assert "running on this data folder already" in second.err


def test_a_taken_port_is_told(folder):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = folder.run("serve", "--port", str(other.getsockname()[1]))

    assert taken.code == 2
    assert "is taken" in taken.err


# -- hostile files


def _png(width: int, height: int, data: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def _gif(frames: int) -> bytes:
    # Two colours, one pixel a frame.
    frame = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"
    return b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff" + frame * frames + b"\x3b"


def _jpeg() -> bytes:
    encoded = io.BytesIO()
    Image.fromarray(np.asarray(skimage.data.astronaut())).save(encoded, "JPEG")
    return encoded.getvalue()


HOSTILE = {
    "empty": (b"", "image-empty"),
    "text": (b"#!/bin/sh\necho hello\n", "image-format-unknown"),
    "gigapixel": (_png(32_000, 32_000, zlib.compress(b"\0" * 1000)), "image-too-large"),
    "bomb": (_png(7_000, 7_000, zlib.compress(b"\0" * 30_000_000, 9)), "image-"),
    "frames": (_gif(10_000), "image-too-large"),
    "truncated": (_jpeg()[:20_000], "image-truncated"),
    "polyglot": (_jpeg() + b"PK\x03\x04" + b"\0" * 200, "image-corrupt"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_by_name(served, name, tmp_path):
    data, code = HOSTILE[name]
    path = tmp_path / "picture.jpg"
    path.write_bytes(data)

    left = served.run("check", str(path), *EVERYDAY, "--json", passphrase=None)

    assert left.code == 10, left.err
    assert left.document["reasons"] == ["unreadable"]
    assert left.document["images"][0]["error"]["code"].startswith(code)


# -- labelled faces


@pytest.mark.data
def test_another_photo_of_an_enrolled_person_and_strangers(folder, faces_data):
    photos = {
        person.name: sorted(person.glob("*.jpg"))
        for person in sorted((faces_data / "faces-lfw-dev").iterdir())
        if person.is_dir()
    }
    her = next(name for name, files in photos.items() if len(files) >= 4)
    strangers = [files[0] for name, files in photos.items() if name != her][:3]
    enrolled = folder.run("enrol", *map(str, photos[her][:3]))
    assert enrolled.code == 0, enrolled.err

    with folder.serving():
        folder.run("unlock")
        hers = folder.run("check", str(photos[her][3]), *EVERYDAY, passphrase=None)
        others = [folder.run("check", str(file), *EVERYDAY, passphrase=None) for file in strangers]
        revealing = folder.run("check", str(strangers[0]), *REVEALING, passphrase=None)

    assert hers.code in {10, 11}
    assert [each.code for each in others] == [0, 0, 0]
    assert revealing.code == 10


# -- the demo


@pytest.mark.slow
def test_the_demo_does_what_it_explains(models_dir, pictures):
    demo = Path(__file__).parents[2] / "benchmarks" / "demo.py"
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CONSENTRY_")}

    done = subprocess.run(
        [sys.executable, str(demo)],
        env={**kept, "CONSENTRY_MODELS_DIR": str(models_dir)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stderr + done.stdout
    assert "signed and unchanged" in done.stdout
