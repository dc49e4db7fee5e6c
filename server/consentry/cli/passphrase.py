"""Where a passphrase comes from: a file descriptor, the environment or the terminal. Never an argument.

An argument would be readable by every program on the machine for as long as the command runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from consentry.cli.terminal import is_interactive, note
from consentry.kernel.errors import BadRequest
from consentry.settings import Settings
from consentry.vault.passphrase import MIN_CHARACTERS, Passphrase

HOW_TO_GIVE = (
    "Run this at a terminal to be asked for it, or give it through --passphrase-fd N or the variable "
    "CONSENTRY_PASSPHRASE."
)

NOBODY_CAN_RECOVER = (
    "Choose a passphrase. It protects the enrolled faces on this machine, and nobody can recover it: without it "
    "you enrol again. Four random words are easy to keep."
)

_MAX_BYTES = 8192


@dataclass(frozen=True, slots=True)
class PassphraseSource:
    """Everything a passphrase may come from, in order of precedence."""

    settings: Settings
    fd: int | None

    @property
    def is_given(self) -> bool:
        """Whether there is one without asking anybody."""
        return self.fd is not None or self.settings.passphrase is not None

    def given_or_asked(
        self, question: str = "Passphrase (Enter to go on without): "
    ) -> Passphrase | None:
        """Return the passphrase; None when none is given, and nobody can be asked or wants to say.

        Raises:
            BadRequest: If the file descriptor holds none.
        """
        if self.is_given:
            return self._given(1)[0]
        typed = _ask(question) if is_interactive() else None
        return typed if typed is not None and typed.to_bytes() else None

    def required(self, question: str = "Passphrase: ") -> Passphrase:
        """Return the passphrase.

        Raises:
            BadRequest: If none is given and nobody can be asked; says how to give one.
        """
        passphrase = self.given_or_asked(question)
        if passphrase is None:
            raise BadRequest(f"This needs the passphrase. {HOW_TO_GIVE}")
        return passphrase

    def new(self) -> Passphrase:
        """Return the passphrase of a vault that is about to be made: asked for twice at a terminal.

        Raises:
            BadRequest: If none is given and nobody can be asked, or the two differ.
            WeakPassphrase: If it protects nothing.
        """
        if self.is_given:
            return self._given(1)[0]
        if not is_interactive():
            raise BadRequest(
                f"The first enrolment makes the vault, and a vault needs a passphrase. {HOW_TO_GIVE}"
            )
        return _choose()

    def change(self) -> tuple[Passphrase, Passphrase]:
        """Return the present passphrase and a new one: the two first lines of the descriptor, or asked for.

        Raises:
            BadRequest: If either is missing and nobody can be asked.
            WeakPassphrase: If the new one protects nothing.
        """
        if self.fd is not None:
            old, new = self._given(2)
            return old, new
        old = self.required("Present passphrase: ")
        if not is_interactive():
            raise BadRequest(
                "A new passphrase is needed too. Run this at a terminal to be asked for it, or give both through "
                "--passphrase-fd N: the present one on the first line, the new one on the second."
            )
        return old, _choose()

    def _given(self, lines: int) -> list[Passphrase]:
        if self.fd is not None:
            found = list(_lines_of(self.fd, lines))
            if len(found) < lines or not all(found):
                raise BadRequest(
                    f"The file descriptor of --passphrase-fd gave {'no passphrase' if lines == 1 else 'too few lines'}."
                )
            return [Passphrase(line) for line in found]
        if self.settings.passphrase is None:
            raise BadRequest(f"This needs the passphrase. {HOW_TO_GIVE}")
        return [Passphrase(self.settings.passphrase.get_secret_value())]


def _lines_of(fd: int, lines: int) -> Iterator[str]:
    """Read byte by byte, so that whatever follows stays in the descriptor for others."""
    try:
        for _ in range(lines):
            line = bytearray()
            while len(line) < _MAX_BYTES and (byte := os.read(fd, 1)) not in {b"", b"\n"}:
                line += byte
            yield line.decode("utf-8").removesuffix("\r")
    except OSError as cause:
        raise BadRequest(
            f"--passphrase-fd {fd} is not an open file descriptor that can be read."
        ) from cause
    except UnicodeDecodeError as cause:
        raise BadRequest("The passphrase from --passphrase-fd is not UTF-8 text.") from cause


def _ask(question: str) -> Passphrase:
    import getpass

    return Passphrase(getpass.getpass(question))


def _choose() -> Passphrase:
    note(NOBODY_CAN_RECOVER)
    passphrase = _ask(f"New passphrase (at least {MIN_CHARACTERS} characters): ")
    passphrase.require_strong()
    if _ask("The same again: ").to_bytes() != passphrase.to_bytes():
        raise BadRequest("The two passphrases differ; nothing was changed.")
    return passphrase
