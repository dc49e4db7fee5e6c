"""Is this face surely hers? Asked only when a token of hers is about to unlock something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from consentry.enrolment.keys import SubjectKeyRing
from consentry.enrolment.ports import SubjectStore
from consentry.faces.unlock import UnlockRule
from consentry.kernel.biometrics import Embedding
from consentry.kernel.ids import ModelId, SubjectId
from consentry.vault.envelope import unseal_template


@dataclass(frozen=True, slots=True)
class ConfirmSubject:
    """Compare faces with one subject's own templates, by two networks (1:1 verification).

    The gallery cannot be asked: there the parts of a vector are mixed by the cancelable transform.

    Attributes:
        rule: None for a model of one network: then nothing is ever confirmed.
    """

    store: SubjectStore
    keys: SubjectKeyRing
    model: ModelId
    rule: UnlockRule | None

    def __call__(self, subject: SubjectId, probes: Sequence[Embedding]) -> tuple[bool, ...]:
        """Return, for each probe, whether it is surely this subject.

        Raises:
            VaultAbsent, VaultLocked: If her key is not in memory.
            NotFound: If nobody is enrolled by that identifier.
            SealBroken: If a template is not what was sealed.
        """
        if self.rule is None:
            return tuple(False for _ in probes)
        key = self.keys.open(subject)
        references = [
            unseal_template(
                each.sealed, key=key, subject=subject, template=each.template, model=each.model
            )
            for each in self.store.templates_of(subject, self.model)
        ]
        return tuple(self.rule.holds(probe, references) for probe in probes)
