"""What speaks for and against a yes in one check: grants, tokens, contests, names, questions.

Every reading here can fail, and a failure is told as one: nothing that could not be read counts as
a yes, and what might have been a no refuses (law 8).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from consentry.consent.authority import Authority, Grant, Permit
from consentry.consent.decision import Decision
from consentry.consent.findings import NamesState
from consentry.grants.permits import Shown
from consentry.grants.requests import Question
from consentry.imagery.preview import preview
from consentry.kernel.biometrics import Embedding, Pixels
from consentry.kernel.errors import NotFound, OperatorError, VaultAbsent, VaultLocked
from consentry.kernel.ids import ConsentRequestId, SubjectId
from consentry.kernel.taxonomy import IntentCategory, Mode, Purpose

MAX_PREVIEWS = 4


class Grants(Protocol):
    """`consentry.grants.grants.GrantDesk`."""

    def of(self, subjects: Collection[SubjectId]) -> tuple[Grant, ...]:
        """Return the grants of these subjects."""


class Permits(Protocol):
    """`consentry.grants.permits.ReadPermit`."""

    def __call__(self, shown: Shown, *, now: datetime) -> Permit | None:
        """Return the permit, or None when the token does not hold for these words and pictures."""


class Contests(Protocol):
    """`consentry.enrolment.contests.Contests`."""

    def contested(self) -> frozenset[SubjectId]:
        """Return every subject whose identity is in doubt."""


class Names(Protocol):
    """`consentry.enrolment.aliases.AliasBook`."""

    def named_in(self, texts: Iterable[str]) -> tuple[SubjectId, ...]:
        """Return every subject whose protected name stands in any of these texts."""


class Confirms(Protocol):
    """`consentry.enrolment.unlocking.ConfirmSubject`."""

    def __call__(self, subject: SubjectId, probes: Sequence[Embedding]) -> tuple[bool, ...]:
        """Return, for each probe, whether it is surely this subject."""


class Asks(Protocol):
    """`consentry.grants.requests.RequestDesk`."""

    def ask(self, question: Question) -> ConsentRequestId:
        """Put a question to a subject, and return what the asker may poll."""


class Asked(Protocol):
    """The parts of a check request that consents are read from (`CheckRequest`)."""

    @property
    def images(self) -> tuple[bytes, ...]:
        """Encoded files."""

    @property
    def prompt(self) -> str | None:
        """The newest turn."""

    @property
    def context(self) -> tuple[str, ...]:
        """Earlier turns, oldest first."""

    @property
    def mode(self) -> Mode:
        """Whether something can be stopped."""

    @property
    def purpose(self) -> Purpose:
        """What the caller says it is for."""

    @property
    def region(self) -> str | None:
        """What the caller states."""

    @property
    def platform(self) -> str | None:
        """Who asks."""

    @property
    def token(self) -> str | None:
        """A consent token that is shown."""

    @property
    def asker(self) -> str | None:
        """The end user behind the platform."""

    @property
    def caller(self) -> str:
        """Who calls, as this server knows it."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was read before the search.

    Attributes:
        permits: The token that was shown, if it holds.
        contested: Subjects whose identity is in doubt.
        is_whole: False when something could not be read.
        token_fails: A token was shown, and does not hold.
    """

    permits: tuple[Permit, ...] = ()
    contested: frozenset[SubjectId] = frozenset()
    is_whole: bool = True
    token_fails: bool = False

    @property
    def authority(self) -> Authority:
        """What is known without knowing who is in the pictures."""
        return Authority(permits=self.permits, contested=self.contested)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consents:
    """Reads consents for checks. Stateless; safe to share between threads."""

    grants: Grants
    permits: Permits
    contests: Contests
    names: Names
    confirms: Confirms
    requests: Asks

    def named(self, asked: Asked) -> tuple[tuple[SubjectId, ...], NamesState]:
        """Return who is named in the words. The same work for every check, whatever it asks."""
        try:
            texts = (*asked.context, asked.prompt or "")
            return self.names.named_in(texts), NamesState.CHECKED
        except (VaultAbsent, VaultLocked):
            return (), NamesState.LOCKED
        except (OperatorError, NotFound):
            return (), NamesState.FAILED

    def read(self, asked: Asked, now: datetime) -> Read:
        """Read the token that was shown, and the contests. Tokens are for acts alone."""
        try:
            contested = self.contests.contested()
            if asked.token is None or asked.mode is not Mode.ACT:
                return Read(contested=contested)
            shown = Shown(
                jws=asked.token, images=asked.images, prompt=asked.prompt, context=asked.context
            )
            permit = self.permits(shown, now=now)
        except OperatorError:
            return Read(is_whole=False)
        if permit is None:
            return Read(contested=contested, token_fails=True)
        return Read(permits=(permit,), contested=contested)

    def authority(self, read: Read, subjects: Collection[SubjectId]) -> Authority:
        """Return all that speaks for a yes, once it is known who may be there.

        Raises:
            OperatorError, VaultAbsent, VaultLocked: If grants could not be read.
            NotFound: If one of them was revoked meanwhile.
        """
        return Authority(
            grants=self.grants.of(subjects), permits=read.permits, contested=read.contested
        )

    def confirmed(self, read: Read, probes: Sequence[Embedding]) -> dict[SubjectId, list[bool]]:
        """Return which probes are surely the subject of a token, by two networks."""
        return {
            permit.subject: list(self.confirms(permit.subject, probes)) for permit in read.permits
        }

    def ask(
        self,
        asked: Asked,
        decision: Decision,
        category: IntentCategory,
        pictures: Sequence[Pixels],
    ) -> ConsentRequestId | None:
        """Put the question to the one subject who may be asked, if there is one.

        Returns:
            None when nobody may be asked: a possible match, several people, a contest, no name of
            a platform to give a token to, or a check that only informs.

        Raises:
            StorageFull, StorageFailed: If the question could not be kept.
        """
        if decision.may_ask is None or asked.platform is None or asked.mode is not Mode.ACT:
            return None
        try:
            return self.requests.ask(
                Question(
                    subject=decision.may_ask,
                    caller=asked.caller,
                    platform=asked.platform,
                    asker=asked.asker,
                    purpose=asked.purpose,
                    region=asked.region,
                    category=category,
                    prompt=asked.prompt,
                    context=asked.context,
                    pictures=tuple(preview(each) for each in pictures[:MAX_PREVIEWS]),
                    digests=tuple(hashlib.sha256(image).digest() for image in asked.images),
                )
            )
        except (VaultAbsent, VaultLocked, NotFound):
            return None  # locked or revoked since the search: there is nobody to ask any more
