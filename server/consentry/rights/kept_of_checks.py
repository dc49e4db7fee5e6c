"""Tables about checks and callers: receipts, the log, credentials.

Data of `consentry.rights.inventory`.
"""

from __future__ import annotations

from consentry.rights.kept import Kept, Place

OF_CHECKS: tuple[Kept, ...] = (
    Kept(
        name="receipts",
        place=Place.DATABASE,
        fields={
            "check_id": "",
            "issued_at": "",
            "verdict": "",
            "reasons": "",
            "jws": "[the signed receipt](specs/receipt.md)",
            "caller": "the key, token or owner that asked",
            "leaf": "its index in the log",
        },
        why="proof of what was answered",
        opens=(
            "clear: when a check was made, of how many pictures, and what was answered "
            "(`consent_required`: somebody protected may have been in a picture); not "
            "which picture or who"
        ),
        ends="{receipts_days} days (`CONSENTRY_RECEIPTS_DAYS`), longer under a legal hold",
        plain="a signed answer of each check; not which picture, nor who was in it",
    ),
    Kept(
        name="sightings",
        place=Place.DATABASE,
        fields={
            "check_id": "",
            "part": "",
            "issued_at": "",
            "box": "",
        },
        what="what a check was for and what was answered ([specification](specs/sighting.md))",
        why="so that she can see every check in which her face or name mattered",
        opens=(
            "sealed to those who were seen, each by a key of her own; every check has a"
            " box, alike, so nobody else can tell whose it is, or whether it is "
            "anybody's"
        ),
        ends=(
            "{sightings_days} days (`CONSENTRY_SIGHTINGS_DAYS`); unreadable from the "
            "end of her protection on"
        ),
        plain="which checks your face or name mattered in",
    ),
    Kept(
        name="tokens",
        place=Place.DATABASE,
        fields={
            "token": "a random identifier",
            "name": "what you called it",
            "digest": "of the secret",
            "scopes": "",
            "created_at": "",
            "last_used_day": "",
            "expires_at": "",
        },
        why="to let an extension or a script in",
        opens="clear, but the secret is not there",
        ends=(
            "`consentry token revoke`; an expired one lets nobody in, and goes "
            "{lapsed_days} days later (`CONSENTRY_LAPSED_DAYS`)"
        ),
    ),
    Kept(
        name="api_keys",
        place=Place.DATABASE,
        fields={
            "key": "a random identifier",
            "name": "what you called it",
            "platform": "whom it speaks for",
            "scopes": "",
            "faces_per_hour": "",
            "faces_per_day": "",
            "created_at": "",
            "last_used_day": "",
            "expires_at": "",
        },
        why="to let a platform in",
        opens="clear",
        ends=(
            "`consentry platform revoke`; an expired one lets nobody in, and goes "
            "{lapsed_days} days later (`CONSENTRY_LAPSED_DAYS`)"
        ),
    ),
    Kept(
        name="api_key_secrets",
        place=Place.DATABASE,
        fields={
            "digest": "of a secret",
            "key": "it belongs to",
            "made_at": "",
            "ends_at": "",
        },
        why="the same",
        opens="clear, but the secret is not there",
        ends=(
            "the key's end, or the rotation after its own end, at the latest "
            "{lapsed_days} days after it"
        ),
    ),
    Kept(
        name="probe_spending",
        place=Place.DATABASE,
        fields={
            "key": "",
            "hour": "",
            "faces": "",
        },
        what="how many faces that key had searched for in that hour",
        why="so that no key tries a collection of faces",
        opens="clear: how much a platform asked today, not about whom",
        ends="the next day, or the key's end",
    ),
    Kept(
        name="answers",
        place=Place.DATABASE,
        fields={
            "place": "derived from caller and Idempotency-Key, or from the salts of a receipt",
            "check_id": "",
            "sealed": (
                "salts of the receipt and a digest of the request; or who was there when it was "
                "allowed, and what each protected"
            ),
            "ends_at": "",
        },
        why="so that a retry uses nothing up twice, and the result of an allowed request is judged",
        opens=(
            "sealed under the Idempotency-Key, or the salts that the caller was given; neither "
            "is kept"
        ),
        ends=(
            "24 hours; of an allowed request 1 hour, or until its result is judged, or what it "
            "relied on is taken back"
        ),
    ),
    Kept(
        name="feed",
        place=Place.DATABASE,
        fields={
            "cursor": "",
            "kind": "",
            "hour": "",
            "check_id": "",
        },
        why="so that platforms learn that something changed",
        opens=(
            "clear: in which hour somebody took something back or changed what she "
            "protects, and which receipts relied on it; not who"
        ),
        ends="{feed_days} days (`CONSENTRY_FEED_DAYS`)",
    ),
    Kept(
        name="log_state",
        place=Place.DATABASE,
        fields={
            "id": "",
            "origin": "which log",
            "size": "",
            "frontier": "hashes",
            "versions": "of laws and models, as announced last",
            "superseded": "hash of a renounced head",
        },
        why="to append to the [log](specs/log.md)",
        opens="clear; says nothing about anybody",
        ends="the data folder's end",
    ),
    Kept(
        name="log_leaves",
        place=Place.DATABASE,
        fields={
            "leaf": "",
            "entry": "[what it says](specs/log-entry.md)",
        },
        why="proof that nothing was changed afterwards",
        opens=(
            "clear: verdicts with their public reasons, by day, and how many changes of"
            " enrolments there were; not which, of whom, from where or for whom"
        ),
        ends="the data folder's end: it is append-only",
        plain="what was answered, by day, in a log that nobody can rewrite; nothing about whom",
    ),
    Kept(
        name="log_nodes",
        place=Place.DATABASE,
        fields={
            "level": "",
            "number": "",
            "hash": "",
        },
        why="to prove quickly",
        opens="clear: hashes",
        ends="the data folder's end",
    ),
    Kept(
        name="log_openings",
        place=Place.DATABASE,
        fields={
            "leaf": "",
            "salt": "",
            "opened": "platform, purpose and region of a verdict; what became of an enrolment",
            "subject": "of an enrolment",
        },
        why="to open an entry to an auditor",
        opens="clear",
        ends=(
            "of an enrolment: revocation or erase, to the last byte; of a verdict: "
            "{openings_days} days (`CONSENTRY_OPENINGS_DAYS`), longer under a legal "
            "hold"
        ),
        plain="what opens the log's entries about your enrolment",
    ),
    Kept(
        name="log_waiting",
        place=Place.DATABASE,
        fields={
            "number": "",
            "entry": "",
            "salt": "",
            "opened": "",
            "subject": "",
        },
        what="a change of an enrolment until the next batch",
        why="so that the log's growth does not tell who came or went",
        opens="as `log_openings`",
        ends="the next batch, an hour by default; salt, values and identifier: revocation or erase",
    ),
    Kept(
        name="log_checkpoints",
        place=Place.DATABASE,
        fields={
            "origin": "",
            "size": "",
            "note": "a signed head",
            "is_published": "",
        },
        why="the same",
        opens="clear: how many entries there are",
        ends="the next published head",
    ),
    Kept(
        name="witnessed",
        place=Place.DATABASE,
        fields={
            "origin": "",
            "size": "",
            "note": "",
            "stamped_at": "",
        },
        what="heads of others' logs that this installation cosigned",
        why="never to cosign two that contradict",
        opens="clear",
        ends="the data folder's end",
    ),
)
