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
ModelId = NewType("ModelId", str)
"""``name@version`` of an embedding model, for example ``mfn192+mfn512@1``."""

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
