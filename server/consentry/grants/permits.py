"""Reading a token that was shown with a check. Whatever does not hold is simply no permit.

A token that is forged, used up, lapsed, revoked, or about other words, pictures or another
platform leads to the verdict that there would be without it: an error that told which of these it
is would teach whoever is trying.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from consentry.consent.authority import Permit
from consentry.grants.format import TokenClaims, TokenSigner, picture_digest, words_digest
from consentry.grants.ports import ConsentTokenStore, SubjectKeys
from consentry.grants.secrets import TokenKind, TokenSecret, open_secret
from consentry.kernel.errors import NotFound, SealBroken, VaultAbsent, VaultLocked


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a token was shown with.

    Attributes:
        jws: The token.
        images: The files as they were sent, in order.
        prompt: The newest turn.
        context: Earlier turns, oldest first.
    """

    jws: str
    images: Sequence[bytes]
    prompt: str | None
    context: Sequence[str]


@dataclass(frozen=True, slots=True)
class ReadPermit:
    """Turn a token that was shown into a permit. Changes nothing: using it up is the check's."""

    signer: TokenSigner
    store: ConsentTokenStore
    keys: SubjectKeys

    def __call__(self, shown: Shown, *, now: datetime) -> Permit | None:
        """Return the permit, or None when the token does not hold for these words and pictures.

        Platform, region, purpose and category are for `consentry.consent.decide` to compare.

        Raises:
            StorageFailed: If nobody can say whether the token is used up.
        """
        claims = self.signer.verify(shown.jws)
        stored = None if claims is None else self.store.get(claims.token)
        if claims is None or stored is None or stored.uses_left < 1:
            return None
        try:
            key = self.keys.open(stored.subject)
            secret = open_secret(stored.sealed, key=key, subject=stored.subject, token=stored.token)
        except (VaultAbsent, VaultLocked, NotFound, SealBroken):
            # Locked, revoked meanwhile, or a row that was not made with her key: no permit.
            return None
        if not _holds(secret, claims, shown, now):
            return None
        return Permit(
            token=stored.token,
            subject=stored.subject,
            purpose=claims.purpose,
            platform=claims.platform,
            region=claims.region,
            categories=secret.categories,
            valid_from=claims.issued_at,
            valid_until=min(claims.valid_until, stored.valid_until, secret.valid_until),
            is_attested_adult=secret.is_adult,
        )


def _holds(secret: TokenSecret, claims: TokenClaims, shown: Shown, now: datetime) -> bool:
    if not claims.issued_at <= now < claims.valid_until:
        return False
    pictures = [
        picture_digest(secret.salt, hashlib.sha256(image).digest()) for image in shown.images
    ]
    match secret.kind:
        case TokenKind.SINGLE:
            words = words_digest(secret.salt, shown.prompt, shown.context)
            return (
                claims.words is not None
                and hmac.compare_digest(words, claims.words)
                and hmac.compare_digest(b"".join(pictures), b"".join(claims.images))
            )
        case TokenKind.SESSION:
            return bool(pictures) and set(pictures) <= set(claims.images)
