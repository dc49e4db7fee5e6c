"""Asks a witness for its cosignature (C2SP tlog-witness, ``add-checkpoint``).

    old <size that it has seen>
    <consistency proof, a hash a line>
                                          -> 200  cosignature lines
    <checkpoint>                             409  the size that it has seen

The addresses are the operator's own choice (`CONSENTRY_LOG_POLICY`), unlike those of pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx

from consentry.kernel.errors import ProofInvalid, Unreachable
from consentry.transparency.checkpoints import SignedCheckpoint
from consentry.transparency.notes import VerifierKey
from consentry.transparency.policy import KnownWitness
from consentry.transparency.ports import WitnessReply
from consentry.transparency.witnessing import AddCheckpoint, parse_signatures, parse_size_reply

_TIMEOUT_S = 10.0
_MOST_BYTES = 64 * 1024
_OK, _CONFLICT = 200, 409
_REFUSALS = frozenset({403, 404, 422})


@dataclass(frozen=True, slots=True)
class HttpWitness:
    """`consentry.transparency.ports.WitnessLine` over HTTP. Safe to share between threads."""

    witness: KnownWitness
    transport: httpx.BaseTransport | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """What the trust policy calls it."""
        return self.witness.name

    @property
    def vkey(self) -> VerifierKey:
        """What verifies its cosignatures."""
        return self.witness.vkey

    def submit(self, old: int, proof: tuple[bytes, ...], signed: SignedCheckpoint) -> WitnessReply:
        """Ask for a cosignature."""
        body = str(AddCheckpoint(old=old, proof=proof, signed=signed)).encode()
        status, answer = self._post(body)
        try:
            if status == _OK:
                return WitnessReply(signatures=parse_signatures(answer))
            if status == _CONFLICT:
                return WitnessReply(size=parse_size_reply(answer))
        except ProofInvalid as cause:
            raise Unreachable(
                f"The witness {self.name} answered, but not in the protocol."
            ) from cause
        if status in _REFUSALS:
            return WitnessReply(has_refused=True)
        raise Unreachable(f"The witness {self.name} answered {status}.")

    def _post(self, body: bytes) -> tuple[int, bytes]:
        url = f"{(self.witness.url or '').rstrip('/')}/add-checkpoint"
        try:
            with (
                httpx.Client(
                    timeout=_TIMEOUT_S, transport=self.transport, trust_env=False
                ) as client,
                client.stream("POST", url, content=body) as response,
            ):
                answer = b""
                for piece in response.iter_bytes():
                    answer += piece
                    if len(answer) > _MOST_BYTES:
                        raise Unreachable(f"The witness {self.name} answers without end.")
                return response.status_code, answer
        except (httpx.HTTPError, httpx.InvalidURL) as cause:
            raise Unreachable(f"The witness {self.name} cannot be reached.") from cause
