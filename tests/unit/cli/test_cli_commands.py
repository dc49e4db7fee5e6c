"""What each command does, against the real API on a home in which only the eyes are made up."""

from __future__ import annotations

import io
import json
import stat
import sys
from pathlib import Path

import pytest
from fakes.terminal import ADDRESS, PASSPHRASE, descriptor_with, require_documented
from PIL import Image

HER = (200, 0, 0)
STRANGER = (0, 0, 200)
EVERYDAY = ("--prompt", "make the sky blue")
REVEALING = ("--prompt", "put her in a bikini")


# -- check


@pytest.mark.parametrize(
    ("colour", "prompt", "code", "verdict", "reasons"),
    [
        (STRANGER, EVERYDAY, 0, "allow", []),
        (HER, EVERYDAY, 11, "needs_consent", ["consent_required"]),
        (STRANGER, REVEALING, 10, "refuse", ["revealing_real_person"]),
    ],
    ids=["stranger", "her", "revealing"],
)
def test_the_exit_code_of_a_check_is_its_verdict(enrolled, colour, prompt, code, verdict, reasons):
    left = enrolled.run("check", enrolled.picture(colour), *prompt, "--json", passphrase=PASSPHRASE)

    assert left.code == code, left.err
    assert (left.document["verdict"], left.document["reasons"]) == (verdict, reasons)
    require_documented(left.document)


def test_all_pictures_are_one_check(enrolled):
    left = enrolled.run(
        *("check", enrolled.picture(STRANGER), enrolled.picture(HER)),
        *(*EVERYDAY, "--json"),
        passphrase=PASSPHRASE,
    )

    assert left.code == 11
    assert len(left.document["images"]) == 2


def test_without_explain_nothing_private_is_printed(enrolled):
    left = enrolled.run("check", enrolled.picture(HER), *EVERYDAY, "--json", passphrase=PASSPHRASE)

    assert "private" not in left.document
    assert "enrolled" not in left.document["explanation"].casefold()


def test_with_explain_the_owner_sees_who(enrolled):
    left = enrolled.run(
        "check", enrolled.picture(HER), *EVERYDAY, "--json", "--explain", passphrase=PASSPHRASE
    )

    assert [each["name"] for each in left.document["private"]["subjects"]] == ["me"]
    require_documented(left.document)


def test_the_human_answer_says_verdict_why_and_which_picture(enrolled):
    path = enrolled.picture(HER)

    left = enrolled.run("check", path, *EVERYDAY, passphrase=PASSPHRASE)

    assert "NEEDS CONSENT" in left.out
    assert "consent_required" in left.out
    assert f"{path}: 128 x 64, 1 face" in left.out


def test_a_check_without_a_passphrase_goes_on_locked_and_says_so(enrolled):
    left = enrolled.run("check", enrolled.picture(STRANGER), *EVERYDAY, "--json")

    assert left.code == 10
    assert left.document["reasons"] == ["error"]
    assert "locked" in left.err


def test_a_wrong_passphrase_is_bad_input(enrolled):
    left = enrolled.run("check", enrolled.picture(HER), passphrase="not the passphrase")

    assert left.code == 2
    assert left.out == ""
    assert "[wrong-passphrase]" in left.err


def test_in_an_empty_home_a_check_needs_no_passphrase(terminal):
    left = terminal.run("check", terminal.picture(STRANGER), *EVERYDAY)

    assert left.code == 0
    assert left.err == ""


def test_a_file_that_is_no_picture_is_refused_and_named(enrolled):
    path = Path(enrolled.folder / "notes.txt")
    path.write_text("no picture")

    left = enrolled.run("check", str(path), *EVERYDAY, "--json", passphrase=PASSPHRASE)

    assert left.code == 10
    assert left.document["reasons"] == ["unreadable"]
    assert left.document["images"][0]["error"]["code"] == "image-format-unknown"
    require_documented(left.document)


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_a_path_that_cannot_be_read_is_bad_input(enrolled, kind):
    path = enrolled.folder / kind
    if kind == "folder":
        path.mkdir()

    left = enrolled.run("check", str(path), "--json", passphrase=PASSPHRASE)

    assert (left.code, left.out) == (2, "")
    assert str(path) in left.err


def test_an_informing_check_leaves_no_receipt(enrolled):
    left = enrolled.run(
        "check", enrolled.picture(HER), "--mode", "inform", "--json", passphrase=PASSPHRASE
    )

    assert left.document["receipt"] is None
    assert enrolled.run("receipt", "list", "--json").document["total"] == 0
    require_documented(left.document)


def test_an_edit_of_my_own_picture_is_allowed(enrolled):
    left = enrolled.run(
        "check", enrolled.picture(HER), *EVERYDAY, "--as-me", "--json", passphrase=PASSPHRASE
    )

    assert left.code == 0, left.err


def test_as_me_without_a_passphrase_is_bad_input(enrolled):
    left = enrolled.run("check", enrolled.picture(HER), "--as-me")

    assert left.code == 2
    assert "--passphrase-fd" in left.err


def test_where_two_are_enrolled_as_me_needs_a_name_and_a_passphrase_of_her_own(enrolled):
    own = "quiet heron under glass"
    new = ("--new-passphrase-fd", str(descriptor_with(own)))
    enrolled.run("own-passphrase", "set", "--subject", "me", *new, passphrase=PASSPHRASE)
    enrolled.run("enrol", enrolled.picture(STRANGER), "--subject", "Bob", passphrase=PASSPHRASE)

    asked = ("check", enrolled.picture(HER), *EVERYDAY, "--as-me")

    left = enrolled.run(*asked, passphrase=PASSPHRASE)
    assert (left.code, "--subject" in left.err) == (2, True)
    left = enrolled.run(*asked, "--subject", "Bob", passphrase=PASSPHRASE)
    assert (left.code, "one of your own" in left.err) == (2, True)

    hers = ("--subject", "me", "--own-passphrase-fd", str(descriptor_with(own)))
    assert enrolled.run(*asked, *hers, passphrase=PASSPHRASE).code == 0


class _Stdin:
    """Standard input that is a pipe."""

    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)

    def isatty(self) -> bool:
        return False


def test_a_picture_comes_through_standard_input(enrolled, monkeypatch):
    data = Path(enrolled.picture(HER)).read_bytes()
    monkeypatch.setattr(sys, "stdin", _Stdin(data))

    left = enrolled.run("check", "-", *EVERYDAY, passphrase=PASSPHRASE)

    assert left.code == 11
    assert "standard input: 128 x 64" in left.out


def test_a_prompt_comes_through_standard_input(enrolled, monkeypatch):
    monkeypatch.setattr(sys, "stdin", _Stdin(b"put her in a bikini\n"))

    assert enrolled.run("check", enrolled.picture(STRANGER), "--prompt", "-").code == 10


def test_standard_input_is_not_both(enrolled, monkeypatch):
    monkeypatch.setattr(sys, "stdin", _Stdin(b""))

    assert enrolled.run("check", "-", "--prompt", "-").code == 2
    assert enrolled.run("check", "-", "-").code == 2


def test_a_region_is_taken_in_either_case(terminal):
    assert terminal.run("check", terminal.picture(STRANGER), *EVERYDAY, "--region", "de").code == 0


# -- check-output


@pytest.mark.parametrize(
    ("result", "of", "prompt", "code", "reasons"),
    [
        (STRANGER, [STRANGER], EVERYDAY, 0, []),
        (HER, [STRANGER], EVERYDAY, 11, ["consent_required"]),
        (STRANGER, [STRANGER], REVEALING, 10, ["revealing_real_person"]),
        (HER, [], (), 11, ["consent_required"]),
    ],
    ids=["nobody new", "somebody new", "the request", "nothing known"],
)
def test_what_was_made_is_checked_with_what_it_was_made_from(
    enrolled, result, of, prompt, code, reasons
):
    sources = [part for each in of for part in ("--from", enrolled.picture(each))]

    left = enrolled.run(
        "check-output",
        enrolled.picture(result),
        *sources,
        *prompt,
        "--json",
        passphrase=PASSPHRASE,
    )

    assert (left.code, left.document["reasons"]) == (code, reasons), left.err
    require_documented(left.document)


@pytest.mark.parametrize(
    ("prompt", "sizes"),
    [(EVERYDAY, [(64, 64)]), (REVEALING, [])],
    ids=["of the result", "of the request"],
)
def test_the_pictures_that_are_described_are_those_that_were_made(enrolled, prompt, sizes):
    """Of which there is nothing to say where the request itself is not allowed."""
    result = enrolled.folder / "result.png"
    Image.new("RGB", (64, 64), (9, 9, 9)).save(result)
    source = enrolled.picture(STRANGER)

    left = enrolled.run(
        *("check-output", str(result), "--from", source, *prompt, "--json"), passphrase=PASSPHRASE
    )

    assert [(each["width"], each["height"]) for each in left.document["images"]] == sizes
    require_documented(left.document)


def test_a_source_that_comes_back_as_it_was_is_described_as_a_result(enrolled):
    path = enrolled.picture(STRANGER)

    left = enrolled.run(
        *("check-output", path, "--from", path, *EVERYDAY, "--json"), passphrase=PASSPHRASE
    )

    assert len(left.document["images"]) == 1


def test_the_result_of_an_edit_of_my_own_picture_is_allowed(enrolled):
    path = enrolled.picture(HER)
    asked = ("check-output", path, "--from", path, *EVERYDAY, "--json")

    assert enrolled.run(*asked, passphrase=PASSPHRASE).code == 11
    left = enrolled.run(*asked, "--as-me", passphrase=PASSPHRASE)
    assert left.code == 0, left.err
    assert enrolled.run(*asked, "--as-me").code == 2


def test_the_verdict_on_what_was_made_is_said_in_words(enrolled):
    left = enrolled.run("check-output", enrolled.picture(HER), "--explain", passphrase=PASSPHRASE)

    assert "NEEDS CONSENT" in left.out
    assert "me present" in left.out


def test_a_result_and_its_source_do_not_share_standard_input(enrolled, monkeypatch):
    monkeypatch.setattr(sys, "stdin", _Stdin(b""))

    assert enrolled.run("check-output", "-", "--from", "-").code == 2
    assert (
        enrolled.run("check-output", enrolled.picture(HER), "--from", "-", "--prompt", "-").code
        == 2
    )


# -- faces


def test_faces_are_boxes_landmarks_and_quality_only(terminal):
    left = terminal.run("faces", terminal.picture(HER, STRANGER), "--json")

    require_documented(left.document)
    assert [face["box"] for face in left.document["faces"]] == [[0, 0, 32, 32], [32, 0, 32, 32]]


def test_faces_are_drawn_into_a_png(terminal):
    source, target = terminal.picture(HER), terminal.folder / "drawn.png"

    assert terminal.run("faces", source, "--draw", str(target)).code == 0

    with Image.open(target) as drawn, Image.open(source) as original:
        assert (drawn.format, drawn.size) == ("PNG", original.size)
        assert drawn.convert("RGB").tobytes() != original.tobytes()


def test_drawing_writes_over_a_file_only_when_told(terminal):
    target = terminal.folder / "drawn.png"
    target.write_text("precious")
    source = terminal.picture(HER)

    refused = terminal.run("faces", source, "--draw", str(target))

    assert refused.code == 2
    assert target.read_text() == "precious"
    assert terminal.run("faces", source, "--draw", str(target), "--force").code == 0


def test_a_picture_without_a_face_says_so(terminal):
    assert terminal.run("faces", terminal.picture()).out == "No face was found.\n"


def test_faces_of_a_file_that_is_no_picture_is_bad_input(terminal):
    path = terminal.folder / "notes.txt"
    path.write_text("no picture")

    left = terminal.run("faces", str(path), "--json")

    assert (left.code, left.out) == (2, "")
    assert "[image-format-unknown]" in left.err


# -- people


def test_the_first_enrolment_makes_the_vault(terminal):
    left = terminal.run(
        "enrol", terminal.picture(HER), "--subject", "Ada", "--json", passphrase=PASSPHRASE
    )

    assert left.code == 0, left.err
    assert (left.document["name"], left.document["is_new"]) == ("Ada", True)
    require_documented(left.document)


def test_the_first_enrolment_needs_a_passphrase(terminal):
    left = terminal.run("enrol", terminal.picture(HER))

    assert left.code == 2
    assert "--passphrase-fd N" in left.err
    assert terminal.home.custody.state.value == "absent"


def test_a_weak_passphrase_makes_no_vault(terminal):
    left = terminal.run("enrol", terminal.picture(HER), passphrase="short")

    assert left.code == 2
    assert "[weak-passphrase]" in left.err
    assert terminal.home.custody.state.value == "absent"


def test_a_photo_without_a_face_enrols_nobody(enrolled):
    left = enrolled.run("enrol", enrolled.picture(), "--subject", "Bob", passphrase=PASSPHRASE)

    assert left.code == 2
    assert "[no-face-found]" in left.err


def test_a_policy_is_chosen_by_its_typed_name(terminal):
    terminal.run(
        *("enrol", terminal.picture(HER), "--policy", "intimate-and-impersonating"),
        passphrase=PASSPHRASE,
    )

    (person,) = terminal.run("subjects", "--json").document["subjects"]
    assert person["policy"] == "intimate_and_impersonating"


def test_names_are_shown_only_to_whoever_has_the_passphrase(enrolled):
    locked = enrolled.run("subjects", "--json")
    unlocked = enrolled.run("subjects", "--json", passphrase=PASSPHRASE)

    assert locked.document["subjects"][0]["name"] is None
    assert unlocked.document["subjects"][0]["name"] == "me"
    require_documented(locked.document)
    require_documented(unlocked.document)


def test_an_empty_home_says_how_to_begin(terminal):
    assert "consentry enrol" in terminal.run("subjects").out


def test_revoking_by_name_ends_the_protection(enrolled):
    left = enrolled.run("revoke", "me", "--yes", passphrase=PASSPHRASE)

    assert left.code == 0, left.err
    assert enrolled.run("check", enrolled.picture(HER), *EVERYDAY).code == 0


def test_revoking_by_identifier_needs_no_passphrase(enrolled):
    (person,) = enrolled.run("subjects", "--json").document["subjects"]

    assert enrolled.run("revoke", person["subject"], "--yes").code == 0
    assert enrolled.run("subjects", "--json").document["subjects"] == []


@pytest.mark.parametrize("command", [["revoke", "--all"], ["erase"]], ids=["revoke-all", "erase"])
def test_erasing_everybody_needs_no_passphrase_but_a_yes(enrolled, command):
    unasked = enrolled.run(*command)

    assert unasked.code == 2
    assert len(enrolled.run("subjects", "--json").document["subjects"]) == 1
    assert enrolled.run(*command, "--yes").code == 0
    assert enrolled.run("subjects", "--json").document["subjects"] == []


def test_after_erasing_a_forgotten_passphrase_is_replaced_by_a_new_one(enrolled):
    assert enrolled.run("erase", "--yes").code == 0

    again = enrolled.run("enrol", enrolled.picture(HER), passphrase="another four random words")

    assert again.code == 0, again.err


@pytest.mark.parametrize("command", [["revoke"], ["revoke", "me", "--all"]])
def test_revoke_wants_one_or_all(enrolled, command):
    assert enrolled.run(*command, "--yes").code == 2


def test_revoking_nobody_is_bad_input(enrolled):
    left = enrolled.run("revoke", "nobody", "--yes", passphrase=PASSPHRASE)

    assert left.code == 2
    assert "[not-found]" in left.err


# -- receipts


def test_a_receipt_is_verified_from_what_check_printed(enrolled):
    left = enrolled.run("check", enrolled.picture(HER), *EVERYDAY, "--json", passphrase=PASSPHRASE)
    saved = enrolled.folder / "check.json"
    saved.write_text(left.out)

    verified = enrolled.run("receipt", "verify", str(saved), "--json")

    assert verified.code == 0, verified.err
    assert verified.document["verdict"] == "needs_consent"
    assert verified.document["inputs_verified"] is False
    require_documented(verified.document)


@pytest.mark.parametrize("form", ["argument", "file", "stdin"])
def test_a_bare_receipt_is_verified(enrolled, monkeypatch, form):
    receipt = enrolled.run("check", enrolled.picture(STRANGER), *EVERYDAY, "--json").document[
        "receipt"
    ]
    saved = enrolled.folder / "receipt.txt"
    saved.write_text(receipt + "\n")
    monkeypatch.setattr(sys, "stdin", _Stdin(receipt.encode()))
    given = {"argument": receipt, "file": str(saved), "stdin": "-"}[form]

    left = enrolled.run("receipt", "verify", given)

    assert left.code == 0, left.err
    assert "signed and unchanged" in left.out


def test_a_receipt_proves_what_it_is_about(enrolled):
    picture, other = enrolled.picture(STRANGER), enrolled.picture(HER)
    saved = enrolled.folder / "check.json"
    saved.write_text(
        enrolled.run(
            "check", picture, *EVERYDAY, "--region", "DE", "--json", passphrase=PASSPHRASE
        ).out
    )
    verify = ("receipt", "verify", str(saved), *EVERYDAY, "--json")

    right = enrolled.run(*verify, "--image", picture, "--region", "DE")

    assert right.code == 0, right.err
    assert right.document["inputs_verified"] is True
    assert enrolled.run(*verify, "--image", picture, "--region", "de").code == 0
    assert enrolled.run(*verify, "--image", other, "--region", "DE").code == 2
    assert enrolled.run(*verify, "--image", picture).code == 2


@pytest.mark.parametrize(
    "changed", [{"verdict": "allow"}, {"reasons": []}, {"check_id": "chk_other"}], ids=str
)
def test_an_object_that_says_otherwise_than_its_receipt_is_not_verified(enrolled, changed):
    left = enrolled.run("check", enrolled.picture(HER), *EVERYDAY, "--json", passphrase=PASSPHRASE)
    saved = enrolled.folder / "check.json"
    saved.write_text(json.dumps(left.document | changed))

    verified = enrolled.run("receipt", "verify", str(saved))

    assert verified.code == 2
    assert "[receipt-invalid]" in verified.err
    assert verified.out == ""


def test_a_changed_receipt_is_not_verified(enrolled):
    receipt = enrolled.run("check", enrolled.picture(STRANGER), *EVERYDAY, "--json").document[
        "receipt"
    ]
    head, payload, signature = receipt.split(".")
    flipped = "A" if payload[10] != "A" else "B"

    left = enrolled.run(
        "receipt", "verify", f"{head}.{payload[:10]}{flipped}{payload[11:]}.{signature}"
    )

    assert left.code == 2
    assert "[receipt-invalid]" in left.err


def test_a_receipt_is_verified_with_a_given_key_set_and_no_companion(enrolled):
    receipt = enrolled.run("check", enrolled.picture(STRANGER), *EVERYDAY, "--json").document[
        "receipt"
    ]
    keys = enrolled.folder / "jwks.json"
    keys.write_text(json.dumps(enrolled.services.signer.jwks()))
    nobodys = enrolled.folder / "nobodys.json"
    nobodys.write_text('{"keys": []}')

    assert enrolled.run("receipt", "verify", receipt, "--jwks", str(keys)).code == 0
    assert enrolled.run("receipt", "verify", receipt, "--jwks", str(nobodys)).code == 2


def test_receipts_are_listed(enrolled):
    enrolled.run("check", enrolled.picture(STRANGER), *EVERYDAY)

    left = enrolled.run("receipt", "list", "--json")

    assert left.document["total"] == 1
    require_documented(left.document)
    assert "chk_" in enrolled.run("receipt", "list").out


# -- keys, backups


def test_keys_show_states_and_fingerprints_only(enrolled):
    left = enrolled.run("keys", "show", "--json")

    require_documented(left.document)
    assert left.document["vault"] == "locked"
    assert left.document["receipt_keys"] == [enrolled.services.signer.jwks()["keys"][0]["kid"]]


def test_after_a_rotation_she_is_still_recognised(enrolled):
    assert enrolled.run("keys", "rotate", passphrase=PASSPHRASE).code == 0
    enrolled.home.custody.lock()

    assert enrolled.run("check", enrolled.picture(HER), passphrase=PASSPHRASE).code == 11


def test_a_changed_passphrase_is_the_one_that_opens(enrolled):
    new = "another four random words"
    both = descriptor_with(f"{PASSPHRASE}\n{new}")

    left = enrolled.run("keys", "passphrase", "--passphrase-fd", str(both))

    assert left.code == 0, left.err
    enrolled.home.custody.lock()
    assert enrolled.run("subjects", passphrase=PASSPHRASE).code == 2
    assert enrolled.run("subjects", passphrase=new).code == 0


def test_a_backup_comes_back_after_everything_is_gone(enrolled, tmp_path, capsys):
    file = enrolled.folder / "backup.bin"
    exported = enrolled.run("backup", "export", str(file), passphrase=PASSPHRASE)
    assert exported.code == 0, exported.err
    keys = file.with_name("backup.bin.keys")
    assert [stat.S_IMODE(each.stat().st_mode) for each in (file, keys)] == [0o600, 0o600]

    again = enrolled.run("backup", "export", str(file), passphrase=PASSPHRASE)
    onto_a_vault = enrolled.run("backup", "restore", str(file), passphrase=PASSPHRASE)

    assert (again.code, "--force" in again.err) == (2, True)
    assert (onto_a_vault.code, "[vault-exists]" in onto_a_vault.err) == (2, True)


def test_a_backup_to_move_with_is_one_file(enrolled):
    file = enrolled.folder / "moving.bin"

    moved = enrolled.run("backup", "export", str(file), "--whole", passphrase=PASSPHRASE)

    assert (moved.code, "Destroy it" in moved.err) == (0, True)
    assert not file.with_name("moving.bin.keys").exists()


def test_the_key_file_is_written_anew_by_itself(enrolled):
    file = enrolled.folder / "keys"

    assert enrolled.run("backup", "keys", str(file), passphrase=PASSPHRASE).code == 0
    assert len(file.read_text().splitlines()) == 2


def test_a_restore_needs_the_passphrase_of_the_backup(terminal):
    file = terminal.folder / "backup.bin"
    file.write_bytes(b"no backup")

    left = terminal.run("backup", "restore", str(file), passphrase=PASSPHRASE)

    assert left.code == 2


# -- who else may ask


def test_a_token_is_shown_once_and_can_be_taken_back(terminal):
    issued = terminal.run(
        "token", "issue", "my script", "--scope", "checks:write", "--days", "30", "--json"
    )
    require_documented(issued.document)
    listed = terminal.run("token", "list", "--json")
    require_documented(listed.document)
    assert issued.document["secret"] not in listed.out
    assert "my script" in terminal.run("token", "list").out

    assert terminal.run("token", "revoke", issued.document["token"]).code == 0
    assert terminal.run("token", "list", "--json").document["tokens"] == []


def test_a_token_with_an_unknown_scope_is_a_usage_error(terminal):
    assert terminal.run("token", "issue", "x", "--scope", "everything").code == 2


def test_a_platforms_key_is_shown_once_rotated_and_taken_back(terminal):
    made = terminal.run(
        "platform", "add", "Studio", "--platform", "studio.example", "--per-hour", "5", "--json"
    )
    require_documented(made.document)
    assert made.document["scopes"] == [
        "checks:read",
        "checks:write",
        "consent:request",
        "feed:read",
    ]
    key = made.document["key"]
    rotated = terminal.run("platform", "rotate", key, "--overlap-hours", "1", "--json")
    require_documented(rotated.document)
    listed = terminal.run("platform", "list", "--json")
    require_documented(listed.document)
    assert listed.document["keys"][0]["secrets"] == 2
    for secret in (made.document["secret"], rotated.document["secret"]):
        assert secret not in listed.out
    assert "studio.example" in terminal.run("platform", "list").out

    assert terminal.run("platform", "revoke", key).code == 0
    assert terminal.run("platform", "list").out.strip() == "No platform has a key."


def test_a_platforms_key_with_a_scope_of_the_owners_is_refused(terminal):
    left = terminal.run("platform", "add", "x", "--platform", "x", "--scope", "subjects:read")
    assert left.code == 2


@pytest.mark.parametrize("command", ["pair", "open", "unlock", "lock"])
def test_what_needs_a_companion_says_so(terminal, command):
    left = terminal.run(command)

    assert left.code == 2
    assert "consentry serve" in left.err


def test_a_pairing_code_is_printed(enrolled):
    enrolled.is_server = True

    left = enrolled.run("pair", "--json")

    assert left.code == 0, left.err
    require_documented(left.document)


def test_a_dashboard_link_works_once(enrolled):
    enrolled.is_server = True

    address, _, secret = enrolled.run("open").out.strip().partition("/enter#")

    assert address == ADDRESS
    assert enrolled.services.sessions.enter(secret)


def test_unlock_and_lock_act_on_the_companion(enrolled):
    enrolled.is_server = True

    assert enrolled.run("unlock", passphrase=PASSPHRASE).code == 0
    assert enrolled.home.custody.state.value == "unlocked"
    assert enrolled.run("lock").code == 0
    assert enrolled.home.custody.state.value == "locked"


# -- what is installed


def test_models_that_are_not_built_are_told_and_how_to_build_them(terminal):
    listed, verified = (
        terminal.run("models", "list", "--json"),
        terminal.run("models", "verify", "--json"),
    )

    require_documented(listed.document)
    assert {model["state"] for model in listed.document["models"]} == {"missing"}
    assert verified.code == 1
    assert "consentry models build" in verified.err


def test_a_changed_model_file_is_told(terminal, models_dir, monkeypatch):
    monkeypatch.setenv("CONSENTRY_MODELS_DIR", str(terminal.folder))
    for file in models_dir.iterdir():
        (terminal.folder / file.name).write_bytes(file.read_bytes())
    assert terminal.run("models", "verify").code == 0

    (terminal.folder / "mfn192.onnx").write_bytes(b"another model")

    assert "mfn192: different" in terminal.run("models", "verify").out


def test_the_database_is_described_and_checked(terminal, monkeypatch):
    monkeypatch.setenv("CONSENTRY_HOME", str(terminal.home.path))

    info, checked = terminal.run("db", "info", "--json"), terminal.run("db", "check", "--json")

    require_documented(info.document)
    require_documented(checked.document)
    assert (checked.code, checked.document["sound"]) == (0, True)
    assert terminal.run("db", "migrate").code == 0


def test_a_damaged_database_is_told(terminal, data_folder):
    data_folder.mkdir()
    (data_folder / "consentry.db").write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)

    left = terminal.run("db", "check")

    assert left.code == 1
    assert "[storage-failed]" in left.err


def test_without_a_database_the_answer_is_plain(terminal, data_folder):
    assert terminal.run("db", "info").code == 2
    assert not data_folder.exists()


def test_the_settings_are_documented_json(terminal):
    require_documented(terminal.run("config", "show", "--json").document)


# -- the model


def test_the_model_option_goes_before_the_environment(terminal, monkeypatch):
    monkeypatch.setenv("CONSENTRY_MODEL", "light")

    left = terminal.run("--model", "face-recognition", "config", "show", "--json")

    assert left.code == 0, left.err
    assert left.document["settings"]["model"] == "face-recognition"


def test_an_unknown_model_is_a_usage_error_that_names_the_models(terminal):
    left = terminal.run("--model", "arcface", "faces", terminal.picture(HER))

    assert left.code == 2
    assert "face-recognition" in left.err


def test_a_running_companion_is_not_taken_for_one_with_the_asked_model(enrolled):
    enrolled.is_server = True

    left = enrolled.run("--model", "light", "check", enrolled.picture(STRANGER), *EVERYDAY)

    assert left.code == 2
    assert "model" in left.err
    assert left.out == ""


# -- what is typed


@pytest.mark.parametrize(
    "arguments",
    [("check", "PICTURE", "--prompt", "\udcff"), ("revoke", "\udcff", "--yes")],
    ids=str,
)
def test_an_argument_that_is_no_text_is_bad_input(enrolled, arguments):
    given = [enrolled.picture(STRANGER) if each == "PICTURE" else each for each in arguments]

    left = enrolled.run(*given, passphrase=PASSPHRASE)

    assert left.code == 2
    assert "UTF-8" in left.err
