"""What every store of the vault header must do. Inherit `HeaderStoreContract` and make an empty one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor

import pytest
from consentry.kernel.errors import Conflict, VaultExists
from consentry.vault.custody import HeaderStore

OLD, NEW = b"header one" * 20, b"header two" * 20


class HeaderStoreContract(ABC):
    @abstractmethod
    def make(self) -> HeaderStore:
        """A store without a header."""

    @pytest.fixture
    def headers(self, request) -> HeaderStore:
        self.request = request
        return self.make()

    def test_a_new_store_has_no_header(self, headers):
        assert headers.load() is None

    def test_a_created_header_is_loaded_byte_for_byte(self, headers):
        every_byte = bytes(range(256))
        headers.create(every_byte)

        assert headers.load() == every_byte

    def test_a_second_header_is_refused_and_the_first_stays(self, headers):
        headers.create(OLD)

        with pytest.raises(VaultExists):
            headers.create(NEW)
        assert headers.load() == OLD

    def test_a_header_is_replaced_by_whoever_knows_the_present_one(self, headers):
        headers.create(OLD)
        headers.replace(OLD, NEW)

        assert headers.load() == NEW

    def test_whoever_knows_an_older_header_changes_nothing(self, headers):
        headers.create(OLD)
        headers.replace(OLD, NEW)

        with pytest.raises(Conflict):
            headers.replace(OLD, b"third")
        assert headers.load() == NEW

    def test_where_there_is_none_nothing_is_replaced(self, headers):
        with pytest.raises(Conflict):
            headers.replace(OLD, NEW)
        assert headers.load() is None

    def test_of_many_who_create_at_once_one_succeeds(self, headers):
        def create(n: int) -> bool:
            try:
                headers.create(b"%d" % n)
            except VaultExists:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(create, range(8)))

        assert won.count(True) == 1
        assert headers.load() == b"%d" % won.index(True)

    def test_of_many_who_replace_the_same_header_one_succeeds(self, headers):
        headers.create(OLD)

        def replace(n: int) -> bool:
            try:
                headers.replace(OLD, b"%d" % n)
            except Conflict:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(replace, range(8)))

        assert won.count(True) == 1
        assert headers.load() == b"%d" % won.index(True)
