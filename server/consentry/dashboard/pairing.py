"""A code that pairs the browser extension with this companion."""

from __future__ import annotations

from fastapi import Response

from consentry.accounts.pairing import MAX_TRIES
from consentry.dashboard.visit import Route, Visit
from consentry.kernel.errors import VaultLocked
from consentry.vault.custody import VaultState


def show_code(visit: Visit) -> Response:
    """Make a code and show it: only on this page, only while unlocked, for two minutes."""
    if visit.state is not VaultState.UNLOCKED:
        raise VaultLocked(
            "A pairing code is shown only while Consentry is unlocked. Unlock it first."
        )
    return visit.page("pairing.html", code=visit.services.pairing.begin().text, tries=MAX_TRIES)


ROUTES = (Route(method="POST", path="/settings/pairing", answer=show_code),)
