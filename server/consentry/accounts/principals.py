"""A caller, by which door it came, and how far it reaches."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from consentry.kernel.errors import Forbidden
from consentry.kernel.ids import TokenId


class Scope(StrEnum):
    """What a bearer token may be allowed to do. Part of the wire format: never rename one."""

    CHECKS_WRITE = "checks:write"
    FACES_READ = "faces:read"
    SUBJECTS_READ = "subjects:read"
    SUBJECTS_WRITE = "subjects:write"
    RECEIPTS_READ = "receipts:read"
    VAULT_READ = "vault:read"
    VAULT_WRITE = "vault:write"
    BACKUP = "backup"
    TOKENS = "tokens"
    METRICS_READ = "metrics:read"


ALL_SCOPES: frozenset[Scope] = frozenset(Scope)

EXTENSION_SCOPES: frozenset[Scope] = frozenset(
    {Scope.CHECKS_WRITE, Scope.FACES_READ, Scope.VAULT_READ}
)
"""What a paired extension may do: ask, and see whether the vault is locked. It cannot enrol, list,
unlock or erase."""


class Door(StrEnum):
    """How a caller came in. The first two are the owner herself."""

    SOCKET = "socket"
    """The 0600 unix socket, or the same process: the file's permissions are the credential."""
    DASHBOARD = "dashboard"
    """A dashboard session, opened by a one-time secret from her terminal."""
    TOKEN = "token"  # noqa: S105 -- the name of a door, not a secret
    """A bearer token: an extension, a script, a platform."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who is calling.

    Attributes:
        door: How it came in.
        scopes: What it may do.
        name: What the owner calls it; never logged.
        token: The identifier of the bearer token; None for the owner.
    """

    door: Door
    scopes: frozenset[Scope]
    name: str
    token: TokenId | None = None

    @property
    def is_owner(self) -> bool:
        """Whether this is the owner: only she sees private reasons, and may say who is asking."""
        return self.door is not Door.TOKEN

    def require(self, scope: Scope) -> None:
        """Pass when the caller may do it.

        Raises:
            Forbidden: If the scope is missing.
        """
        if scope not in self.scopes:
            raise Forbidden(
                f"This token does not have the scope {scope.value}. Make one that has it."
            )


OWNER_AT_SOCKET = Principal(door=Door.SOCKET, scopes=ALL_SCOPES, name="owner")
OWNER_AT_DASHBOARD = Principal(door=Door.DASHBOARD, scopes=ALL_SCOPES, name="owner")
