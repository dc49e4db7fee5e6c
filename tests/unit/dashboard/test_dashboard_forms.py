"""Uploads: bounded, in memory, never on the disk."""

from __future__ import annotations

import os
import tempfile

import pytest
from consentry.dashboard.forms import MAX_FILES, MemoryFormParser
from starlette.formparsers import MultiPartParser

PHOTO = b"\xff\xd8" + os.urandom(3_000_000)

URLENCODED = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def no_disk(monkeypatch):
    """Whoever asks for a real temporary file fails the test."""

    def refuse(*_args, **_more):
        raise AssertionError("a temporary file was made on the disk")

    # SpooledTemporaryFile.rollover() makes its file through this name.
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)


def test_a_large_photo_never_becomes_a_file(home, no_disk):
    answer = home.post(
        "/enrol", {"name": "Bo", "policy": "every_edit"}, files={"photos": ("b.jpg", PHOTO)}
    )

    assert answer.status_code == 303
    assert home.services.enrol.photos == (PHOTO,)


def test_the_parser_of_the_framework_would_have_made_one(home, no_disk, monkeypatch):
    monkeypatch.setattr(MemoryFormParser, "spool_max_size", MultiPartParser.spool_max_size)

    answer = home.post("/enrol", {"name": "Bo"}, files={"photos": ("b.jpg", PHOTO)})

    assert answer.status_code == 500
    assert home.services.enrol.photos == (b"photo",)


def test_several_photos_arrive_whole_and_in_order(home):
    photos = [bytes([n]) * 1000 for n in range(3)]

    home.post(
        "/enrol",
        {"name": "Bo", "policy": "every_edit"},
        files=[("photos", (f"{n}.jpg", photo)) for n, photo in enumerate(photos)],
    )

    assert home.services.enrol.photos == tuple(photos)


def test_a_file_input_left_empty_is_no_photo(home):
    home.post("/enrol", {"name": "Bo", "policy": "every_edit"}, files={"photos": ("", b"")})

    assert home.services.enrol.photos == ()


def test_an_empty_file_is_a_photo_that_cannot_be_read(home):
    home.post("/enrol", {"name": "Bo", "policy": "every_edit"}, files={"photos": ("b.jpg", b"")})

    assert home.services.enrol.photos == (b"",)


@pytest.mark.parametrize(
    ("count", "status"), [(MAX_FILES, 303), (MAX_FILES + 1, 400)], ids=["at-limit", "above"]
)
def test_the_number_of_files_is_bounded(home, count, status):
    files = [("photos", (f"{n}.jpg", b"x")) for n in range(count)]

    assert (
        home.post("/enrol", {"name": "B", "policy": "every_edit"}, files=files).status_code
        == status
    )


def test_the_body_is_bounded(home):
    files = [("photos", (f"{n}.jpg", PHOTO)) for n in range(3)]

    answer = home.post("/enrol", {"name": "Bo", "policy": "every_edit"}, files=files)

    assert answer.status_code == 413
    assert home.services.enrol.photos == (b"photo",)


def test_without_a_session_no_body_is_read(stranger, monkeypatch):
    async def refuse(_self):
        raise AssertionError("the body was read")

    monkeypatch.setattr(MemoryFormParser, "parse", refuse)

    assert stranger.post("/enrol", files={"photos": ("b.jpg", b"x")}).status_code == 401


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 415),
        ("text/plain", 415),
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=x", 400),
    ],
)
def test_what_is_no_form_is_refused(home, kind, status):
    answer = home.client.post("/lock", content=b"--y garbage", headers={"content-type": kind})

    assert answer.status_code == status
    assert home.services.custody.state == "unlocked"


def test_a_name_keeps_its_letters(home):
    home.post(
        "/enrol",
        {"name": "Zoë Łukasz 李", "policy": "every_edit"},
        files={"photos": ("b.jpg", b"x")},
    )

    assert home.services.people.all()[-1].name == "Zoë Łukasz 李"


def test_a_field_given_twice_is_refused(home):
    token = home.token

    answer = home.client.post(
        "/lock", content=f"csrf_token={token}&csrf_token={token}", headers=URLENCODED
    )

    assert answer.status_code == 400
    assert home.services.custody.state == "unlocked"


def test_who_is_not_in_yet_may_send_a_secret_and_no_more(stranger):
    answer = stranger.post("/enter", data={"secret": "x" * 5000})

    assert answer.status_code == 413
