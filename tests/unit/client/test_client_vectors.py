"""The client reads the receipts of the issuer's vectors with its own code, and no others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from consentry.client.receipts import KeySet, verify
from consentry.kernel.errors import ReceiptInvalid

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "receipt_v1.json").read_text())
KEYS = KeySet.from_json(json.dumps(VECTORS["jwks"]))
BY_ID = {each["id"]: each for each in VECTORS["tests"]}


@pytest.mark.parametrize("name", [name for name, t in BY_ID.items() if t["result"] == "invalid"])
def test_a_receipt_that_the_specification_refuses_is_refused(name):
    with pytest.raises(ReceiptInvalid):
        verify(BY_ID[name]["jws"], KEYS)


def test_a_receipt_that_the_specification_accepts_is_read():
    claims = verify(BY_ID["valid"]["jws"], KEYS)
    assert (claims.mode, claims.verdict) == ("act", "needs_consent")
    assert claims.reasons == ("consent_required",)
