"""Implementations that others wrote, from the same specifications, agree with ours; and ours with theirs.

`pymerkle` knows RFC 6962 trees and proofs, and is always there: it is among what the tests need.
`aics_tlog` knows all of C2SP's formats, and `aics_witness` is a witness; both want Python 3.12, so their
tests skip where they are not installed. What C2SP itself shows is in `test_notes.py`.
"""

from __future__ import annotations

import pymerkle
import pytest
from consentry.kernel.errors import ProofInvalid
from consentry.transparency.checkpoints import Checkpoint, SignedCheckpoint
from consentry.transparency.notes import (
    NoteSignature,
    NoteSigner,
    SignatureType,
    VerifierKey,
)
from consentry.transparency.signing_key import new_signing_key
from consentry.transparency.tiles import TileNodes, bundles_of, encode_bundle, tiles_of
from consentry.transparency.tree import (
    consistency_proof,
    inclusion_proof,
    root,
    verify_consistency,
    verify_inclusion,
)
from consentry.transparency.witnessing import AddCheckpoint
from fakes.manual_clock import ManualClock
from fakes.trees import WholeTree, entry

SIZES = (1, 2, 3, 7, 8, 255, 256, 257, 511, 700)
TREE = WholeTree.of(max(SIZES))
ENTRIES = [entry(n) for n in range(max(SIZES))]
NOW = ManualClock().now()


def signer(name: str, kind: SignatureType = SignatureType.TEXT) -> NoteSigner:
    return NoteSigner(name=name, type=kind, private_key=new_signing_key())


LOG = signer("log.example/one")
WITNESS = signer("witness.example/w1", SignatureType.COSIGNATURE)


def head(size: int, tree: WholeTree = TREE) -> SignedCheckpoint:
    checkpoint = Checkpoint(origin=LOG.name, size=size, root=root(tree, size))
    return SignedCheckpoint.sign(checkpoint, LOG, NOW)


@pytest.fixture(scope="module")
def aics():
    return pytest.importorskip("aics_tlog")


def indices(size: int) -> set[int]:
    return {0, size // 2, size - 1, min(255, size - 1)}


# --- RFC 6962


@pytest.fixture(scope="module")
def theirs():
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    tree.append_entries(ENTRIES)
    return tree


@pytest.mark.parametrize("size", SIZES)
def test_pymerkle_verifies_our_proofs_of_inclusion_and_we_theirs(theirs, size):
    assert theirs.get_root(size) == root(TREE, size)
    for index in indices(size):
        leaf, ours = TREE.leaves[index], inclusion_proof(TREE, index, size)
        proof = theirs.prove_inclusion(index + 1, size)

        verify_inclusion(leaf, index, size, proof.path[1:], root(TREE, size))
        proof.path = [leaf, *ours]
        pymerkle.verify_inclusion(leaf, root(TREE, size), proof, index + 1, size)


@pytest.mark.parametrize("size", [size for size in SIZES if size > 1])
def test_a_changed_proof_convinces_neither(theirs, size):
    leaf, ours = TREE.leaves[0], list(inclusion_proof(TREE, 0, size))
    ours[-1] = bytes([ours[-1][0] ^ 1]) + ours[-1][1:]
    proof = theirs.prove_inclusion(1, size)
    proof.path = [leaf, *ours]

    with pytest.raises(pymerkle.InvalidProof):
        pymerkle.verify_inclusion(leaf, root(TREE, size), proof, 1, size)
    with pytest.raises(ProofInvalid):
        verify_inclusion(leaf, 0, size, ours, root(TREE, size))


def test_pymerkle_proves_that_our_roots_go_on_from_one_another(theirs):
    for size in SIZES:
        for old in (n for n in SIZES if n <= size):
            proof = theirs.prove_consistency(old, size)
            pymerkle.verify_consistency(root(TREE, old), root(TREE, size), proof)


def test_aics_tlog_builds_the_same_trees_and_verifies_our_proofs_as_we_do_theirs(aics):
    theirs = aics.MerkleTree(ENTRIES)

    for size in SIZES:
        expected = root(TREE, size)
        assert theirs.root(size) == expected
        for index in indices(size):
            ours, proof = inclusion_proof(TREE, index, size), theirs.inclusion_proof(index, size)
            assert list(ours) == proof
            assert aics.verify_inclusion(TREE.leaves[index], index, size, ours, expected)
            verify_inclusion(TREE.leaves[index], index, size, proof, expected)
        for old in (n for n in SIZES if n <= size):
            ours, proof = consistency_proof(TREE, old, size), theirs.consistency_proof(old, size)
            assert list(ours) == proof
            assert aics.verify_consistency(old, size, root(TREE, old), expected, ours)
            verify_consistency(old, size, proof, root(TREE, old), expected)


def test_pymerkle_makes_the_head_that_a_home_signs_out_of_its_entries(home):
    for number in range(5):
        home.check(prompt=f"make it {number}")
    signed = home.publish_log.batch().checkpoint
    rebuilt = pymerkle.InmemoryTree(algorithm="sha256")
    with home.log.view() as view:
        rebuilt.append_entries([view.entry(index) for index in range(view.size)])

    assert (rebuilt.get_size(), rebuilt.get_root(signed.size)) == (signed.size, signed.root)


# --- C2SP tlog-tiles


@pytest.mark.parametrize("size", SIZES)
def test_aics_tlog_writes_the_same_files_and_reads_ours(aics, size):
    ours = {f"tile/{tile.path()}": TREE.tile(tile) for tile in tiles_of(size)}
    ours |= {
        f"tile/{bundle.path()}": encode_bundle(ENTRIES[bundle.first : bundle.first + bundle.width])
        for bundle in bundles_of(size)
    }
    theirs = aics.TileWriter(ENTRIES[:size]).materialise()
    assert {path: ours[path] for path in theirs} == theirs

    reader = aics.MemoryTileReader(ours)
    assert aics.tiles.tree_root_from_tiles(reader, size) == root(TREE, size)
    assert aics.read_entry(reader, size - 1, size) == ENTRIES[size - 1]
    for index in indices(size):
        proof = aics.inclusion_proof_from_tiles(reader, index, size)
        verify_inclusion(TREE.leaves[index], index, size, proof, root(TREE, size))
    nodes = TileNodes(size, lambda tile: theirs[f"tile/{tile.path()}"])
    assert root(nodes, size) == root(TREE, size)


# --- C2SP signed-note, tlog-checkpoint, tlog-cosignature


def test_aics_tlog_verifies_our_heads_and_cosignatures(aics):
    made = head(257)
    note = made.note.with_signatures([WITNESS.sign(made.note.text, NOW)])
    log_key = aics.parse_vkey(str(LOG.vkey))
    witness_key = aics.cosignature_vkey(WITNESS.name, WITNESS.vkey.public_key)
    assert aics.format_vkey(witness_key) == str(WITNESS.vkey)

    found = aics.verify_checkpoint(
        aics.parse_note(str(note)), log_key, [witness_key], quorum=1, expected_origin=LOG.name
    )
    assert (found.ok, found.size, found.root) == (True, 257, root(TREE, 257)), found.error
    assert found.timestamps == {WITNESS.name: int(NOW.timestamp())}
    bent = str(note).replace("\n257\n", "\n258\n")
    assert not aics.verify_checkpoint(aics.parse_note(bent), log_key, [witness_key], quorum=1).ok


def test_we_verify_the_heads_and_cosignatures_of_aics_tlog(aics):
    key, witness_key = new_signing_key(), new_signing_key()
    checkpoint = aics.Checkpoint(origin="their.example", size=256, root=root(TREE, 256))
    note = aics.sign_checkpoint(checkpoint, key, "their.example")
    _, line = aics.sign_cosignature(
        witness_key, "w.example", 1_795_000_000, "their.example", 256, root(TREE, 256)
    )
    note = aics.Note(note.text, (*note.signatures, line))
    vkey = aics.format_vkey(aics.vkey_from_ed25519("their.example", key.public_key()))
    witness_vkey = aics.format_vkey(aics.cosignature_vkey("w.example", witness_key.public_key()))

    found = SignedCheckpoint.parse(note.serialise())
    found.require_signed_by(VerifierKey.parse(vkey))
    (stamped,) = found.note.signed_by([VerifierKey.parse(witness_vkey)]).values()
    assert stamped.timestamp() == 1_795_000_000
    assert str(found) == note.serialise()
    with pytest.raises(ProofInvalid):
        found.require_signed_by(LOG.vkey)


# --- C2SP tlog-witness


def test_a_witness_that_others_wrote_cosigns_our_log_and_refuses_its_fork(aics, tmp_path):
    service = pytest.importorskip("aics_witness.service")
    config = pytest.importorskip("aics_witness.config")
    store = pytest.importorskip("aics_witness.store")
    witness = service.Witness(
        "witness.example",
        new_signing_key(),
        store.WitnessStore(tmp_path / "witness.db", create=True),
        [config.LogConfig(LOG.name, (aics.parse_vkey(str(LOG.vkey)),))],
    )
    vkey = VerifierKey.parse(witness.vkey_text)

    def submit(old, new, tree=TREE):
        asked = AddCheckpoint(
            old=old, proof=consistency_proof(tree, old, new), signed=head(new, tree)
        )
        return witness.add_checkpoint(str(asked).encode())

    for old, new in ((0, 255), (255, 256), (256, 257), (257, 700)):
        line = NoteSignature.parse(submit(old, new).decode().removesuffix("\n"))
        assert vkey in head(new).note.with_signatures([line]).signed_by([vkey])

    fork = WholeTree([*TREE.leaves[:690], *TREE.leaves[:10]])
    for old, new, tree, status in ((700, 700, fork, 422), (690, 700, fork, 409)):
        with pytest.raises(service.WitnessError) as refused:
            submit(old, new, tree)
        assert refused.value.status == status
