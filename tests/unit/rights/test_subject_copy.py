from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from consentry.api.routes_rights import copy_schema
from consentry.enrolment.aliases import AliasKind, AliasProof
from consentry.grants.grants import GrantTerms
from consentry.kernel.errors import Forbidden, VaultLocked
from consentry.kernel.taxonomy import IntentCategory, Purpose
from consentry.rights.export import SubjectCopy
from fakes.coloured_faces import picture
from pydantic import TypeAdapter

ADA, EVE = (200, 10, 10), (10, 200, 10)
SCHEMA = Path(__file__).parents[3] / "docs" / "specs" / "subject-copy.schema.json"


@pytest.fixture
def ada(home):
    subject = home.enrol(ADA, name="Ada").subject
    home.aliases.add(subject, "zyzzyva_of_the_north", AliasKind.HANDLE, AliasProof.OWN_WORD)
    terms = GrantTerms(
        purposes=frozenset({Purpose.VIDEO}),
        platform="studio.example",
        regions=frozenset({"SE"}),
        categories=frozenset({IntentCategory.NONE}),
        valid_from=None,
        valid_until=None,
        max_uses=5,
    )
    home.grants.create(subject, terms)
    home.check(picture(ADA), platform="other.example", purpose=Purpose.FACE_SWAP)
    home.log.take_in()
    return subject


def test_a_copy_holds_everything_that_is_hers(home, ada):
    copy = home.export_subject(ada)

    assert (copy.subject, copy.name) == (ada, "Ada")
    assert [name.text for name in copy.names] == ["zyzzyva_of_the_north"]
    assert [(g.platform, g.regions, g.uses_left) for g in copy.grants] == [
        ("studio.example", ("SE",), 5)
    ]
    assert [(c.platform, c.purpose, c.how) for c in copy.checks] == [
        ("other.example", "face_swap", "face")
    ]
    assert copy.checks[0].receipt is not None
    assert [entry.change for entry in copy.log_entries] == ["enrolled"]
    assert {kept.where for kept in copy.kept} >= {"subjects", "templates", "receipts"}


def test_her_templates_are_the_numbers_that_recognise_her(home, ada):
    (template,) = home.export_subject(ada).templates

    (found,) = home.gallery.search([np.array(template.embedding, np.float32)], min_score=0.99)
    assert [candidate.subject for candidate in found] == [ada]


def test_nobody_else_is_in_it(home, ada):
    home.own_passphrases.set(ada, home_passphrase(), old=None)
    eve = home.enrol(EVE, name="Eve").subject
    home.contests.open(eve, ada)

    text = TypeAdapter(SubjectCopy).dump_json(home.export_subject(ada)).decode()

    assert "Eve" not in text
    assert eve not in text
    assert json.loads(text)["contests"][0]["is_claimant"] is False


def test_it_needs_proof_that_it_is_she_who_asks(home, ada):
    home.clock.advance(301)

    with pytest.raises(Forbidden):
        home.export_subject(ada)
    home.custody.lock()
    with pytest.raises((Forbidden, VaultLocked)):
        home.export_subject(ada)


def test_a_copy_is_of_the_documented_form(home, ada):
    document = json.loads(TypeAdapter(SubjectCopy).dump_json(home.export_subject(ada)))

    jsonschema.validate(document, json.loads(SCHEMA.read_text()))


def test_the_documented_form_is_up_to_date():
    """`python -m consentry.api.reference docs` makes it."""
    assert SCHEMA.read_text() == copy_schema()


def home_passphrase():
    from consentry.vault.passphrase import Passphrase

    return Passphrase("hers alone, and of nobody else")
