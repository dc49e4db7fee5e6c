"""Small files that unpack to something huge, at every door that takes a picture, in both modes."""

from __future__ import annotations

import base64
import gzip
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from consentry.accounts.principals import PLATFORM_SCOPES, Scope
from fakes.coloured_faces import picture
from fakes.site import MAX_BODY_BYTES, is_problem

RED, EVE = (200, 0, 0), (0, 200, 0)
PROMPT = "make the sky blue"
MEGABYTE = 1_000_000
CLEAR_REFS, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(side: int, *chunks: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


def packed_zeros(megabytes: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(MEGABYTE)) for _ in range(megabytes)) + packer.flush()


def gif_of(frames: int) -> bytes:
    frame = b"\x2c" + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    screen = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6)
    return screen + frame * frames + b";"


BOMBS = {
    "gigapixel": png(32_768, chunk(b"IDAT", packed_zeros(1))),
    "pixels": png(8, chunk(b"IDAT", packed_zeros(100))),
    "text": png(8, chunk(b"zTXt", b"a\0\0" + packed_zeros(100)), chunk(b"IDAT", b"")),
    "frames": gif_of(8_000),
}


def form(field: str, *files: bytes):
    return [(field, ("x", each, "image/png")) for each in files]


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def data_url(data: bytes) -> str:
    return "data:image/png;base64," + encoded(data)


def act(client, bomb):
    return client.post("/v1/checks", files=form("images", bomb), data={"prompt": PROMPT})


def act_behind_another(client, bomb):
    files = form("images", picture(EVE), bomb)
    return client.post("/v1/checks", files=files, data={"prompt": PROMPT})


def act_as_mask(client, bomb):
    files = form("images", picture(EVE)) + form("mask", bomb)
    return client.post("/v1/checks", files=files, data={"prompt": PROMPT})


def act_in_json(client, bomb):
    return client.post("/v1/checks", json={"images": [encoded(bomb)], "prompt": PROMPT})


def act_as_data_url(client, bomb):
    return client.post("/v1/checks", json={"images": [data_url(bomb)], "prompt": PROMPT})


def result(client, bomb):
    return client.post("/v1/outputs", files=form("results", bomb))


ACTS: tuple[Callable, ...] = (
    act,
    act_behind_another,
    act_as_mask,
    act_in_json,
    act_as_data_url,
    result,
)


@pytest.fixture
def enrolled(lit):
    lit.home.enrol(RED)
    _, secret = lit.services.keys.issue(
        "t", "pictures.example", PLATFORM_SCOPES, expires_in_days=None
    )
    lit.platform = lit.client(authorization=f"Bearer {secret}")
    lit.hers = lit.bearer(Scope.CHECKS_WRITE, Scope.FACES_READ)
    return lit


def peak_bytes() -> int:
    return int(STATUS.read_text().partition("VmHWM:")[2].split()[0]) * 1024


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_an_act_with_a_bomb_in_it_is_refused_at_every_door_as_unreadable(enrolled, bomb):
    assert len(bomb) < MAX_BODY_BYTES
    answers = [door(enrolled.platform, bomb) for door in ACTS]

    said = [(each.json()["verdict"], each.json()["reasons"]) for each in answers]
    assert said == [("refuse", ["unreadable"])] * len(ACTS)


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
@pytest.mark.parametrize("door", [act, act_behind_another, act_as_mask, act_in_json])
def test_to_inform_a_bomb_shows_not_checked_and_never_all_clear(enrolled, door, bomb):
    class Informed:
        @staticmethod
        def post(path, **body):
            where = "json" if "json" in body else "data"
            return enrolled.hers.post(path, **body | {where: body[where] | {"mode": "inform"}})

    answer = door(Informed, bomb).json()

    assert (answer["mode"], answer["checked"]) == ("inform", False)
    assert enrolled.home.receipts.count() == 0


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_bomb_in_a_batch_spoils_none_of_the_others(enrolled, bomb):
    checks = [{"images": [encoded(each)], "prompt": PROMPT} for each in (picture(EVE), bomb)]

    results = enrolled.platform.post("/v1/checks/batch", json={"checks": checks}).json()["results"]

    assert [each["check"]["verdict"] for each in results] == ["allow", "refuse"]


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_nobody_is_enrolled_from_a_bomb_and_no_face_is_looked_for_in_it(enrolled, bomb):
    owner = enrolled.owner()
    photos = {"files": form("photos", bomb), "data": {"name": "Eve", "policy": "every_edit"}}

    assert owner.post("/v1/subjects", **photos).status_code in {413, 422}
    assert enrolled.hers.post("/v1/faces", files=form("image", bomb)).status_code in {413, 422}
    assert len(owner.get("/v1/subjects").json()["subjects"]) == 1


@pytest.mark.skipif(not CLEAR_REFS.exists(), reason="peak memory is read from /proc")
def test_all_of_them_together_cost_little_memory_and_the_next_question_is_answered(enrolled):
    act(enrolled.platform, picture(EVE))
    CLEAR_REFS.write_text("5")  # forget the peak so far
    before = peak_bytes()

    for bomb in BOMBS.values():
        for door in ACTS:
            door(enrolled.platform, bomb)

    # 8 MB as measured; each of two of them holds 100 MB, should it ever be unpacked.
    assert peak_bytes() - before < 50 * MEGABYTE
    assert act(enrolled.platform, picture(EVE)).json()["verdict"] == "allow"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/checks", {"json": {"prompt": PROMPT}}),
        ("/v1/checks", {"files": form("images", picture(EVE)), "data": {"prompt": PROMPT}}),
        ("/v1/checks/batch", {"json": {"checks": [{"prompt": PROMPT}]}}),
        ("/v1/outputs", {"files": form("results", picture(EVE))}),
        (
            "/v1/subjects",
            {"files": form("photos", picture(EVE)), "data": {"name": "Eve"}},
        ),
    ],
    ids=["check", "check as a form", "batch", "output", "subject"],
)
def test_a_body_that_would_do_is_not_unpacked_when_it_is_packed(enrolled, path, body):
    owner = enrolled.owner()
    plain = owner.build_request("POST", path, **body)
    kind = {"content-type": plain.headers["content-type"]}
    packed = gzip.compress(plain.read())

    refused = owner.post(path, content=packed, headers=kind | {"content-encoding": "gzip"})

    assert is_problem(refused, 400, "bad-request")
    assert owner.send(plain).is_success


@pytest.mark.parametrize("opening", [b"[", b'{"images":', b'{"context":['])
def test_json_that_nests_without_end_is_refused(enrolled, opening):
    body = opening * (60_000 // len(opening))

    answer = enrolled.platform.post(
        "/v1/checks", content=body, headers={"content-type": "application/json"}
    )

    assert is_problem(answer, 400, "bad-request")


def test_a_number_without_end_is_refused(enrolled):
    body = json.dumps({"prompt": PROMPT})[:-1].encode() + b',"region":' + b"9" * 50_000 + b"}"

    answer = enrolled.platform.post(
        "/v1/checks", content=body, headers={"content-type": "application/json"}
    )

    assert is_problem(answer, 400, "bad-request")
