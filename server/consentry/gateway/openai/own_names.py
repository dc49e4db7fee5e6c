"""Where names in a request, or in a response that is kept, are those of whoever wrote it."""

from __future__ import annotations

OWN_NAMES = frozenset({"tools", "functions", "response_format", "text", "metadata"})
"""Schemas and notes: a name in them says nothing of what is sent, and ``X`` and ``x`` are two."""
