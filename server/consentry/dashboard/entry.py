"""Coming in and going out.

The terminal prints ``/enter#<secret>``. What follows the ``#`` is never sent by a browser, so the secret reaches no
log and no history of a server; a script of ours posts it once, and gets a cookie for it.
"""

from __future__ import annotations

from fastapi import Response

from consentry.accounts.sessions import SESSION_COOKIE
from consentry.dashboard.visit import Access, Route, Visit, go
from consentry.dashboard.words import NOTICES
from consentry.vault.custody import VaultState


def show_entry(visit: Visit) -> Response:
    """Show the page whose script hands over the secret."""
    return visit.page("enter.html")


def enter(visit: Visit) -> Response:
    """Trade a one-time secret for a session."""
    session = visit.services.sessions.enter(visit.form.text("secret"))
    response = Response(status_code=204)
    # No `Secure`: this is plain HTTP on the loopback address, and not every browser makes an exception for it.
    response.set_cookie(SESSION_COOKIE, session.cookie, httponly=True, samesite="strict", path="/")
    return response


def leave(visit: Visit) -> Response:
    """End the session of this browser, and lock."""
    visit.services.custody.lock()
    visit.services.sessions.end(visit.cookie)
    response = visit.page("left.html")
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="strict")
    return response


def home(visit: Visit) -> Response:
    """Show the state of things at a glance, and what to do next."""
    if visit.state is VaultState.ABSENT:
        return go("/start")
    return visit.page(
        "home.html",
        people=visit.services.people.all(),
        notice=NOTICES.get(visit.query.get("done", "")),
        receipts=visit.services.receipts.count(),
    )


ROUTES = (
    Route(method="GET", path="/enter", answer=show_entry, access=Access.OPEN),
    Route(method="POST", path="/enter", answer=enter, access=Access.OPEN),
    Route(method="POST", path="/leave", answer=leave),
    Route(method="GET", path="/", answer=home),
)
