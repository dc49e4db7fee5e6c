"""What every search index must do. Inherit `TemplateIndexContract` and say how to make an empty index.

The oracle is a loop over all rows in float64. A backend may score in float32, so scores are compared within
`TOLERANCE`, and rows that fall that near to the asked score may go either way, except where the products are
exact in float32: there the threshold is inclusive to the bit.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import pytest
from consentry.gallery.index import Batch, Change, Hit, Matrix, TemplateIndex, Vector
from consentry.kernel.errors import IndexIncomplete
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

TOLERANCE = 1e-5


def unit_rows(seed: int, rows: int, dimension: int) -> Matrix:
    """Random directions, shape ``(rows, dimension)``."""
    matrix = np.random.default_rng(seed).standard_normal((rows, dimension)).astype(np.float32)
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


def batches(rows: Iterable[tuple[int, Vector]], size: int = 1000) -> Iterator[Batch]:
    """Rows of a snapshot in pieces, as a store gives them."""
    remaining = iter(rows)
    while chunk := list(islice(remaining, size)):
        yield Batch([row for row, _ in chunk], np.stack([vector for _, vector in chunk]))


def axis(dimension: int, *signed: int) -> Vector:
    """A vector of equal parts along one or four axes (1-based, negative for the other way): exact in float32."""
    vector = np.zeros(dimension, dtype=np.float32)
    for one in signed:
        vector[abs(one) - 1] = np.sign(one) / np.float32(np.sqrt(len(signed)))
    return vector


def oracle(held: dict[int, Vector], probe: Vector, min_score: float) -> list[tuple[int, float]]:
    """Every row at or above the score, best first, by comparing one after the other."""
    scores = [
        (row, float(np.dot(vector.astype(np.float64), probe.astype(np.float64))))
        for row, vector in held.items()
    ]
    return sorted(
        ((row, score) for row, score in scores if score >= min_score), key=lambda x: (-x[1], x[0])
    )


def assert_agrees(
    hits: tuple[Hit, ...], held: dict[int, Vector], probe: Vector, min_score: float
) -> None:
    found = {hit.row: hit.score for hit in hits}
    certain = oracle(held, probe, min_score + TOLERANCE)
    possible = dict(oracle(held, probe, min_score - TOLERANCE))
    assert len(found) == len(hits), "a row was found twice"
    assert {row for row, _ in certain} <= found.keys() <= possible.keys()
    for row, score in found.items():
        assert score == pytest.approx(min(1.0, max(-1.0, possible[row])), abs=TOLERANCE)
    assert list(hits) == sorted(hits, key=lambda hit: (-hit.score, hit.row))


class TemplateIndexContract(ABC):
    DIMENSION = 8

    @abstractmethod
    def make(self, dimension: int) -> TemplateIndex:
        """An index of this dimension that has not been loaded."""

    @pytest.fixture
    def index(self) -> TemplateIndex:
        return self.make(self.DIMENSION)

    @pytest.mark.parametrize("count", [0, 1, 2, 65_535, 65_536, 65_537])
    def test_every_row_is_compared_at_the_borders_of_a_segment(self, count):
        vectors = unit_rows(count, count, 4)
        index = self.make(4)
        index.load(batches(((i + 1, v) for i, v in enumerate(vectors))), revision=1)
        probes = unit_rows(7, 2, 4)

        result = index.search(probes, 0.999, 1)

        assert result.rows_scanned == count
        assert index.stats().count == count
        for probe, hits in zip(probes, result.hits, strict=True):
            near = np.flatnonzero(vectors @ probe >= 0.998)
            assert_agrees(hits, {int(i) + 1: vectors[i] for i in near}, probe, 0.999)
        if count:
            assert index.search(vectors[-1:], 0.9999, 1).hits[0][0].row <= count
            assert count in {hit.row for hit in index.search(vectors[-1:], 0.9999, 1).hits[0]}

    @pytest.mark.parametrize("dimension", [192, 512, 704])
    def test_agrees_with_the_oracle_at_the_dimensions_of_real_models(self, dimension):
        vectors = unit_rows(dimension, 300, dimension)
        probes = np.concatenate([vectors[:3], unit_rows(1, 5, dimension)])
        held = dict(enumerate(vectors, start=1))
        index = self.make(dimension)
        index.load(batches(held.items()), revision=1)

        for min_score in (-1.0, 0.0, 0.1, 1.0):
            result = index.search(probes, min_score, 1)
            for probe, hits in zip(probes, result.hits, strict=True):
                assert_agrees(hits, held, probe, min_score)

    def test_a_score_equal_to_the_asked_one_is_a_hit(self, index):
        index.load(
            batches([(1, axis(8, 1, 2, 3, 4)), (2, axis(8, 1, 2, 3, -4)), (3, axis(8, 5))]), 1
        )
        probe = axis(8, 1)[None]

        assert [h.row for h in index.search(probe, 0.5, 1).hits[0]] == [1, 2]
        assert index.search(probe, float(np.nextafter(0.5, 1)), 1).hits[0] == ()
        assert [h.score for h in index.search(probe, 0.5, 1).hits[0]] == [0.5, 0.5]

    def test_a_score_of_zero_finds_rows_at_right_angles_but_no_removed_ones(self, index):
        index.load(batches([(1, axis(8, 1)), (2, axis(8, 2)), (3, axis(8, -3))]), 1)
        index.apply([Change(2, None)], after=1, revision=2)

        hits = index.search(axis(8, 3)[None], 0.0, 2).hits[0]

        assert [hit.row for hit in hits] == [1]

    def test_equal_scores_come_in_the_order_of_their_rows(self, index):
        same = unit_rows(3, 1, 8)[0]
        index.load(batches([(9, same), (2, same), (5, same)]), 1)

        assert [h.row for h in index.search(same[None], 0.9, 1).hits[0]] == [2, 5, 9]

    def test_a_probe_is_answered_alike_alone_and_in_a_batch(self, index):
        index.load(batches(enumerate(unit_rows(4, 500, 8), start=1)), 1)
        probes = unit_rows(5, 33, 8)

        together = index.search(probes, 0.2, 1).hits

        assert together == tuple(index.search(p[None], 0.2, 1).hits[0] for p in probes)

    def test_best_only_keeps_the_first_hit_of_each_probe(self, index):
        index.load(batches(enumerate(unit_rows(4, 50, 8), start=1)), 1)
        probes = np.concatenate([unit_rows(5, 3, 8)])

        every = index.search(probes, 0.3, 1).hits
        best = index.search(probes, 0.3, 1, best_only=True).hits

        assert best == tuple(hits[:1] for hits in every)

    def test_scores_never_leave_the_range_of_a_cosine(self, index):
        slightly_long = axis(8, 1) * np.float32(1.0009)
        index.load(batches([(1, slightly_long), (2, -slightly_long)]), 1)

        scores = [h.score for h in index.search(slightly_long[None], -1.0, 1).hits[0]]

        assert scores == [1.0, -1.0]

    def test_no_probes_is_an_answer_of_no_hits(self, index):
        index.load(batches([(1, axis(8, 1))]), 1)

        assert index.search(np.empty((0, 8), np.float32), 0.5, 1).hits == ()

    def test_an_added_row_is_found_by_the_next_search(self, index):
        index.load(batches([]), 0)
        index.apply([Change(4, axis(8, 2))], after=0, revision=1)

        result = index.search(axis(8, 2)[None], 0.9, 1)

        assert result.hits == ((Hit(4, 1.0),),)
        assert (result.revision, result.rows_scanned) == (1, 1)

    def test_a_removed_row_is_not_found_by_the_next_search(self, index):
        index.load(batches([(1, axis(8, 1)), (2, axis(8, 1))]), 0)
        index.apply([Change(1, None)], after=0, revision=1)

        assert [h.row for h in index.search(axis(8, 1)[None], 0.9, 1).hits[0]] == [2]

    def test_a_row_that_is_added_again_has_its_new_vector_only(self, index):
        index.load(batches([(1, axis(8, 1))]), 0)
        index.apply([Change(1, None), Change(1, axis(8, 2))], after=0, revision=1)
        index.apply([Change(1, axis(8, 3))], after=1, revision=2)

        assert index.search(np.stack([axis(8, 1), axis(8, 2)]), 0.5, 2).hits == ((), ())
        assert index.search(axis(8, 3)[None], 0.5, 2).hits == ((Hit(1, 1.0),),)

    def test_removing_a_row_that_is_not_there_only_advances_the_revision(self, index):
        index.load(batches([(1, axis(8, 1))]), 0)

        assert index.apply([Change(77, None)], after=0, revision=3) == 3
        assert index.stats().count == 1

    def test_changes_that_are_known_already_change_nothing(self, index):
        index.load(batches([]), 0)
        added, removed = [Change(1, axis(8, 1))], [Change(1, None)]
        index.apply(added, after=0, revision=1)
        index.apply(removed, after=1, revision=2)

        assert index.apply(added, after=0, revision=1) == 2
        assert index.search(axis(8, 1)[None], 0.5, 2).hits == ((),)

    def test_changes_that_overlap_what_is_known_bring_what_is_new(self, index):
        index.load(batches([(1, axis(8, 1))]), 5)

        index.apply([Change(1, axis(8, 1)), Change(2, axis(8, 2))], after=3, revision=7)

        assert index.stats().count == 2
        assert index.stats().revision == 7

    def test_no_changes_of_this_model_still_advance_the_revision(self, index):
        index.load(batches([]), 2)

        assert index.apply([], after=2, revision=9) == 9
        assert index.search(axis(8, 1)[None], 0.5, 9).revision == 9

    def test_changes_with_a_gap_before_them_are_refused(self, index):
        index.load(batches([]), 2)

        with pytest.raises(IndexIncomplete):
            index.apply([Change(1, axis(8, 1))], after=3, revision=4)
        assert index.stats().count == 0

    def test_a_batch_with_one_malformed_vector_changes_nothing(self, index):
        index.load(batches([]), 0)

        with pytest.raises(ValueError, match="norm 1"):
            index.apply([Change(1, axis(8, 1)), Change(2, axis(8, 1) * 2)], after=0, revision=1)
        assert index.stats().count == 0
        assert index.stats().revision == 0

    def test_an_index_that_was_never_loaded_refuses_to_answer(self, index):
        with pytest.raises(IndexIncomplete):
            index.search(axis(8, 1)[None], 0.5, 0)
        with pytest.raises(IndexIncomplete):
            index.apply([], after=0, revision=1)
        assert index.stats().revision is None

    def test_an_index_older_than_the_store_refuses_to_answer(self, index):
        index.load(batches([(1, axis(8, 1))]), 4)

        assert index.search(axis(8, 1)[None], 0.5, 4).revision == 4
        with pytest.raises(IndexIncomplete):
            index.search(axis(8, 1)[None], 0.5, 5)

    def test_a_cleared_index_refuses_to_answer(self, index):
        index.load(batches([(1, axis(8, 1))]), 4)
        index.clear()

        with pytest.raises(IndexIncomplete):
            index.search(axis(8, 1)[None], 0.5, 0)
        assert index.stats().count == 0

    def test_loading_again_replaces_everything(self, index):
        index.load(batches([(1, axis(8, 1))]), 4)
        index.load(batches([(2, axis(8, 2))]), 3)

        assert index.search(np.stack([axis(8, 1), axis(8, 2)]), 0.5, 3).hits == ((), (Hit(2, 1.0),))

    def test_a_snapshot_that_fails_half_way_leaves_the_old_state(self, index):
        index.load(batches([(1, axis(8, 1))]), 4)

        with pytest.raises(ValueError, match="twice"):
            index.load(batches([(2, axis(8, 2)), (2, axis(8, 2))]), 5)
        assert index.search(axis(8, 1)[None], 0.5, 4).hits == ((Hit(1, 1.0),),)

    @pytest.mark.parametrize(
        "vector",
        [
            np.zeros(8, np.float32),
            axis(8, 1) * np.float32(1.002),
            np.full(8, np.nan, np.float32),
            np.array([np.inf, 0, 0, 0, 0, 0, 0, 0], np.float32),
            axis(8, 1).astype(np.float64),
            axis(9, 1),
            axis(8, 1)[None],
        ],
        ids=["zero", "long", "nan", "infinite", "float64", "dimension", "matrix"],
    )
    def test_what_is_no_unit_vector_of_this_dimension_is_refused(self, index, vector):
        with pytest.raises(ValueError, match="vector"):
            index.load(batches([(1, vector)]), 1)
        index.load(batches([]), 0)
        with pytest.raises(ValueError, match="vector"):
            index.apply([Change(1, vector)], after=0, revision=1)
        with pytest.raises(ValueError, match=r"vector|probes"):
            index.search(vector[None], 0.5, 0)

    @pytest.mark.parametrize("row", [0, -1])
    def test_a_row_that_is_not_positive_is_refused(self, index, row):
        with pytest.raises(ValueError, match="positive"):
            index.load(batches([(row, axis(8, 1))]), 1)

    @pytest.mark.parametrize("min_score", [1.01, -1.01, float("nan")])
    def test_a_threshold_that_is_no_score_is_refused(self, index, min_score):
        index.load(batches([]), 0)

        with pytest.raises(ValueError, match="score"):
            index.search(axis(8, 1)[None], min_score, 0)

    def test_a_change_does_not_show_its_vector(self):
        assert repr(Change(3, axis(8, 1))) == "Change(row=3, present)"

    def test_searches_that_run_beside_changes_never_see_half_of_one(self, index):
        left, right = axis(8, 1), axis(8, 2)
        index.load(batches([]), 0)
        stop = threading.Event()
        halves: list[tuple[int, int]] = []
        failures: list[BaseException] = []

        def look() -> None:
            try:
                while not stop.is_set():
                    one, other = index.search(np.stack([left, right]), 0.9, 0).hits
                    if [h.row for h in one] != [h.row - 1 for h in other]:
                        halves.append((len(one), len(other)))
            except BaseException as failure:  # noqa: BLE001 -- shown by the assertion below
                failures.append(failure)

        threads = [threading.Thread(target=look) for _ in range(3)]
        for thread in threads:
            thread.start()
        for revision in range(1, 300):
            row = 2 * (revision // 2) + 1
            pair = (left, right) if revision % 2 else (None, None)
            old = 2 * ((revision - 1) // 2) + 1
            at = row if revision % 2 else old
            index.apply(
                [Change(at, pair[0]), Change(at + 1, pair[1])],
                after=revision - 1,
                revision=revision,
            )
        stop.set()
        for thread in threads:
            thread.join()

        assert failures == []
        assert halves == []

    def test_no_sequence_of_changes_makes_it_differ_from_the_oracle(self):
        machine = _machine(self.make)
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=40,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )


def _machine(make) -> type[RuleBasedStateMachine]:
    rows = st.integers(1, 40)
    seeds = st.integers(0, 60)

    class Sequences(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.index: TemplateIndex = make(4)
            self.held: dict[int, Vector] | None = None
            self.revision = 0

        def vector(self, seed: int) -> Vector:
            return axis(4, seed % 4 + 1) if seed < 8 else unit_rows(seed, 1, 4)[0]

        @initialize(start=st.dictionaries(rows, seeds, max_size=6))
        def load(self, start):
            self.held = {row: self.vector(seed) for row, seed in start.items()}
            self.index.load(batches(self.held.items()), self.revision)

        @rule(start=st.dictionaries(rows, seeds, max_size=6), newer=st.integers(-2, 2))
        def load_again(self, start, newer):
            self.revision = max(0, self.revision + newer)
            self.load(start)

        @precondition(lambda self: self.held is not None)
        @rule(
            batch=st.lists(st.tuples(rows, st.none() | seeds), max_size=6),
            overlap=st.integers(0, 2),
            step=st.integers(1, 3),
        )
        def change(self, batch, overlap, step):
            changes = [Change(r, None if s is None else self.vector(s)) for r, s in batch]
            after = max(0, self.revision - overlap)
            self.revision += step
            assert self.index.apply(changes, after=after, revision=self.revision) == self.revision
            for change in changes:
                if change.vector is None:
                    self.held.pop(change.row, None)
                else:
                    self.held[change.row] = change.vector

        @precondition(lambda self: self.held is not None)
        @rule(row=rows, seed=seeds)
        def replay(self, row, seed):
            self.index.apply([Change(row, self.vector(seed))], after=0, revision=self.revision)

        @rule()
        def clear(self):
            self.index.clear()
            self.held = None

        @precondition(lambda self: self.held is not None)
        @rule(seeds=st.lists(seeds, max_size=3), min_score=st.sampled_from([-1.0, 0.0, 0.5, 1.0]))
        def search(self, seeds, min_score):
            probes = np.array([self.vector(s) for s in seeds], np.float32).reshape(-1, 4)
            result = self.index.search(probes, min_score, self.revision)
            assert result.rows_scanned == len(self.held)
            for probe, hits in zip(probes, result.hits, strict=True):
                assert_agrees(hits, self.held, probe, min_score)

        @precondition(lambda self: self.held is None)
        @rule()
        def refuses(self):
            with pytest.raises(IndexIncomplete):
                self.index.search(axis(4, 1)[None], 0.5, 0)

        @invariant()
        def counts(self):
            assert self.index.stats().count == len(self.held or {})

    return Sequences
