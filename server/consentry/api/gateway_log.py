"""What the gateway logs: one line for each request, and where something unexpected happened. No content of either."""

from __future__ import annotations

import logging
import traceback
from pathlib import PurePath

from consentry.gateway.passage import Passage

_log = logging.getLogger("consentry.gateway")


def log_request(dialect: str, passage: Passage, status: int, seconds: float) -> None:
    """Log one request."""
    _log.info("%s", _line_of(dialect, passage, status, seconds))


def log_unexpected(error: BaseException, request_id: str) -> None:
    """Log where it happened. The text of a foreign exception may quote what it choked on."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
    _log.error("unexpected %s at %s, id=%s", type(error).__name__, place, request_id)


def _line_of(dialect: str, passage: Passage, status: int, seconds: float) -> str:
    verdict = "none" if passage.verdict is None else passage.verdict.value
    reasons = ",".join(passage.reasons) or "none"
    refusal = "none" if passage.refusal is None else passage.refusal.kind.value
    return (
        f"{dialect} {passage.route} {status} {seconds * 1000:.0f}ms "
        f"check={passage.check_s * 1000:.0f}ms upstream={passage.upstream_s * 1000:.0f}ms "
        f"verdict={verdict} reasons={reasons} refusal={refusal} stage={passage.stage.value} "
        f"pictures={passage.pictures} outputs={passage.outputs} error={passage.error or 'none'} "
        f"checks={len(passage.checks)} id={passage.request_id}"
    )
