"""The key above all others: from a passphrase by Argon2id, or later from a file or a key service.

Construction: RFC 9106 (Argon2id, version 1.3). The parameters are stored with what they open;
    whoever can write
there could ask for a terabyte, so they are bounded before anything is allocated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from consentry.kernel.errors import Overloaded
from consentry.vault.passphrase import Passphrase

ROOT_KEY_BYTES = 32
SALT_BYTES = 16

MIN_MEMORY_KIB = 8 * 1024
MAX_MEMORY_KIB = 1024 * 1024
MAX_ITERATIONS = 64
MAX_LANES = 16
MAX_WORK_KIB = 4 * 1024 * 1024
"""Ceiling of memory times iterations: about ten seconds of two laptop cores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argon2Cost:
    """What one guess costs. Bounds are those of the format, not advice; `DEFAULT_COST` is.

    Attributes:
        memory_kib: Memory of one derivation in KiB, `MIN_MEMORY_KIB` to `MAX_MEMORY_KIB`.
        iterations: Passes over the memory, 1 to `MAX_ITERATIONS`.
        lanes: Parallel lanes, 1 to `MAX_LANES`.
    """

    memory_kib: int
    iterations: int
    lanes: int

    def __post_init__(self) -> None:
        """Check the bounds.

        Raises:
            ValueError: If a parameter is out of its bounds, or memory times iterations exceeds
                `MAX_WORK_KIB`.
        """
        in_bounds = (
            MIN_MEMORY_KIB <= self.memory_kib <= MAX_MEMORY_KIB
            and 1 <= self.iterations <= MAX_ITERATIONS
            and 1 <= self.lanes <= MAX_LANES
            and self.memory_kib * self.iterations <= MAX_WORK_KIB
        )
        if not in_bounds:
            raise ValueError("Argon2id cost out of bounds")


DEFAULT_COST = Argon2Cost(memory_kib=64 * 1024, iterations=3, lanes=4)
"""RFC 9106 section 4, the second recommended choice: 64 MiB, 3 passes, 4 lanes (0.16 s on two
laptop cores)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KdfParameters:
    """What is stored beside a sealed thing to derive its root key again. Not secret."""

    cost: Argon2Cost
    salt: bytes


class RootKeySource(Protocol):
    """Port: where the root key of a vault comes from."""

    def root_key(self, parameters: KdfParameters) -> bytes:
        """Return the 32 secret bytes that belong to ``parameters``.

        A wrong source returns other bytes; only the header's MAC can tell.
        """


@dataclass(frozen=True, slots=True)
class PassphraseSource:
    """The root key of whoever knows the passphrase."""

    passphrase: Passphrase

    def root_key(self, parameters: KdfParameters) -> bytes:
        """Derive the root key. Takes the memory and time that ``parameters.cost`` names.

        Raises:
            Overloaded: If the machine does not have that memory now.
        """
        cost = parameters.cost
        kdf = Argon2id(
            salt=parameters.salt,
            length=ROOT_KEY_BYTES,
            iterations=cost.iterations,
            lanes=cost.lanes,
            memory_cost=cost.memory_kib,
        )
        try:
            return kdf.derive(self.passphrase.to_bytes())
        except MemoryError as cause:
            raise Overloaded(
                f"deriving the key takes {cost.memory_kib // 1024} MiB, more than is free; "
                "close something and try again"
            ) from cause
