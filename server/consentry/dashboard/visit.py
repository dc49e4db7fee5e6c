"""One request on its way to one page, and the page on its way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from fastapi import Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from consentry.accounts.sessions import Session
from consentry.dashboard.forms import Form
from consentry.dashboard.words import FORMATS
from consentry.kernel.errors import ConsentryError
from consentry.services import Services
from consentry.vault.custody import VaultState

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; media-src blob:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and how this companion runs, as far as a person wants to know.

    Attributes:
        data_folder: Where everything is kept.
        idle_lock_s: Seconds without use after which the vault locks itself.
        max_body_bytes: Largest form.
    """

    data_folder: Path
    idle_lock_s: float
    max_body_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request, parsed and let in.

    Attributes:
        services: The use cases.
        place: Where this companion runs.
        session: Whose browser it is; None only on pages that are open to all.
        cookie: The session's secret, to end it.
        form: What was sent; empty with GET.
        query: After the question mark.
        path: Variable parts of the path.
        problem: Why the form that is shown again could not be served.
    """

    services: Services
    place: Place
    session: Session | None
    cookie: str
    form: Form
    query: Mapping[str, str]
    path: Mapping[str, str]
    problem: ConsentryError | None = None

    def page(self, template: str, **values: object) -> HTMLResponse:
        """Render a page; its status is the problem's, if there is one."""
        html = _TEMPLATES.get_template(template).render(
            visit=self,
            problem=self.problem,
            state=None if self.session is None else self.services.custody.state,
            **values,
        )
        return HTMLResponse(html, status_code=200 if self.problem is None else self.problem.status)

    @property
    def csrf_token(self) -> str:
        """The token that each form carries; empty where there is no session."""
        return "" if self.session is None else self.session.csrf_token

    @property
    def state(self) -> VaultState:
        """The state of the vault."""
        return self.services.custody.state


Answer = Callable[[Visit], Response]


class Access(Enum):
    """Who may come in."""

    OPEN = "open"
    SESSION = "session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One verb on one path.

    Attributes:
        method: ``GET`` or ``POST``; only ``POST`` changes anything, and it needs the form token.
        path: As FastAPI writes it.
        answer: The page function; runs in the thread pool.
        again: Shows the form again, with the problem, if ``answer`` raises one.
        access: Who may come in.
    """

    method: str
    path: str
    answer: Answer
    again: Answer | None = None
    access: Access = Access.SESSION


def go(path: str) -> Response:
    """Send the browser to a page of ours with GET. ``path`` is never made from what was sent."""
    return RedirectResponse(path, status_code=303)


def data(values: Mapping[str, int | bool | str | list[str]]) -> Response:
    """Answer a script of ours."""
    return JSONResponse(dict(values))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("consentry.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FORMATS)
    return environment


_TEMPLATES = _environment()
