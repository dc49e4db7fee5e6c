from __future__ import annotations

import hmac
import json
import pickle
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from consentry.checks.output import OutputRequest
from consentry.checks.sightings import How, Stage, read_sighting
from consentry.enrolment.aliases import AliasKind, AliasProof
from consentry.kernel.errors import (
    Forbidden,
    NotFound,
    SealBroken,
    StorageFailed,
    VaultLocked,
)
from consentry.kernel.taxonomy import (
    IntentCategory,
    Mode,
    PublicReason,
    Purpose,
    SubjectPolicy,
    Verdict,
)
from consentry.transparency.receipts import verify_receipt
from consentry.vault.envelope import seal_text
from consentry.vault.lids import BOX_BYTES, LIDS, ReaderKey, open_box, seal_box
from consentry.vault.passphrase import Passphrase
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from fakes.coloured_faces import picture
from fakes.home import PASSPHRASE, TestHome

ADA, EVE, BOB = (200, 10, 10), (10, 200, 10), (10, 10, 200)
CROWD = [(200, 10 * n, 90) for n in range(1, LIDS + 3)]
REVEALING = "put her in a bikini"
ADAS, BOBS = Passphrase("seven quiet otters swim"), Passphrase("nine loud badgers dig")


def read(home: TestHome, subject, *, before=None, limit=50):
    home.check_images.afterwards.finish()
    return home.my_checks(subject, before=before, limit=limit)


def boxes_of(home: TestHome) -> dict[str, list[bytes]]:
    rows = home.database.held().execute("SELECT check_id, box FROM sightings ORDER BY part")
    found: dict[str, list[bytes]] = {}
    for check, box in rows.fetchall():
        found.setdefault(check, []).append(box)
    return found


@pytest.fixture
def shared(home):
    """Ada and Bob share a home, each with a passphrase of their own; nobody has proved anything."""
    ada = home.enrol(ADA, name="Ada").subject
    bob = home.enrol(BOB, name="Bob").subject
    home.give_own(ada, ADAS)
    home.give_own(bob, BOBS)
    home.own_passphrases.forget()
    return home, ada, bob


def test_she_reads_when_who_what_for_and_the_verdict_with_its_receipt(home):
    ada = home.enrol(ADA).subject
    result = home.check(
        picture(ADA),
        prompt="swap the faces",
        purpose=Purpose.FACE_SWAP,
        platform="pictures.example",
        region="DE",
    )

    (mine,) = read(home, ada).checks

    assert (mine.how, mine.sighting.stage) == (How.FACE, Stage.REQUEST)
    assert (mine.sighting.platform, mine.sighting.region) == ("pictures.example", "DE")
    assert mine.sighting.purpose is Purpose.FACE_SWAP
    assert mine.sighting.category is IntentCategory.FACE_SWAP
    assert mine.sighting.verdict is Verdict.NEEDS_CONSENT
    assert mine.sighting.reasons == (PublicReason.CONSENT_REQUIRED,)
    assert abs(mine.sighting.at - home.clock.now()) < timedelta(minutes=1)
    assert mine.receipt == result.receipt.jws
    assert verify_receipt(mine.receipt, home.signer.jwks()).log == mine.log


def test_a_refused_revealing_request_is_hers_though_nobody_was_searched_for_before_it(home):
    ada = home.enrol(ADA).subject
    home.check(picture(EVE, ADA), prompt=REVEALING)

    (mine,) = read(home, ada).checks

    assert mine.how is How.FACE
    assert mine.sighting.category is IntentCategory.SWIMWEAR
    assert mine.sighting.verdict is Verdict.REFUSE


def test_before_a_revealing_answer_nothing_is_sealed_for_anybody_named(home):
    ada = home.enrol(ADA, name="Ada").subject
    home.aliases.add(ada, "Ada Lovelace", AliasKind.NAME, AliasProof.OWN_WORD)
    home.hold_afterwards()
    home.check(prompt="undress Ada Lovelace")

    assert home.my_checks(ada, before=None, limit=9).checks == ()


def test_a_name_of_hers_is_enough(home):
    ada = home.enrol(ADA, name="Ada").subject
    home.aliases.add(ada, "Ada Lovelace", AliasKind.NAME, AliasProof.OWN_WORD)
    home.check(prompt="draw Ada Lovelace as a knight")
    home.check(picture(EVE), prompt="undress Ada Lovelace")

    assert [each.how for each in read(home, ada).checks] == [How.NAME, How.NAME]


def test_a_face_that_is_only_like_hers_is_told_as_such(home):
    ada = home.enrol(ADA).subject
    home.faces.blend((9, 9, 9), like=ADA, similarity=0.6)
    home.check(picture((9, 9, 9)))

    assert [each.how for each in read(home, ada).checks] == [How.POSSIBLE]


def test_a_sure_face_outweighs_a_possible_one_in_the_same_check(home):
    ada = home.enrol(ADA).subject
    home.faces.blend((9, 9, 9), like=ADA, similarity=0.6)
    home.check(picture((9, 9, 9), ADA))

    assert [each.how for each in read(home, ada).checks] == [How.FACE]


def test_an_allowed_edit_is_told_too(home):
    ada = home.enrol(ADA, policy=SubjectPolicy.INTIMATE_AND_IMPERSONATING).subject
    home.check(picture(ADA))

    assert [each.sighting.verdict for each in read(home, ada).checks] == [Verdict.ALLOW]


def test_who_only_looks_leaves_no_sighting(home):
    ada = home.enrol(ADA).subject
    home.check(picture(ADA), mode=Mode.INFORM)
    home.check(picture(ADA), prompt=REVEALING, mode=Mode.INFORM)

    assert read(home, ada).checks == ()
    assert boxes_of(home) == {}


def test_two_people_of_one_home_each_see_only_their_own(shared):
    home, ada, bob = shared
    of_ada, of_bob = home.check(picture(ADA)).check, home.check(picture(BOB)).check
    of_both, of_nobody = home.check(picture(ADA, BOB)).check, home.check(picture(EVE)).check
    revealing = home.check(picture(BOB), prompt=REVEALING).check
    home.own_passphrases.prove(ada, ADAS)
    home.own_passphrases.prove(bob, BOBS)

    adas = {each.sighting.check for each in read(home, ada).checks}
    bobs = {each.sighting.check for each in read(home, bob).checks}

    assert (adas, bobs) == ({of_ada, of_both}, {of_bob, of_both, revealing})
    assert of_nobody in boxes_of(home)


def test_who_opens_the_home_without_her_passphrase_reads_nothing_of_hers(shared):
    home, ada, _ = shared
    home.check(picture(ADA))

    with pytest.raises(Forbidden):
        read(home, ada)
    # Nor with all keys of the open vault in hand, past every check of presence.
    keys = home.reading_keys.open(ada)
    for check, boxes in boxes_of(home).items():
        assert all(open_box(box, keys, place=f"sighting {check}") is None for box in boxes)


def test_a_wrong_passphrase_opens_nothing_and_the_right_one_reads(shared):
    home, ada, _ = shared
    home.check(picture(ADA))
    home.own_passphrases.prove(ada, ADAS)

    assert len(read(home, ada).checks) == 1
    home.clock.advance(301)
    with pytest.raises(Forbidden):
        read(home, ada)


def test_in_a_shared_home_without_a_passphrase_of_her_own_she_is_asked_to_set_one(home):
    ada = home.enrol(ADA, name="Ada").subject
    home.enrol(BOB, name="Bob")

    with pytest.raises(Forbidden, match="one of your own"):
        read(home, ada)


def test_what_was_noted_before_she_had_a_passphrase_of_her_own_is_still_there(home):
    ada = home.enrol(ADA, name="Ada").subject
    before = home.check(picture(ADA)).check
    home.give_own(ada, ADAS)
    home.clock.advance(1)
    after = home.check(picture(ADA)).check

    assert [each.sighting.check for each in read(home, ada).checks] == [after, before]


def test_another_passphrase_of_her_own_reads_what_the_first_one_did(shared):
    home, ada, _ = shared
    noted = home.check(picture(ADA)).check
    home.own_passphrases.set(ada, Passphrase("some other words of mine"), old=ADAS)

    assert [each.sighting.check for each in read(home, ada).checks] == [noted]


def test_a_passphrase_set_by_an_older_version_gets_its_key_with_the_first_proof(shared):
    home, ada, _ = shared
    _forget_reader(home, ada, ADAS)
    assert home.own_passphrases.reader_address(ada) is None

    home.own_passphrases.prove(ada, ADAS)
    noted = home.check(picture(ADA)).check
    home.own_passphrases.forget()
    home.own_passphrases.prove(ada, ADAS)

    assert [each.sighting.check for each in read(home, ada).checks] == [noted]


def _forget_reader(home: TestHome, subject, passphrase: Passphrase) -> None:
    """Keep what a version without readers kept."""
    own = home.own_passphrases
    kept = own._opened(subject, own._kept(subject))
    del kept["reader"], kept["wrapped_reader"]
    box = seal_text(
        json.dumps(kept), key=own._keys.open(subject), subject=subject, label="own passphrase"
    )
    home.store.set_own_passphrase(subject, box)


def test_while_locked_nobody_reads(home):
    ada = home.enrol(ADA).subject
    home.check(picture(ADA))
    home.custody.lock()

    with pytest.raises((Forbidden, VaultLocked)):
        read(home, ada)


def test_after_her_enrolment_ended_no_key_that_is_left_opens_any_box(shared):
    home, ada, bob = shared
    check = home.check(picture(ADA, BOB)).check
    home.check(picture(ADA), prompt=REVEALING)
    home.check_images.afterwards.finish()
    home.revoke(ada)
    home.own_passphrases.prove(bob, BOBS)

    with pytest.raises((Forbidden, NotFound)):
        home.my_checks(ada, before=None, limit=10)
    with pytest.raises(NotFound):
        home.reading_keys.open(ada)
    assert [each.sighting.check for each in read(home, bob).checks] == [check]


def test_one_who_enrols_again_does_not_see_what_was_noted_before(home):
    home.check_images.afterwards.finish()
    first = home.enrol(ADA).subject
    home.check(picture(ADA))
    home.revoke(first)
    again = home.enrol(ADA).subject

    assert read(home, again).checks == ()


@pytest.mark.parametrize(
    ("colours", "prompt"),
    [
        ((ADA,), "make the sky blue"),
        ((EVE,), "make the sky blue"),
        ((ADA, BOB), "make the sky blue"),
        ((ADA,), REVEALING),
        ((EVE,), REVEALING),
        ((), "make the sky blue"),
    ],
    ids=["hers", "a-stranger's", "both", "hers-revealing", "a-stranger's-revealing", "nobody's"],
)
def test_every_check_leaves_one_box_of_one_size_whoever_is_in_it(shared, colours, prompt):
    home, _, _ = shared
    check = home.check(picture(*colours), prompt=prompt).check

    early = boxes_of(home)[check]
    home.check_images.afterwards.finish()

    assert [len(box) for box in early] == [BOX_BYTES]
    assert [len(box) for box in boxes_of(home)[check]] == [BOX_BYTES]


@pytest.mark.parametrize("who", [ADA, EVE], ids=["enrolled", "stranger"])
def test_a_box_is_replaced_afterwards_whoever_was_in_the_picture(shared, who):
    home, _, _ = shared
    may_begin = home.hold_afterwards()
    check = home.check(picture(who), prompt=REVEALING).check
    before = boxes_of(home)[check]

    may_begin.set()
    home.check_images.afterwards.finish()

    assert boxes_of(home)[check] != before


def test_of_a_crowd_of_the_enrolled_everybody_is_told(home):
    crowd = [home.enrol(each, name=f"Person {n}").subject for n, each in enumerate(CROWD)]
    check = home.check(picture(*CROWD)).check

    assert len(boxes_of(home)[check]) == 2
    for subject in crowd:
        keys = home.reading_keys.open(subject)
        opened = [open_box(box, keys, place=f"sighting {check}") for box in boxes_of(home)[check]]
        assert sum(each is not None for each in opened) == 1


def test_the_database_says_nowhere_whose_check_it_was(shared):
    home, ada, bob = shared
    home.check(picture(ADA), platform="pictures.example")
    home.check_images.afterwards.finish()
    (row,) = home.database.held().execute("SELECT * FROM sightings").fetchall()
    text = b" ".join(part if isinstance(part, bytes) else str(part).encode() for part in row)

    address = home.own_passphrases.reader_address(ada)
    for hidden in (ada.encode(), bob.encode(), address, b"pictures.example"):
        assert hidden not in text


def test_a_result_that_shows_her_is_hers_too(home):
    ada = home.enrol(ADA).subject
    home.check_output(OutputRequest(results=(picture(ADA),), bases=(), platform="maker.example"))

    (mine,) = read(home, ada).checks
    assert (mine.sighting.stage, mine.sighting.platform) == (Stage.RESULT, "maker.example")


def test_a_retry_under_the_same_key_is_one_sighting(home):
    ada = home.enrol(ADA).subject
    for _ in range(2):
        home.check(picture(ADA), idempotency_key="the same", caller="key_1")

    assert len(read(home, ada).checks) == 1


def test_pages_follow_one_another_and_lose_nothing(home):
    ada = home.enrol(ADA).subject
    checks = []
    for n in range(7):
        checks.append(home.check(picture(ADA if n % 3 else EVE)).check)
        if n % 2:
            home.clock.advance(1)
    wanted = {check for n, check in enumerate(checks) if n % 3}

    found, before = [], None
    while True:
        page = read(home, ada, before=before, limit=1)
        found += [each.sighting.check for each in page.checks]
        before = page.before
        if before is None:
            break

    assert (len(found), set(found)) == (len(wanted), wanted)


def test_what_is_older_than_it_is_kept_is_destroyed(home):
    ada = home.enrol(ADA).subject
    home.check(picture(ADA))
    home.clock.advance(200 * 86_400)
    home.custody.unlock(PASSPHRASE)
    newer = home.check(picture(ADA)).check

    assert home.my_checks.sweep() == 1
    assert [each.sighting.check for each in read(home, ada).checks] == [newer]
    assert home.my_checks.sweep() == 0


def test_a_sighting_that_cannot_be_kept_takes_the_verdict_with_it(home):
    home.enrol(ADA)
    home.database.engine.connect().exec_driver_sql("DROP TABLE sightings").connection.commit()

    with pytest.raises(StorageFailed):
        home.check(picture(ADA))
    assert home.receipts.count() == 0


def test_what_the_queue_cannot_take_is_counted_and_the_verdict_stands(home, caplog):
    home.enrol(ADA)
    afterwards = home.check_images.afterwards
    afterwards._max_waiting = 0

    result = home.check(picture(ADA), prompt=REVEALING)

    assert result.decision.verdict is Verdict.REFUSE
    assert afterwards.left_out == 1
    assert str(result.check) not in caplog.text


@pytest.mark.parametrize(
    "platform", ['"' * 300, "\ud800x", "ü" * 200, "\U0001d518" * 200, "\n\x00"]
)
def test_any_name_of_a_platform_fits(home, platform):
    ada = home.enrol(ADA).subject
    home.check(picture(ADA), platform=platform)

    assert len(read(home, ada).checks) == 1


class TestBoxes:
    KEYS = tuple(ReaderKey(bytes([n]) * 32) for n in range(1, LIDS + 2))

    def test_each_reader_finds_the_body_and_the_mark_of_her_own(self):
        box = seal_box(b"body", [(k.address, n) for n, k in enumerate(self.KEYS[:3])], place="p")

        for n, key in enumerate(self.KEYS[:3]):
            opened = open_box(box, [key], place="p")
            assert (opened.body, opened.mark) == (b"body", n)
        assert open_box(box, [self.KEYS[3]], place="p") is None

    def test_it_does_not_open_in_another_place(self):
        box = seal_box(b"body", [(self.KEYS[0].address, 0)], place="p")

        assert open_box(box, self.KEYS, place="q") is None

    def test_a_changed_body_is_told_from_a_box_that_is_not_hers(self):
        box = bytearray(seal_box(b"body", [(self.KEYS[0].address, 0)], place="p"))
        box[-1] ^= 1

        with pytest.raises(SealBroken):
            open_box(bytes(box), [self.KEYS[0]], place="p")
        assert open_box(bytes(box), [self.KEYS[1]], place="p") is None

    @pytest.mark.parametrize("box", [b"", b"\x51", bytes(BOX_BYTES)])
    def test_what_is_no_box_is_refused(self, box):
        with pytest.raises(SealBroken):
            open_box(box, self.KEYS, place="p")

    def test_too_many_readers_and_too_long_a_body_are_refused(self):
        with pytest.raises(ValueError, match="512 bytes"):
            seal_box(b"x" * 513, [], place="p")
        with pytest.raises(ValueError, match="4 readers"):
            seal_box(b"x", [(k.address, 0) for k in self.KEYS], place="p")

    def test_a_key_hides_itself_and_is_not_copied(self):
        assert repr(self.KEYS[0]) == "ReaderKey(<32 bytes>)"
        with pytest.raises(TypeError):
            pickle.dumps(self.KEYS[0])


VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "sighting_v1.json").read_text())


@pytest.mark.parametrize("case", VECTORS["tests"], ids=lambda case: case["id"])
def test_boxes_open_as_the_vectors_say(case):
    box, key = bytes.fromhex(case["box"]), ReaderKey(bytes.fromhex(case["secret"]))
    place = case.get("place", VECTORS["place"])

    match case["result"]:
        case "valid":
            opened = open_box(box, [key], place=place)
            assert (opened.body.decode(), opened.mark) == (VECTORS["body"], case["mark"])
            assert read_sighting(opened.body).platform == "pictures.example"
        case "closed":
            assert open_box(box, [key], place=place) is None
        case "invalid":
            with pytest.raises(SealBroken):
                open_box(box, [key], place=place)


def test_a_box_opens_with_nothing_but_the_specification():
    """RFC 9180 step by step, from the primitives: what is written is what is meant."""
    case = VECTORS["tests"][0]
    box, secret = bytes.fromhex(case["box"]), bytes.fromhex(case["secret"])
    info = b"consentry/v1/lid/" + VECTORS["place"].encode()

    opened = [_hpke_open(box[1 + 81 * n : 82 + 81 * n], secret, info) for n in range(4)]

    (held,) = [each for each in opened if each is not None]
    body = AESGCM(held[:32]).decrypt(box[325:337], box[337:], b"\x51" + VECTORS["place"].encode())
    assert body.rstrip(b"\0").decode() == VECTORS["body"]


def _hpke_open(lid: bytes, secret: bytes, info: bytes) -> bytes | None:
    def extract(suite, salt, label, value):
        return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + value, "sha256")

    def expand(suite, prk, label, value, length):
        labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + value
        return HKDFExpand(SHA256(), length, labelled).derive(prk)

    kem, suite = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\x00\x02"
    private = X25519PrivateKey.from_private_bytes(secret)
    encapsulated, mine = lid[:32], private.public_key().public_bytes_raw()
    shared = private.exchange(X25519PublicKey.from_public_bytes(encapsulated))
    eae = extract(kem, b"", b"eae_prk", shared)
    agreed = expand(kem, eae, b"shared_secret", encapsulated + mine, 32)
    context = (
        b"\0" + extract(suite, b"", b"psk_id_hash", b"") + extract(suite, b"", b"info_hash", info)
    )
    schedule = extract(suite, agreed, b"secret", b"")
    key = expand(suite, schedule, b"key", context, 32)
    nonce = expand(suite, schedule, b"base_nonce", context, 12)
    with suppress(InvalidTag):
        return AESGCM(key).decrypt(nonce, lid[32:], b"")
    return None
