"""The API's answers about consent, names and contests, as the command line reads and prints them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import JsonValue

from consentry.cli.answers import Answer


class GrantAnswer(Answer):
    """A standing yes."""

    grant: str
    subject: str
    purposes: list[str]
    platform: str | None
    regions: list[str] | None
    categories: list[str]
    valid_from: datetime
    valid_until: datetime | None
    uses_left: int | None


class NewGrantAnswer(GrantAnswer):
    """A standing yes that was just given."""

    format: Literal["consentry.grant/1"]


class GrantsAnswer(Answer):
    """All that are there."""

    format: Literal["consentry.grants/1"]
    grants: list[GrantAnswer]


class ConsentRecordsAnswer(Answer):
    """The grants as consent records (docs/specs/consent-record.md)."""

    format: Literal["consentry.consent-records/1"]
    records: list[dict[str, JsonValue]]


class ConsentTokenAnswer(Answer):
    """A token or a session; never what the platform sends."""

    token: str
    subject: str
    kind: str
    categories: list[str]
    uses_left: int
    issued_at: datetime
    valid_until: datetime


class ConsentTokensAnswer(Answer):
    """All that are there."""

    format: Literal["consentry.consent-tokens/1"]
    tokens: list[ConsentTokenAnswer]


class IssuedConsentAnswer(Answer):
    """A token or session that was just given: what the platform sends is shown this once."""

    format: Literal["consentry.consent-token/1"]
    token: str
    jws: str
    valid_until: datetime


class DeclarationAnswer(Answer):
    """What one person has declared."""

    subject: str
    is_adult: bool
    may_consent_from: datetime | None
    may_consent_until: datetime | None


class DeclarationsAnswer(Answer):
    """Of everybody, and the cooling-off time."""

    format: Literal["consentry.declarations/1"]
    intimate_delay_s: float
    declarations: list[DeclarationAnswer]


class PendingAnswer(Answer):
    """A question that waits."""

    request_id: str
    subject: str
    platform: str
    asker: str | None
    purpose: str
    region: str | None
    category: str
    prompt: str | None
    context: list[str]
    pictures: int
    asked_at: datetime
    ends_at: datetime


class PendingsAnswer(Answer):
    """All questions that wait."""

    format: Literal["consentry.consent-requests/1"]
    requests: list[PendingAnswer]


class BlockedAskerAnswer(Answer):
    """Somebody who is not heard any more."""

    number: int
    subject: str
    platform: str
    asker: str | None
    blocked_at: datetime


class BlockedAskersAnswer(Answer):
    """All of them."""

    format: Literal["consentry.blocked-askers/1"]
    askers: list[BlockedAskerAnswer]


class AliasAnswer(Answer):
    """A protected name."""

    alias: str
    subject: str
    text: str
    kind: str
    proof: str
    code: str
    added_at: datetime


class NewAliasAnswer(AliasAnswer):
    """A protected name that was just added, or newly proved."""

    format: Literal["consentry.alias/1"]


class AliasesAnswer(Answer):
    """All protected names."""

    format: Literal["consentry.aliases/1"]
    aliases: list[AliasAnswer]


class ContestAnswer(Answer):
    """A contest that is not settled."""

    contest: str
    claimant: str
    respondent: str
    opened_at: datetime


class NewContestAnswer(Answer):
    """A contest that was just opened."""

    format: Literal["consentry.contest/1"]
    contest: str


class ContestsAnswer(Answer):
    """All that are not settled."""

    format: Literal["consentry.contests/1"]
    contests: list[ContestAnswer]
