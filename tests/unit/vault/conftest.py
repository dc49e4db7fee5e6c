"""Fixtures of the vault's tests."""

from __future__ import annotations

import numpy as np
import pytest
from consentry.kernel.biometrics import Embedding, as_embedding
from consentry.vault.custody import Custody
from consentry.vault.keys import DataKey
from consentry.vault.passphrase import Passphrase
from consentry.vault.rootkey import Argon2Cost
from fakes.header_store import MemoryHeaderStore
from fakes.manual_clock import ManualClock

IDLE_LOCK_S = 600.0


@pytest.fixture
def cheap() -> Argon2Cost:
    """The cheapest cost that the format allows."""
    return Argon2Cost(memory_kib=8 * 1024, iterations=1, lanes=1)


@pytest.fixture
def passphrase() -> Passphrase:
    return Passphrase("plum ladder cobalt nine")


@pytest.fixture
def other_passphrase() -> Passphrase:
    return Passphrase("quiet otter velvet map")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store() -> MemoryHeaderStore:
    return MemoryHeaderStore()


@pytest.fixture
def custody(store, clock, cheap) -> Custody:
    return Custody(store, clock, idle_lock_s=IDLE_LOCK_S, cost=cheap)


@pytest.fixture
def key() -> DataKey:
    return DataKey(bytes(range(32)))


@pytest.fixture
def embedding() -> Embedding:
    vector = np.random.default_rng(7).normal(size=192).astype(np.float32)
    return as_embedding(vector / np.linalg.norm(vector))
