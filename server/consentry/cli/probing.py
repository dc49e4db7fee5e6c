"""Sends the probes of a canary as an ordinary platform asks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from consentry.audit.canary import Probe, Trial
from consentry.client.blocking import ConsentryClient
from consentry.client.question import Question
from consentry.client.receipts import KeySet
from consentry.kernel.clock import Clock, SystemClock
from consentry.kernel.ids import Random

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Probing:
    """One round after the other; who sees only the requests cannot tell them from others by their order."""

    server: str
    api_key: str = field(repr=False)
    platform: str
    keys: str
    clock: Clock = field(default_factory=SystemClock)
    random: Random = os.urandom

    def all(
        self,
        trials: Mapping[Trial, tuple[Sequence[bytes], Sequence[str]]],
        rounds: int,
        *,
        is_protected: bool,
    ) -> Iterator[Probe]:
        """Send every trial as often as there are rounds, each with a picture and words taken at random.

        Raises:
            ConsentryError: If one was not answered, or by a receipt that does not hold.
        """
        planned = [(self.random(16), trial) for trial in trials for _ in range(rounds)]
        with ConsentryClient(
            self.server, self.api_key, platform=self.platform, keys=KeySet.from_json(self.keys)
        ) as client:
            for _, trial in sorted(planned):
                pictures, words = trials[trial]
                question = Question(images=(self._one(pictures),), prompt=self._one(words))
                answer = client.check(question)
                yield Probe(
                    at=self.clock.now(),
                    trial=trial,
                    was_protected=is_protected,
                    verdict=answer.verdict,
                    reasons=answer.reasons,
                    receipt=answer.receipt,
                )

    def _one(self, choices: Sequence[_T]) -> _T:
        return choices[int.from_bytes(self.random(8), "big") % len(choices)]
