"""Signed notes, checkpoints, cosignatures, trust policies: the examples of C2SP, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from consentry.kernel.errors import ProofInvalid
from consentry.transparency.checkpoints import Checkpoint, SignedCheckpoint
from consentry.transparency.notes import (
    Note,
    NoteSigner,
    SignatureType,
    VerifierKey,
    encode_base64,
)
from consentry.transparency.policy import TrustPolicy
from consentry.transparency.signing_key import new_signing_key
from consentry.transparency.tree import EMPTY_ROOT

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
# https://c2sp.org/signed-note, "Example"
EXAMPLE_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# https://c2sp.org/tlog-checkpoint
EXAMPLE_CHECKPOINT = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/"
    "Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)


def signer(name: str, kind: SignatureType = SignatureType.TEXT, seed: int = 1) -> NoteSigner:
    key = new_signing_key(lambda n: bytes([seed]) * n)
    return NoteSigner(name=name, type=kind, private_key=key)


LOG = signer("log.example/one")
WITNESS = signer("witness.example/w1", SignatureType.COSIGNATURE, 2)
OTHER = signer("witness.example/w2", SignatureType.COSIGNATURE, 3)
HEAD = Checkpoint(origin="log.example/one", size=7, root=bytes(range(32)))


def signed(*witnesses: NoteSigner, at: datetime = NOW) -> SignedCheckpoint:
    made = SignedCheckpoint.sign(HEAD, LOG, NOW)
    more = [each.sign(made.note.text, at) for each in witnesses]
    return SignedCheckpoint(checkpoint=HEAD, note=made.note.with_signatures(more))


def test_the_example_of_the_specification_verifies():
    key = VerifierKey.parse(EXAMPLE_VKEY)

    assert Note.parse(EXAMPLE_NOTE).signed_by([key]) == {key: None}
    assert str(key) == EXAMPLE_VKEY
    assert str(Note.parse(EXAMPLE_NOTE)) == EXAMPLE_NOTE


def test_the_example_checkpoint_is_read_and_written_as_it_stands():
    found = SignedCheckpoint.parse(EXAMPLE_CHECKPOINT)

    assert (found.checkpoint.origin, found.checkpoint.size) == (
        "example.com/behind-the-sofa",
        20_852_163,
    )
    assert str(found) == EXAMPLE_CHECKPOINT


def test_a_changed_text_is_not_signed():
    key = VerifierKey.parse(EXAMPLE_VKEY)
    with pytest.raises(ProofInvalid):
        Note.parse(EXAMPLE_NOTE.replace("example message", "exemple message")).signed_by([key])


def test_signatures_of_unknown_keys_are_passed_over_even_under_a_known_name():
    key = VerifierKey.parse(EXAMPLE_VKEY)
    stranger = signer("example.com/foo", seed=9)
    note = Note.parse(EXAMPLE_NOTE)
    more = note.with_signatures([stranger.sign(note.text, NOW)])

    assert more.signed_by([key]) == {key: None}
    assert more.signed_by([WITNESS.vkey]) == {}


def test_a_text_may_have_empty_lines_of_its_own():
    text = "one\n\ntwo\n\n\nthree\n"
    note = Note.parse(f"{text}\n{LOG.sign(text, NOW)}")

    assert note.text == text
    assert LOG.vkey in note.signed_by([LOG.vkey])


@pytest.mark.parametrize(
    "bad",
    [
        b"", b"text\n", b"text\n\n", b"text\n\n\xe2\x80\x94 name\n",
        "text\n\n— name AAAAAAAA".encode(), "text\n\n— na+me AAAAAAAA\n".encode(),
        "text\n\n— name AAAA\n".encode(), "text\n\n— name AAAAAB==\n".encode(),
        "text\n\n— name AAAAAAAA\n— broken\n".encode(), "te\txt\n\n— name AAAAAAAA\n".encode(),
        "te\rxt\n\n— name AAAAAAAA\n".encode(), b"te\xffxt\n\n\xe2\x80\x94 name AAAAAAAA\n",
        b"text\n\n- name AAAAAAAA\n", "text\n\n— name  AAAAAAAA\n".encode(),
        ("text\n\n" + "— name AAAAAAAA\n" * 65).encode(),
    ],
)  # fmt: skip
def test_what_has_not_the_form_of_a_note_is_refused(bad):
    with pytest.raises(ProofInvalid):
        Note.parse(bad)


def test_sixteen_signatures_are_read():
    assert len(Note.parse("text\n\n" + "— name AAAAAAAA\n" * 16).signatures) == 16


@pytest.mark.parametrize(
    "bad",
    [
        "", "name", "name+00000000", EXAMPLE_VKEY.replace("530d903a", "530d903b"),
        EXAMPLE_VKEY.replace("foo", "bar"), EXAMPLE_VKEY[:-4],
        f"name+00000000+{encode_base64(b'')}", f"name+00000000+{encode_base64(bytes([9, *range(32)]))}",
        "na me+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    ],
)  # fmt: skip
def test_what_is_not_a_verifier_key_is_refused(bad):
    with pytest.raises(ProofInvalid):
        VerifierKey.parse(bad)


@pytest.mark.parametrize(
    "bad",
    [
        "origin\n1\n", "\n1\nAAAA\n", "origin\n01\n{r}\n", "origin\n+1\n{r}\n", "origin\n-1\n{r}\n",
        "origin\n1\nAAAA\n", "origin\n1\n{r}\n\n", "origin\n1\n{r}", "origin\n9999999999999999999\n{r}\n",
        "origin\n1 \n{r}\n", "origin\n\u0661\n{r}\n", "origin\n1\n{r}\n\nmore\n",
    ],
)  # fmt: skip
def test_what_is_not_a_checkpoint_is_refused(bad):
    with pytest.raises(ProofInvalid):
        Checkpoint.parse(bad.replace("{r}", encode_base64(EMPTY_ROOT)))


def test_lines_that_nobody_here_understands_are_kept_and_signed():
    text = HEAD.text() + "more to say\n"

    assert Checkpoint.parse(text).extensions == ("more to say",)
    assert Checkpoint.parse(text).text() == text


def test_a_checkpoint_of_another_origin_is_not_this_logs():
    with pytest.raises(ProofInvalid):
        signed().require_signed_by(signer("log.example/two").vkey)
    with pytest.raises(ProofInvalid):
        signed().require_signed_by(signer("log.example/one", seed=8).vkey)
    signed().require_signed_by(LOG.vkey)


def test_a_cosignature_says_when_and_counts_only_as_one():
    found = signed(WITNESS).note.signed_by([WITNESS.vkey])
    as_log = signer("witness.example/w1", SignatureType.TEXT, 2)

    assert found == {WITNESS.vkey: NOW}
    assert signed(WITNESS).note.signed_by([as_log.vkey]) == {}


def test_the_newest_cosignature_of_a_witness_is_taken():
    later = NOW + timedelta(seconds=90)
    made = signed(WITNESS)
    more = made.note.with_signatures([WITNESS.sign(made.note.text, later)])

    assert more.signed_by([WITNESS.vkey]) == {WITNESS.vkey: later}


def test_a_cosignature_with_another_time_does_not_hold():
    made = signed(WITNESS)
    line = made.note.signatures[1]
    bent = type(line)(line.name, line.key_id, (1).to_bytes(8, "big") + line.signature[8:])

    with pytest.raises(ProofInvalid):
        Note(made.note.text, (made.note.signatures[0], bent)).signed_by([WITNESS.vkey])


POLICY = f"""# two of two
log {LOG.vkey} https://log.example/one
witness w1 {WITNESS.vkey}   https://witness.example/w1
witness w2 {OTHER.vkey}
\tgroup both all w1 w2
quorum both
"""


def test_a_policy_wants_its_quorum():
    policy = TrustPolicy.parse(POLICY)

    policy.require_quorum(signed(WITNESS, OTHER))
    for too_few in (signed(), signed(WITNESS), signed(OTHER)):
        with pytest.raises(ProofInvalid):
            policy.require_quorum(too_few)
    assert policy.log_of("log.example/one") == LOG.vkey
    assert policy.log_of("log.example/two") is None
    assert policy.witnesses[0].url == "https://witness.example/w1"


@pytest.mark.parametrize(
    ("least", "enough"), [("any", 1), ("1", 1), ("2", 2), ("all", 3), ("3", 3)]
)
def test_a_group_counts_its_members(least, enough):
    names = [f"w{n}" for n in range(3)]
    lines = [
        f"witness {name} {signer(name, SignatureType.COSIGNATURE, 10 + n).vkey}"
        for n, name in enumerate(names)
    ]
    policy = TrustPolicy.parse("\n".join([*lines, f"group g {least} w0 w1 w2", "quorum g"]))

    assert [policy.is_enough(names[:n]) for n in range(4)] == [n >= enough for n in range(4)]


def test_groups_of_groups_count_groups():
    lines = [
        f"witness w{n} {signer('w', SignatureType.COSIGNATURE, 20 + n).vkey}" for n in range(4)
    ]
    policy = TrustPolicy.parse(
        "\n".join([*lines, "group a any w0 w1", "group b any w2 w3", "group c all a b", "quorum c"])
    )

    assert policy.is_enough({"w0", "w3"})
    assert not policy.is_enough({"w0", "w1"})


@pytest.mark.parametrize(
    "bad",
    [
        "", "quorum none\nquorum none\n", "quorum w1\n", "quorum\n", "wittness x\nquorum none\n",
        "log x\nquorum none\n", f"log {WITNESS.vkey}\nquorum none\n", f"witness w1 {LOG.vkey}\nquorum w1\n",
        f"log {LOG.vkey}\nlog {LOG.vkey}\nquorum none\n", f"witness none {WITNESS.vkey}\nquorum none\n",
        f"witness w1 {WITNESS.vkey}\nwitness w2 {WITNESS.vkey}\nquorum none\n",
        f"witness w1 {WITNESS.vkey}\ngroup g 2 w1\nquorum g\n",
        f"witness w1 {WITNESS.vkey}\ngroup g 0 w1\nquorum g\n",
        f"witness w1 {WITNESS.vkey}\ngroup g all\nquorum g\n",
        f"witness w1 {WITNESS.vkey}\ngroup g all w1\ngroup h all w1\nquorum g\n",
        f"group g all w1\nwitness w1 {WITNESS.vkey}\nquorum g\n",
    ],
)  # fmt: skip
def test_a_policy_that_does_not_hold_is_refused(bad):
    with pytest.raises(ProofInvalid):
        TrustPolicy.parse(bad)


def test_no_quorum_is_enough_for_a_log_without_witnesses():
    TrustPolicy.parse(f"log {LOG.vkey}\nquorum none\n").require_quorum(signed())
