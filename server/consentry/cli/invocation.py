"""One run of the command: its settings, how talkative it is, and how it reaches the API."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from consentry.kernel.errors import Conflict

if TYPE_CHECKING:
    import typer

    from consentry.cli.companion import Companion, Connect
    from consentry.cli.passphrase import PassphraseSource
    from consentry.settings import Settings

_TALKATIVE = frozenset({"debug", "info"})


class Invocation:
    """What all commands of one run share. Builds everything late: ``--help`` needs none of it."""

    def __init__(self, connect: Connect | None = None) -> None:
        self._connect = connect
        self.shows_tracebacks = False
        self.is_verbose = False
        self.is_companion = False
        self.model: str | None = None

    @staticmethod
    def of(context: typer.Context) -> Invocation:
        """Return the invocation that a command belongs to."""
        invocation = context.find_object(Invocation)
        if invocation is None:
            raise TypeError("the command line was started without an Invocation")
        return invocation

    @cached_property
    def settings(self) -> Settings:
        """The environment's settings, with the model of ``--model``; read once, and the log set up by them.

        Raises:
            BadRequest: If a variable is out of range, or there is no model by that name.
        """
        from consentry.settings import load_settings

        settings = load_settings(model=self.model)
        # A failed command tells its error in one line itself; a companion has nobody to tell but the log.
        self.shows_tracebacks = self.shows_tracebacks or settings.log_level == "debug"
        is_wanted = self.is_verbose or self.is_companion or settings.log_level in _TALKATIVE
        self._set_up_log(settings.log_level if is_wanted else "critical")
        return settings

    @contextmanager
    def line(self) -> Iterator[Companion]:
        """Open a line to the API.

        Raises:
            OperatorError: If no companion runs and the application cannot be set up here.
            Conflict: If ``--model`` was given and a companion runs: its model was chosen when it started.
        """
        with self._connected() as line:
            if line.is_server and self.model is not None:
                raise Conflict(
                    "A companion is running, and it keeps the model that it was started with. Leave --model out, "
                    "or stop it and start it again with: consentry --model NAME serve"
                )
            yield line

    def _connected(self) -> AbstractContextManager[Companion]:
        if self._connect is not None:
            return self._connect(self.settings)
        from consentry.cli.companion import connect

        return connect(self.settings)

    def passphrase(self, fd: int | None) -> PassphraseSource:
        """Return where this run takes a passphrase from."""
        from consentry.cli.passphrase import PassphraseSource

        return PassphraseSource(self.settings, fd)

    def _set_up_log(self, level: str) -> None:
        if self.is_verbose and level not in _TALKATIVE:
            level = "info"
        # Only our own rooms: libraries log addresses and file names.
        log = logging.getLogger("consentry")
        log.setLevel(level.upper())
        if not log.handlers:
            handler = logging.StreamHandler(sys.stderr)
            handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
            log.addHandler(handler)
        log.propagate = False
