"""An erasure receipt as an answer, with what travels beside it. Given once, kept nowhere."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from consentry.transparency.erasure import SignedErasure
from consentry.transparency.jwks import encode_base64url


class ErasedEntryOut(BaseModel):
    """The entry of the log that records one erasure, and what opens it."""

    model_config = ConfigDict(frozen=True)

    subject: str
    entry: str = Field(description="Base64url; comes into the log with the next batch.")
    salt: str = Field(description="Base64url, 32 bytes; shows that the entry is about the subject.")


def entries_of(erasure: SignedErasure) -> list[ErasedEntryOut]:
    """Return what travels beside the receipt."""
    return [
        ErasedEntryOut(
            subject=each.subject,
            entry=encode_base64url(each.entry),
            salt=encode_base64url(each.salt),
        )
        for each in erasure.entries
    ]
