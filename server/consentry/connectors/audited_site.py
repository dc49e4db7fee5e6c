"""What an auditor asks of a running installation, beside the log and verdicts: samples, and her canaries.

The address is the auditor's own choice. Redirects are not followed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from consentry.kernel.errors import Unreachable

MAX_ANSWER_BYTES = 16 * 1024 * 1024
_TIMEOUT_S = 60.0
_AT_A_TIME = 100
_FIRST_FAILURE = 400


@dataclass(frozen=True, slots=True)
class AuditedSite:
    """One installation behind an address."""

    client: httpx.Client = field(repr=False)

    def receipts_at(self, leaves: Sequence[int]) -> dict[int, str]:
        """Return the receipts of entries of its log, by index; of those that have one.

        Raises:
            Unreachable: If it does not answer, or not as it should.
        """
        path = "v1/audit/receipts?" + "&".join(f"leaf={leaf}" for leaf in leaves)
        found = _object(self._ask("GET", path)).get("receipts")
        if not isinstance(found, list):
            raise Unreachable(_ODD)
        sampled = [_object(each) for each in found]
        return {_number(each, "index"): _text(each, "receipt") for each in sampled}

    def receipts_of(self, leaves: Sequence[int]) -> dict[int, str]:
        """Return the same for any number of entries, a piece at a time.

        Raises:
            Unreachable: If it does not answer, or not as it should.
        """
        found: dict[int, str] = {}
        for start in range(0, len(leaves), _AT_A_TIME):
            found |= self.receipts_at(leaves[start : start + _AT_A_TIME])
        return found

    def receipt_keys(self) -> str:
        """Return the keys that its receipts are signed with (JWKS).

        Raises:
            Unreachable: If it does not answer, or not as it should.
        """
        return json.dumps(_object(self._ask("GET", ".well-known/jwks.json")))

    def enrol(self, name: str, photos: Sequence[bytes]) -> str:
        """Enrol somebody like anybody else, and return her identifier.

        Raises:
            Unreachable: If it does not answer, or refuses; says why.
        """
        files = [("photos", (f"{n}", photo)) for n, photo in enumerate(photos, 1)]
        return _text(
            _object(self._ask("POST", "v1/subjects", files=files, fields={"name": name})), "subject"
        )

    def end(self, subject: str) -> None:
        """End somebody's protection.

        Raises:
            Unreachable: If it does not answer, or refuses; says why.
        """
        self._ask("POST", "v1/subjects/revoke", body={"subject": subject})

    def _ask(
        self,
        verb: str,
        path: str,
        *,
        files: Sequence[tuple[str, tuple[str, bytes]]] | None = None,
        fields: Mapping[str, str] | None = None,
        body: Mapping[str, str] | None = None,
    ) -> object:
        try:
            response = self.client.request(verb, path, files=files, data=fields, json=body)
        except (httpx.HTTPError, httpx.InvalidURL) as cause:
            raise Unreachable(
                "The installation cannot be reached. Is the address right?"
            ) from cause
        if len(response.content) > MAX_ANSWER_BYTES:
            raise Unreachable(_ODD)
        try:
            answered: object = response.json()
        except ValueError as cause:
            raise Unreachable(f"{_ODD} It was {response.status_code}.") from cause
        if response.status_code >= _FIRST_FAILURE:
            why = answered.get("detail") if isinstance(answered, dict) else None
            raise Unreachable(f"The installation answered {response.status_code}. {why or ''}")
        return answered


_ODD = "The installation answered something that is not understood."


@contextmanager
def open_audited_site(
    url: str, *, token: str, transport: httpx.BaseTransport | None = None
) -> Iterator[AuditedSite]:
    """Open the installation at ``url``, with a token."""
    with httpx.Client(
        base_url=url.rstrip("/") + "/",
        timeout=_TIMEOUT_S,
        headers={"authorization": f"Bearer {token}"},
        transport=transport,
        trust_env=False,
    ) as client:
        yield AuditedSite(client)


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise Unreachable(_ODD)
    return value


def _text(found: Mapping[str, object], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str):
        raise Unreachable(_ODD)
    return value


def _number(found: Mapping[str, object], name: str) -> int:
    value = found.get(name)
    if type(value) is not int:
        raise Unreachable(_ODD)
    return value
