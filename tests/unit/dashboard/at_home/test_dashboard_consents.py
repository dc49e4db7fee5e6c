"""Pages on which she says yes and no, over a home in which everything is real but the eyes."""

from __future__ import annotations

import hashlib
import re

import pytest
from consentry.checks.check import CheckRequest
from consentry.grants.ports import RequestState
from consentry.kernel.taxonomy import IntentCategory, Mode, Purpose
from consentry.vault.passphrase import Passphrase
from fakes.coloured_faces import picture
from fakes.dashboard_services import PASSPHRASE

RED, BLUE = (200, 20, 20), (20, 20, 200)
BIKINI = "put her in a bikini"
OWN = "quiet heron under glass"


def asks(home, prompt="make the sky blue", **more):
    return home.check_images(
        CheckRequest(
            prompt=prompt,
            mode=Mode.ACT,
            **{
                "images": (picture(RED),),
                "purpose": Purpose.EDIT,
                "region": None,
                "platform": "studio.example",
                "actor": None,
                "declares_minor": False,
                "asker": "u-17",
                "caller": "key_studio",
            }
            | more,
        )
    )


def verdict(home, **more):
    return asks(home, **more).decision.verdict.value


def give(browser, **fields):
    sent = {"subject": browser.subject, "purpose_edit": "yes", "passphrase": PASSPHRASE}
    return browser.post("/consents/give", sent | {"days": "30"} | fields)


def upload(*pictures):
    return [("pictures", ("x.png", each, "image/png")) for each in pictures]


def test_a_question_shows_who_asks_the_words_and_the_picture(ada):
    asks(ada.real)
    page = ada.get("/consents").text
    for text in ("studio.example", "u-17", "make the sky blue", "data:image/jpeg;base64,"):
        assert text in page


@pytest.mark.parametrize("passphrase", ["", "not the one"])
def test_a_yes_needs_the_passphrase_in_the_same_form(ada, passphrase):
    request = asks(ada.real).request
    fields = {"request": request, "lifetime_s": "60", "passphrase": passphrase}
    answer = ada.post("/consents/approve", fields)
    assert answer.status_code == 403
    assert "make the sky blue" in answer.text
    assert ada.real.consent_requests.poll(request, caller="key_studio").token is None


def test_a_yes_is_for_once_and_for_as_long_as_she_says(ada):
    request = asks(ada.real).request
    fields = {"request": request, "lifetime_s": "60", "passphrase": PASSPHRASE}
    assert ada.post("/consents/approve", fields).headers["location"] == "/consents?done=approved"
    token = ada.real.consent_requests.poll(request, caller="key_studio").token
    ada.clock.advance(59)
    assert verdict(ada.real, token=token) == "allow"
    assert verdict(ada.real, token=token) == "needs_consent"
    fields["lifetime_s"] = "301"
    assert ada.post("/consents/approve", fields).status_code == 404


@pytest.mark.parametrize("lifetime", ["0", "301", "-1", "ten", "", "٣"])
def test_a_lifetime_out_of_range_is_refused(ada, lifetime):
    request = asks(ada.real).request
    fields = {"request": request, "lifetime_s": lifetime, "passphrase": PASSPHRASE}
    assert ada.post("/consents/approve", fields).status_code == 400


def test_a_no_asks_for_nothing_and_a_block_can_be_undone(ada):
    declined, blocked = asks(ada.real).request, asks(ada.real, asker="u-18").request
    ada.post("/consents/decline", {"request": declined})
    ada.post("/consents/block", {"request": blocked})
    states = [
        ada.real.consent_requests.poll(each, caller="key_studio").state
        for each in (declined, blocked)
    ]
    assert states == [RequestState.DECLINED] * 2
    asks(ada.real, asker="u-18")
    page = ada.get("/consents").text
    assert "Nobody asks anything" in page
    number = re.search(r'name="number" value="(\d+)"', page)[1]
    ada.post("/consents/unblock", {"subject": ada.subject, "number": number})
    asks(ada.real, asker="u-18")
    assert "Nobody asks anything" not in ada.get("/consents").text


def test_a_grant_is_given_shown_and_taken_back(ada):
    assert verdict(ada.real) == "needs_consent"
    answer = give(ada, platform="studio.example", max_uses="2")
    assert answer.headers["location"] == "/consents?done=given"
    assert verdict(ada.real) == "allow"
    page = ada.get("/consents").text
    assert "1 more time" in page
    grant = re.search(r'name="grant" value="([^"]+)"', page)[1]
    ada.post("/consents/take-back", {"grant": grant})
    assert verdict(ada.real) == "needs_consent"


@pytest.mark.parametrize(
    "fields",
    [
        {"purpose_edit": ""},
        {"region": "Sweden"},
        {"max_uses": "0"},
        {"max_uses": "many"},
        {"days": "0"},
        {"purpose_intimate": "yes"},
        {"platform": "x" * 201},
    ],
    ids=str,
)
def test_what_cannot_be_given_is_said_and_what_was_typed_stays(ada, fields):
    answer = give(ada, **{"platform": "kept.example", "purpose_video": ""} | fields)
    assert answer.status_code == 400
    if "platform" not in fields:
        assert "kept.example" in answer.text
    assert ada.real.grants.list(ada.subject) == ()


def test_a_wrong_passphrase_gives_nothing(ada):
    assert give(ada, passphrase="not the one").status_code == 403
    assert ada.real.grants.list(ada.subject) == ()


def test_a_token_is_made_from_files_and_words_and_shown_once(ada):
    fields = {
        "subject": ada.subject,
        "prompt": BIKINI,
        "category": "swimwear",
        "platform": "studio.example",
        "region": "se",
        "passphrase": PASSPHRASE,
    }
    answer = ada.post("/consents/token", fields, files=upload(picture(RED)))
    assert answer.status_code == 409
    assert BIKINI in answer.text

    answer = ada.post("/consents/token", fields | {"adult": "yes"}, files=upload(picture(RED)))

    token = re.search(r"<pre[^>]*>([^<]+)</pre>", answer.text)[1]
    page = ada.get("/consents").text
    assert token not in page
    assert "Swimwear" in page
    assert verdict(ada.real, prompt=BIKINI, region="SE", token=token) == "allow"
    assert "1 more use" not in ada.get("/consents").text
    assert ada.real.consent_tokens.is_attested_adult(ada.subject)


def test_a_session_is_opened_and_ended(ada):
    fields = {
        "subject": ada.subject,
        "category_swimwear": "yes",
        "platform": "studio.example",
        "max_uses": "3",
        "days": "7",
        "adult": "yes",
        "passphrase": PASSPHRASE,
    }
    answer = ada.post("/consents/session", fields, files=upload(picture(RED), picture(RED, RED)))
    jws = re.search(r"<pre[^>]*>([^<]+)</pre>", answer.text)[1]
    assert verdict(ada.real, prompt=BIKINI, token=jws) == "allow"
    page = ada.get("/consents").text
    assert "2 more uses" in page
    ada.post("/consents/end", {"token": re.search(r'name="token" value="([^"]+)"', page)[1]})
    assert verdict(ada.real, prompt=BIKINI, token=jws) == "refuse"
    too_many = ada.post("/consents/session", fields | {"max_uses": "51"}, files=upload(b"x"))
    assert too_many.status_code == 400


def test_people_who_share_a_home_each_use_a_passphrase_of_their_own(ada):
    own = {
        "subject": ada.subject,
        "passphrase": PASSPHRASE,
        "new_passphrase": OWN,
        "repeated": OWN,
    }
    assert ada.post("/own-passphrase", own | {"repeated": "other"}).status_code == 400
    assert ada.post("/own-passphrase", own).headers["location"] == "/consents?done=own"
    eve = ada.real.enrol(BLUE, name="Eve").subject
    assert give(ada, subject=eve).status_code == 403
    ada.clock.advance(301)
    assert give(ada).status_code == 403
    assert give(ada, passphrase=OWN).status_code == 303
    own |= {"passphrase": OWN, "new_passphrase": PASSPHRASE + "!", "repeated": PASSPHRASE + "!"}
    assert ada.post("/own-passphrase", own).status_code == 303
    ada.real.own_passphrases.prove(ada.subject, Passphrase(PASSPHRASE + "!"))


def enrol_eve(ada, **own):
    fields = {"name": "Eve", "policy": "every_edit"} | own
    return ada.post("/enrol", fields, files=[("photos", ("x.png", picture(BLUE), "image/png"))])


def test_who_comes_into_a_shared_home_sets_hers_at_the_enrolment_or_never(ada):
    assert "has none yet" in ada.get("/enrol").text
    assert enrol_eve(ada, own_passphrase=OWN, repeated="other").status_code == 400
    assert enrol_eve(ada, own_passphrase=OWN, repeated=OWN).headers["location"] == "/?done=enrolled"
    eve = next(each.subject for each in ada.real.people.all() if each.name == "Eve")
    ada.real.own_passphrases.prove(eve, Passphrase(OWN))

    page = ada.get("/own-passphrase").text
    own = {"subject": ada.subject, "passphrase": PASSPHRASE, "new_passphrase": OWN, "repeated": OWN}

    assert "Ada has none, and can set none any more" in page
    assert ada.subject not in page
    assert ada.post("/own-passphrase", own).status_code == 403
    assert give(ada, passphrase=PASSPHRASE).status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/consents", "/consents/give", "/consents/token", "/consents/session", "/own-passphrase"],
)
def test_while_locked_the_pages_lead_to_the_passphrase_and_strangers_see_nothing(ada, path):
    ada.real.custody.lock()
    assert ada.get(path).headers["location"] == "/unlock"
    ada.client.cookies.clear()
    assert ada.get(path).status_code == 401


def test_words_of_a_stranger_are_never_markup(ada):
    asks(ada.real, prompt="<script>alert(1)</script>", asker="<b>x</b>", platform='"><img src=x>')
    page = ada.get("/consents").text
    for text in ("<script>alert", "<b>x</b>", "<img src=x>"):
        assert text not in page


def test_a_cooling_off_time_is_announced_at_the_same_page(ada):
    object.__setattr__(ada.real.consent_tokens, "intimate_delay_s", 3600.0)
    assert "announced first" in ada.get("/consents/token").text
    fields = {"subject": ada.subject, "passphrase": PASSPHRASE}
    assert ada.post("/consents/announce", fields).headers["location"] == "/consents?done=announced"
    assert ada.real.consent_tokens.window(ada.subject) is not None


def test_the_kept_digest_is_of_the_file_as_it_was_chosen(ada):
    image = picture(RED)
    fields = {
        "subject": ada.subject,
        "prompt": "make the sky blue",
        "category": IntentCategory.NONE.value,
        "platform": "studio.example",
        "passphrase": PASSPHRASE,
    }
    answer = ada.post("/consents/token", fields, files=upload(image))
    token = re.search(r"<pre[^>]*>([^<]+)</pre>", answer.text)[1]
    assert verdict(ada.real, token=token) == "allow"
    assert hashlib.sha256(image).hexdigest() not in answer.text


def test_who_checked_my_face_is_shown_with_her_passphrase_and_not_without(ada):
    asks(ada.real)
    asks(ada.real, prompt=BIKINI)
    ada.real.check_images.afterwards.finish()
    form = {"subject": ada.subject, "before": ""}

    page = ada.get("/my-checks").text
    wrong = ada.post("/my-checks", form | {"passphrase": "not the one at all"})
    shown = ada.post("/my-checks", form | {"passphrase": PASSPHRASE})

    assert "studio.example" not in page
    assert (wrong.status_code, "studio.example" in wrong.text) == (403, False)
    assert shown.text.count('<a class="item" href="/receipts/') == 2
    assert "studio.example" in shown.text
    assert "swimwear" in shown.text.lower()


def test_older_checks_need_no_passphrase_within_minutes_and_one_later(ada):
    asks(ada.real)
    form = {"subject": ada.subject, "before": "", "passphrase": PASSPHRASE}
    ada.post("/my-checks", form)

    again = ada.post("/my-checks", form | {"passphrase": ""})
    ada.real.clock.advance(301)
    late = ada.post("/my-checks", form | {"passphrase": ""})

    assert "studio.example" in again.text
    assert (late.status_code, "studio.example" in late.text) == (403, False)


def test_none_among_those_that_were_looked_through_is_no_all_clear(ada, monkeypatch):
    monkeypatch.setattr("consentry.checks.mine.MAX_TRIED", 2)
    asks(ada.real)
    for _ in range(2):
        ada.real.clock.advance(1)
        asks(ada.real, images=(picture(BLUE),))
    form = {"subject": ada.subject, "before": "", "passphrase": PASSPHRASE}

    newest = ada.post("/my-checks", form).text
    newest_each = ada.post("/my-checks", form | {"each": "yes"}).text
    before = re.search(r'name="before" value="([^"]+)"', newest)[1]
    older = ada.post("/my-checks", form | {"before": before}).text
    last = ada.post("/my-checks", form | {"before": "2020-01-01T00:00:00+00:00"}).text

    for page in (newest, newest_each):
        assert ("No check of" in page, "There are no more" in page) == (False, False)
        assert ("go on to older ones" in page, "Older checks" in page) == (True, True)
    assert "studio.example" in older
    assert ("No check of" in last, "There are no more" in last) == (False, True)


def test_the_all_clear_is_given_when_all_was_looked_through(ada):
    asks(ada.real, images=(picture(BLUE),))

    page = ada.post("/my-checks", {"subject": ada.subject, "before": "", "passphrase": PASSPHRASE})

    assert "No check of the last 180 days was about you." in page.text


def test_a_burst_is_one_line_of_the_page_and_each_of_it_can_be_shown(ada):
    for _ in range(23):
        asks(ada.real, prompt=BIKINI)
    ada.real.check_images.afterwards.finish()
    form = {"subject": ada.subject, "before": "", "passphrase": PASSPHRASE}

    page = ada.post("/my-checks", form).text
    later = re.search(r'name="before" value="([^"]+)"><input type="hidden" name="each"', page)[1]
    each = ada.post("/my-checks", form | {"before": later, "each": "yes"}).text

    assert page.count("23 checks within 1 minute") == 1
    assert ("23 refused." in page, "23 by studio.example" in page) == (True, True)
    assert page.count('<a class="item" href="/receipts/') == 20
    assert each.count('<a class="item" href="/receipts/') == 23
