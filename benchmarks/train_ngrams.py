"""Train the small classifier of requests: `server/consentry/intent/ngrams.bin`.

    pip install scikit-learn                 # only for this
    python benchmarks/train_ngrams.py

Takes the prompts that `train_paraphrase.py` takes, some of them once more with slips in them
(`lessons.py`), and learns a weight for each hashed n-gram: logistic regression, averaged stochastic
descent. Seeded; a minute.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from consentry.intent.ngrams import Ngrams
from lessons import Line, disguised, lines, summary
from scipy.sparse import csr_matrix
from sklearn.linear_model import SGDClassifier

OUT = Path(__file__).parents[1] / "server" / "consentry" / "intent" / "ngrams.bin"
BITS = 21
LENGTHS = (2, 8)
DISGUISED = 0.1
"""The share of prompts that are learned once more with a slip or a trick in them."""
PENALTY = 3e-7
ROUNDS = 12
STEPS = 7
"""Of a weight, to either side; the largest of a thousand are cut."""
CUT = 0.999
SEED = 20261123


def rows(of: Ngrams, chosen: Sequence[Line]) -> csr_matrix:
    """Return for each prompt a row of length 1, the same for each of its n-grams."""
    found = [of.buckets(line.text.split("\n")) for line in chosen]
    counts = np.array(list(map(len, found)))
    values = np.repeat(1 / np.sqrt(np.maximum(counts, 1)), counts).astype(np.float32)
    ends = np.concatenate([[0], counts.cumsum()])
    shape = (len(chosen), 2**of.bits)
    return csr_matrix((values, np.concatenate(found).astype(np.int32), ends), shape=shape)


def learned(plan: Ngrams, training: Sequence[Line]) -> Ngrams:
    """Return weights, rounded to as many steps as half a byte has."""
    labels = np.array([line.is_revealing for line in training])
    model = SGDClassifier(
        loss="log_loss", alpha=PENALTY, max_iter=ROUNDS, tol=None, average=True, random_state=SEED
    ).fit(rows(plan, training), labels)
    weights: npt.NDArray[np.float64] = model.coef_[0]
    scale = float(np.float32(np.quantile(np.abs(weights[weights != 0]), CUT) / STEPS))
    steps = np.clip(np.round(weights / scale), -STEPS, STEPS).astype(np.int8)
    bias = float(np.float32(model.intercept_[0]))
    return Ngrams(plan.bits, plan.shortest, plan.longest, scale, bias, steps)


def main() -> None:
    """Train, report, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    random = np.random.default_rng(SEED)
    everything = lines()
    training = [line for line in everything if not line.part]
    watched = [line for line in everything if line.part]
    some = random.permutation(len(training))[: int(DISGUISED * len(training))]
    more = [disguised(training[i], random) for i in some]
    print(f"{len(training)} prompts to learn from", flush=True)
    plan = Ngrams(BITS, *LENGTHS, scale=1.0, bias=0.0, weights=np.zeros(2**BITS, np.int8))
    found = learned(plan, [*training, *more])
    scores = np.array([found.score(line.text.split("\n")) for line in watched], np.float32)
    print(summary(scores, watched))
    asked.out.write_bytes(found.packed())
    print(f"{asked.out.name}: {asked.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
