"""Fifty uses of one token at once, over four processes: exactly one succeeds, a hundred times over."""

from __future__ import annotations

import hashlib
import multiprocessing
from collections import Counter, defaultdict

import pytest
from consentry.grants.tokens import TokenTerms
from consentry.kernel.taxonomy import IntentCategory, Purpose
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from e2e.burn_worker import use_tokens
from fakes.coloured_faces import picture
from fakes.home import TestHome

ROUNDS = 100
USES = (13, 13, 12, 12)
RED = (200, 20, 20)
ASKED = {"prompt": "put her in a bikini", "platform": "studio.example", "region": "SE"}


@pytest.mark.slow
def test_of_fifty_uses_of_one_token_at_once_over_four_processes_one_succeeds(tmp_path):
    home = TestHome(tmp_path / "home").create()
    ada = home.enrol(RED).subject
    image = picture(RED)
    home.consent_tokens.attest_adult(ada)
    terms = TokenTerms(
        platform="studio.example",
        purpose=Purpose.EDIT,
        region="SE",
        categories=frozenset({IntentCategory.SWIMWEAR}),
        prompt=ASKED["prompt"],
        context=(),
        digests=(hashlib.sha256(image).digest(),),
    )
    rounds = [ASKED | {"token": home.consent_tokens.issue(ada, terms).jws} for _ in range(ROUNDS)]
    pem = home.signing_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    context = multiprocessing.get_context("spawn")
    together, answers = context.Barrier(len(USES)), context.Queue()
    workers = [
        context.Process(
            target=use_tokens, args=(home.path, pem, image, rounds, uses, together, answers)
        )
        for uses in USES
    ]
    for worker in workers:
        worker.start()
    found: dict[int, Counter[str]] = defaultdict(Counter)
    try:
        for _ in range(ROUNDS * len(USES)):
            number, verdicts, failures = answers.get(timeout=400)
            assert failures == []
            found[number].update(verdicts)
    finally:
        for worker in workers:
            worker.join(30)
            if worker.is_alive():
                worker.kill()
                worker.join()

    assert [found[number] for number in range(ROUNDS)] == [
        Counter({"allow": 1, "refuse": sum(USES) - 1})
    ] * ROUNDS
    assert home.receipts.count() == ROUNDS * sum(USES) + len(USES)
    uses = home.database.held().execute("SELECT count(DISTINCT check_id) FROM consent_uses")
    assert uses.fetchone() == (ROUNDS,)
    home.close()
