"""Enrolling, ending a protection, deleting everything, and pairing the browser extension."""

from __future__ import annotations

import base64
import json

from fastapi import Response

from consentry.dashboard.presence import elsewhere
from consentry.dashboard.visit import Route, Visit, data, go
from consentry.dashboard.words import CAMERA_WORDS, ERASE_PHRASE, NOTICES, POLICIES
from consentry.enrolment.enrol import MAX_NAME_CHARS, MAX_PHOTOS
from consentry.faces.quality import PLAIN_WORDS
from consentry.kernel.errors import BadRequest, NotFound
from consentry.kernel.taxonomy import SubjectPolicy
from consentry.rights.inventory import about_her
from consentry.transparency.erasure import SignedErasure
from consentry.transparency.jwks import encode_base64url
from consentry.vault.passphrase import MIN_CHARACTERS, Passphrase


def show_enrol(visit: Visit) -> Response:
    """Say what is kept, and take photos."""
    if (way := elsewhere(visit)) is not None:
        return way
    return visit.page(
        "enrol.html",
        kept=about_her(visit.services.periods),
        holds=visit.services.holds.active(),
        policies=POLICIES,
        chosen=visit.form.text("policy") or SubjectPolicy.EVERY_EDIT,
        name=visit.form.text("name"),
        max_photos=MAX_PHOTOS,
        max_name_chars=MAX_NAME_CHARS,
        people=visit.services.people.all(),
        min_characters=MIN_CHARACTERS,
        notice=NOTICES.get(visit.query.get("done", "")),
    )


def enrol(visit: Visit) -> Response:
    """Enrol one person from the photos that were sent; they are forgotten when this returns."""
    try:
        policy = SubjectPolicy(visit.form.text("policy"))
    except ValueError as cause:
        raise BadRequest("Choose what you want to protect.") from cause
    own = visit.form.text("own_passphrase")
    if own != visit.form.text("repeated"):
        raise BadRequest("The two passphrases are not the same. Type both again.")
    visit.services.enrol(
        visit.form.files("photos"),
        name=visit.form.text("name"),
        policy=policy,
        own_passphrase=Passphrase(own) if own else None,
    )
    return go("/?done=enrolled")


def look(visit: Visit) -> Response:
    """Rate one frame of the camera. Says how well it would do, never whose face it is."""
    frames = visit.form.files("frame")
    if len(frames) != 1:
        raise BadRequest("Send one frame at a time.")
    faces = visit.services.look(frames[0]).faces
    hints: list[str] = []
    if not faces:
        hints = [CAMERA_WORDS["none"]]
    elif len(faces) > 1:
        hints = [CAMERA_WORDS["several"]]
    else:
        hints = [PLAIN_WORDS[issue] for issue in faces[0].quality.issues]
    return data(
        {"faces": len(faces), "is_good": not hints, "hints": hints or [CAMERA_WORDS["good"]]}
    )


def confirm_revoke(visit: Visit) -> Response:
    """Say what ending a protection means, and ask once more."""
    subject = visit.form.text("subject")
    person = next((each for each in visit.services.people.all() if each.subject == subject), None)
    if person is None:
        raise NotFound("That protection has ended already.")
    return visit.page("revoke.html", person=person)


def revoke(visit: Visit) -> Response:
    """End one protection."""
    erasure = visit.services.revoke(visit.form.text("subject"))
    return visit.page("ended.html", is_everything=False, receipt=_download(erasure))


def show_erase(visit: Visit) -> Response:
    """Say what deleting everything means, and ask for a phrase."""
    return visit.page("erase.html", phrase=ERASE_PHRASE, people=visit.services.people.all())


def erase(visit: Visit) -> Response:
    """Destroy everybody's keys, names and templates."""
    if visit.form.text("phrase").strip().casefold() != ERASE_PHRASE:
        raise BadRequest(f"Nothing was deleted. To delete, type the words: {ERASE_PHRASE}")
    erasure = visit.services.erase_home()
    return visit.page("ended.html", is_everything=True, receipt=_download(erasure))


def _download(erasure: SignedErasure) -> str:
    """Return the receipt as a link: it is kept nowhere, so she saves it now or never."""
    document = {
        "receipt": erasure.jws,
        "entries": [
            {
                "subject": each.subject,
                "entry": encode_base64url(each.entry),
                "salt": encode_base64url(each.salt),
            }
            for each in erasure.entries
        ],
    }
    encoded = base64.b64encode(json.dumps(document, indent=2).encode()).decode("ascii")
    return f"data:application/json;base64,{encoded}"


ROUTES = (
    Route(method="GET", path="/enrol", answer=show_enrol),
    Route(method="POST", path="/enrol", answer=enrol, again=show_enrol),
    Route(method="POST", path="/look", answer=look),
    # The subject travels in the form, not in the address: addresses are kept in histories and logs.
    Route(method="POST", path="/revoke", answer=confirm_revoke),
    Route(method="POST", path="/revoke/confirmed", answer=revoke),
    Route(method="GET", path="/erase", answer=show_erase),
    Route(method="POST", path="/erase", answer=erase, again=show_erase),
)
