"""The exact index keeps the contract of every index, and a few promises of its own."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from consentry.gallery.flat import FlatIndex
from consentry.gallery.index import Change
from consentry.kernel.errors import IndexIncomplete
from consentry.kernel.ids import ModelId
from contracts.template_index import TemplateIndexContract, axis, batches, unit_rows

MODEL = ModelId("test@1")


class TestFlatIndex(TemplateIndexContract):
    def make(self, dimension):
        return FlatIndex(MODEL, dimension)


def test_slots_of_removed_rows_are_used_again():
    index = FlatIndex(MODEL, 4)
    index.load(batches(enumerate(unit_rows(1, 10, 4), start=1)), 0)
    before = index.stats().size_bytes

    for n in range(1, 200):
        added = Change(100 + n, axis(4, 1))
        index.apply([Change(100 + n - 1, None), added], after=n - 1, revision=n)

    assert index.stats().count == 11
    assert index.stats().size_bytes == before + 4 * 4 + 8


def test_growing_row_by_row_over_many_segments_loses_none():
    index = FlatIndex(MODEL, 4)
    index.load(batches([]), 0)
    vectors = unit_rows(2, 5000, 4)
    for start in range(0, 5000, 100):
        batch = [Change(i + 1, vectors[i]) for i in range(start, start + 100)]
        index.apply(batch, after=start, revision=start + 100)

    hits = index.search(vectors[[0, 1023, 1024, 2047, 2048, 4095, 4096, 4999]], 0.9999, 5000).hits

    assert all(found for found in hits)
    assert {1, 1024, 1025, 2048, 2049, 4096, 4097, 5000} <= {h.row for f in hits for h in f}


def test_removing_a_row_overwrites_its_vector():
    index = FlatIndex(MODEL, 4)
    index.load(batches([(1, axis(4, 1)), (2, axis(4, 2))]), 0)
    memory = index._rows._segments[0].vectors

    index.apply([Change(1, None)], after=0, revision=1)

    assert np.count_nonzero(memory) == 1


def test_clearing_overwrites_every_vector():
    index = FlatIndex(MODEL, 4)
    index.load(batches(enumerate(unit_rows(3, 2000, 4), start=1)), 0)
    memory = [segment.vectors for segment in index._rows._segments]

    index.clear()

    assert not any(piece.any() for piece in memory)


def test_loading_again_overwrites_what_was_there():
    index = FlatIndex(MODEL, 4)
    index.load(batches([(1, axis(4, 1))]), 0)
    memory = index._rows._segments[0].vectors

    index.load(batches([]), 1)

    assert not memory.any()


def test_a_row_that_turns_into_nan_in_memory_is_noticed_not_missed():
    index = FlatIndex(MODEL, 4)
    index.load(batches([(1, axis(4, 1))]), 0)
    index._rows._segments[0].vectors[0, 2] = np.nan

    with pytest.raises(IndexIncomplete):
        index.search(axis(4, 1)[None], 0.5, 0)


def test_a_row_that_vanishes_from_a_segment_is_noticed_not_missed():
    index = FlatIndex(MODEL, 4)
    index.load(batches([(1, axis(4, 1)), (2, axis(4, 2))]), 0)
    index._rows._segments[0].rows[1] = 0

    with pytest.raises(IndexIncomplete):
        index.search(axis(4, 1)[None], 0.5, 0)


def test_a_stream_of_searches_does_not_keep_a_removal_waiting():
    index = FlatIndex(MODEL, 64)
    index.load(batches(enumerate(unit_rows(4, 20_000, 64), start=1)), 0)
    probes = unit_rows(5, 8, 64)
    stop = threading.Event()

    def search() -> None:
        while not stop.is_set():
            index.search(probes, 0.9, 0)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    removal = threading.Thread(target=lambda: index.apply([Change(1, None)], after=0, revision=1))
    removal.start()
    # The searches go on until it is through, or for ever.
    removal.join(timeout=60)
    was_let_in = not removal.is_alive()
    stop.set()
    for thread in [*threads, removal]:
        thread.join()

    assert was_let_in


def test_an_index_needs_a_dimension():
    with pytest.raises(ValueError, match="dimension"):
        FlatIndex(MODEL, 0)
