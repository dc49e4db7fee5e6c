"""What every store of bearer tokens must do. Inherit `TokenStoreContract` and make an empty one."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from datetime import UTC, date, datetime, timedelta

import pytest
from consentry.accounts.ports import StoredToken, TokenStore
from consentry.kernel.errors import Conflict, NotFound
from consentry.kernel.ids import TokenId

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def digest(n: int) -> bytes:
    return hashlib.sha256(b"secret %d" % n).digest()


def token(n: int, **changed) -> StoredToken:
    values = {
        "token": TokenId(f"tok_{n}"),
        "name": f"the {n}th browser",
        "digest": digest(n),
        "scopes": frozenset({"check", "inform"}),
        "created_at": NOON + timedelta(minutes=n),
        "last_used_day": None,
        "expires_at": NOON + timedelta(days=30),
    }
    return StoredToken(**(values | changed))


class TokenStoreContract(ABC):
    @abstractmethod
    def make(self) -> TokenStore:
        """A store without tokens."""

    @pytest.fixture
    def tokens(self, request) -> TokenStore:
        self.request = request
        return self.make()

    @pytest.mark.parametrize(
        "kept",
        [
            token(1),
            token(2, expires_at=None),
            token(3, last_used_day=date(2026, 11, 20)),
            token(4, scopes=frozenset()),
        ],
        ids=["usual", "for-ever", "used", "no-scopes"],
    )
    def test_a_kept_token_is_found_by_its_digest_as_it_was(self, tokens, kept):
        tokens.add(kept)

        assert tokens.find_by_digest(kept.digest) == kept

    def test_another_digest_finds_nothing(self, tokens):
        tokens.add(token(1))

        assert tokens.find_by_digest(digest(2)) is None
        assert tokens.find_by_digest(b"") is None

    def test_an_expired_token_is_found_too(self, tokens):
        tokens.add(token(1, expires_at=NOON - timedelta(days=999)))

        assert tokens.find_by_digest(digest(1)) is not None

    @pytest.mark.parametrize(
        "second", [token(2, digest=digest(1)), token(1, digest=digest(2))], ids=["digest", "id"]
    )
    def test_the_same_digest_or_identifier_twice_is_refused(self, tokens, second):
        tokens.add(token(1))

        with pytest.raises(Conflict):
            tokens.add(second)
        assert list(tokens.list()) == [token(1)]

    def test_they_are_listed_oldest_first(self, tokens):
        for n in (2, 3, 1):
            tokens.add(token(n))

        assert [t.token for t in tokens.list()] == ["tok_1", "tok_2", "tok_3"]

    def test_a_removed_token_is_found_no_more(self, tokens):
        tokens.add(token(1))
        tokens.add(token(2))
        tokens.remove(TokenId("tok_1"))

        assert tokens.find_by_digest(digest(1)) is None
        assert tokens.find_by_digest(digest(2)) == token(2)

    def test_removing_what_is_not_there_is_said(self, tokens):
        with pytest.raises(NotFound):
            tokens.remove(TokenId("tok_1"))

    def test_the_day_of_use_is_noted_and_nothing_else_changes(self, tokens):
        tokens.add(token(1))
        tokens.add(token(2))
        tokens.touch(TokenId("tok_1"), date(2026, 11, 22))

        assert list(tokens.list()) == [token(1, last_used_day=date(2026, 11, 22)), token(2)]

    def test_noting_the_use_of_a_removed_token_is_passed_over(self, tokens):
        tokens.touch(TokenId("tok_1"), date(2026, 11, 22))

        assert list(tokens.list()) == []
