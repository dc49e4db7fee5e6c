"""Files beside the database, and what is in memory only.

Data of `consentry.rights.inventory`.
"""

from __future__ import annotations

from consentry.rights.kept import Kept, Place

ELSEWHERE: tuple[Kept, ...] = (
    Kept(
        name="consentry.db-wal",
        place=Place.FILE,
        what="changes on their way into the database, and their index",
        opens="as the database",
        ends=(
            "emptied by each revocation and erasure; gone when the last program closes the database"
        ),
    ),
    Kept(
        name="consentry.db-shm",
        place=Place.FILE,
        what="changes on their way into the database, and their index",
        opens="as the database",
        ends=(
            "emptied by each revocation and erasure; gone when the last program closes the database"
        ),
    ),
    Kept(
        name="keys/receipts.pem",
        place=Place.FILE,
        what="the key that signs receipts",
        opens="clear",
        ends="the data folder's end",
    ),
    Kept(
        name="keys/log.pem",
        place=Place.FILE,
        what="the key that signs heads of the log",
        opens="clear",
        ends="the data folder's end",
    ),
    Kept(
        name="keys/identity.pem",
        place=Place.FILE,
        what="the key by which a paired extension knows this companion",
        opens="clear",
        ends="the data folder's end",
    ),
    Kept(
        name="run/companion.sock",
        place=Place.FILE,
        what="where a running companion answers the command line",
        opens="it holds nothing",
        ends="the companion stops",
    ),
    Kept(
        name="run/serve.lock",
        place=Place.FILE,
        what="empty: that one companion runs here",
        opens="it holds nothing",
        ends="the data folder's end",
    ),
    Kept(
        name="log.checkpoint",
        place=Place.LATER_FILE,
        what="the head of the log that was signed last: how many entries there are, and a hash",
        opens="clear",
        ends="the data folder's end",
    ),
    Kept(
        name="holds.json",
        place=Place.LATER_FILE,
        what="legal holds: why, who placed them, from when and until when",
        why="a law or a court forbids to delete records",
        opens="clear; shown to everybody enrolled",
        ends="it is lifted, or its own end, at most 731 days later",
    ),
    Kept(
        name="keys/witness.pem",
        place=Place.LATER_FILE,
        what="the key of a witness of others' logs",
        opens="clear",
        ends="the data folder's end",
    ),
    Kept(
        place=Place.MEMORY,
        what="pictures, prompts, embeddings of probes, salts",
        opens="the running program",
        ends="one answer; with a question to her, see `consent_requests`",
    ),
    Kept(
        place=Place.MEMORY,
        what=(
            "the pictures of a request that was refused before any search, so that "
            "those whom it was about can be noted"
        ),
        opens="the running program",
        ends="seconds; at most 64 requests or 64 megapixels wait",
    ),
    Kept(
        place=Place.MEMORY,
        what="what somebody reads her sightings with",
        opens="the running program",
        ends="five minutes after her proof, or until a lock",
    ),
    Kept(
        place=Place.MEMORY,
        what="protected names",
        opens="the running program",
        ends="while unlocked",
    ),
    Kept(
        place=Place.MEMORY,
        what="keys and references",
        opens="the running program",
        ends=(
            "while unlocked: until a lock, 15 minutes without use "
            "(`CONSENTRY_IDLE_LOCK_S`), or the end of the program"
        ),
    ),
    Kept(
        place=Place.MEMORY,
        what=(
            "an answer with its private part that was given under an `Idempotency-Key`,"
            " and a keyed digest of its request"
        ),
        opens="the running program",
        ends="ten minutes, or until a lock",
    ),
    Kept(
        place=Place.MEMORY,
        what="dashboard sessions (digests)",
        opens="the running program",
        ends="30 minutes without use, at most 12 hours, or the end of the program",
    ),
    Kept(
        place=Place.MEMORY,
        what="a pairing code",
        opens="the running program",
        ends="two minutes, or one use",
    ),
    Kept(
        place=Place.MEMORY,
        what="counts and durations for `/metrics`; no identifier among them",
        opens="the running program",
        ends="the end of the program",
    ),
)
