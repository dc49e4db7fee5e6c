"""Identifiers. Opaque and random, so that an identifier says nothing about whom or what it names."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from typing import NewType

SubjectId = NewType("SubjectId", str)
TemplateId = NewType("TemplateId", str)
CheckId = NewType("CheckId", str)
TokenId = NewType("TokenId", str)
KeyId = NewType("KeyId", str)
"""An API key of a platform, whichever of its secrets is shown."""
GrantId = NewType("GrantId", str)
ConsentTokenId = NewType("ConsentTokenId", str)
"""The ``jti`` of a consent token; the server alone knows whose it is."""
ConsentRequestId = NewType("ConsentRequestId", str)
AliasId = NewType("AliasId", str)
ContestId = NewType("ContestId", str)
ModelId = NewType("ModelId", str)
"""``name@version`` of an embedding model, for example ``mfn192+sface@1``."""

Random = Callable[[int], bytes]
"""Source of randomness: takes a number of bytes, returns that many. Always ``os.urandom`` in production."""

_ID_BYTES = 16


def _new_id(prefix: str, random: Random) -> str:
    return prefix + base64.b32encode(random(_ID_BYTES)).decode("ascii").rstrip("=").lower()


def new_subject_id(random: Random = os.urandom) -> SubjectId:
    """Return a fresh 128-bit subject identifier, for example ``sub_4k7…``."""
    return SubjectId(_new_id("sub_", random))


def new_template_id(random: Random = os.urandom) -> TemplateId:
    """Return a fresh 128-bit template identifier, for example ``tpl_4k7…``."""
    return TemplateId(_new_id("tpl_", random))


def new_check_id(random: Random = os.urandom) -> CheckId:
    """Return a fresh 128-bit check identifier, for example ``chk_4k7…``."""
    return CheckId(_new_id("chk_", random))


def new_token_id(random: Random = os.urandom) -> TokenId:
    """Return a fresh 128-bit token identifier, for example ``tok_4k7…``."""
    return TokenId(_new_id("tok_", random))


def new_key_id(random: Random = os.urandom) -> KeyId:
    """Return a fresh 128-bit identifier of an API key, for example ``key_4k7…``."""
    return KeyId(_new_id("key_", random))


def new_grant_id(random: Random = os.urandom) -> GrantId:
    """Return a fresh 128-bit identifier of a grant, for example ``grt_4k7…``."""
    return GrantId(_new_id("grt_", random))


def new_consent_token_id(random: Random = os.urandom) -> ConsentTokenId:
    """Return a fresh 128-bit identifier of a consent token, for example ``ctk_4k7…``."""
    return ConsentTokenId(_new_id("ctk_", random))


def new_consent_request_id(random: Random = os.urandom) -> ConsentRequestId:
    """Return a fresh 128-bit identifier of a consent request, for example ``crq_4k7…``."""
    return ConsentRequestId(_new_id("crq_", random))


def new_alias_id(random: Random = os.urandom) -> AliasId:
    """Return a fresh 128-bit identifier of an alias, for example ``als_4k7…``."""
    return AliasId(_new_id("als_", random))


def new_contest_id(random: Random = os.urandom) -> ContestId:
    """Return a fresh 128-bit identifier of a contest, for example ``cnt_4k7…``."""
    return ContestId(_new_id("cnt_", random))
