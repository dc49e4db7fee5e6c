"""The last signed head of the log in a small file of its own, replaced whole and synced.

A database that is put back from a backup does not bring this file back with it: that is its use.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from consentry.kernel.errors import LogInconsistent, ProofInvalid, StorageFailed, StorageFull
from consentry.transparency.checkpoints import SignedCheckpoint

_OWNER_ONLY = 0o600
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True, slots=True)
class FileHeadMemory:
    """`consentry.transparency.ports.HeadMemory` in a file.

    Written only while the log is held, so by one at a time over all processes.
    """

    path: Path

    def read(self) -> SignedCheckpoint | None:
        """Return what was signed last; None when there is no file."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as cause:
            raise LogInconsistent(
                f"The file that remembers the log's head cannot be read ({cause.strerror}). Mend its "
                "permissions."
            ) from cause
        try:
            return SignedCheckpoint.parse(data)
        except ProofInvalid as cause:
            raise LogInconsistent(
                "The file that remembers the log's head is damaged. Put a sound copy in its place; if "
                "there is none, `consentry log renew` goes on under a new origin."
            ) from cause

    def keep(self, signed: SignedCheckpoint) -> None:
        """Replace it, whole or not at all."""
        draft = self.path.with_name(f".{self.path.name}.new")
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
            with os.fdopen(os.open(draft, flags, _OWNER_ONLY), "wb") as file:
                file.write(str(signed).encode())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
            _sync_folder(self.path.parent)
        except OSError as cause:
            with suppress(OSError):
                draft.unlink()
            if cause.errno in _NO_ROOM:
                raise StorageFull("The disk is full, so the log's head was not signed.") from cause
            raise StorageFailed(
                f"The file that remembers the log's head cannot be written ({cause.strerror})."
            ) from cause

    def set_aside(self) -> None:
        """Put a damaged file aside."""
        with suppress(FileNotFoundError):
            self.path.replace(self.path.with_name(f"{self.path.name}.damaged"))


def _sync_folder(folder: Path) -> None:
    """Make a new name survive a power cut. Windows has no such call and needs none."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
