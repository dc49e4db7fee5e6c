"""What a platform has to hear of: consent that was taken back, rules that changed. Never whose."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from consentry.checks.ports import ReceiptStore
from consentry.grants.ports import Feed, FeedEntry
from consentry.kernel.errors import BadRequest, NotFound

MAX_CHANGES = 200
_POSITION_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A piece of the feed, for one caller.

    Attributes:
        changes: Oldest first. A check among them is one of the caller's own.
        cursor: Where to go on from.
        has_more: Whether there is more at once.
    """

    changes: tuple[FeedEntry, ...]
    cursor: str
    has_more: bool


@dataclass(frozen=True, slots=True)
class ReadNews:
    """Read the feed. Stateless; safe to share between threads.

    A cursor is sealed for its caller: it tells neither how much has happened nor how much of it was
    about others, and nobody can make one.

    Attributes:
        secret: 32 bytes of this installation, for cursors.
    """

    feed: Feed
    receipts: ReceiptStore
    secret: bytes = field(repr=False)

    def __call__(self, caller: str, *, cursor: str | None, limit: int) -> News:
        """Return what happened after a cursor (None: from the beginning).

        Args:
            caller: Changes that are about a check of somebody else's are left out.
            cursor: From an earlier answer to the same caller.
            limit: 1 to `MAX_CHANGES`.

        Raises:
            BadRequest: If the cursor is not one of this caller's.
        """
        position = 0 if cursor is None else self._opened(cursor, caller)
        found = self.feed.since(position, limit + 1)
        page = found[:limit]
        return News(
            changes=tuple(entry for entry in page if self._concerns(entry, caller)),
            cursor=self._sealed(page[-1].cursor if page else position, caller),
            has_more=len(found) > limit,
        )

    def _concerns(self, entry: FeedEntry, caller: str) -> bool:
        if entry.check is None:
            return True
        try:
            return self.receipts.get(entry.check).caller == caller
        except NotFound:
            return False

    def _sealed(self, position: int, caller: str) -> str:
        plain = position.to_bytes(_POSITION_BYTES, "big")
        sealed = AESSIV(self.secret).encrypt(plain, [caller.encode()])
        return base64.urlsafe_b64encode(sealed).decode("ascii").rstrip("=")

    def _opened(self, cursor: str, caller: str) -> int:
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            sealed = base64.b64decode(padded, altchars=b"-_", validate=True)
            plain = AESSIV(self.secret).decrypt(sealed, [caller.encode()])
        except (binascii.Error, ValueError, InvalidTag) as cause:
            raise BadRequest("This is no cursor of yours. Begin without one.") from cause
        return int.from_bytes(plain, "big")
