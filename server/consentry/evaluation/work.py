"""The work folder: what was seen so far, so that a run that was stopped goes on.

    OUT/work/observations.jsonl    one line a photo and model, appended as it is made

It holds embeddings of the people on the photos, in the clear: the folder is 0700 and the file 0600, and both go
when the run is done. A line names its photo by the SHA-256 of the file, never by path, and the model by what it
was made with, so that a line of another model, or of changed code, is passed over. A line that a crash cut off is too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self, TypeAlias

from consentry.kernel.errors import StorageFailed

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
JsonObject: TypeAlias = dict[str, Json]

_FILE = "observations.jsonl"
_OWNER_ONLY = 0o600
_OWNER_ONLY_FOLDER = 0o700


@dataclass(frozen=True, slots=True)
class Key:
    """What was seen, and by what.

    Attributes:
        photo: Of the photo, a SHA-256 in hexadecimal; of an altered photo, over what was done to it too.
        engine: The fingerprint of the model, likewise.
    """

    photo: str
    engine: str


class WorkFolder:
    """What was seen, on disk and in memory. Thread-safe: ``_lock`` guards the file and the dictionary.

    Raises:
        StorageFailed: If the folder cannot be made or written.
    """

    def __init__(self, folder: Path, *, fresh: bool) -> None:
        self._folder = folder
        self._path = folder / _FILE
        self._lock = Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=_OWNER_ONLY_FOLDER)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | (os.O_TRUNC if fresh else 0)
            self._file = os.fdopen(os.open(self._path, flags, _OWNER_ONLY), "r+b")
            self._path.chmod(_OWNER_ONLY)
            self._seen = dict(_read(self._file.read()))
            # The next line must not be joined to one that was cut off.
            self._file.write(b"\n")
        except OSError as cause:
            raise StorageFailed(
                f"the work folder cannot be written ({cause.strerror}); choose another with --work"
            ) from cause

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        """Close the file, and leave it."""
        self._file.close()

    def __len__(self) -> int:
        """Return how much was seen."""
        with self._lock:
            return len(self._seen)

    def get(self, key: Key) -> JsonObject | None:
        """Return what was seen before, if anything."""
        with self._lock:
            return self._seen.get(key)

    def put(self, key: Key, seen: JsonObject) -> None:
        """Keep what was seen; it outlives the process from here on.

        Raises:
            StorageFailed: If it cannot be written.
        """
        row = {"photo": key.photo, "engine": key.engine, "seen": seen}
        line = json.dumps(row, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            try:
                self._file.write(line)
                self._file.flush()
            except OSError as cause:
                raise StorageFailed(
                    f"the work folder cannot be written ({cause.strerror}); make room, and go on"
                ) from cause
            self._seen[key] = seen

    def delete(self) -> None:
        """Delete what the folder held, and the folder if nothing else is in it."""
        self._file.close()
        self._path.unlink(missing_ok=True)
        if not any(self._folder.iterdir()):
            self._folder.rmdir()


def _read(data: bytes) -> Iterator[tuple[Key, JsonObject]]:
    for line in data.splitlines():
        try:
            match json.loads(line):
                case {"photo": str(photo), "engine": str(engine), "seen": dict(seen)}:
                    yield Key(photo, engine), seen
                case _:
                    continue
        except ValueError:
            # Cut off by a crash, or damaged: the photo is looked at again.
            continue
