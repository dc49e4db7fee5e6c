"""The gateway inside a platform's own FastAPI or Starlette application (docs/gateway.md).

app = FastAPI()  # answers /v1/images/edits and so on itself
app.add_middleware(ConsentryMiddleware, home=home)
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from consentry.wiring import Home
from consentry.wiring_gateway import gateway_around


class ConsentryMiddleware:
    """Stands around an application that speaks the API of OpenAI below a prefix.

    What is allowed reaches the application as it came, and what is not is answered as that API
    answers. Paths below the prefix that are not known are closed; all others are untouched. For
    one event loop; stops when the application's lifespan ends.
    """

    def __init__(self, app: ASGIApp, *, home: Home, prefix: str = "/v1") -> None:
        """Stand around an application.

        Args:
            app: The application.
            home: An open data folder (`consentry.wiring.open_home`), unlocked if anybody is
                enrolled in it; stays open for as long as the application runs.
            prefix: Where the API begins.

        Raises:
            BadRequest: If a setting of the gateway does not fit another.
        """
        self._gateway = gateway_around(home, app, prefix=prefix)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self._gateway(scope, receive, send)
