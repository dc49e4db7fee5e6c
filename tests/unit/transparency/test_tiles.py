"""Tiles: paths, widths at the boundaries, bundles, and proofs that are computed from them alone."""

from __future__ import annotations

import pytest
from consentry.kernel.errors import ProofInvalid
from consentry.transparency.tiles import (
    Tile,
    TileNodes,
    bundles_of,
    decode_bundle,
    encode_bundle,
    split_hashes,
    tiles_of,
)
from consentry.transparency.tree import (
    Frontier,
    consistency_proof,
    inclusion_proof,
    root,
    verify_consistency,
    verify_inclusion,
)
from fakes.trees import WholeTree
from hypothesis import given
from hypothesis import strategies as st

BOUNDARIES = (1, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537)
TREE = WholeTree.of(max(BOUNDARIES))


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "0/000"),
        (Tile(0, 0, 1), "0/000.p/1"),
        (Tile(1, 999, 255), "1/999.p/255"),
        (Tile(63, 1_234_067), "63/x001/x234/067"),
        (Tile(None, 1_000), "entries/x001/000"),
        (Tile(None, 273, 112), "entries/273.p/112"),
    ],
)
def test_a_path_is_as_c2sp_writes_it(tile, path):
    assert tile.path() == path
    assert Tile.parse(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "", "0", "0/", "0/00", "0/0000", "00/000", "64/000", "-1/000", "0/x000/000", "0/x001",
        "0/000.p/0", "0/000.p/256", "0/000.p/01", "0/000.p/999", "0/000/", "0/001/000", "e/000",
        "0/000.p/1/", "entries/000.p/", " 0/000", "0/000\n", "0/\u0660\u0660\u0660",
    ],
)  # fmt: skip
def test_another_spelling_is_no_path(path):
    with pytest.raises(ProofInvalid):
        Tile.parse(path)


@given(st.integers(0, 10**12), st.integers(0, 63), st.integers(1, 256))
def test_every_path_comes_back(index, level, width):
    assert Tile.parse(Tile(level, index, width).path()) == Tile(level, index, width)


def test_a_tree_of_seventy_thousand_has_the_tiles_of_the_specification():
    tiles = list(tiles_of(70_000))

    assert [t for t in tiles if t.width < 256] == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert sum(t.width == 256 and t.level == 0 for t in tiles) == 273
    assert [t for t in tiles if t.level == 1 and t.width == 256] == [Tile(1, 0)]
    assert list(tiles_of(256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles_of(0)) == list(bundles_of(0)) == []
    assert list(bundles_of(257)) == [Tile(None, 0), Tile(None, 1, 1)]


@pytest.mark.parametrize("size", BOUNDARIES)
def test_a_tile_is_in_a_tree_exactly_when_the_tree_is_large_enough(size):
    for tile in tiles_of(size):
        assert tile.is_in(size)
        assert not tile.is_in(((tile.first + tile.width) << 8 * tile.level) - 1)


@pytest.mark.parametrize("size", BOUNDARIES)
def test_roots_and_proofs_come_from_the_tiles_alone(size):
    tiles = {tile: TREE.tile(tile) for tile in tiles_of(size)}
    nodes = TileNodes(size, tiles.__getitem__)
    expected = Frontier.empty().append(TREE.leaves[:size])[0].root()

    assert root(nodes, size) == expected
    for index in {0, size // 2, size - 1, max(0, size - 256), min(255, size - 1)}:
        proof = inclusion_proof(nodes, index, size)
        verify_inclusion(TREE.leaves[index], index, size, proof, expected)
    for old in {n for n in (*BOUNDARIES, size - 1, size // 3) if 0 <= n <= size}:
        proof = consistency_proof(nodes, old, size)
        verify_consistency(old, size, proof, root(TREE, old), expected)


def test_a_proof_reads_few_tiles_and_each_once():
    read = []

    def reading(tile: Tile) -> bytes:
        read.append(tile)
        return TREE.tile(tile)

    inclusion_proof(TileNodes(65_537, reading), 40_000, 65_537)

    assert len(read) == len(set(read)) <= 4


@pytest.mark.parametrize(("level", "index"), [(0, 300), (8, 1), (9, 0), (40, 0)])
def test_a_subtree_that_is_not_whole_is_not_given(level, index):
    with pytest.raises(ValueError, match="whole"):
        TileNodes(300, TREE.tile).node(level, index)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=20))
def test_a_bundle_gives_back_its_entries(entries):
    assert decode_bundle(encode_bundle(entries), len(entries)) == tuple(entries)


@pytest.mark.parametrize(
    ("data", "width"),
    [(b"", 1), (b"\x00", 1), (b"\x00\x02a", 1), (b"\x00\x01a", 2), (b"\x00\x01a\x00\x01b", 1)],
)
def test_a_bundle_that_is_cut_short_or_too_long_is_refused(data, width):
    with pytest.raises(ProofInvalid):
        decode_bundle(data, width)


def test_an_entry_that_two_bytes_cannot_measure_is_not_bundled():
    with pytest.raises(ValueError, match="65,535"):
        encode_bundle([bytes(65_536)])


def test_a_tile_of_another_length_is_refused():
    with pytest.raises(ProofInvalid):
        split_hashes(bytes(33), 1)
