"""A caller, by which door it came, and how far it reaches."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from consentry.accounts.budgets import ProbeQuota
from consentry.kernel.errors import Forbidden
from consentry.kernel.ids import KeyId, TokenId


class Scope(StrEnum):
    """What a bearer token or an API key may do. Part of the wire format: never rename one."""

    CHECKS_WRITE = "checks:write"
    CHECKS_READ = "checks:read"
    CONSENT_REQUEST = "consent:request"
    CONSENTS_READ = "consents:read"
    CONSENTS_WRITE = "consents:write"
    CONSENTS_ANSWER = "consents:answer"
    CHECKS_MINE = "checks:mine"
    FEED_READ = "feed:read"
    FACES_READ = "faces:read"
    SUBJECTS_READ = "subjects:read"
    SUBJECTS_WRITE = "subjects:write"
    RECEIPTS_READ = "receipts:read"
    VAULT_READ = "vault:read"
    VAULT_WRITE = "vault:write"
    BACKUP = "backup"
    TOKENS = "tokens"
    METRICS_READ = "metrics:read"
    AUDIT_READ = "audit:read"


ALL_SCOPES: frozenset[Scope] = frozenset(Scope)

EXTENSION_SCOPES: frozenset[Scope] = frozenset(
    {
        Scope.CHECKS_WRITE,
        Scope.FACES_READ,
        Scope.VAULT_READ,
        Scope.CONSENTS_ANSWER,
        Scope.CHECKS_MINE,
    }
)
"""What a paired extension may do: ask, see whether the vault is locked, and bring what a person
answers to a question. It cannot enrol, list, unlock or erase. Its token lies on a disk in the clear,
so a yes and her own list of checks need, each time, her passphrase beside it (docs/adr/0037)."""


PLATFORM_SCOPES: frozenset[Scope] = frozenset(
    {Scope.CHECKS_WRITE, Scope.CHECKS_READ, Scope.CONSENT_REQUEST, Scope.FEED_READ}
)
"""All that an API key can ever do: ask, read its own answers, follow a request, hear of changes."""


AUDITOR_SCOPES: frozenset[Scope] = frozenset({Scope.AUDIT_READ})
"""What an auditor may do: read the log, its figures, and the receipts of entries that she picks. She sees
nobody and changes nothing."""


class Door(StrEnum):
    """How a caller came in. The first two are the owner herself, the third a program of hers."""

    SOCKET = "socket"
    """The 0600 unix socket, or the same process: the file's permissions are the credential."""
    DASHBOARD = "dashboard"
    """A dashboard session, opened by a one-time secret from her terminal."""
    TOKEN = "token"  # noqa: S105 -- the name of a door, not a secret
    """A bearer token: an extension or a script of the owner's."""
    KEY = "key"
    """An API key: a platform."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who is calling.

    Attributes:
        door: How it came in.
        scopes: What it may do.
        name: What the owner calls it; never logged.
        token: The identifier of the bearer token; None for anybody else.
        key: The identifier of the API key; None for anybody else.
        platform: Whom the API key speaks for; None for anybody else.
        quota: How many faces the API key may have searched for; None for anybody else.
    """

    door: Door
    scopes: frozenset[Scope]
    name: str
    token: TokenId | None = None
    key: KeyId | None = None
    platform: str | None = None
    quota: ProbeQuota | None = None

    @property
    def caller(self) -> str:
        """A name of the credential that tells callers apart: ``tok_…``, ``key_…`` or ``owner``."""
        return self.token or self.key or "owner"

    @property
    def is_owner(self) -> bool:
        """Whether this is the owner: only she sees private reasons, and may say who is asking."""
        return self.door in {Door.SOCKET, Door.DASHBOARD}

    def require(self, *scopes: Scope) -> None:
        """Pass when the caller has one of these scopes.

        Raises:
            Forbidden: If it has none of them.
        """
        if self.scopes.isdisjoint(scopes):
            names = " or ".join(scope.value for scope in scopes)
            raise Forbidden(
                f"This credential does not have the scope {names}. Make one that has it."
            )


OWNER_AT_SOCKET = Principal(door=Door.SOCKET, scopes=ALL_SCOPES, name="owner")
OWNER_AT_DASHBOARD = Principal(door=Door.DASHBOARD, scopes=ALL_SCOPES, name="owner")
