"""Write the test vectors of the sealed formats: ``python tests/vectors/generate.py``.

Everything here is fixed, so that running it twice writes the same bytes; a test runs it and compares. Keys, salts and
nonces are counting bytes: never use one of them. Positive vectors come from the program itself and are checked by the
second implementation (extension/, WebCrypto); negative ones are made by changing positive ones, or sealed by hand.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from consentry.kernel.biometrics import as_embedding
from consentry.kernel.ids import ModelId, SubjectId, TemplateId
from consentry.vault.backup import CHUNK_BYTES, export_backup
from consentry.vault.envelope import seal_template
from consentry.vault.header import build_header, derive_root_keys
from consentry.vault.keys import DataKey, derive
from consentry.vault.passphrase import Passphrase
from consentry.vault.rootkey import Argon2Cost, KdfParameters, PassphraseSource
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FOLDER = Path(__file__).parent
SCRIPT = "tests/vectors/generate.py"
COST = Argon2Cost(memory_kib=8 * 1024, iterations=1, lanes=1)
PASSPHRASE = "plum ladder cobalt nine"

Json = dict[str, object]


def counting(start: int):
    """A source of "randomness" that counts up from ``start``."""

    def random(size: int) -> bytes:
        return bytes((start + i) % 256 for i in range(size))

    return random


def flipped(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 0x01]) + data[position + 1 :]


def invalid(name: str, given: Json, error: str) -> Json:
    return {"id": name, "input": given, "result": "invalid", "error": error}


def valid(name: str, given: Json, output: Json) -> Json:
    return {"id": name, "input": given, "result": "valid", "error": None, "output": output}


# ------------------------------------------------------------------- sealed template

KEY = DataKey(counting(0)(32))
PLACE = {"subject": "sub_4k7aqx", "template": "tpl_m3c2ny", "model": "mfn192+mfn512@1"}
NON_ASCII_PLACE = {"subject": "sub_é", "template": "tpl_雨", "model": "m@1"}


def vector_of(dimension: int):
    # Whole numbers: their norm is exact up to one rounding, so that every machine writes the same.
    raw = (np.arange(dimension) * 37 + 11) % 101 - 50.0
    return as_embedding((raw / np.linalg.norm(raw)).astype(np.float32))


def binding(kind: int, place: dict[str, str]) -> bytes:
    names = [place[name].encode() for name in ("subject", "template", "model")]
    return bytes([kind]) + b"".join(len(name).to_bytes(2, "big") + name for name in names)


def sealed_by_hand(plaintext: bytes, *, kind: int = 1, place: dict[str, str] = PLACE) -> bytes:
    nonce = counting(0x40)(12)
    aad = binding(kind, place)
    return bytes([kind]) + nonce + AESGCM(KEY.secret).encrypt(nonce, plaintext, aad)


def seal(dimension: int, place: dict[str, str] = PLACE) -> bytes:
    return seal_template(
        vector_of(dimension),
        key=KEY,
        subject=SubjectId(place["subject"]),
        template=TemplateId(place["template"]),
        model=ModelId(place["model"]),
        random=counting(0x40),
    )


def template_input(sealed: bytes, dimension: int = 8, **changes: str) -> Json:
    return {
        "key": KEY.secret.hex(),
        **PLACE,
        "dimension": dimension,
        "sealed": sealed.hex(),
        **changes,
    }


def template_tests() -> Iterator[Json]:
    for dimension in (1, 8, 192):
        output: Json = {
            "nonce": counting(0x40)(12).hex(),
            "embedding": vector_of(dimension).astype("<f4").tobytes().hex(),
        }
        yield valid(f"dimension-{dimension}", template_input(seal(dimension), dimension), output)
    eight: Json = {
        "nonce": counting(0x40)(12).hex(),
        "embedding": vector_of(8).astype("<f4").tobytes().hex(),
    }
    elsewhere = seal(8, NON_ASCII_PLACE)
    yield valid("names-are-utf-8", template_input(elsewhere, **NON_ASCII_PLACE), eight)

    good = seal(8)
    broken = {
        "wrong-key": template_input(good, key=counting(1)(32).hex()),
        "swapped-subject": template_input(good, subject="sub_4k7aqy"),
        "swapped-template": template_input(good, template="tpl_m3c2nz"),
        "swapped-model": template_input(good, model="mfn192+mfn512@2"),
        "subject-and-template-exchanged": template_input(
            good, subject=PLACE["template"], template=PLACE["subject"]
        ),
        "border-between-names-moved": template_input(
            good, subject=PLACE["subject"] + "t", template=PLACE["template"][1:]
        ),
        "wrong-dimension": template_input(good, 16),
        "flipped-version": template_input(flipped(good, 0)),
        "version-0": template_input(b"\x00" + good[1:]),
        "version-2": template_input(b"\x02" + good[1:]),
        "version-2-sealed-as-such": template_input(
            sealed_by_hand(vector_of(8).astype("<f4").tobytes(), kind=2)
        ),
        "a-sealed-text-in-its-place": template_input(
            sealed_by_hand(vector_of(8).astype("<f4").tobytes(), kind=0x21)
        ),
        "flipped-nonce-first": template_input(flipped(good, 1)),
        "flipped-nonce-last": template_input(flipped(good, 12)),
        "flipped-ciphertext-first": template_input(flipped(good, 13)),
        "flipped-ciphertext-last": template_input(flipped(good, len(good) - 17)),
        "flipped-tag-first": template_input(flipped(good, len(good) - 16)),
        "flipped-tag-last": template_input(flipped(good, len(good) - 1)),
        "empty": template_input(b""),
        "version-only": template_input(good[:1]),
        "nonce-only": template_input(good[:13]),
        "shorter-than-a-tag": template_input(good[:28]),
        "without-the-tag": template_input(good[:-16]),
        "truncated-by-a-byte": template_input(good[:-1]),
        "truncated-by-a-float": template_input(good[:-4], 7),
        "appended-byte": template_input(good + b"\0"),
        "plaintext-empty": template_input(sealed_by_hand(b""), 0),
        "plaintext-of-no-whole-float": template_input(
            sealed_by_hand(vector_of(8).astype("<f4").tobytes()[:-1])
        ),
        "plaintext-not-a-number": template_input(
            sealed_by_hand(np.full(8, np.nan, "<f4").tobytes())
        ),
        "plaintext-of-norm-2": template_input(
            sealed_by_hand((vector_of(8) * np.float32(2)).astype("<f4").tobytes())
        ),
        "plaintext-big-endian": template_input(
            sealed_by_hand(vector_of(8).astype(">f4").tobytes())
        ),
    }
    for name, given in broken.items():
        yield invalid(name, given, "SealBroken")


# ---------------------------------------------------------------------- vault header

EPOCHS = {1: counting(0x10)(32), 2: counting(0x20)(32)}


def header_tests() -> Iterator[Json]:
    parameters = KdfParameters(cost=COST, salt=counting(0x80)(16))
    root = derive_root_keys(PassphraseSource(Passphrase(PASSPHRASE)), parameters)
    one, two = build_header(root, {1: EPOCHS[1]}), build_header(root, EPOCHS)
    accents = derive_root_keys(PassphraseSource(Passphrase("crème brûlée à six")), parameters)

    def given(header: bytes, passphrase: str = PASSPHRASE) -> Json:
        return {"passphrase": passphrase, "header": header.hex()}

    def epochs(*numbers: int) -> Json:
        return {"epochs": {str(number): EPOCHS[number].hex() for number in numbers}}

    def remade(body: bytes) -> bytes:
        return body + hmac.digest(root.mac, body, "sha256")

    def with_cost(memory_kib: int, iterations: int, lanes: int) -> bytes:
        return one[:6] + struct.pack(">IIB", memory_kib, iterations, lanes) + one[15:]

    yield valid("one-epoch", given(one), epochs(1))
    yield valid("two-epochs", given(two), epochs(1, 2))
    yield valid(
        "passphrase-in-decomposed-form",
        given(build_header(accents, {1: EPOCHS[1]}), "cre\u0300me bru\u0302le\u0301e a\u0300 six"),
        epochs(1),
    )
    swapped = remade(two[:33] + two[77:121] + two[33:77])
    broken = {
        "wrong-passphrase": given(one, "plum ladder cobalt ten"),
        "passphrase-in-another-case": given(one, "Plum ladder cobalt nine"),
        "passphrase-with-a-line-break": given(one, PASSPHRASE + "\n"),
        "flipped-magic": given(flipped(one, 0)),
        "version-0": given(one[:4] + b"\x00" + one[5:]),
        "version-2": given(one[:4] + b"\x02" + one[5:]),
        "version-2-under-the-right-mac": given(remade(one[:4] + b"\x02" + one[5:-32])),
        "unknown-kdf": given(remade(one[:5] + b"\x02" + one[6:-32])),
        "flipped-memory": given(flipped(one, 8)),
        "flipped-iterations": given(flipped(one, 12)),
        "flipped-lanes": given(flipped(one, 14)),
        "memory-of-four-tebibytes": given(with_cost(2**32 - 1, 1, 1)),
        "memory-below-the-floor": given(with_cost(8 * 1024 - 1, 1, 1)),
        "iterations-0": given(with_cost(8 * 1024, 0, 1)),
        "lanes-0": given(with_cost(8 * 1024, 1, 0)),
        "work-above-the-ceiling": given(with_cost(1024 * 1024, 5, 1)),
        "flipped-salt-first": given(flipped(one, 15)),
        "flipped-salt-last": given(flipped(one, 30)),
        "flipped-count": given(flipped(one, 32)),
        "count-0": given(remade(one[:31] + b"\x00\x00")),
        "flipped-epoch-number": given(flipped(one, 36)),
        "epoch-0": given(remade(one[:33] + bytes(4) + one[37:-32])),
        "flipped-wrapped-key-first": given(flipped(one, 37)),
        "flipped-wrapped-key-last": given(flipped(one, 76)),
        "wrapped-key-flipped-under-the-right-mac": given(remade(flipped(one, 40)[:-32])),
        "epochs-out-of-order-under-the-right-mac": given(swapped),
        "epoch-twice-under-the-right-mac": given(
            remade(two[:33] + two[33:77] + two[33:77]),
        ),
        "epoch-cut-out": given(two[:31] + b"\x00\x01" + two[33:77] + two[-32:]),
        "flipped-mac-first": given(flipped(one, 77)),
        "flipped-mac-last": given(flipped(one, len(one) - 1)),
        "without-the-mac": given(one[:-32]),
        "truncated-by-a-byte": given(one[:-1]),
        "appended-byte": given(one + b"\0"),
        "empty": given(b""),
    }
    for name, value in broken.items():
        yield invalid(name, value, "WrongPassphrase")


# --------------------------------------------------------------------- sealed backup

HEADER_BYTES = 35


def backup_parts() -> dict[str, bytes]:
    """Pieces that the inputs are put together from, so that a chunk of 64 KiB is written once."""
    passphrase, random = Passphrase(PASSPHRASE), counting(0x80)
    two = export_backup(bytes(CHUNK_BYTES) + b"tail", passphrase, cost=COST, random=random)
    small = export_backup(b"payload", passphrase, cost=COST, random=random)
    empty = export_backup(b"", passphrase, cost=COST, random=random)
    middle = HEADER_BYTES + CHUNK_BYTES + 16
    parameters = KdfParameters(cost=COST, salt=random(16))
    key = derive(PassphraseSource(passphrase).root_key(parameters), b"consentry/v1/backup")
    second_and_last = (1).to_bytes(11, "big") + b"\x01"
    return {
        "header": small[:HEADER_BYTES],
        "only": small[HEADER_BYTES:],
        "nothing": empty[HEADER_BYTES:],
        "chunk-0": two[HEADER_BYTES:middle],
        "chunk-1-last": two[middle:],
        "chunk-1-last-but-empty": AESGCM(key).encrypt(second_and_last, b"", two[:HEADER_BYTES]),
    }


def backup_tests(parts: dict[str, bytes]) -> Iterator[Json]:
    header, only = parts["header"], parts["only"]

    def of(*names: str, passphrase: str = PASSPHRASE) -> Json:
        return {"passphrase": passphrase, "parts": list(names)}

    def raw(data: bytes) -> Json:
        return {"passphrase": PASSPHRASE, "data": base64.b64encode(data).decode()}

    def payload(data: bytes) -> Json:
        return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    yield valid("small", of("header", "only"), payload(b"payload"))
    yield valid("empty-payload", of("header", "nothing"), payload(b""))
    yield valid(
        "two-chunks",
        of("header", "chunk-0", "chunk-1-last"),
        payload(bytes(CHUNK_BYTES) + b"tail"),
    )
    broken = {
        "wrong-passphrase": of("header", "only", passphrase="plum ladder cobalt ten"),
        "last-chunk-missing": of("header", "chunk-0"),
        "first-chunk-missing": of("header", "chunk-1-last"),
        "chunks-exchanged": of("header", "chunk-1-last", "chunk-0"),
        "chunk-doubled": of("header", "chunk-0", "chunk-0", "chunk-1-last"),
        "last-chunk-doubled": of("header", "chunk-0", "chunk-1-last", "chunk-1-last"),
        "empty-last-chunk-added": of("header", "chunk-0", "chunk-1-last", "nothing"),
        "empty-last-chunk-under-the-right-key": of("header", "chunk-0", "chunk-1-last-but-empty"),
        "header-only": of("header"),
        "header-missing": of("only"),
        "header-doubled": of("header", "header", "only"),
        "empty": raw(b""),
        "half-a-header": raw(header[:20]),
        "flipped-magic": raw(flipped(header, 0) + only),
        "version-0": raw(header[:8] + b"\x00" + header[9:] + only),
        "version-2": raw(header[:8] + b"\x02" + header[9:] + only),
        "unknown-kdf": raw(header[:9] + b"\x02" + header[10:] + only),
        "flipped-memory": raw(flipped(header, 12) + only),
        "memory-of-four-tebibytes": raw(header[:10] + b"\xff\xff\xff\xff" + header[14:] + only),
        "iterations-0": raw(header[:14] + bytes(4) + header[18:] + only),
        "flipped-salt": raw(flipped(header, 19) + only),
        "flipped-ciphertext": raw(header + flipped(only, 0)),
        "flipped-tag": raw(header + flipped(only, len(only) - 1)),
        "truncated-by-a-byte": raw(header + only[:-1]),
        "appended-byte": raw(header + only + b"\0"),
        "shorter-than-a-tag": raw(header + only[:15]),
    }
    for name, given in broken.items():
        yield invalid(name, given, "WrongPassphrase")


# ------------------------------------------------------------------------------ files


def files() -> dict[str, str]:
    """Return file name to content."""
    parts = backup_parts()
    encoded = {name: base64.b64encode(part).decode() for name, part in parts.items()}
    documents: dict[str, Json] = {
        "sealed_template_v1.json": {
            "comment": "docs/specs/sealed-template.md. Bytes are hex; an embedding is float32 little-endian.",
            "source": SCRIPT,
            "tests": list(template_tests()),
        },
        "vault_header_v1.json": {
            "comment": "docs/specs/vault-header.md. Bytes are hex. The cost is the format's floor, not advice.",
            "source": SCRIPT,
            "tests": list(header_tests()),
        },
        "backup_v1.json": {
            "comment": "docs/specs/sealed-backup.md. Bytes are Base64; an input is `data`, or `parts` joined.",
            "source": SCRIPT,
            "parts": encoded,
            "tests": list(backup_tests(parts)),
        },
    }
    return {
        name: json.dumps(document, indent=1, ensure_ascii=True) + "\n"
        for name, document in documents.items()
    }


if __name__ == "__main__":
    for name, content in files().items():
        (FOLDER / name).write_text(content, encoding="utf-8")
        print(f"wrote tests/vectors/{name}")
