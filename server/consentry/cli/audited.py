"""Which log is audited, and whom it is held against: options that the commands of `audit` share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.exits import ExitCode
from consentry.cli.files import read_file
from consentry.cli.invocation import Invocation
from consentry.kernel.errors import BadRequest

if TYPE_CHECKING:
    from consentry.audit.examine import Terms
    from consentry.audit.ports import LogSource
    from consentry.transparency.checkpoints import SignedCheckpoint
    from consentry.transparency.jwks import JwkSet
    from consentry.transparency.policy import TrustPolicy

_MAX_BYTES = 1024 * 1024
_MAX_OPENINGS_BYTES = 2 * 1024**3

Log = Annotated[
    str | None,
    typer.Option(
        "--log",
        metavar="URL|DIR",
        help="Another log than this home's: the address before /checkpoint, or a folder with a copy of it.",
        show_default=False,
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        help="Verifier key of that log (`consentry log key`). From its operator, not from the log itself.",
        show_default=False,
    ),
]
Policy = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        help="Whom to believe, with witnesses and a quorum (C2SP tlog-policy), in place of --key.",
        show_default=False,
    ),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        help="A file with a token, for a log that is not public.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is audited, and whom it is held against."""

    source: LogSource
    policy: TrustPolicy
    receipt_keys: JwkSet | None = None
    kept: SignedCheckpoint | None = None
    """The head that this home remembers outside of its database."""


@contextmanager
def audited_log(
    context: typer.Context,
    log: str | None,
    key: str | None,
    policy: Path | None,
    token_file: Path | None,
) -> Iterator[Subject]:
    """Open the log that is meant: this home's, one behind an address, or a copy in a folder.

    Raises:
        BadRequest: If it is another's and nobody says which key is its.
    """
    from consentry.audit.sources import ViewedLog
    from consentry.connectors.log_site import open_log_site
    from consentry.storage.log_folder import FolderLog
    from consentry.wiring import open_log

    trusted = _trusted(key, policy)
    if log is None:
        with open_log(Invocation.of(context).settings) as desk, desk.store.view() as view:
            yield Subject(
                source=ViewedLog(view),
                kept=desk.store.memory.read(),
                policy=trusted or desk.policy,
                receipt_keys=desk.receipt_keys,
            )
        return
    if trusted is None:
        raise BadRequest(
            "Give the key of that log, from its operator (--key), or a trust policy (--policy): a log that names "
            "its own key proves nothing."
        )
    if not log.startswith(("https://", "http://")):
        yield Subject(source=FolderLog(Path(log)), policy=trusted)
        return
    token = None if token_file is None else read_file(token_file, max_bytes=4096).decode().strip()
    with open_log_site(log, token=token) as site:
        yield Subject(source=site, policy=trusted)


def _trusted(key: str | None, policy: Path | None) -> TrustPolicy | None:
    from consentry.transparency.notes import VerifierKey
    from consentry.transparency.policy import KnownLog, TrustPolicy
    from consentry.wiring import read_trust_policy

    if key is not None and policy is not None:
        raise BadRequest("Give --key or --policy, not both: a policy names the log's key itself.")
    if policy is not None:
        return read_trust_policy(policy)
    if key is not None:
        return TrustPolicy(logs=(KnownLog(vkey=VerifierKey.parse(key.strip())),))
    return None


def terms_of(
    subject: Subject,
    *,
    since: list[Path] | None = None,
    openings: Path | None = None,
    days_back: int = 1,
    receipts: dict[str, str] | None = None,
    keys: JwkSet | None = None,
) -> Terms:
    """Return what the audit goes by."""
    from consentry.audit.examine import Terms
    from consentry.audit.openings import parse_openings
    from consentry.kernel.clock import SystemClock
    from consentry.transparency.checkpoints import SignedCheckpoint
    from consentry.transparency.jwks import JwkSet

    opened = b"" if openings is None else read_file(openings, max_bytes=_MAX_OPENINGS_BYTES)
    kept = [SignedCheckpoint.parse(read_file(each, max_bytes=_MAX_BYTES)) for each in since or []]
    return Terms(
        policy=subject.policy,
        kept=tuple(kept if subject.kept is None else [*kept, subject.kept]),
        receipts=receipts or {},
        keys=keys or JwkSet(keys=[]),
        openings=parse_openings(opened.decode("utf-8", "replace")),
        today=SystemClock().now().date(),
        days_back=days_back,
    )


def leave(is_wrong: bool) -> None:  # noqa: FBT001 -- a predicate of its one meaning
    """Leave with the exit code for findings if something is wrong."""
    if is_wrong:
        raise typer.Exit(ExitCode.FINDINGS)
