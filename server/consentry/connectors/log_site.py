"""Reads somebody's transparency log over HTTP (C2SP tlog-tiles): ``<url>/checkpoint``, ``<url>/tile/...``.

The address is the auditor's own choice. Redirects are not followed, and no answer is believed to be
shorter than it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from consentry.kernel.errors import NotFound, Unreachable
from consentry.transparency.checkpoints import SignedCheckpoint
from consentry.transparency.notes import MAX_NOTE_BYTES
from consentry.transparency.tiles import MAX_ENTRY_BYTES, WIDTH, Tile
from consentry.transparency.tree import HASH_BYTES

_TIMEOUT_S = 20.0
_OK = 200
_ABSENT = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class LogSite:
    """`consentry.audit.ports.LogSource` behind an address; one connection, kept open."""

    url: str
    client: httpx.Client = field(repr=False)

    @property
    def has_tree(self) -> bool:
        """Every tiled log has."""
        return True

    def heads(self) -> tuple[SignedCheckpoint, ...]:
        """Return the head that it shows now.

        Raises:
            ProofInvalid: If it is not in the form of one.
            NotFound, Unreachable: If there is none.
        """
        return (SignedCheckpoint.parse(self._get("checkpoint", MAX_NOTE_BYTES)),)

    def read(self, tile: Tile) -> bytes:
        """Return a tile of hashes, or a bundle of entries."""
        most = WIDTH * (HASH_BYTES if tile.level is not None else MAX_ENTRY_BYTES + 2)
        return self._get(f"tile/{tile.path()}", most)

    def _get(self, path: str, most: int) -> bytes:
        try:
            with self.client.stream("GET", f"{self.url}/{path}") as response:
                if response.status_code in _ABSENT:
                    raise NotFound(f"The log does not have {path}.")
                if response.status_code != _OK:
                    raise Unreachable(
                        f"The log answered {response.status_code} for {path}. A log that is not "
                        "public wants an auditor's token, or one with the scope receipts:read."
                    )
                answer = bytearray()
                for piece in response.iter_bytes():
                    answer += piece
                    if len(answer) > most:
                        raise Unreachable("The log answers without end.")
                return bytes(answer)
        except (httpx.HTTPError, httpx.InvalidURL) as cause:
            raise Unreachable("The log cannot be reached. Is the address right?") from cause


@contextmanager
def open_log_site(
    url: str, *, token: str | None = None, transport: httpx.BaseTransport | None = None
) -> Iterator[LogSite]:
    """Open the log at ``url``, which is what comes before ``/checkpoint``."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    with httpx.Client(
        timeout=_TIMEOUT_S, headers=headers, transport=transport, trust_env=False
    ) as client:
        yield LogSite(url.rstrip("/"), client)
