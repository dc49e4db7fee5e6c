"""Two subjects who claim one face: until it is settled, nobody's yes counts (law 3)."""

from __future__ import annotations

import os
from dataclasses import dataclass

from consentry.enrolment.people import VerifyActor
from consentry.enrolment.ports import ContestStore, StoredContest
from consentry.kernel.clock import Clock
from consentry.kernel.errors import BadRequest, Conflict
from consentry.kernel.ids import ContestId, Random, SubjectId, new_contest_id


@dataclass(frozen=True, slots=True)
class Contests:
    """Open, list and settle contests. Safe to share between threads: the store decides.

    A contest only ever tightens, so that opening one needs no passphrase. Settling one loosens.
    Whose face it is, is found out outside of this program; the enrolment of the other is then
    revoked, which ends the contest too.
    """

    store: ContestStore
    actor: VerifyActor
    clock: Clock
    random: Random = os.urandom

    def open(self, claimant: SubjectId, respondent: SubjectId) -> ContestId:
        """Say that a face that is enrolled as one subject's is another's.

        Raises:
            BadRequest: If the two are one.
            Conflict: If there is a contest between the two already.
            NotFound: If one of them is not enrolled.
        """
        if claimant == respondent:
            raise BadRequest("A contest is between two people.")
        pair = {claimant, respondent}
        if any({each.claimant, each.respondent} == pair for each in self.store.all()):
            raise Conflict("There is a contest between these two already.")
        contest = StoredContest(
            contest=new_contest_id(self.random),
            claimant=claimant,
            respondent=respondent,
            opened_at=self.clock.now(),
        )
        self.store.open(contest)
        return contest.contest

    def settle(self, contest: ContestId) -> None:
        """End a contest with both enrolments left as they are (twins, or a mistake).

        Raises:
            Forbidden: If one of the two has not proved herself within the last five minutes.
            NotFound: If there is none.
        """
        for each in self.store.all():
            if each.contest == contest:
                self.actor.require_to_loosen(each.claimant)
                self.actor.require_to_loosen(each.respondent)
        self.store.close(contest, at=self.clock.now())

    def all(self) -> tuple[StoredContest, ...]:
        """Return every open contest, oldest first."""
        return self.store.all()

    def contested(self) -> frozenset[SubjectId]:
        """Return every subject whose identity is in doubt, for a check."""
        return frozenset(
            subject for each in self.store.all() for subject in (each.claimant, each.respondent)
        )
