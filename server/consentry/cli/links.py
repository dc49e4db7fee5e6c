"""The link that signs a browser in, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consentry.accounts.sessions import Sessions


def dashboard_link(address: str, sessions: Sessions) -> str:
    """Return a fresh link. Its secret is in the fragment, which browsers never send."""
    return f"{address}/enter#{sessions.new_entry()}"
