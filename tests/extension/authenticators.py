"""Authenticators that the browser makes up itself, for passkeys in tests."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import CDPSession, Page

# The thumb on the sensor, as WebDriver's virtual authenticators have it.
DEVICE = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "hasPrf": True,
    "automaticPresenceSimulation": True,
}


class Devices:
    """The authenticators of the machine, as one page of the browser sees them."""

    def __init__(self, page: Page) -> None:
        self.session: CDPSession = page.context.new_cdp_session(page)
        self.session.send("WebAuthn.enable")

    def add(self, **otherwise: object) -> str:
        """Plug one in. Returns its number."""
        made = self.session.send(
            "WebAuthn.addVirtualAuthenticator", {"options": {**DEVICE, **otherwise}}
        )
        return str(made["authenticatorId"])

    def remove(self, device: str) -> None:
        """Take it away."""
        self.session.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": device})

    def passkeys(self, device: str) -> list[dict[str, Any]]:
        """What is on it."""
        found = self.session.send("WebAuthn.getCredentials", {"authenticatorId": device})
        return list(found["credentials"])

    def put(self, device: str, passkey: dict[str, Any]) -> None:
        """Put a passkey on it, with everything that can be copied: the PRF's secret cannot."""
        told = {"authenticatorId": device, "credential": passkey}
        self.session.send("WebAuthn.addCredential", told)

    def verify(self, device: str, *, is_she: bool) -> None:
        """Whether the sensor takes whoever is there for her."""
        told = {"authenticatorId": device, "isUserVerified": is_she}
        self.session.send("WebAuthn.setUserVerified", told)
