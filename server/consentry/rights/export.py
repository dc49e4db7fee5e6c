"""A copy of all that is kept about one person, in an open form, opened with her own key.

Her templates are in it as the numbers that they are: they are hers. Whoever has the copy can look for
her face with it, so it is never written anywhere by itself.

Format: docs/specs/subject-copy.md.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from consentry.checks.mine import MAX_SHOWN, MyCheck, ReadMyChecks
from consentry.enrolment.aliases import AliasBook
from consentry.enrolment.contests import Contests
from consentry.enrolment.keys import SubjectKeyRing
from consentry.enrolment.people import People, Person, VerifyActor
from consentry.enrolment.ports import SubjectStore
from consentry.grants.grants import GrantDesk
from consentry.grants.requests import RequestDesk
from consentry.grants.tokens import TokenDesk
from consentry.kernel.clock import Clock
from consentry.kernel.ids import ModelId, SubjectId
from consentry.kernel.taxonomy import IntentCategory, Purpose
from consentry.rights.holds import HoldDesk
from consentry.rights.inventory import about_her
from consentry.rights.periods import Periods
from consentry.transparency.entries import Opening
from consentry.vault.envelope import unseal_template

MAX_CHECKS = 5_000
"""Checks in one copy; the newest. The others: `consentry checks mine --before`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateCopy:
    """The description of one photo: a vector of L2 norm 1."""

    template: str
    model: str
    embedding: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NameCopy:
    """A protected name."""

    alias: str
    text: str
    kind: str
    proof: str
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantCopy:
    """A standing consent."""

    grant: str
    purposes: tuple[str, ...]
    platform: str | None
    regions: tuple[str, ...] | None
    categories: tuple[str, ...]
    given_at: datetime
    valid_from: datetime
    valid_until: datetime | None
    uses_left: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCopy:
    """A consent to one request, or a session."""

    token: str
    kind: str
    categories: tuple[str, ...]
    uses_left: int
    issued_at: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionCopy:
    """A question that waits for her. ``pictures`` are base64."""

    request: str
    platform: str
    asker: str | None
    purpose: str
    region: str | None
    category: str
    prompt: str | None
    context: tuple[str, ...]
    pictures: tuple[str, ...]
    asked_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedCopy:
    """Whom she does not want to hear from."""

    platform: str
    asker: str | None
    blocked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ContestCopy:
    """An open dispute over her face. The other is not named: that would be about somebody else."""

    contest: str
    is_claimant: bool
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryCopy:
    """An entry of the log that is about her, and what opens it. ``salt`` is base64."""

    leaf: int
    change: str
    salt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckCopy:
    """A check in which she mattered. ``receipt`` is None when it is not kept any more."""

    check_id: str
    at: datetime
    how: str
    stage: str
    category: str
    purpose: str
    region: str | None
    platform: str | None
    verdict: str
    reasons: tuple[str, ...]
    receipt: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldCopy:
    """A legal hold that keeps records longer."""

    reason: str
    placed_by: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCopy:
    """What is kept about her, for how long, and who can open it."""

    what: str
    where: str
    opens: str
    ends: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectCopy:
    """All of it. Members are only ever added to version 1."""

    format: Literal["consentry.subject-copy/1"]
    made_at: datetime
    subject: str
    name: str
    policy: str
    enrolled_at: datetime
    has_own_passphrase: bool
    declared_adult: bool
    templates: tuple[TemplateCopy, ...]
    names: tuple[NameCopy, ...]
    grants: tuple[GrantCopy, ...]
    tokens: tuple[TokenCopy, ...]
    questions: tuple[QuestionCopy, ...]
    blocked: tuple[BlockedCopy, ...]
    contests: tuple[ContestCopy, ...]
    log_entries: tuple[EntryCopy, ...]
    checks: tuple[CheckCopy, ...]
    has_more_checks: bool
    holds: tuple[HoldCopy, ...]
    kept: tuple[KeptCopy, ...]


class OpeningsOf(Protocol):
    """Reads what opens the log's entries about one person."""

    def __call__(self, subject: SubjectId) -> Sequence[tuple[int, Opening]]:
        """Return index and opening of each, ascending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSubject:
    """Stateless; safe to share between threads."""

    people: People
    store: SubjectStore
    keys: SubjectKeyRing
    presence: VerifyActor
    aliases: AliasBook
    grants: GrantDesk
    tokens: TokenDesk
    requests: RequestDesk
    contests: Contests
    checks: ReadMyChecks
    openings: OpeningsOf
    holds: HoldDesk
    periods: Periods
    clock: Clock

    def __call__(self, subject: SubjectId) -> SubjectCopy:
        """Return the copy. She must have proved herself just now.

        Raises:
            Forbidden: If she has not proved herself just now.
            VaultAbsent, VaultLocked: If her key is not in memory.
            NotFound: If nobody is enrolled by that identifier.
            SealBroken: If something of hers is damaged.
        """
        self.presence(subject)
        key = self.keys.open(subject)  # locked or gone is told before anything is read
        person = next(each for each in self.people.all() if each.subject == subject)
        checks, has_more = self._checks(subject)
        templates = [
            TemplateCopy(
                template=stored.template,
                model=stored.model,
                embedding=tuple(
                    float(value)
                    for value in unseal_template(
                        stored.sealed,
                        key=key,
                        subject=subject,
                        template=stored.template,
                        model=stored.model,
                    )
                ),
            )
            for model in person.templates
            for stored in self.store.templates_of(subject, ModelId(model))
        ]
        return SubjectCopy(
            format="consentry.subject-copy/1",
            made_at=self.clock.now(),
            subject=subject,
            name=person.name or "",
            policy=person.policy.value,
            enrolled_at=person.enrolled_at,
            has_own_passphrase=person.has_own_passphrase,
            declared_adult=self.tokens.is_attested_adult(subject),
            templates=tuple(templates),
            names=self._names(subject),
            grants=self._grants(person),
            tokens=self._tokens(subject),
            questions=self._questions(subject),
            blocked=tuple(
                BlockedCopy(platform=b.platform, asker=b.asker, blocked_at=b.blocked_at)
                for b in self.requests.blocked(subject)
            ),
            contests=tuple(
                ContestCopy(
                    contest=c.contest, is_claimant=c.claimant == subject, opened_at=c.opened_at
                )
                for c in self.contests.all()
                if subject in {c.claimant, c.respondent}
            ),
            log_entries=tuple(
                EntryCopy(leaf=leaf, change=_change(opening), salt=_base64(opening.salt))
                for leaf, opening in self.openings(subject)
            ),
            checks=checks,
            has_more_checks=has_more,
            holds=tuple(
                HoldCopy(reason=h.reason, placed_by=h.placed_by, until=h.until)
                for h in self.holds.active()
            ),
            kept=tuple(
                KeptCopy(what=k.plain, where=k.name, opens=k.opens, ends=k.ends)
                for k in about_her(self.periods)
            ),
        )

    def _checks(self, subject: SubjectId) -> tuple[tuple[CheckCopy, ...], bool]:
        found: list[CheckCopy] = []
        before: datetime | None = None
        while len(found) < MAX_CHECKS:
            page = self.checks(subject, before=before, limit=MAX_SHOWN)
            found += [_check(each) for each in page.checks]
            before = page.before
            if before is None:
                break
        return tuple(found), before is not None

    def _names(self, subject: SubjectId) -> tuple[NameCopy, ...]:
        return tuple(
            NameCopy(
                alias=each.alias,
                text=each.text,
                kind=each.kind.value,
                proof=each.proof.value,
                added_at=each.added_at,
            )
            for each in self.aliases.list(subject)
        )

    def _grants(self, person: Person) -> tuple[GrantCopy, ...]:
        return tuple(
            GrantCopy(
                grant=given.grant.grant,
                purposes=_sorted(given.grant.purposes),
                platform=given.grant.platform,
                regions=None if given.grant.regions is None else tuple(sorted(given.grant.regions)),
                categories=_sorted(given.grant.categories),
                given_at=given.given_at,
                valid_from=given.grant.valid_from,
                valid_until=given.grant.valid_until,
                uses_left=given.grant.uses_left,
            )
            for given in self.grants.given(person.subject)
        )

    def _tokens(self, subject: SubjectId) -> tuple[TokenCopy, ...]:
        return tuple(
            TokenCopy(
                token=each.token,
                kind=each.kind.value,
                categories=_sorted(each.categories),
                uses_left=each.uses_left,
                issued_at=each.issued_at,
                valid_until=each.valid_until,
            )
            for each in self.tokens.list(subject)
        )

    def _questions(self, subject: SubjectId) -> tuple[QuestionCopy, ...]:
        return tuple(
            QuestionCopy(
                request=each.request,
                platform=each.platform,
                asker=each.asker,
                purpose=each.purpose.value,
                region=each.region,
                category=each.category.value,
                prompt=each.prompt,
                context=each.context,
                pictures=tuple(map(_base64, each.pictures)),
                asked_at=each.asked_at,
                ends_at=each.ends_at,
            )
            for each in self.requests.pending(subject)
        )


def _check(mine: MyCheck) -> CheckCopy:
    sighting = mine.sighting
    return CheckCopy(
        check_id=sighting.check,
        at=sighting.at,
        how=mine.how.value,
        stage=sighting.stage.value,
        category=sighting.category.value,
        purpose=sighting.purpose.value,
        region=sighting.region,
        platform=sighting.platform,
        verdict=sighting.verdict.value,
        reasons=tuple(reason.value for reason in sighting.reasons),
        receipt=mine.receipt,
    )


def _sorted(words: frozenset[Purpose] | frozenset[IntentCategory]) -> tuple[str, ...]:
    return tuple(sorted(word.value for word in words))


def _change(opening: Opening) -> str:
    stated: dict[str, str] = json.loads(opening.values["change"])
    return stated["change"]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
