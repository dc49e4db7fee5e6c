"""What goes over the line to the API, and what is made of what comes back."""

from __future__ import annotations

import httpx
import pytest
from consentry.cli import calls
from consentry.cli.companion import Companion
from consentry.cli.pictures import Picture, read_pictures
from consentry.cli.problems import Problem
from consentry.kernel.errors import BadRequest, NotReady, OperatorError
from consentry.kernel.taxonomy import Mode, Purpose
from consentry.vault.passphrase import Passphrase


def line_to(answer) -> Companion:
    return Companion(
        httpx.Client(transport=httpx.MockTransport(answer), base_url="http://localhost"),
        is_server=True,
    )


QUESTION = calls.CheckQuestion(
    prompt=None, mode=Mode.ACT, purpose=Purpose.EDIT, region=None, actor=None
)


def test_the_name_of_a_file_is_not_sent():
    sent: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.read() + str(request.url).encode())
        return httpx.Response(422, json={"code": "bad-request", "detail": "no"})

    with pytest.raises(Problem):
        calls.check(line_to(answer), [Picture("holiday with ada.jpg", b"bytes")], QUESTION)

    assert b"bytes" in sent[0]
    assert b"holiday" not in sent[0]


def test_a_passphrase_is_sent_in_a_body_only():
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"format": "consentry.vault/1", "state": "unlocked"})

    calls.unlock(line_to(answer), Passphrase("four random words"))

    assert b"four random words" in sent[0].content
    assert "four" not in str(sent[0].url)


def test_a_refusal_is_told_in_the_apis_own_words():
    document = {"code": "vault-locked", "detail": "Unlock it first.", "instance": "urn:uuid:1"}
    line = line_to(lambda _: httpx.Response(423, json=document))

    with pytest.raises(Problem) as refusal:
        calls.vault(line)

    assert (refusal.value.code, refusal.value.message) == ("vault-locked", "Unlock it first.")


def test_an_answer_that_is_no_problem_document_still_has_a_code():
    line = line_to(lambda _: httpx.Response(502, text="<html>Bad gateway</html>"))

    with pytest.raises(Problem, match="status 502") as refusal:
        calls.vault(line)

    assert refusal.value.code == "internal-error"


def test_an_answer_of_another_version_says_so():
    line = line_to(
        lambda _: httpx.Response(200, json={"format": "consentry.vault/9", "state": "ajar"})
    )

    with pytest.raises(OperatorError, match="different versions"):
        calls.vault(line)


def test_a_companion_that_dies_in_mid_request_is_told_in_plain_words():
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("gone", request=request)

    with pytest.raises(NotReady, match="stopped answering"):
        calls.vault(line_to(answer))


def test_a_file_without_an_end_is_read_up_to_the_limit_only():
    (picture,) = read_pictures(["/dev/zero"], max_bytes=1000)

    assert len(picture.data) == 1001


def test_a_path_with_a_zero_byte_is_a_plain_problem():
    with pytest.raises(Problem, match="Cannot read"):
        read_pictures(["a\0b"], max_bytes=10)


def test_standard_input_is_one_picture_only():
    with pytest.raises(BadRequest, match="one picture only"):
        read_pictures(["-", "-"], max_bytes=10)
