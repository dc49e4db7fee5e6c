"""The JSON that ``--json`` prints: versioned, others script on it (docs/specs/cli-json.md)."""

from __future__ import annotations

from typing import TypeAlias

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
JsonObject: TypeAlias = dict[str, Json]
