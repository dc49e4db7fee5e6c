from __future__ import annotations

import threading

import pytest
from consentry.enrolment.ports import NewTemplate
from consentry.enrolment.references import GalleryState
from consentry.kernel.biometrics import SealedTemplate
from consentry.kernel.errors import IndexIncomplete, SealBroken, VaultLocked
from consentry.kernel.ids import ModelId, new_template_id
from consentry.kernel.taxonomy import Mode, Verdict
from fakes.coloured_faces import picture
from fakes.home import PASSPHRASE

ADA, EVE = (200, 10, 10), (10, 200, 10)


def test_the_state_is_told_without_opening_anything(home):
    states = [home.gallery.state()]
    home.enrol(ADA)
    states.append(home.gallery.state())
    home.custody.lock()
    states.append(home.gallery.state())

    assert states == [GalleryState.EMPTY, GalleryState.READY, GalleryState.LOCKED]


def test_locking_wipes_the_references(home):
    home.enrol(ADA)
    assert home.gallery.size() == 1

    home.custody.lock()

    assert home.gallery.size() == 0
    with pytest.raises(VaultLocked):
        home.gallery.search([home.faces.embedding(ADA)], min_score=0.5)


def test_idleness_wipes_the_references_too(home):
    home.enrol(ADA)

    home.clock.advance(901)
    home.custody.expire()

    assert home.gallery.size() == 0


def test_a_subject_without_a_template_of_this_model_is_never_silently_missed(home):
    subject = home.enrol(ADA).subject
    home.store.remove_subject(subject)
    known = home.enrol(EVE, name="Eve").subject
    stored = next(s for s in home.store.subjects() if s.subject == known)
    home.store.remove_subject(known)
    home.store.add_subject(
        stored,
        [
            NewTemplate(
                template=new_template_id(),
                model=ModelId("other@1"),
                sealed=SealedTemplate(b"\x01" * 64),
            )
        ],
    )

    with pytest.raises(IndexIncomplete, match="enrol them again"):
        home.gallery.search([home.faces.embedding(EVE)], min_score=0.5)
    assert home.check(picture(EVE)).decision.verdict is Verdict.REFUSE


def test_a_template_moved_to_another_subject_opens_no_search(home):
    home.enrol(ADA, name="Ada")
    eve = home.enrol(EVE, name="Eve").subject
    with home.store.snapshot(home.faces.model_id) as snapshot:
        stolen = next(t for t in snapshot.templates if t.subject != eve)
    home.store.remove_subject(stolen.subject)
    home.store.add_templates(
        eve, [NewTemplate(template=stolen.template, model=stolen.model, sealed=stolen.sealed)]
    )
    home.gallery.wipe()

    with pytest.raises(SealBroken):
        home.gallery.search([home.faces.embedding(EVE)], min_score=0.5)
    assert home.check(picture(EVE)).decision.verdict is Verdict.REFUSE


def test_the_best_template_of_a_subject_counts_and_she_is_named_once(home):
    home.faces.blend(EVE, ADA, 0.8)
    subject = home.enrol(ADA, EVE).subject

    (candidates,) = home.gallery.search([home.faces.embedding(ADA)], min_score=0.5)

    assert [c.subject for c in candidates] == [subject]
    assert candidates[0].score == pytest.approx(1.0, abs=1e-5)


def test_candidates_do_not_show_themselves(home):
    subject = home.enrol(ADA).subject

    ((candidate,),) = home.gallery.search([home.faces.embedding(ADA)], min_score=0.5)

    assert subject not in repr(candidate)
    assert "score" not in repr(candidate)


def test_locking_while_searching_never_hangs_and_never_answers_short(home):
    home.enrol(ADA)
    probe = home.faces.embedding(ADA)
    outcomes: list[str] = []

    def search() -> None:
        for _ in range(60):
            try:
                (found,) = home.gallery.search([probe], min_score=0.5)
                outcomes.append("found" if found else "missed")
            except VaultLocked:
                outcomes.append("locked")

    def toggle() -> None:
        for _ in range(20):
            home.custody.lock()
            home.custody.unlock(PASSPHRASE)

    threads = [threading.Thread(target=search) for _ in range(4)] + [
        threading.Thread(target=toggle)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert not any(thread.is_alive() for thread in threads)
    assert set(outcomes) <= {"found", "locked"}
    assert len(outcomes) == 240


def test_searching_does_not_keep_the_vault_open(home):
    home.enrol(ADA)

    for _ in range(10):
        home.clock.advance(100)
        home.check(picture(EVE), mode=Mode.INFORM)

    assert home.gallery.state() is GalleryState.LOCKED
