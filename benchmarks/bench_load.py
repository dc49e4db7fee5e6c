"""Loading a gallery of sealed templates: from the database into a searchable index.

    .venv/bin/python benchmarks/bench_load.py [--templates 1000000] [--per-subject 10]

Makes a home in a temporary folder, fills its tables with sealed 192-D templates (random vectors:
nobody's faces), and times what happens after each unlock: read, unwrap each subject's key, unseal,
rotate, index. The floor in the last line is the same without any of our code: the rows read, and
each decrypted by the cryptography package under one key.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

# As the program has it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from consentry.enrolment.ports import NewTemplate, StoredSubject
from consentry.enrolment.references import ReferenceGallery
from consentry.gallery.flat import FlatIndex
from consentry.kernel.biometrics import Embedding
from consentry.kernel.clock import SystemClock
from consentry.kernel.ids import ModelId, SubjectId, new_subject_id, new_template_id
from consentry.kernel.taxonomy import SubjectPolicy
from consentry.storage.database import Database
from consentry.storage.subjects import SqlSubjectStore, insert_subjects, insert_templates
from consentry.storage.vault_header import SqlHeaderStore
from consentry.vault.custody import Custody
from consentry.vault.envelope import seal_template, seal_text
from consentry.vault.keys import DataKey
from consentry.vault.passphrase import Passphrase
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MODEL = ModelId("bench@1")
DIMENSION = 192
_PASSPHRASE = "a passphrase of this benchmark"
SUBJECTS_AT_ONCE = 1_000


def fill(
    database: Database,
    custody: Custody,
    templates: int,
    per_subject: int,
    *,
    model: ModelId = MODEL,
    dimension: int = DIMENSION,
) -> None:
    """Write subjects with sealed random templates into the tables, a thousand at a time."""
    random = np.random.default_rng(1)
    keys, clock = custody.keys(), SystemClock()
    for start in range(0, templates, SUBJECTS_AT_ONCE * per_subject):
        subjects: list[StoredSubject] = []
        rows: list[tuple[SubjectId, NewTemplate]] = []
        for _ in range(min(SUBJECTS_AT_ONCE, (templates - start) // per_subject)):
            key, wrapped = keys.new_subject_key()
            subject = new_subject_id()
            name = seal_text("", key=key, subject=subject, label="display-name")
            subjects.append(
                StoredSubject(
                    subject=subject,
                    wrapped_key=wrapped,
                    sealed_name=name,
                    policy=SubjectPolicy.EVERY_EDIT,
                    enrolled_at=clock.now(),
                )
            )
            for _ in range(per_subject):
                template = sealed_random(random, key, subject, model, dimension)
                rows.append((subject, template))
        with database.writing() as session:
            insert_subjects(session, subjects)
            insert_templates(session, rows, 1)


def sealed_random(
    random: np.random.Generator, key: DataKey, subject: SubjectId, model: ModelId, dimension: int
) -> NewTemplate:
    """Seal a random direction."""
    vector = random.standard_normal(dimension, dtype=np.float32)
    template = new_template_id()
    return NewTemplate(
        template=template,
        model=model,
        sealed=seal_template(
            Embedding(vector / np.linalg.norm(vector)),
            key=key,
            subject=subject,
            template=template,
            model=model,
        ),
    )


def floor(path: Path) -> None:
    """Read every row and decrypt as much, with nothing else."""
    cipher = AESGCM(bytes(32))
    ready = cipher.encrypt(bytes(12), bytes(4 * DIMENSION), b"")
    out = bytearray(4 * DIMENSION)
    with sqlite3.connect(path) as connection:
        for _ in connection.execute("SELECT row, subject, template, model, sealed FROM templates"):
            cipher.decrypt_into(bytes(12), ready, b"", out)


def seconds(call: Callable[[], object]) -> float:
    """Time one call."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--templates", type=int, default=1_000_000)
    parser.add_argument("--per-subject", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "consentry.db"
        database = Database.open(path)
        custody = Custody(SqlHeaderStore(database), SystemClock(), idle_lock_s=1e6)
        custody.create(Passphrase(_PASSPHRASE))
        fill(database, custody, asked.templates, asked.per_subject)
        loads, floors = [], []
        for _ in range(asked.rounds):
            gallery = ReferenceGallery(
                SqlSubjectStore(database),
                custody,
                model=MODEL,
                dimension=DIMENSION,
                new_index=FlatIndex,
            )
            loads.append(seconds(gallery.refresh))
            floors.append(seconds(lambda: floor(path)))
            count = gallery.size()
            custody.lock()
            custody.unlock(Passphrase(_PASSPHRASE))
        database.close()
        load, least = statistics.median(loads), statistics.median(floors)
        print(
            f"{count:,} templates of {DIMENSION}, {asked.per_subject} a subject: "
            f"load {load:.1f} s, {1e6 * load / count:.1f} us each; "
            f"reading and decrypting alone {least:.1f} s, ratio {load / least:.2f}"
        )


if __name__ == "__main__":
    main()
