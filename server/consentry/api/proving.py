"""The proof of a receipt as an answer: for the owner, and for whoever was given it."""

from __future__ import annotations

from functools import partial
from typing import Literal

from fastapi import Request
from pydantic import Field
from starlette.responses import Response

from consentry.api.runtime import runtime_of
from consentry.api.wire import Outbound, answer
from consentry.api.work import Kind
from consentry.kernel.ids import CheckId


class ProofOut(Outbound):
    """A receipt with all that shows its verdict to be in the log. Needs nobody to be verified."""

    format: Literal["consentry.receipt-proof/1"] = "consentry.receipt-proof/1"
    check_id: str
    receipt: str = Field(description="Compact JWS.")
    proof: str = Field(description="C2SP tlog-proof, with the entry as its extra data.")
    log_key: str = Field(description="Verifier key of the log, C2SP signed-note.")


async def prove(request: Request, check_id: str, *, caller: str | None) -> Response:
    """Answer with the proof of a receipt, for the owner (None) or for the caller who was given it."""
    runtime = runtime_of(request)
    prove_receipt = runtime.services.prove_receipt
    async with runtime.work.place(Kind.STORE):
        proved = await runtime.work.run(
            Kind.STORE, partial(prove_receipt, CheckId(check_id), caller=caller)
        )
    return answer(
        ProofOut(
            check_id=proved.check,
            receipt=proved.jws,
            proof=str(proved.proof),
            log_key=str(proved.log_key),
        )
    )
