"""Exact search against numpy's own matrix product on the same rows: medians and ratios.

    .venv/bin/python benchmarks/bench_gallery.py [--rows 100000] [--rounds 15]

The product alone (`X @ q`) is the floor: it scores every row and decides nothing. Sides take
turns, so that whatever else runs on the machine hits both alike; trust the ratio. Where other
programs use the same cores, set OPENBLAS_NUM_THREADS=1: threads that wait for each other after
every block cost more than they give.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from consentry.gallery.flat import FlatIndex
from consentry.gallery.index import Batch, Change, Matrix
from consentry.kernel.ids import ModelId

_MIN_SCORE = 0.5


def unit_rows(rows: int, dimension: int) -> Matrix:
    """Random directions."""
    matrix = np.random.default_rng(rows).standard_normal((rows, dimension), dtype=np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix


def _milliseconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def _in_turns(rounds: int, *calls: Callable[[], object]) -> list[float]:
    for call in calls:
        call()
    times = [[_milliseconds(call) for call in calls] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def _measure(rows: int, dimension: int, rounds: int) -> None:
    vectors = unit_rows(rows, dimension)
    index = FlatIndex(ModelId("bench@1"), dimension)
    every = Batch(range(1, rows + 1), vectors)
    loading = _milliseconds(lambda: index.load([every], 0))
    print(f"{rows:,} x {dimension}: load {loading:,.0f} ms")
    for batch in (1, 32):
        probes = np.ascontiguousarray(vectors[:batch])
        columns = np.ascontiguousarray(probes.T)
        product, search = _in_turns(
            rounds,
            lambda columns=columns: vectors @ columns,
            lambda probes=probes: index.search(probes, _MIN_SCORE, 0),
        )
        print(
            f"  batch {batch:>2}: product {product / batch:7.2f}  search {search / batch:7.2f}"
            f"  ms a probe, ratio {search / product:.2f}"
        )
    changes = []
    for n in range(200):
        pair = [Change(n + 1, None), Change(rows + n + 1, vectors[n])]
        changes.append(
            _milliseconds(lambda n=n, pair=pair: index.apply(pair, after=n, revision=n + 1))
        )
    print(f"  remove one and add one: {statistics.median(changes) * 1000:.0f} us")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    for dimension in (192, 704):
        _measure(asked.rows, dimension, asked.rounds)


if __name__ == "__main__":
    main()
