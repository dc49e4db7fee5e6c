"""What the stores of consents promise each other's transactions."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from consentry.checks.ports import DraftReceipt, KeptAnswer, StoredReceipt
from consentry.enrolment.ports import StoredAlias, StoredContest, StoredSubject
from consentry.grants.ports import (
    Declarations,
    FeedKind,
    RequestState,
    Room,
    StoredConsentToken,
    StoredGrant,
    StoredRequest,
)
from consentry.kernel.errors import Conflict, NotFound
from consentry.kernel.ids import (
    AliasId,
    CheckId,
    ConsentRequestId,
    ConsentTokenId,
    ContestId,
    GrantId,
    SubjectId,
)
from consentry.kernel.taxonomy import SubjectPolicy, Verdict
from consentry.storage.consent_requests import SqlRequestStore
from consentry.storage.consent_tokens import SqlConsentTokenStore
from consentry.storage.feed import SqlFeed
from consentry.storage.grants import SqlGrantStore
from consentry.storage.names import SqlAliasStore, SqlContestStore
from consentry.storage.receipts import SqlReceiptStore
from consentry.storage.subjects import SqlSubjectStore
from fakes.logs import draft_of, log_of

NOW = datetime(2026, 3, 4, 12, 34, 56, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
ADA = SubjectId("sub_ada")
GRANT = GrantId("grt_1")
TOKEN = ConsentTokenId("ctk_1")
ROOM = Room(of_asker=9, of_platform=9, of_caller=9, of_all=9)


@pytest.fixture(autouse=True)
def ada(database):
    SqlSubjectStore(database).add_subject(
        StoredSubject(
            subject=ADA,
            wrapped_key=b"k" * 45,
            sealed_name=b"n" * 61,
            policy=SubjectPolicy.EVERY_EDIT,
            enrolled_at=NOW,
        ),
        [],
    )


def grant(uses_left=None, ends_at=None, sealed=b"terms" * 20, subject=ADA) -> StoredGrant:
    return StoredGrant(
        grant=GRANT,
        subject=subject,
        sealed=sealed,
        uses_left=uses_left,
        given_at=NOW,
        ends_at=ends_at,
    )


def token(uses_left=1, valid_until=LATER, subject=ADA) -> StoredConsentToken:
    return StoredConsentToken(
        token=TOKEN,
        subject=subject,
        sealed=bytes(range(61)),
        uses_left=uses_left,
        issued_at=NOW,
        valid_until=valid_until,
    )


def request(number=1, sealed=b"picture!" * 64, subject=ADA) -> StoredRequest:
    return StoredRequest(
        request=ConsentRequestId(f"crq_{number}"),
        subject=subject,
        caller=b"c" * 32,
        platform=b"p" * 32,
        asker=b"a" * 32,
        sealed=sealed,
        state=RequestState.PENDING,
        jws=None,
        asked_at=NOW,
        ends_at=LATER,
    )


def receipt(name="chk_1", at=NOW) -> DraftReceipt:
    kept = StoredReceipt(
        check=CheckId(name), issued_at=at, verdict=Verdict.ALLOW, reasons=(), jws="x.e30.z"
    )
    return draft_of(kept)


def rows(database, table):
    return database.held().execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def everything_on_disk(path):
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_what_is_added_is_returned_as_it_was(database):
    grants, tokens, requests = (
        SqlGrantStore(database),
        SqlConsentTokenStore(database),
        SqlRequestStore(database),
    )
    grants.add(grant(uses_left=3, ends_at=LATER))
    tokens.add(token())
    requests.add(request(), ROOM)

    assert grants.of({ADA}) == (grant(uses_left=3, ends_at=LATER),)
    assert grants.of(()) == grants.of({SubjectId("sub_bea")}) == ()
    assert tokens.get(TOKEN) == token()
    assert tokens.of(ADA) == (token(),)
    assert requests.get(ConsentRequestId("crq_1")) == request()
    assert requests.pending(ADA, now=NOW) == (request(),)
    assert requests.pending(ADA, now=LATER) == ()


@pytest.mark.parametrize(
    "add",
    [
        lambda db: SqlGrantStore(db).add(grant(subject=SubjectId("sub_gone"))),
        lambda db: SqlConsentTokenStore(db).add(token(subject=SubjectId("sub_gone"))),
        lambda db: SqlRequestStore(db).add(request(subject=SubjectId("sub_gone")), ROOM),
        lambda db: SqlConsentTokenStore(db).attest_adult(SubjectId("sub_gone"), NOW),
        lambda db: SqlAliasStore(db).add(
            StoredAlias(
                alias=AliasId("als_1"),
                subject=SubjectId("sub_gone"),
                sealed=b"s",
                added_at=NOW,
            )
        ),
        lambda db: SqlContestStore(db).open(
            StoredContest(
                contest=ContestId("cnt_1"),
                claimant=ADA,
                respondent=SubjectId("sub_gone"),
                opened_at=NOW,
            )
        ),
        lambda db: SqlGrantStore(db).remove(GRANT, at=NOW),
        lambda db: SqlConsentTokenStore(db).remove(TOKEN, at=NOW),
        lambda db: SqlAliasStore(db).remove(AliasId("als_1"), at=NOW),
        lambda db: SqlContestStore(db).close(ContestId("cnt_1"), at=NOW),
        lambda db: SqlRequestStore(db).decline(ConsentRequestId("crq_1"), None, now=NOW),
        lambda db: SqlRequestStore(db).unblock(ADA, 1),
    ],
)
def test_nothing_is_kept_of_somebody_who_is_not_there_and_nothing_unknown_is_removed(database, add):
    with pytest.raises(NotFound):
        add(database)
    assert SqlFeed(database).since(0, 9) == ()


@pytest.mark.parametrize(
    ("uses_left", "ends_at", "allowed"),
    [(None, None, 3), (2, None, 2), (0, None, 0), (None, NOW, 0), (None, LATER, 3)],
)
def test_a_grant_is_used_as_often_as_it_says_until_it_ends(database, uses_left, ends_at, allowed):
    SqlGrantStore(database).add(grant(uses_left, ends_at))
    receipts = SqlReceiptStore(database, log_of(database))

    kept = [receipts.add_relying(receipt(f"chk_{i}"), [GRANT]) for i in range(3)]

    assert (
        sum(each is not None for each in kept)
        == allowed
        == receipts.count()
        == rows(database, "consent_uses")
    )


def test_of_two_consents_both_are_used_or_neither(database):
    SqlGrantStore(database).add(grant(uses_left=1))
    receipts = SqlReceiptStore(database, log_of(database))

    assert not receipts.add_relying(receipt(), [GRANT, TOKEN])
    assert SqlGrantStore(database).of({ADA})[0].uses_left == 1
    assert rows(database, "consent_uses") == receipts.count() == 0


def test_the_same_place_is_answered_once(database):
    SqlGrantStore(database).add(grant())
    receipts = SqlReceiptStore(database, log_of(database))
    first = KeptAnswer(place=b"p" * 32, check=CheckId("chk_1"), sealed=b"s", ends_at=LATER)

    assert receipts.add_relying(receipt("chk_1"), [GRANT], [first])
    assert not receipts.add_relying(receipt("chk_2"), [GRANT], [first])
    assert receipts.answer(b"p" * 32, now=NOW) == first
    assert receipts.answer(b"p" * 32, now=LATER) is None
    assert receipts.answer(b"q" * 32, now=NOW) is None


def test_a_revocation_that_has_been_answered_lets_no_use_through(database):
    SqlGrantStore(database).add(grant())
    receipts, start = SqlReceiptStore(database, log_of(database)), threading.Barrier(5)
    kept: list[bool] = []
    revoked = threading.Event()
    late: list[bool] = []

    def use(number):
        start.wait()
        for i in range(20):
            is_late = revoked.is_set()
            used = receipts.add_relying(receipt(f"chk_{number}_{i}"), [GRANT])
            is_kept = used is not None
            kept.append(is_kept)
            if is_late:
                late.append(is_kept)

    users = [threading.Thread(target=use, args=(n,)) for n in range(4)]
    for user in users:
        user.start()
    start.wait()
    SqlGrantStore(database).remove(GRANT, at=NOW)
    revoked.set()
    for user in users:
        user.join()

    assert not any(late)
    told = [each.check for each in SqlFeed(database).since(0, 1000)]
    assert len(told) == max(1, kept.count(True))


def test_the_feed_names_each_receipt_that_relied_on_what_ended_and_the_hour_only(database):
    SqlConsentTokenStore(database).add(token(uses_left=3))
    receipts = SqlReceiptStore(database, log_of(database))
    for name in ("chk_1", "chk_2"):
        assert receipts.add_relying(receipt(name), [TOKEN])

    SqlConsentTokenStore(database).remove(TOKEN, at=NOW)

    entries = SqlFeed(database).since(0, 9)
    assert {each.check for each in entries} == {"chk_1", "chk_2"}
    assert {(each.kind, each.hour) for each in entries} == {
        (FeedKind.REVOKED, NOW.replace(minute=0, second=0, microsecond=0))
    }
    assert rows(database, "consent_uses") == 0


def test_a_cursor_is_never_used_twice(database):
    SqlGrantStore(database).add(grant())
    SqlGrantStore(database).remove(GRANT, at=NOW)
    first = SqlFeed(database).latest()
    database.held().execute("DELETE FROM feed")
    SqlGrantStore(database).add(grant())
    SqlGrantStore(database).remove(GRANT, at=NOW)

    assert SqlFeed(database).latest() > first


@pytest.mark.parametrize("end", ["decline", "approve", "sweep"])
def test_no_byte_of_a_picture_is_left_when_a_question_is_answered_or_has_lapsed(
    database, path, end
):
    picture = bytes(range(254, 0, -1)) * 8
    requests = SqlRequestStore(database)
    requests.add(request(sealed=picture), ROOM)
    assert picture in database.held().serialize()
    if end == "decline":
        requests.decline(ConsentRequestId("crq_1"), None, now=NOW)
    elif end == "approve":
        requests.approve(ConsentRequestId("crq_1"), token(), "a.b.c", now=NOW)
    else:
        assert requests.sweep(now=LATER) == 1

    database.close()
    assert picture[:16] not in everything_on_disk(path)


def test_a_question_is_answered_once(database):
    requests = SqlRequestStore(database)
    requests.add(request(), ROOM)
    requests.approve(ConsentRequestId("crq_1"), token(), "a.b.c", now=NOW)

    with pytest.raises(NotFound):
        requests.decline(ConsentRequestId("crq_1"), None, now=NOW)
    stored = requests.get(ConsentRequestId("crq_1"))
    assert (stored.state, stored.jws, stored.sealed) == (RequestState.APPROVED, "a.b.c", None)


def test_a_question_that_has_lapsed_is_not_answered_any_more(database):
    requests = SqlRequestStore(database)
    requests.add(request(), ROOM)

    with pytest.raises(NotFound):
        requests.approve(ConsentRequestId("crq_1"), token(), "a.b.c", now=LATER)
    assert SqlConsentTokenStore(database).get(TOKEN) is None


def test_a_sweep_takes_what_has_lapsed_and_leaves_the_rest(database):
    SqlGrantStore(database).add(grant(ends_at=LATER))
    SqlConsentTokenStore(database).add(token(valid_until=LATER))
    receipts = SqlReceiptStore(database, log_of(database))
    kept = KeptAnswer(place=b"p", check=CheckId("chk_1"), sealed=b"s" * 40, ends_at=LATER)
    assert receipts.add_relying(receipt(), [GRANT, TOKEN], [kept])
    requests = SqlRequestStore(database)
    requests.add(request(), ROOM)

    assert requests.sweep(now=NOW) == 0
    assert requests.sweep(now=LATER) == 4
    for table in ("grants", "consent_tokens", "consent_requests", "answers", "consent_uses"):
        assert rows(database, table) == 0
    assert receipts.count() == 1


def test_declarations_are_kept_and_an_announcement_is_taken_back(database):
    tokens = SqlConsentTokenStore(database)
    assert tokens.declarations(ADA) == Declarations()
    tokens.attest_adult(ADA, NOW)
    tokens.announce(ADA, LATER)
    assert tokens.declarations(ADA) == Declarations(adult_at=NOW, announced_at=LATER)
    tokens.announce(ADA, None)
    assert tokens.declarations(ADA) == Declarations(adult_at=NOW)


def test_an_announcement_is_used_up_with_the_token_or_neither(database):
    tokens = SqlConsentTokenStore(database)
    tokens.announce(ADA, NOW)
    with pytest.raises(Conflict):
        tokens.add(token(), announced_at=LATER)
    assert (tokens.of(ADA), tokens.declarations(ADA).announced_at) == ((), NOW)

    tokens.add(token(), announced_at=NOW)

    assert (tokens.of(ADA), tokens.declarations(ADA).announced_at) == ((token(),), None)
    with pytest.raises(Conflict):
        tokens.add(replace(token(), token=ConsentTokenId("ctk_2")), announced_at=NOW)


def test_what_was_declined_is_counted_by_asker_until_it_lapses(database):
    requests = SqlRequestStore(database)
    for n, asker in enumerate((b"a" * 32, b"b" * 32)):
        requests.add(replace(request(n), asker=asker), ROOM)
        requests.decline(ConsentRequestId(f"crq_{n}"), None, now=NOW)

    def is_shown(n, **changes) -> bool:
        requests.add(replace(request(n), **changes), replace(ROOM, of_asker=2))
        return requests.get(ConsentRequestId(f"crq_{n}")).sealed is not None

    assert [is_shown(2), is_shown(3), is_shown(4, asker=b"c" * 32)] == [True, False, True]
    for n in (2, 4):
        yes = replace(token(), token=ConsentTokenId(f"ctk_{n}"))
        requests.approve(ConsentRequestId(f"crq_{n}"), yes, "a.b.c", now=NOW)
    assert [is_shown(5), is_shown(6)] == [True, False]
    assert is_shown(7, asked_at=LATER, ends_at=LATER + (LATER - NOW))


@pytest.mark.parametrize("most", ["of_platform", "of_caller", "of_all"])
def test_what_there_is_no_room_for_is_kept_without_what_is_sealed(database, most):
    requests = SqlRequestStore(database)
    rooms = replace(ROOM, **{most: 1})
    other = {"of_platform": "platform", "of_caller": "caller"}.get(most)
    for n in (1, 2):
        requests.add(request(n), rooms)
    if other is not None:
        requests.add(replace(request(3), **{other: b"o" * 32}), rooms)

    shown = [each.request for each in requests.pending(ADA, now=NOW)]
    assert shown == ["crq_1"] + ["crq_3"] * (other is not None)
    assert requests.get(ConsentRequestId("crq_2")) == replace(request(2), sealed=None)


def test_a_name_advances_the_revision_so_that_every_process_reads_it_again(database):
    subjects, aliases = SqlSubjectStore(database), SqlAliasStore(database)
    alias = StoredAlias(alias=AliasId("als_1"), subject=ADA, sealed=b"s" * 61, added_at=NOW)
    before = subjects.revision()
    aliases.add(alias)
    added = subjects.revision()
    assert aliases.all() == (alias,)
    aliases.remove(alias.alias, at=NOW)

    assert before < added < subjects.revision()
    assert aliases.all() == ()
