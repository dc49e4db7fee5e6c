"""The cancelable transform: a secret rotation that every vector passes before it enters a gallery.

    seed --HKDF--> key --AES-256-CTR--> words --Box-Muller--> d x d normal deviates --QR--> rotation

Cosines are preserved, so searching needs no key; vectors of two seeds cannot be linked, and a
leaked gallery is cancelled by a new seed (ISO/IEC 24745: unlinkability, renewability). It is no
encryption: whoever has d pairs of a vector and its image has the rotation. Specification:
docs/specs/sealed-template.md, "Cancelable transform".
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR

from consentry.vault.keys import KEY_BYTES, derive

MAX_DIMENSION = 4096

_INFO = b"consentry/v1/transform/"
_FIRST_COUNTER = bytes(16)
_WORD_BYTES = 8
# Top 53 bits of a word, scaled: the multiples of 2^-53 in [0, 1).
_DISCARD_BITS = np.uint64(11)
_UNIT = 2.0**-53


class CancelableTransform:
    """A random rotation of d dimensions, for ever the same for one seed. Immutable, thread-safe."""

    __slots__ = ("_rotation",)

    def __init__(self, seed: bytes, dimension: int) -> None:
        """Draw the rotation.

        Args:
            seed: 32 secret bytes (`KeyRing.transform_seed`).
            dimension: d, 1 to `MAX_DIMENSION`. Takes about 0.1 s at 704.

        Raises:
            ValueError: If the seed has another length or the dimension is out of range.
        """
        if len(seed) != KEY_BYTES:
            raise ValueError(f"a transform seed has {KEY_BYTES} bytes")
        if not 0 < dimension <= MAX_DIMENSION:
            raise ValueError(f"a dimension is 1 to {MAX_DIMENSION}, not {dimension}")
        rotation = _rotation(seed, dimension).astype(np.float32)
        rotation.flags.writeable = False
        self._rotation = rotation

    @property
    def dimension(self) -> int:
        """How many floats a vector has."""
        return int(self._rotation.shape[0])

    def apply(self, matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Rotate every row.

        Args:
            matrix: Shape ``(n, d)``, float32, rows of L2 norm 1; n may be 0.

        Returns:
            Shape ``(n, d)``, float32, C-contiguous. Cosines between rows are those of ``matrix``
            within 1e-6.

        Raises:
            ValueError: If the shape or the type differs.
        """
        if matrix.dtype != np.float32 or matrix.shape[1:] != (self.dimension,):
            raise ValueError(
                f"rows are ({self.dimension},) float32, not {matrix.shape[1:]} {matrix.dtype}"
            )
        rotated: npt.NDArray[np.float32] = np.ascontiguousarray(matrix @ self._rotation.T)
        return rotated

    def __repr__(self) -> str:
        return f"CancelableTransform(<{self.dimension} dimensions>)"


def _rotation(seed: bytes, dimension: int) -> npt.NDArray[np.float64]:
    """Return a uniformly (Haar) distributed orthogonal matrix.

    Method: F. Mezzadri, "How to generate random matrices from the classical compact groups" (2007):
        the Q of a Gaussian
    matrix, with the signs that make the diagonal of R positive, without which Q is neither unique
    nor uniform.
    """
    gaussian = _normal_deviates(seed, dimension * dimension, dimension).reshape(
        dimension, dimension
    )
    q, r = np.linalg.qr(gaussian)
    signs = np.where(np.diagonal(r) < 0.0, -1.0, 1.0)
    return np.asarray(q * signs, dtype=np.float64)


def _normal_deviates(seed: bytes, count: int, dimension: int) -> npt.NDArray[np.float64]:
    """Return standard normal deviates. Own method: numpy's generators may change between versions.

    Method: Box-Muller. Pairs (a, b) of 64-bit little-endian words: u = ((a >> 11) + 1) 2^-53 in
    (0, 1], v = (b >> 11) 2^-53 in [0, 1), then sqrt(-2 ln u) cos(2 pi v) and sqrt(-2 ln u)
    sin(2 pi v), in this order.
    """
    pairs = (count + 1) // 2
    key = derive(seed, _INFO + dimension.to_bytes(4, "big"))
    encryptor = Cipher(AES256(key), CTR(_FIRST_COUNTER)).encryptor()
    stream = encryptor.update(bytes(2 * pairs * _WORD_BYTES))
    words = np.frombuffer(stream, dtype="<u8").astype(np.uint64).reshape(pairs, 2) >> _DISCARD_BITS
    radius = np.sqrt(-2.0 * np.log((words[:, 0] + np.uint64(1)).astype(np.float64) * _UNIT))
    angle = (2.0 * np.pi * _UNIT) * words[:, 1].astype(np.float64)
    deviates = np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=1)
    return deviates.reshape(-1)[:count]
