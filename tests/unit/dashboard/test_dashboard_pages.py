"""What the pages say and do, and that everybody can use them."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser

import pytest
from consentry.dashboard.words import POLICIES, PURPOSES, REASONS, VERDICTS
from consentry.kernel.errors import Forbidden, QualityTooLow
from consentry.kernel.taxonomy import Mode, PublicReason, Purpose, SubjectPolicy, Verdict
from consentry.transparency.receipts import verify_receipt
from consentry.vault.backup_keys import new_backup_key, write_key_file
from consentry.vault.passphrase import Passphrase
from fakes.dashboard_services import PASSPHRASE, SeenFace, SeenQuality

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
PICTURE = {"pictures": ("a.jpg", b"picture")}


class Document(HTMLParser):
    """As much of a page's structure as the claims below are about."""

    def __init__(self, text):
        super().__init__()
        self.headings, self.labels, self.controls, self.ids, self.inline = [], set(), [], [], []
        self.lang = self.title = ""
        self.described, self._within = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids += [given["id"]] if "id" in given else []
        self.described += given.get("aria-describedby", "").split()
        self.described += given.get("aria-labelledby", "").split()
        if tag == "html":
            self.lang = given.get("lang", "")
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(tag)
        if tag == "label":
            self.labels.add(given["for"])
        if tag in {"input", "select", "textarea"} and given.get("type") != "hidden":
            self.controls.append(given.get("id"))
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        for name in ("src", "href", "action"):
            if re.match(r"(https?:)?//", given.get(name) or ""):
                self.inline.append(given[name])
        self._within = tag

    def handle_data(self, data):
        if self._within == "title":
            self.title += data

    def handle_endtag(self, _tag):
        self._within = ""


def _pages(home):
    """Every page that there is, in the states that change it."""
    home.post("/check", {"prompt": "a hat"}, files=PICTURE)
    yield from (home.get(p) for p in ("/", "/enrol", "/check", "/receipts", "/settings", "/erase"))
    yield home.get("/receipts/chk_1")
    yield home.post("/receipts/chk_1/verify")
    yield home.post("/revoke", {"subject": "sub_0"})
    yield home.post("/settings/pairing")
    yield home.get("/restore")
    yield home.post("/check", {"prompt": "bikini"}, files=PICTURE)
    yield home.post("/check", {"region": "Germany"})
    home.services.custody.lock()
    yield from (home.get(p) for p in ("/", "/unlock", "/check", "/settings", "/nothing-of-ours"))
    yield home.post("/unlock", {"passphrase": "wrong"})
    yield home.get("/receipts/none")
    yield home.post("/leave")
    yield home.get("/")
    yield home.get("/enter")


def test_every_page_can_be_read_by_everybody(home):
    for answer in _pages(home):
        if not answer.headers["content-type"].startswith("text/html"):
            assert answer.status_code == 404  # outside these pages: the app's own answer
            continue
        page = Document(answer.text)
        where = page.title

        assert page.lang == "en-GB"
        assert page.title.endswith("- Consentry"), where
        assert page.headings[0] == "h1", where
        assert page.headings.count("h1") == 1, where
        assert set(page.controls) <= page.labels, where
        assert None not in page.controls, where
        assert len(page.ids) == len(set(page.ids)), where
        assert set(page.described) <= set(page.ids), where
        assert page.inline == [], where


def test_the_first_visit_can_be_read_by_everybody(browser):
    for path in ("/start", "/restore"):
        page = Document(browser.get(path).text)

        assert page.headings.count("h1") == 1
        assert set(page.controls) <= page.labels
        assert page.inline == []


def test_a_problem_is_in_the_title_so_that_it_is_read_first(home):
    home.services.custody.lock()

    page = Document(home.post("/unlock", {"passphrase": "wrong"}).text)

    assert page.title == "Problem: Unlock - Consentry"


def test_a_hostile_name_stays_text(home):
    home.enrol(HOSTILE)
    pages = [
        home.get("/").text,
        home.post("/revoke", {"subject": "sub_1"}).text,
        home.post("/enrol", {"name": HOSTILE, "policy": "none"}).text,
        home.post("/check", {"prompt": HOSTILE, "region": HOSTILE}).text,
    ]

    for page in pages:
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;" in page


def test_a_first_visit_leads_to_a_passphrase_and_on_to_enrolment(browser):
    assert browser.get("/").headers["location"] == "/start"
    page = browser.get("/start").text
    assert "Nobody can recover it" in page
    assert "/home/ada/&lt;data&gt;" in page

    answer = browser.post("/start", {"new_passphrase": PASSPHRASE, "repeated": PASSPHRASE})

    assert answer.headers["location"] == "/enrol?done=created"
    assert browser.services.custody.state == "unlocked"


def test_two_different_passphrases_create_nothing(browser):
    answer = browser.post("/start", {"new_passphrase": PASSPHRASE, "repeated": PASSPHRASE + "!"})

    assert answer.status_code == 400
    assert "not the same" in answer.text
    assert browser.services.custody.state == "absent"


def test_a_weak_passphrase_is_told_why(browser):
    answer = browser.post("/start", {"new_passphrase": "short", "repeated": "short"})

    assert answer.status_code == 422
    assert "at least 10 characters" in answer.text


def test_a_passphrase_is_never_shown_again(browser):
    for path in ("/start", "/restore"):
        answer = browser.post(
            path, {"new_passphrase": "typed-secret", "passphrase": "typed-secret"}
        )
        assert answer.status_code >= 400
        assert "typed-secret" not in answer.text


def test_names_are_shown_only_while_unlocked(home):
    assert ">Ada<" in home.get("/").text

    assert home.post("/lock").headers["location"] == "/"

    assert "Ada" not in home.get("/").text
    assert "Name hidden while locked" in home.get("/").text


def test_home_hides_the_names_by_itself_when_the_vault_has_locked_itself(home):
    assert '<meta http-equiv="refresh" content="905;url=/">' in home.get("/").text


def test_a_wrong_passphrase_opens_nothing(home):
    home.services.custody.lock()

    answer = home.post("/unlock", {"passphrase": "wrong"})

    assert answer.status_code == 403
    assert home.services.custody.state == "locked"
    assert home.post("/unlock", {"passphrase": PASSPHRASE}).headers["location"] == "/"
    assert home.services.custody.state == "unlocked"


def test_enrolling_says_before_what_is_kept_where_and_for_how_long(home):
    page = home.get("/enrol").text

    for word in ("What is kept", "What is not kept", "Where", "For how long", "End protection"):
        assert word in page
    assert page.index("What is kept") < page.index('name="photos"')


def test_enrolling_keeps_the_choice_of_policy(home):
    policy = SubjectPolicy.INTIMATE_AND_IMPERSONATING

    home.post("/enrol", {"name": "Bo", "policy": policy}, files={"photos": ("b.jpg", b"x")})

    assert home.services.people.all()[-1].policy is policy


@pytest.mark.parametrize("policy", ["", "nothing"])
def test_an_unknown_policy_enrols_nobody(home, policy):
    answer = home.post("/enrol", {"name": "Bo", "policy": policy}, files={"photos": ("b", b"x")})

    assert answer.status_code == 400
    assert len(home.services.people.all()) == 1


def test_a_poor_photo_is_told_in_words_and_the_name_is_not_lost(home):
    home.services.enrol.fails_with = QualityTooLow("It is too dark.", issues=("too_dark",))

    answer = home.post("/enrol", {"name": "Bo", "policy": "every_edit"})

    assert answer.status_code == 422
    assert "It is too dark." in answer.text
    assert 'value="Bo"' in answer.text


def test_enrolling_while_locked_leads_to_unlocking(home):
    home.services.custody.lock()

    assert home.get("/enrol").headers["location"] == "/unlock"
    answer = home.post("/enrol", {"name": "Bo", "policy": "every_edit"})
    assert answer.status_code == 423
    assert 'href="/unlock" target="_blank"' in answer.text


@pytest.mark.parametrize(
    ("faces", "is_good", "word"),
    [
        ((), False, "No face"),
        ((SeenFace(), SeenFace()), False, "More than one face"),
        ((SeenFace(),), True, "Good"),
    ],
    ids=["nobody", "two", "one"],
)
def test_looking_gives_a_hint_and_nothing_else(home, faces, is_good, word):
    home.services.look.faces = faces

    rating = home.post("/look", files={"frame": ("f.jpg", b"frame")}).json()

    assert rating.keys() == {"faces", "is_good", "hints"}
    assert rating["faces"] == len(faces)
    assert rating["is_good"] is is_good
    assert rating["hints"][0].startswith(word)


def test_looking_puts_every_quality_issue_into_words(home):
    from consentry.faces.quality import PLAIN_WORDS

    for issue, words in PLAIN_WORDS.items():
        home.services.look.faces = (SeenFace(SeenQuality((issue,))),)
        rating = home.post("/look", files={"frame": ("f.jpg", b"frame")}).json()
        assert rating["hints"] == [words]
        assert rating["is_good"] is False


@pytest.mark.parametrize(
    ("prompt", "name"),
    [("paint the sky", "Allowed"), ("give her a hat", "Ask first"), ("a bikini", "Refused")],
)
def test_a_verdict_is_told_in_words_and_with_a_sign(home, prompt, name):
    answer = home.post("/check", {"prompt": prompt}, files=PICTURE)

    assert answer.status_code == 200
    heading = re.search(r"<h1.*?</h1>", answer.text, re.DOTALL)[0]
    assert name in heading
    assert "<svg" in heading
    assert f"<title>{name} - Consentry</title>" in answer.text


def test_a_check_asks_what_the_form_said(home):
    home.post("/check", {"prompt": "a hat", "purpose": "face_swap", "region": "de"}, files=PICTURE)

    [request] = home.services.check.requests
    assert request.images == (b"picture",)
    assert request.prompt == "a hat"
    assert request.purpose is Purpose.FACE_SWAP
    assert request.region == "DE"
    assert request.mode is Mode.ACT
    assert request.actor is None


def test_no_prompt_is_none_and_not_an_empty_one(home):
    home.post("/check", {"prompt": ""}, files=PICTURE)

    assert home.services.check.requests[0].prompt is None


def test_line_breaks_are_as_they_were_typed(home):
    home.post("/check", {"prompt": "a hat\r\nand a dog"}, files=PICTURE)

    assert home.services.check.requests[0].prompt == "a hat\nand a dog"


def test_asking_for_oneself_needs_proof(home):
    home.post("/check", {"self": "sub_0"}, files=PICTURE)
    assert home.services.check.requests[0].actor == "sub_0"

    home.services.verify_actor.problem = Forbidden("Unlock again, then retry.")
    answer = home.post("/check", {"self": "sub_0"}, files=PICTURE)
    assert answer.status_code == 403
    assert len(home.services.check.requests) == 1


@pytest.mark.parametrize("fields", [{"purpose": "anything"}, {"region": "DEU"}, {"region": "ß1"}])
def test_an_unknown_purpose_or_country_checks_nothing(home, fields):
    assert home.post("/check", fields, files=PICTURE).status_code == 400
    assert home.services.check.requests == []


def test_boxes_are_drawn_in_the_pixels_of_the_picture(home):
    page = home.post("/check", {"prompt": "a hat"}, files=PICTURE).text

    assert 'viewBox="0 0 512 512"' in page
    assert '<rect x="175.0" y="60.0" width="98.0" height="125.0"/>' in page


def test_the_answer_holds_no_picture(home):
    page = home.post("/check", {"prompt": "a hat"}, files=PICTURE).text

    assert "<img alt=" in page
    assert re.search(r"<img[^>]* src=", page) is None
    assert base64.b64encode(b"picture").decode() not in page


def test_an_unreadable_picture_is_told_by_name(home):
    page = home.post("/check", files={"pictures": ("a", b"not a picture")}).text

    assert "This is not one of the formats that are read." in page


def test_the_saved_receipt_verifies_and_has_its_salts(home):
    page = home.post("/check", {"prompt": "a hat"}, files=PICTURE).text

    encoded = re.search(r'href="data:application/json;base64,([^"]+)"', page)[1]
    saved = json.loads(base64.b64decode(encoded))
    claims = verify_receipt(saved["receipt"], home.services.signer.jwks())
    assert claims.verdict is Verdict.NEEDS_CONSENT
    assert len(saved["salts"]["images"]) == 1
    assert saved["salts"]["prompt"]


def test_salts_are_kept_nowhere(home):
    page = home.post("/check", {"prompt": "a hat"}, files=PICTURE).text
    encoded = re.search(r'href="data:application/json;base64,([^"]+)"', page)[1]
    salt = json.loads(base64.b64decode(encoded))["salts"]["circumstances"]

    kept = home.get("/receipts/chk_1").text

    encoded = re.search(r'href="data:application/json;base64,([^"]+)"', kept)[1]
    assert salt.encode() not in base64.b64decode(encoded)


def test_a_genuine_receipt_is_said_to_be(home):
    home.post("/check", {"prompt": "a hat"}, files=PICTURE)

    assert "Genuine" in home.post("/receipts/chk_1/verify").text


def test_a_changed_receipt_is_not(home):
    home.post("/check", {"prompt": "a hat"}, files=PICTURE)
    [stored] = home.services.receipts.rows
    head, body, signature = stored.jws.split(".")
    changed = ("A" if signature[0] != "A" else "B") + signature[1:]
    object.__setattr__(stored, "jws", f"{head}.{body}.{changed}")

    page = home.post("/receipts/chk_1/verify").text

    assert "Not genuine" in page
    assert "<strong>Genuine" not in page


def test_receipts_come_in_pages(home):
    for _ in range(51):
        home.services.check(_request())

    first = home.get("/receipts").text
    older = re.search(r'href="(/receipts\?before=[^"]+)"', first)[1]
    second = home.get(older).text

    assert first.count('class="item"') == 50
    assert second.count('class="item"') == 1
    assert "/receipts/chk_1&" not in second
    assert 'href="/receipts/chk_1"' in second


@pytest.mark.parametrize("before", ["yesterday", "2026-01-01", "%00"])
def test_a_made_up_page_of_receipts_is_refused(home, before):
    assert home.get(f"/receipts?before={before}").status_code == 400


def test_ending_a_protection_is_asked_twice(home):
    page = home.post("/revoke", {"subject": "sub_0"}).text
    assert "cannot be undone" in page
    assert len(home.services.people.all()) == 1

    answer = home.post("/revoke/confirmed", {"subject": "sub_0"})

    assert answer.status_code == 200
    assert "no check recognises it" in answer.text.lower()
    assert home.services.people.all() == ()


def test_no_subject_and_no_name_is_ever_in_an_address(home):
    addresses = re.findall(r'(?:href|action)="([^"]*)"', home.get("/").text)

    assert not [each for each in addresses if "sub_" in each or "Ada" in each]


@pytest.mark.parametrize("phrase", ["", "delete", "yes"])
def test_deleting_everything_needs_the_phrase(home, phrase):
    answer = home.post("/erase", {"phrase": phrase})

    assert answer.status_code == 400
    assert len(home.services.people.all()) == 1


def test_deleting_everything_works_while_locked(home):
    home.services.custody.lock()

    answer = home.post("/erase", {"phrase": " Delete everything "})

    assert answer.status_code == 200
    assert 'href="/start"' in answer.text
    assert home.services.people.all() == ()


def test_whoever_ends_a_protection_can_save_the_receipt_of_it(home):
    page = home.post("/revoke/confirmed", {"subject": "sub_0"}).text

    (encoded,) = re.findall(r'href="data:application/json;base64,([^"]+)"', page)
    assert json.loads(base64.b64decode(encoded))["receipt"] == "a.b.c"


def test_a_pairing_code_is_shown_only_while_unlocked(home):
    assert re.search(r"\w{4}-\w{4}-\w{4}-\w{4}", home.post("/settings/pairing").text)

    home.services.custody.lock()

    answer = home.post("/settings/pairing")
    assert answer.status_code == 423
    assert re.search(r"\w{4}-\w{4}-\w{4}-\w{4}", answer.text) is None


def test_the_passphrase_can_be_changed(home):
    new = "four other random words"
    fields = {"passphrase": PASSPHRASE, "new_passphrase": new, "repeated": new}

    assert (
        home.post("/settings/passphrase", fields).headers["location"] == "/settings?done=passphrase"
    )

    home.services.custody.lock()
    home.services.custody.unlock(Passphrase(new))


def test_a_backup_comes_as_a_file(home):
    answer = home.post("/settings/backup", {"passphrase": PASSPHRASE, "what": "apart"})

    assert answer.content == b"sealed"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-type"] == "application/octet-stream"


def test_a_backup_in_one_file_and_a_key_file_come_as_files_too(home):
    whole = home.post("/settings/backup", {"passphrase": PASSPHRASE, "what": "whole"})
    keys = home.post("/settings/backup", {"passphrase": PASSPHRASE, "what": "keys"})

    assert whole.content == b"sealed, all in one"
    assert keys.content == b"consentry-backup-keys/1\n"
    assert keys.headers["content-disposition"] == 'attachment; filename="consentry-backup.keys"'


def test_a_backup_is_restored_from_its_file(browser):
    answer = browser.post(
        "/restore", {"passphrase": PASSPHRASE}, files={"backup": ("b.sealed", b"sealed")}
    )

    assert answer.headers["location"] == "/?done=restored"
    assert browser.services.restore_backup.data == b"sealed"


def test_a_restore_takes_the_key_file_too(browser):
    keys = write_key_file([new_backup_key(), new_backup_key()]).encode()
    files = {"backup": ("b.sealed", b"sealed"), "keys": ("b.keys", keys)}

    browser.post("/restore", {"passphrase": PASSPHRASE}, files=files)

    assert browser.services.restore_backup.keys == 2


def test_restoring_without_a_file_says_so(browser):
    assert browser.post("/restore", {"passphrase": PASSPHRASE}).status_code == 400


def test_nothing_in_an_address_is_ever_shown(home):
    assert "enrolled-by-a-stranger" not in home.get("/?done=enrolled-by-a-stranger").text


def test_there_are_plain_words_for_everything(home):
    assert set(VERDICTS) == set(Verdict)
    assert set(REASONS) == set(PublicReason)
    assert {choice.value for choice in POLICIES} == set(SubjectPolicy)
    assert {choice.value for choice in PURPOSES} == set(Purpose)


def _request():
    from consentry.checks.check import CheckRequest

    return CheckRequest(
        images=(b"x",),
        prompt=None,
        mode=Mode.ACT,
        purpose=Purpose.EDIT,
        region=None,
        platform=None,
        actor=None,
        declares_minor=False,
    )
