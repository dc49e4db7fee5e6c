"""Tables about people: who is enrolled, what she agreed to, was asked and is called.

Data of `consentry.rights.inventory`.
"""

from __future__ import annotations

from consentry.rights.kept import Kept, Place

OF_PEOPLE: tuple[Kept, ...] = (
    Kept(
        name="vault_header",
        place=Place.DATABASE,
        fields={
            "id": "",
            "header": "",
        },
        what="salt and cost of the passphrase, wrapped keys",
        why="what the passphrase opens",
        opens="sealed, but for salt, cost and the number of keys",
        ends="erase; replaced by a new passphrase or a rotation",
    ),
    Kept(
        name="subjects",
        place=Place.DATABASE,
        fields={
            "subject": "a random identifier",
            "wrapped_key": "her data key",
            "sealed_name": "",
            "policy": "what she protects",
            "enrolled_at": "",
            "own_passphrase": (
                "the check of a passphrase of her own, if she shares the home, and her "
                "reader's key wrapped under it"
            ),
            "has_shared": "whether somebody else was ever enrolled beside her",
        },
        why="who is enrolled; whose yes the home's passphrase is",
        opens="key, name and check sealed; identifier, policy, time and `has_shared` clear",
        ends="revocation or erase",
        plain="your name and your key",
    ),
    Kept(
        name="backup_keys",
        place=Place.DATABASE,
        fields={
            "subject": "",
            "key": (
                "32 random bytes that open her section in backups, [how](specs/sealed-"
                "backup.md#people-apart)"
            ),
        },
        why="so that an erasure reaches backups",
        opens="clear; opens nothing without a backup and its passphrase",
        ends="revocation or erase",
        plain="what opens your part of a backup",
    ),
    Kept(
        name="templates",
        place=Place.DATABASE,
        fields={
            "row": "",
            "subject": "",
            "template": "a random identifier",
            "model": "",
            "sealed": "the description of one photo",
            "revision": "",
        },
        why="to recognise her",
        opens=(
            "the description sealed; whose it is (by identifier), of which model and "
            "how many there are, clear"
        ),
        ends="revocation or erase",
        plain="a description of your face from each photo, as numbers; no photo",
    ),
    Kept(
        name="tombstones",
        place=Place.DATABASE,
        fields={
            "row": "",
            "revision": "",
        },
        what="of a template that is gone",
        why="so that every running program forgets it too",
        opens="clear",
        ends="the data folder's end; the oldest go first",
    ),
    Kept(
        name="state",
        place=Place.DATABASE,
        fields={
            "id": "",
            "revision": "",
            "forgotten_up_to": "",
        },
        what="counters of changes",
        why="the same",
        opens="clear",
        ends="the data folder's end",
    ),
    Kept(
        name="erasures",
        place=Place.DATABASE,
        fields={
            "id": "",
        },
        what="of an erasure that is not finished",
        why="so that a crash cannot leave old bytes behind",
        opens="clear",
        ends="the erasure's end, at the latest the next start",
    ),
    Kept(
        name="grants",
        place=Place.DATABASE,
        fields={
            "grant_id": "random",
            "subject": "",
            "sealed": "what was agreed to, with whom, where and how long",
            "uses_left": "",
            "given_at": "",
            "ends_at": "",
        },
        why="standing consent",
        opens=(
            "terms sealed under her data key; whose it is (by identifier), uses left "
            "and times clear"
        ),
        ends="she takes it back, it lapses, revocation or erase",
        plain="what you agreed to",
    ),
    Kept(
        name="consent_tokens",
        place=Place.DATABASE,
        fields={
            "token": "random",
            "subject": "",
            "sealed": (
                "the salt, without which nobody can test what a token was about, and "
                "what it may be used for"
            ),
            "uses_left": "",
            "issued_at": "",
            "valid_until": "",
        },
        why="consent to one request or a session",
        opens=(
            "what it is worth sealed under her data key; that there is one, its times "
            "and uses clear. Words, pictures and digests are not there: digests are in "
            "the token itself, which the platform holds"
        ),
        ends=(
            "it lapses (5 minutes; a session at most 30 days), she takes it back, "
            "revocation or erase"
        ),
    ),
    Kept(
        name="consent_uses",
        place=Place.DATABASE,
        fields={
            "number": "",
            "authority": "a grant or token",
            "check_id": "",
        },
        why="to tell the platform which receipts relied on a consent that was taken back",
        opens="clear: which checks were of her, as long as the grant is there",
        ends="with the grant or token",
    ),
    Kept(
        name="consent_requests",
        place=Place.DATABASE,
        fields={
            "request": "random",
            "subject": "",
            "caller": "SHA-256 of who asked",
            "platform": "keyed digest under her data key",
            "asker": "keyed digest under her data key",
            "sealed": "the words, small copies of the pictures and digests of the files",
            "state": "",
            "jws": "the token, once approved",
            "asked_at": "",
            "ends_at": "",
        },
        why="so that she can see what is asked",
        opens="words and pictures sealed under her data key; that somebody asked, and when, clear",
        ends="words and pictures: her answer, at the latest 24 hours; the row: 24 hours",
        plain="questions to you: their words and small pictures",
    ),
    Kept(
        name="blocked_askers",
        place=Place.DATABASE,
        fields={
            "number": "",
            "subject": "",
            "asker": "keyed digest under her data key",
            "sealed": "who it is, as the platform said",
            "blocked_at": "",
        },
        why="not to hear from somebody again",
        opens="sealed; time and number of them clear",
        ends="she unblocks, revocation or erase",
        plain="whom you do not want to hear from",
    ),
    Kept(
        name="declarations",
        place=Place.DATABASE,
        fields={
            "subject": "",
            "adult_at": "when she declared to be 18 or older",
            "announced_at": "when she announced an intimate consent",
        },
        why="nothing revealing is unlocked without; the cooling-off time",
        opens="clear",
        ends="revocation or erase",
        plain="what you declared about yourself",
    ),
    Kept(
        name="aliases",
        place=Place.DATABASE,
        fields={
            "alias": "random",
            "subject": "",
            "sealed": "a protected name, its kind and proof",
            "added_at": "",
        },
        why="so that a name counts as the person",
        opens="the name sealed under her data key; how many and when, clear",
        ends="she removes it, revocation or erase",
        plain="names of yours that you protect",
    ),
    Kept(
        name="contests",
        place=Place.DATABASE,
        fields={
            "contest": "random",
            "claimant": "",
            "respondent": "identifiers",
            "opened_at": "",
        },
        why="so that nobody's yes counts while two claim one face",
        opens="clear",
        ends="it is settled; revocation of either, or erase",
    ),
)
