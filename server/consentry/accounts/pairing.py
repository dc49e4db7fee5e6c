"""Pairing a browser extension with this companion (docs/specs/pairing.md).

    owner       begin    --> a code of 80 bits, in her terminal or her unlocked dashboard
    extension   hello    --> nonces are exchanged; the companion names its key
    extension   confirm  --> proves that the code was typed; gets the companion's proof, and a token
                             that only the holder of the code can open
    later       challenge--> the pinned key signs, before each session's first picture

The code keys the proofs and is itself never sent. It is long enough that a recorded proof cannot be
tried against all codes, so no password-authenticated key exchange is needed.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from consentry.accounts.budgets import BudgetState
from consentry.accounts.principals import EXTENSION_SCOPES
from consentry.accounts.tokens import Tokens, checked_name
from consentry.kernel.clock import Clock
from consentry.kernel.errors import BadRequest, Conflict, Forbidden, TooManyRequests
from consentry.kernel.ids import Random

CODE_BYTES = 10
CODE_LIFETIME_S = 120
MAX_TRIES = 3
MAX_HELLOS = 16
NONCE_BYTES = 32
MAC_BYTES = 32
TOKEN_LIFETIME_DAYS = 365

_PAIRING = b"consentry/pairing/v1"
_IDENTITY = b"consentry/identity/v1"
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U to mistake
_MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})
_CODE_CHARS = 16
_GROUP = 4
_KEY_BYTES = 32
_GCM_NONCE_BYTES = 12
_NONE_WAITS = (
    "No pairing is waiting. Start one in the terminal or the dashboard, and type its code within "
    f"{CODE_LIFETIME_S // 60} minutes."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingCode:
    """What the owner types into the extension.

    Attributes:
        text: Four groups of four, for example ``7K3M-Q2XA-9FHT-C4WD``. Secret; shown once.
        expires_at: UTC.
    """

    text: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The companion's half of the exchange.

    Attributes:
        server_nonce: `NONCE_BYTES` random bytes; also names this exchange in `confirm`.
        companion_key: Ed25519 public key, 32 bytes. Not to be pinned before its proof holds.
        expires_in_s: What is left of the code's life.
    """

    server_nonce: bytes
    companion_key: bytes
    expires_in_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """The companion's proof, and the extension's token.

    Attributes:
        server_mac: Proves that the companion knows the code, `MAC_BYTES`.
        signature: By the companion's key over the exchange: proves that it holds the key to pin.
        sealed_token: 12-byte nonce, then AES-256-GCM of the bearer secret, for the code's holder.
    """

    server_mac: bytes
    signature: bytes
    sealed_token: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Who speaks with whom, as both sides see it. A relay at another address makes them differ.

    Attributes:
        server_origin: Scheme, host and port that the extension connects to.
        client_origin: The extension's own origin; empty for a program that has none.
    """

    server_origin: str
    client_origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingKeys:
    """What the code and one exchange lead to. Lives for one call."""

    client: bytes = field(repr=False)
    server: bytes = field(repr=False)
    seal: bytes = field(repr=False)
    transcript: bytes

    def client_mac(self) -> bytes:
        """Return the proof that the code was typed."""
        return hmac.digest(self.client, b"client" + self.transcript, "sha256")

    def server_mac(self) -> bytes:
        """Return the proof that this is the companion that showed the code."""
        return hmac.digest(self.server, b"server" + self.transcript, "sha256")


@dataclass(slots=True)
class _Pending:
    """A code that waits to be typed. Guarded by the desk's lock."""

    code: bytes = field(repr=False)
    begun: float
    tries: int = 0
    hellos: dict[bytes, bytes] = field(default_factory=dict)


class PairingDesk:
    """Pairs one extension at a time. One per process; safe to share between threads."""

    def __init__(
        self,
        identity: Ed25519PrivateKey,
        tokens: Tokens,
        clock: Clock,
        random: Random = os.urandom,
    ) -> None:
        self._identity = identity
        self._key = identity.public_key().public_bytes_raw()
        self._tokens = tokens
        self._clock = clock
        self._random = random
        self._lock = threading.Lock()
        self._pending: _Pending | None = None  # guarded by _lock

    @property
    def companion_key(self) -> bytes:
        """The Ed25519 public key that extensions pin, 32 bytes."""
        return self._key

    def begin(self) -> PairingCode:
        """Make a code; an earlier one is void. For the terminal or the unlocked dashboard only."""
        code = self._random(CODE_BYTES)
        with self._lock:
            self._pending = _Pending(code=code, begun=self._clock.monotonic())
        return PairingCode(
            text=format_code(code),
            expires_at=self._clock.now() + timedelta(seconds=CODE_LIFETIME_S),
        )

    def cancel(self) -> None:
        """Void the code that waits, if any."""
        with self._lock:
            self._pending = None

    def hello(self, client_nonce: bytes) -> Hello:
        """Answer an extension that is about to prove that it knows the code.

        Raises:
            BadRequest: If the nonce is not `NONCE_BYTES` long.
            Conflict: If no code waits to be typed.
            TooManyRequests: After `MAX_HELLOS` of one code.
        """
        if len(client_nonce) != NONCE_BYTES:
            raise BadRequest(f"A nonce has {NONCE_BYTES} bytes.")
        server_nonce = self._random(NONCE_BYTES)
        with self._lock:
            pending = self._waiting()
            left = self._seconds_left(pending)
            if len(pending.hellos) >= MAX_HELLOS:
                raise TooManyRequests(
                    "Something on this machine asks too often. Wait for the code to lapse, then "
                    "start the pairing again.",
                    retry_after_s=left,
                )
            pending.hellos[server_nonce] = client_nonce
        return Hello(server_nonce=server_nonce, companion_key=self._key, expires_in_s=left)

    def confirm(
        self, server_nonce: bytes, client_mac: bytes, *, parties: Parties, name: str
    ) -> Paired:
        """Check the extension's proof; give the companion's, and a token of `EXTENSION_SCOPES`.

        The code is used up by this, and void after `MAX_TRIES` wrong proofs.

        Args:
            server_nonce: From `hello`. An exchange is good for one try.
            client_mac: `PairingKeys.client_mac` of the extension.
            parties: As the companion sees them: never taken from the body of a request.
            name: What the owner shall see in her list of tokens.

        Raises:
            BadRequest: If the name is no name; no try is used up.
            Conflict: If no code waits to be typed: none was made, it lapsed, was used, or tried too
                often.
            Forbidden: If the proof does not hold: another code, or another exchange.
        """
        name = checked_name(name)
        with self._lock:
            pending = self._waiting()
            client_nonce = pending.hellos.pop(server_nonce, None)
            # Without the exchange there is nothing that a proof could fit. It costs a try all the
            # same, so that made-up exchanges are no way around the count.
            keys = derive_keys(
                pending.code,
                client_nonce=client_nonce or bytes(NONCE_BYTES),
                server_nonce=server_nonce,
                companion_key=self._key,
                parties=parties,
            )
            is_right = hmac.compare_digest(keys.client_mac(), client_mac)
            if client_nonce is None or not is_right:
                pending.tries += 1
                left = MAX_TRIES - pending.tries
                if left <= 0:
                    self._pending = None
                raise Forbidden(
                    "The code does not hold. "
                    + (f"Tries left: {left}." if left > 0 else "It is void now: start again.")
                )
            self._pending = None
        _, secret = self._tokens.issue(name, EXTENSION_SCOPES, expires_in_days=TOKEN_LIFETIME_DAYS)
        nonce = self._random(_GCM_NONCE_BYTES)
        sealed = AESGCM(keys.seal).encrypt(nonce, secret.encode("ascii"), keys.transcript)
        return Paired(
            server_mac=keys.server_mac(),
            signature=self._identity.sign(pairing_message(keys.transcript)),
            sealed_token=nonce + sealed,
        )

    def challenge(self, nonce: bytes, *, server_origin: str) -> bytes:
        """Sign with the pinned key: the extension asks before each session's first picture.

        Args:
            nonce: `NONCE_BYTES` from the extension.
            server_origin: Where this companion was reached, so that a program at another port
                cannot pass the answer on as its own.

        Returns:
            An Ed25519 signature over `identity_message`.

        Raises:
            BadRequest: If the nonce is not `NONCE_BYTES` long.
        """
        if len(nonce) != NONCE_BYTES:
            raise BadRequest(f"A nonce has {NONCE_BYTES} bytes.")
        return self._identity.sign(identity_message(nonce, server_origin=server_origin))

    def tries(self) -> BudgetState:
        """Return what is left of the tries of the code that waits."""
        with self._lock:
            pending = self._pending
            left = 0 if pending is None else self._seconds_left(pending)
            remaining = 0 if pending is None or left == 0 else MAX_TRIES - pending.tries
            return BudgetState(
                name="pairing",
                quota=MAX_TRIES,
                window_s=CODE_LIFETIME_S,
                remaining=remaining,
                reset_s=left,
            )

    def _waiting(self) -> _Pending:
        if self._pending is not None and self._seconds_left(self._pending) == 0:
            self._pending = None
        if self._pending is None:
            raise Conflict(_NONE_WAITS)
        return self._pending

    def _seconds_left(self, pending: _Pending) -> int:
        age = self._clock.monotonic() - pending.begun
        return max(0, int(CODE_LIFETIME_S - age))


def derive_keys(
    code: bytes, *, client_nonce: bytes, server_nonce: bytes, companion_key: bytes, parties: Parties
) -> PairingKeys:
    """Derive the keys of one exchange.

    Construction: HKDF-SHA-256 (RFC 5869); the salt is the SHA-256 of the transcript, which holds
    everything that both sides must agree on, each part after its length (two bytes, big-endian).

    Args:
        code: `CODE_BYTES`.
        client_nonce: `NONCE_BYTES`.
        server_nonce: `NONCE_BYTES`.
        companion_key: Ed25519 public key, 32 bytes.
        parties: As this side sees them.
    """
    parts = (
        _PAIRING,
        client_nonce,
        server_nonce,
        companion_key,
        parties.server_origin.encode("utf-8"),
        parties.client_origin.encode("utf-8"),
    )
    transcript = hashlib.sha256(
        b"".join(len(part).to_bytes(2, "big") + part for part in parts)
    ).digest()
    keys = HKDF(
        algorithm=hashes.SHA256(), length=3 * _KEY_BYTES, salt=transcript, info=_PAIRING
    ).derive(code)
    return PairingKeys(
        client=keys[:_KEY_BYTES],
        server=keys[_KEY_BYTES : 2 * _KEY_BYTES],
        seal=keys[2 * _KEY_BYTES :],
        transcript=transcript,
    )


def pairing_message(transcript: bytes) -> bytes:
    """Return what `Paired.signature` is over."""
    return _PAIRING + transcript


def identity_message(nonce: bytes, *, server_origin: str) -> bytes:
    """Return what a challenge's answer signs. Only its last part, the origin, varies in length."""
    return _IDENTITY + nonce + server_origin.encode("utf-8")


def format_code(code: bytes) -> str:
    """Write a code as four groups of four characters."""
    number = int.from_bytes(code, "big")
    chars = [_ALPHABET[(number >> (5 * place)) & 31] for place in reversed(range(_CODE_CHARS))]
    text = "".join(chars)
    return "-".join(text[start : start + _GROUP] for start in range(0, _CODE_CHARS, _GROUP))


def parse_code(text: str) -> bytes:
    """Read a code as a person types it: any case, with or without dashes, O for 0, I or L for 1.

    Raises:
        BadRequest: If it is no code.
    """
    chars = text.upper().translate(_MISREAD)
    if len(chars) != _CODE_CHARS or any(char not in _ALPHABET for char in chars):
        raise BadRequest(f"A code has {_CODE_CHARS} letters and digits, in groups of {_GROUP}.")
    number = 0
    for char in chars:
        number = number << 5 | _ALPHABET.index(char)
    return number.to_bytes(CODE_BYTES, "big")
