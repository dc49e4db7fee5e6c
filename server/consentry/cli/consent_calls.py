"""Every request about consent, names and contests that a command sends (docs/api.md)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from pydantic import BaseModel

from consentry.cli.companion import Companion
from consentry.cli.consent_answers import (
    AliasesAnswer,
    BlockedAskersAnswer,
    ConsentRecordsAnswer,
    ConsentTokensAnswer,
    ContestsAnswer,
    DeclarationsAnswer,
    GrantsAnswer,
    IssuedConsentAnswer,
    NewAliasAnswer,
    NewContestAnswer,
    NewGrantAnswer,
    PendingsAnswer,
)
from consentry.kernel.taxonomy import IntentCategory, Purpose, SubjectPolicy
from consentry.vault.passphrase import Passphrase


class GrantWish(BaseModel):
    """A standing yes to be given."""

    subject: str
    purposes: Sequence[Purpose]
    platform: str | None
    regions: Sequence[str] | None
    categories: Sequence[IntentCategory]
    valid_from: datetime | None
    valid_until: datetime | None
    max_uses: int | None


class TokenWish(BaseModel):
    """A yes to one request."""

    subject: str
    platform: str
    purpose: Purpose
    region: str | None
    categories: Sequence[IntentCategory]
    prompt: str | None
    context: Sequence[str]
    digests: Sequence[str]
    lifetime_s: int


class SessionWish(BaseModel):
    """A yes to a studio's work on listed pictures."""

    subject: str
    platform: str
    purpose: Purpose
    region: str | None
    categories: Sequence[IntentCategory]
    digests: Sequence[str]
    max_uses: int
    lifetime_days: int


class _Subject(BaseModel):
    subject: str


class _Approval(BaseModel):
    lifetime_s: int


class _Number(BaseModel):
    number: int


class _NewAlias(BaseModel):
    subject: str
    text: str
    kind: str


class _Proof(BaseModel):
    proof: str
    posted: str | None


class _NewContest(BaseModel):
    claimant: str
    respondent: str


class _Policy(BaseModel):
    subject: str
    policy: SubjectPolicy


class _OwnPassphrase(BaseModel):
    subject: str
    new: str
    old: str | None


class _OwnProof(BaseModel):
    subject: str
    passphrase: str


def give_grant(line: Companion, wish: GrantWish) -> NewGrantAnswer:
    """Say yes to everyday uses."""
    return line.post("/v1/grants", NewGrantAnswer, body=wish)


def grants(line: Companion) -> GrantsAnswer:
    """Ask for every standing yes."""
    return line.get("/v1/grants", GrantsAnswer)


def consent_records(line: Companion) -> ConsentRecordsAnswer:
    """Ask for every standing yes as a consent record."""
    return line.get("/v1/grants/records", ConsentRecordsAnswer)


def revoke_grant(line: Companion, grant: str) -> None:
    """Take one back."""
    line.call("DELETE", f"/v1/grants/{_part(grant)}")


def issue_token(line: Companion, wish: TokenWish) -> IssuedConsentAnswer:
    """Say yes to one request."""
    return line.post("/v1/consent-tokens", IssuedConsentAnswer, body=wish)


def open_session(line: Companion, wish: SessionWish) -> IssuedConsentAnswer:
    """Say yes to a studio's work."""
    return line.post("/v1/consent-sessions", IssuedConsentAnswer, body=wish)


def tokens(line: Companion) -> ConsentTokensAnswer:
    """Ask for every token and session."""
    return line.get("/v1/consent-tokens", ConsentTokensAnswer)


def revoke_token(line: Companion, token: str) -> None:
    """Take a token or a session back."""
    line.call("DELETE", f"/v1/consent-tokens/{_part(token)}")


def declarations(line: Companion) -> DeclarationsAnswer:
    """Ask what has been declared."""
    return line.get("/v1/declarations", DeclarationsAnswer)


def declare_adult(line: Companion, subject: str) -> None:
    """Declare that a person is 18 or older."""
    line.call("POST", "/v1/declarations/adult", body=_Subject(subject=subject))


def announce(line: Companion, subject: str) -> DeclarationsAnswer:
    """Announce consent to a revealing use."""
    return line.post(
        "/v1/declarations/intimate", DeclarationsAnswer, body=_Subject(subject=subject)
    )


def withdraw(line: Companion, subject: str) -> None:
    """Take an announcement back."""
    line.call("POST", "/v1/declarations/intimate/withdraw", body=_Subject(subject=subject))


def requests(line: Companion) -> PendingsAnswer:
    """Ask for every question that waits."""
    return line.get("/v1/consent-requests", PendingsAnswer)


def approve(line: Companion, request: str, *, lifetime_s: int) -> None:
    """Say yes once."""
    path = f"/v1/consent-requests/{_part(request)}/approve"
    line.call("POST", path, body=_Approval(lifetime_s=lifetime_s))


def decline(line: Companion, request: str) -> None:
    """Say no."""
    line.call("POST", f"/v1/consent-requests/{_part(request)}/decline")


def block(line: Companion, request: str) -> None:
    """Say no, and never hear from the asker again."""
    line.call("POST", f"/v1/consent-requests/{_part(request)}/block")


def blocked(line: Companion) -> BlockedAskersAnswer:
    """Ask who is not heard any more."""
    return line.get("/v1/blocked-askers", BlockedAskersAnswer)


def unblock(line: Companion, number: int) -> None:
    """Let somebody ask again."""
    line.call("POST", "/v1/blocked-askers/unblock", body=_Number(number=number))


def add_alias(line: Companion, subject: str, text: str, kind: str) -> NewAliasAnswer:
    """Protect a name."""
    body = _NewAlias(subject=subject, text=text, kind=kind)
    return line.post("/v1/aliases", NewAliasAnswer, body=body)


def aliases(line: Companion) -> AliasesAnswer:
    """Ask for every protected name."""
    return line.get("/v1/aliases", AliasesAnswer)


def verify_alias(line: Companion, alias: str, posted: str | None) -> NewAliasAnswer:
    """Keep how it was established that a name is hers: by a post, or by a look of one's own."""
    body = _Proof(proof="operator" if posted is None else "posted_code", posted=posted)
    return line.post(f"/v1/aliases/{_part(alias)}/verify", NewAliasAnswer, body=body)


def remove_alias(line: Companion, alias: str) -> None:
    """Protect a name no longer."""
    line.call("DELETE", f"/v1/aliases/{_part(alias)}")


def open_contest(line: Companion, claimant: str, respondent: str) -> NewContestAnswer:
    """Say that a face is another's."""
    body = _NewContest(claimant=claimant, respondent=respondent)
    return line.post("/v1/contests", NewContestAnswer, body=body)


def contests(line: Companion) -> ContestsAnswer:
    """Ask for every contest."""
    return line.get("/v1/contests", ContestsAnswer)


def settle_contest(line: Companion, contest: str) -> None:
    """End a contest."""
    line.call("POST", f"/v1/contests/{_part(contest)}/settle")


def set_policy(line: Companion, subject: str, policy: SubjectPolicy) -> None:
    """Choose anew what is protected."""
    line.call("POST", "/v1/subjects/policy", body=_Policy(subject=subject, policy=policy))


def set_own_passphrase(
    line: Companion, subject: str, new: Passphrase, *, old: Passphrase | None
) -> None:
    """Give a person a passphrase of her own, or another one."""
    body = _OwnPassphrase(subject=subject, new=_text(new), old=None if old is None else _text(old))
    line.call("POST", "/v1/subjects/passphrase", body=body)


def prove(line: Companion, subject: str, passphrase: Passphrase) -> None:
    """Prove by her own passphrase that a person is there herself."""
    body = _OwnProof(subject=subject, passphrase=_text(passphrase))
    line.call("POST", "/v1/subjects/prove", body=body)


def _part(identifier: str) -> str:
    return quote(identifier, safe="")


def _text(passphrase: Passphrase) -> str:
    return passphrase.to_bytes().decode("utf-8")
