"""What every store of subjects must do. Inherit `SubjectStoreContract` and make an empty one."""

from __future__ import annotations

import random
import threading
from abc import ABC, abstractmethod
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from consentry.enrolment.ports import NewTemplate, StoredSubject, StoredTemplate, SubjectStore
from consentry.kernel.biometrics import SealedTemplate
from consentry.kernel.errors import Conflict, NotFound
from consentry.kernel.ids import ModelId, SubjectId, TemplateId
from consentry.kernel.taxonomy import SubjectPolicy

MODEL, OTHER = ModelId("test@1"), ModelId("other@2")
NOON = datetime(2026, 11, 21, 12, 0, 0, 123_456, tzinfo=UTC)


def who(n: int) -> SubjectId:
    """As long as a real one, and as unlike any other in every part of it."""
    return SubjectId("sub_" + f"{n:08d}" * 3 + "xx")


def number_of(subject: SubjectId) -> int:
    return int(subject[4:12])


def person(n: int) -> StoredSubject:
    """A subject whose sealed bytes follow from her number."""
    noise = random.Random(f"person {n}")
    return StoredSubject(
        subject=who(n),
        wrapped_key=noise.randbytes(45),
        sealed_name=noise.randbytes(60),
        policy=list(SubjectPolicy)[n % 2],
        enrolled_at=NOON + timedelta(microseconds=n),
    )


def shared(subject: StoredSubject) -> StoredSubject:
    """The same subject, once somebody else was enrolled beside her."""
    return replace(subject, has_shared=True)


def template(n: int, model: ModelId = MODEL, size_bytes: int = 797) -> NewTemplate:
    return NewTemplate(
        template=TemplateId("tpl_" + f"{n:08d}" * 3 + "xx"),
        model=model,
        sealed=SealedTemplate(random.Random(f"template {n}").randbytes(size_bytes)),
    )


def read(store: SubjectStore, model: ModelId = MODEL) -> list[StoredTemplate]:
    with store.snapshot(model) as snapshot:
        return list(snapshot.templates)


class SubjectStoreContract(ABC):
    @abstractmethod
    def make(self) -> SubjectStore:
        """A new store."""

    @pytest.fixture
    def store(self, request) -> SubjectStore:
        self.request = request
        return self.make()

    def test_a_new_store_is_at_revision_0_with_nobody_in_it(self, store):
        assert store.revision() == 0
        assert store.subjects() == ()
        assert store.template_counts() == {}
        with store.snapshot(MODEL) as snapshot:
            assert (snapshot.revision, snapshot.subjects) == (0, ())
            assert list(snapshot.templates) == []

    def test_a_subject_and_her_templates_come_back_as_they_were(self, store):
        store.add_subject(person(1), [template(1), template(2)])

        assert store.subjects() == (person(1),)
        with store.snapshot(MODEL) as snapshot:
            assert snapshot.subjects == (person(1),)
            kept = list(snapshot.templates)
        assert [(t.subject, t.template, t.model, t.sealed) for t in kept] == [
            (who(1), template(n).template, MODEL, template(n).sealed) for n in (1, 2)
        ]

    def test_every_change_of_templates_advances_the_revision_and_returns_it(self, store):
        revisions = [
            store.add_subject(person(1), [template(1)]),
            store.add_templates(who(1), [template(2)]),
            store.add_subject(person(2), []),
            store.remove_subject(who(1)).revision,
        ]

        assert revisions == sorted(set(revisions))
        assert store.revision() == revisions[-1] > revisions[0] > 0

    def test_rows_are_positive_and_never_used_twice(self, store):
        seen: list[int] = []
        for n in range(1, 6):
            store.add_subject(person(n), [template(n)])
            seen += [t.row for t in read(store)]
            store.remove_subject(who(n))

        assert len(set(seen)) == 5
        assert min(seen) > 0

    def test_subjects_come_oldest_first(self, store):
        for n in (3, 1, 2):
            store.add_subject(person(n), [])

        assert [s.subject for s in store.subjects()] == [who(1), who(2), who(3)]

    def test_a_subject_that_is_there_already_is_refused_whole(self, store):
        store.add_subject(person(1), [template(1)])
        before = store.revision()

        with pytest.raises(Conflict):
            store.add_subject(person(1), [template(2)])
        assert store.revision() == before
        assert len(read(store)) == 1

    def test_a_template_that_is_there_already_keeps_out_the_subject_that_brings_it(self, store):
        store.add_subject(person(1), [template(1)])
        before = store.revision()

        with pytest.raises(Conflict):
            store.add_subject(person(2), [template(2), template(1)])
        assert store.subjects() == (person(1),)
        assert store.revision() == before
        assert len(read(store)) == 1

    def test_templates_are_added_to_somebody_enrolled(self, store):
        store.add_subject(person(1), [template(1)])
        store.add_templates(who(1), [template(2), template(3, OTHER)])

        assert store.template_counts() == {(who(1), MODEL): 2, (who(1), OTHER): 1}

    def test_templates_of_nobody_are_refused(self, store):
        with pytest.raises(NotFound):
            store.add_templates(who(1), [template(1)])
        assert store.revision() == 0

    def test_a_template_that_is_there_already_is_not_added_again(self, store):
        store.add_subject(person(1), [template(1)])

        with pytest.raises(Conflict):
            store.add_templates(who(1), [template(2), template(1)])
        assert store.template_counts() == {(who(1), MODEL): 1}

    def test_a_removed_subject_is_gone_and_the_others_stay(self, store):
        store.add_subject(person(1), [template(1), template(2, OTHER)])
        store.add_subject(person(2), [template(3)])
        store.remove_subject(who(1))

        assert store.subjects() == (shared(person(2)),)
        assert store.template_counts() == {(who(2), MODEL): 1}
        assert [t.subject for t in read(store)] == [who(2)]
        assert read(store, OTHER) == []

    def test_removing_nobody_is_said_and_changes_nothing(self, store):
        with pytest.raises(NotFound):
            store.remove_subject(who(1))
        assert store.revision() == 0

    def test_somebody_can_be_removed_once_only(self, store):
        store.add_subject(person(1), [template(1)])
        store.remove_subject(who(1))

        with pytest.raises(NotFound):
            store.remove_subject(who(1))

    def test_a_snapshot_has_the_templates_of_its_model_ordered_by_row(self, store):
        for n in range(1, 8):
            store.add_subject(person(n), [template(n), template(100 + n, OTHER)])

        rows = [t.row for t in read(store)]
        assert rows == sorted(rows)
        assert {t.model for t in read(store)} == {MODEL}
        with store.snapshot(ModelId("none@1")) as snapshot:
            assert len(snapshot.subjects) == 7
            assert list(snapshot.templates) == []

    def test_an_open_snapshot_does_not_see_later_changes(self, store):
        store.add_subject(person(1), [template(1)])

        with store.snapshot(MODEL) as snapshot:
            store.add_subject(person(2), [template(2)])
            assert snapshot.revision == 1
            assert [t.subject for t in snapshot.templates] == [who(1)]
        assert len(read(store)) == 2

    def test_a_snapshot_read_after_its_end_raises_rather_than_be_short(self, store):
        store.add_subject(person(1), [template(1)])
        with store.snapshot(MODEL) as snapshot:
            pass

        with pytest.raises(ValueError, match="snapshot"):
            list(snapshot.templates)

    def test_changes_since_the_present_are_none_at_all(self, store):
        store.add_subject(person(1), [template(1)])

        changes = store.changes_since(store.revision(), MODEL)

        assert changes is not None
        assert (changes.revision, changes.added, changes.removed) == (1, (), ())
        assert changes.subjects == ()

    def test_changes_tell_what_came_with_its_subjects(self, store):
        start = store.add_subject(person(1), [template(1)])
        store.add_subject(person(2), [template(2), template(3, OTHER)])
        store.add_templates(who(1), [template(4)])

        changes = store.changes_since(start, MODEL)

        assert changes is not None
        assert changes.revision == store.revision()
        assert [(t.subject, t.template) for t in changes.added] == [
            (who(2), template(2).template),
            (who(1), template(4).template),
        ]
        assert changes.subjects == (shared(person(1)), shared(person(2)))

    def test_changes_tell_what_went(self, store):
        store.add_subject(person(1), [template(1), template(2)])
        store.add_subject(person(2), [template(3)])
        rows = [t.row for t in read(store) if t.subject == who(1)]
        start = store.revision()
        store.remove_subject(who(1))

        changes = store.changes_since(start, MODEL)

        assert changes is not None
        assert (changes.added, changes.removed) == ((), tuple(sorted(rows)))

    def test_what_came_and_went_in_between_is_not_added(self, store):
        start = store.revision()
        store.add_subject(person(1), [template(1)])
        store.remove_subject(who(1))

        changes = store.changes_since(start, MODEL)

        assert changes is not None
        assert changes.added == ()

    def test_changes_after_a_revision_that_never_was_are_not_known(self, store):
        store.add_subject(person(1), [template(1)])

        assert store.changes_since(store.revision() + 1, MODEL) is None

    def test_following_the_changes_leads_to_what_a_snapshot_shows(self, store):
        dice = random.Random(7)
        known: dict[int, bytes] = {}
        revision, enrolled = 0, []
        for n in range(1, 60):
            if enrolled and dice.random() < 0.4:
                store.remove_subject(who(enrolled.pop(dice.randrange(len(enrolled)))))
            elif enrolled and dice.random() < 0.3:
                store.add_templates(who(dice.choice(enrolled)), [template(1000 + n)])
            else:
                store.add_subject(person(n), [template(n), template(2000 + n, OTHER)])
                enrolled.append(n)
            if dice.random() < 0.5:
                changes = store.changes_since(revision, MODEL)
                assert changes is not None
                for row in changes.removed:
                    known.pop(row, None)
                known |= {t.row: t.sealed for t in changes.added}
                revision = changes.revision
                assert known == {t.row: t.sealed for t in read(store)}

    def test_rewrapped_keys_replace_the_old_ones_and_nothing_else(self, store):
        store.add_subject(person(1), [template(1)])
        store.add_subject(person(2), [])
        store.rewrap_keys({who(1): b"n" * 45})

        first, second = store.subjects()
        assert first.wrapped_key == b"n" * 45
        assert first.sealed_name == person(1).sealed_name
        assert second == shared(person(2))

    def test_rewrapping_passes_over_who_is_gone(self, store):
        store.add_subject(person(1), [])
        store.rewrap_keys({who(9): b"n" * 45})

        assert store.subjects() == (person(1),)

    def test_many_threads_at_once_lose_nothing(self, store):
        failures: list[BaseException] = []

        def work(first: int) -> None:
            try:
                for n in range(first, first + 6):
                    store.add_subject(person(n), [template(n)])
                    if n % 3 == 0:
                        store.remove_subject(who(n))
                    store.revision()
            except BaseException as failure:  # noqa: BLE001 -- shown by the assertion below
                failures.append(failure)

        threads = [threading.Thread(target=work, args=(100 * k,)) for k in range(1, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        expected = {who(100 * k + i) for k in range(1, 5) for i in range(6) if (100 * k + i) % 3}
        assert failures == []
        assert {s.subject for s in store.subjects()} == expected
        assert {t.subject for t in read(store)} == expected
        assert store.revision() == 24 + 8
