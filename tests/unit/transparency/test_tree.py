"""The Merkle tree: against its definition, against published vectors, and against tampering."""

from __future__ import annotations

import math

import pytest
from consentry.kernel.errors import ProofInvalid
from consentry.transparency.tree import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from fakes.trees import WholeTree, by_definition
from hypothesis import given, settings
from hypothesis import strategies as st

LARGEST = 1_100
TREE = WholeTree.of(LARGEST)
ROOTS = {n: by_definition(TREE.leaves[:n]) for n in (*range(1, 70), 255, 256, 257, 511, 1_100)}
# Certificate Transparency's reference implementations share these entries and roots.
CT_ENTRIES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
              "606162636465666768696a6b6c6d6e6f")  # fmt: skip
CT_ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)

sizes = st.integers(1, LARGEST)


def test_the_roots_are_those_of_certificate_transparency():
    frontier = Frontier.empty()
    for data, expected in zip(CT_ENTRIES, CT_ROOTS, strict=True):
        frontier, _ = frontier.append([leaf_hash(bytes.fromhex(data))])
        assert frontier.root().hex() == expected


def test_the_tree_without_entries_has_the_hash_of_nothing():
    assert Frontier.empty().root() == root(TREE, 0) == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", list(ROOTS))
def test_root_and_frontier_are_as_rfc_6962_defines_them(size):
    frontier, _ = Frontier.empty().append(TREE.leaves[:size])

    assert frontier.root() == root(TREE, size) == ROOTS[size]
    assert Frontier.of(TREE, size) == frontier


@given(st.lists(st.integers(0, 40), max_size=12))
def test_it_does_not_matter_in_which_batches_entries_come(batches):
    frontier, whole, done = Frontier.empty(), [], 0
    for count in batches:
        frontier, became = frontier.append(TREE.leaves[done : done + count])
        whole, done = whole + became, done + count

    assert frontier == Frontier.empty().append(TREE.leaves[:done])[0]
    assert all(TREE.node(each.level, each.index) == each.hash for each in whole)
    assert len(whole) == done - done.bit_count()
    assert Frontier.from_bytes(done, frontier.to_bytes()) == frontier


def test_a_frontier_of_another_size_is_damaged():
    with pytest.raises(ProofInvalid):
        Frontier.from_bytes(3, bytes(32))


@given(sizes, st.data())
def test_every_entry_is_proved_with_few_hashes(size, data):
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(TREE, index, size)

    verify_inclusion(TREE.leaves[index], index, size, proof, root(TREE, size))
    assert len(proof) <= math.ceil(math.log2(size))


@settings(max_examples=40)
@given(sizes, st.data())
def test_a_proof_of_inclusion_holds_for_nothing_else(size, data):
    index = data.draw(st.integers(0, size - 1))
    proof, expected = inclusion_proof(TREE, index, size), root(TREE, size)
    leaf = TREE.leaves[index]
    wrong = [
        (leaf_hash(b"another"), index, size, proof, expected),
        (leaf, (index + 1) % (size + 1), size, proof, expected),
        (leaf, index, size, proof, leaf_hash(b"another")),
        (leaf, index, size, (*proof, leaf), expected),
        (leaf, size, size, proof, expected),
        (leaf, -1, size, proof, expected),
        (leaf, index, size, (*proof[:-1], b"short"), expected),
    ]
    wrong += [(leaf, index, size, proof[:-1], expected)] if proof else []
    for place in range(len(proof)):
        bent = list(proof)
        bent[place] = bytes([bent[place][0] ^ 1]) + bent[place][1:]
        wrong.append((leaf, index, size, bent, expected))

    for each in wrong:
        with pytest.raises(ProofInvalid):
            verify_inclusion(*each)


@given(sizes, st.data())
def test_every_earlier_tree_is_proved_to_be_the_beginning(new, data):
    old = data.draw(st.integers(0, new))
    proof = consistency_proof(TREE, old, new)

    verify_consistency(old, new, proof, root(TREE, old), root(TREE, new))
    assert len(proof) <= math.ceil(math.log2(new)) + 1


@settings(max_examples=40)
@given(sizes, st.data())
def test_a_proof_of_consistency_holds_for_no_other_history(new, data):
    old = data.draw(st.integers(1, new))
    proof = consistency_proof(TREE, old, new)
    other, old_root, new_root = leaf_hash(b"other"), root(TREE, old), root(TREE, new)
    wrong = [
        (old, new, proof, other, new_root),
        (old, new, proof, old_root, other),
        (old, new, (*proof, other), old_root, new_root),
        (new + 1, new, proof, old_root, new_root),
        (0, new, (other,), EMPTY_ROOT, new_root),
        (0, new, (), other, new_root),
    ]
    wrong += [(old, new, proof[:-1], old_root, new_root)] if proof else []
    for place in range(len(proof)):
        bent = list(proof)
        bent[place] = other
        wrong.append((old, new, bent, old_root, new_root))

    for each in wrong:
        with pytest.raises(ProofInvalid):
            verify_consistency(*each)


@pytest.mark.parametrize(("old", "new"), [(-1, 4), (5, 4)])
def test_nothing_is_proved_about_trees_that_cannot_be(old, new):
    with pytest.raises(ValueError, match="never shrinks"):
        consistency_proof(TREE, old, new)


def test_an_entry_beyond_the_tree_is_not_proved():
    with pytest.raises(ValueError, match="entry of the tree"):
        inclusion_proof(TREE, 4, 4)
