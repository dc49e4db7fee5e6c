"""The key with which a person reads what was noted about her, and the address that notes are sealed to.

    without a passphrase of her own   derived from her data key: who opens the home can read
    with one                          a key of its own, wrapped under that passphrase

Both are addressed by every check, so they go with her: no data key, no reading (docs/adr/0033).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from consentry.enrolment.keys import SubjectKeyRing
from consentry.kernel.ids import SubjectId
from consentry.vault.keys import DataKey, derive
from consentry.vault.lids import ReaderAddress, ReaderKey

_INFO_READER = b"consentry/v1/subject/reader"


class OwnReaders(Protocol):
    """`consentry.enrolment.passphrases.OwnPassphrases`."""

    def reader_address(self, subject: SubjectId) -> ReaderAddress | None:
        """Return the address of the key under her own passphrase, if there is one."""

    def reader(self, subject: SubjectId) -> ReaderKey | None:
        """Return that key while she has just proved herself, else None."""


@dataclass(frozen=True, slots=True)
class ReadingKeys:
    """Stateless; safe to share between threads."""

    keys: SubjectKeyRing
    own: OwnReaders

    def address(self, subject: SubjectId) -> ReaderAddress:
        """Return where a note for a subject is sealed to. Does not keep the vault open.

        Raises:
            VaultAbsent, VaultLocked: If her key is not in memory.
            NotFound: If nobody is enrolled by that identifier.
        """
        own = self.own.reader_address(subject)
        return _derived(self.keys.open(subject)).address if own is None else own

    def open(self, subject: SubjectId) -> tuple[ReaderKey, ...]:
        """Return every key that notes about a subject may have been sealed to, as far as it is open.

        The derived one opens what was noted before she had a passphrase of her own.

        Raises:
            VaultAbsent, VaultLocked: If her key is not in memory.
            NotFound: If nobody is enrolled by that identifier.
        """
        own = self.own.reader(subject)
        derived = _derived(self.keys.open(subject))
        return (derived,) if own is None else (own, derived)


def _derived(key: DataKey) -> ReaderKey:
    return ReaderKey(derive(key.secret, _INFO_READER))
