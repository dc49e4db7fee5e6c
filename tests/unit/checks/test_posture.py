"""Every failure of every port, in both modes: an act refuses, to inform shows "not checked" (ADR 0007)."""

from __future__ import annotations

import dataclasses
import hashlib
import os

import pytest
from consentry.consent.explanation import Audience, explain
from consentry.grants.tokens import TokenTerms
from consentry.kernel.errors import (
    ConsentryError,
    IndexIncomplete,
    ModelUnavailable,
    NotReady,
    Overloaded,
    SealBroken,
    StorageFailed,
    StorageFull,
    VaultAbsent,
    VaultLocked,
)
from consentry.kernel.taxonomy import IntentCategory, Mode, PublicReason, Purpose, Verdict
from fakes.coloured_faces import picture
from fakes.home import TestHome
from fakes.terms import everyday

RED, GREEN = (200, 20, 20), (20, 200, 20)
OURS = (
    ModelUnavailable("x"),
    StorageFailed("x"),
    StorageFull("x"),
    SealBroken("x"),
    IndexIncomplete("x"),
    NotReady("x"),
    Overloaded("x"),
)
LOCKS = (VaultLocked("x"), VaultAbsent("x"))
STRANGER, HERSELF = picture(GREEN), picture(RED)


class Failing:
    """A port of which one method fails; everything else is the real one."""

    def __init__(self, real, method: str, error: Exception) -> None:
        self._real, self._method, self._error = real, method, error

    def __getattr__(self, name):
        return self._fail if name == self._method else getattr(self._real, name)

    def __call__(self, *arguments, **named):
        return self._fail() if self._method == "__call__" else self._real(*arguments, **named)

    def _fail(self, *arguments, **named):
        raise self._error


# port, method, the errors that it may raise
PORTS = [
    ("faces", "detect", OURS),
    ("faces", "describe", OURS),
    ("gallery", "state", OURS),
    ("gallery", "size", OURS),
    ("gallery", "policies", OURS),
    ("gallery", "refresh", OURS),
    ("gallery", "search", (*OURS, *LOCKS)),
    ("intent", "assess", OURS),
    ("consents.contests", "contested", OURS),
    ("consents.names", "named_in", OURS),
    ("consents.grants", "of", (*OURS, *LOCKS)),
]
ONLY_TO_ACT = [
    ("consents.permits", "__call__", OURS),
    ("receipts", "add", (StorageFailed("x"), StorageFull("x"))),
    ("receipts", "answer", (StorageFailed("x"),)),
    ("signer", "draft", (NotReady("x"),)),
]


def cases(ports):
    return [
        pytest.param(port, method, error, id=f"{port}.{method}-{type(error).__name__}")
        for port, method, errors in ports
        for error in errors
    ]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    opened = TestHome(tmp_path_factory.mktemp("posture")).create()
    opened.ada = opened.enrol(RED).subject
    yield opened
    opened.close()


def broken(home, port, method, error):
    """Return a check of which one port fails."""
    check = home.check_images
    first, _, second = port.partition(".")
    part = getattr(check, first)
    if second:
        failing = Failing(getattr(part, second), method, error)
        return dataclasses.replace(check, **{first: dataclasses.replace(part, **{second: failing})})
    return dataclasses.replace(check, **{first: Failing(part, method, error)})


def answer(home, check, image, **more):
    real, home.check_images = home.check_images, check
    try:
        return home.check(image, **more).decision
    finally:
        home.check_images = real


def new_key() -> str:
    """Of its own for each question: under another's, the answer to that would come again."""
    return os.urandom(8).hex()


def is_stopped(home, check, image, **more) -> bool:
    """Whether the caller is told to refuse, or is given no verdict at all."""
    try:
        return answer(home, check, image, **more).verdict is Verdict.REFUSE
    except ConsentryError as error:
        return error.status >= 500


@pytest.mark.parametrize("prompt", ["make the sky blue", "put her in a bikini"])
@pytest.mark.parametrize(("port", "method", "error"), cases(PORTS))
def test_an_act_is_stopped(home, port, method, error, prompt):
    check = broken(home, port, method, error)

    assert is_stopped(home, check, HERSELF, prompt=prompt, token="x", idempotency_key=new_key())


@pytest.mark.parametrize(("port", "method", "error"), cases(ONLY_TO_ACT))
def test_an_act_with_a_token_is_stopped_when_it_cannot_be_read_or_kept(home, port, method, error):
    check = broken(home, port, method, error)

    assert is_stopped(home, check, STRANGER, token="x", idempotency_key=new_key())


@pytest.mark.parametrize(("port", "method", "error"), cases(PORTS))
def test_to_inform_shows_that_not_everything_was_checked(home, port, method, error):
    decision = answer(home, broken(home, port, method, error), STRANGER, mode=Mode.INFORM)

    assert not decision.checked
    assert set(decision.reasons) & {PublicReason.ERROR, PublicReason.UNREADABLE}
    if decision.verdict is not Verdict.REFUSE:
        assert "not an all-clear" in explain(decision, Audience.PLATFORM)


@pytest.mark.parametrize("error", OURS, ids=lambda error: type(error).__name__)
def test_a_person_detector_that_fails_refuses_a_revealing_act(home, error):
    check = broken(home, "persons", "presence", error)

    assert is_stopped(home, check, picture((128, 128, 128)), prompt="a nude marble woman")


@pytest.mark.parametrize("error", OURS, ids=lambda error: type(error).__name__)
def test_a_reader_of_text_that_fails_refuses_an_act(home, error):
    check = broken(home, "text", "read", error)

    assert is_stopped(home, check, STRANGER, prompt="make the sky blue")


@pytest.mark.parametrize("error", [*OURS, *LOCKS], ids=lambda error: type(error).__name__)
def test_a_token_whose_subject_cannot_be_confirmed_unlocks_nothing(home, error):
    home.consent_tokens.attest_adult(home.ada)
    asked = {"platform": "studio.example", "region": "SE"}
    token = home.consent_tokens.issue(
        home.ada,
        TokenTerms(
            **asked,
            purpose=Purpose.EDIT,
            categories=frozenset({IntentCategory.SWIMWEAR}),
            prompt="put her in a bikini",
            context=(),
            digests=(hashlib.sha256(HERSELF).digest(),),
        ),
    )
    asked |= {"prompt": "put her in a bikini", "token": token.jws}

    check = broken(home, "consents.confirms", "__call__", error)

    assert is_stopped(home, check, HERSELF, **asked)
    assert home.check(HERSELF, **asked).decision.verdict is Verdict.ALLOW


def test_a_grant_whose_use_cannot_be_kept_gives_no_verdict(home):
    grant = home.grants.create(
        home.ada,
        everyday(),
    )

    check = broken(home, "receipts", "add_relying", StorageFull("x"))

    assert is_stopped(home, check, HERSELF)
    assert home.check(HERSELF).decision.verdict is Verdict.ALLOW
    home.grants.revoke(grant.grant)


def test_a_question_that_cannot_be_kept_gives_no_verdict(home):
    check = broken(home, "consents.requests", "ask", StorageFailed("x"))

    assert is_stopped(home, check, HERSELF, platform="p.example")


def test_a_clock_that_fails_gives_no_verdict(home):
    check = broken(home, "clock", "now", BlockingIOError())

    with pytest.raises(BlockingIOError):
        answer(home, check, STRANGER)
