"""`check`: may these pictures, with this prompt, be used in this way?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from consentry.cli.documents import JsonObject
from consentry.cli.exits import ExitCode
from consentry.cli.invocation import Invocation
from consentry.cli.options import AsJson, Explain, PassphraseFd, StatedPurpose
from consentry.cli.presence import OwnPassphraseFd, Presence, Whose
from consentry.cli.terminal import note, say, say_document, symbol
from consentry.kernel.errors import BadRequest
from consentry.kernel.taxonomy import Mode, PrivateReason, Purpose, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consentry.cli.answers import CheckAnswer, PrivateAnswer
    from consentry.cli.companion import Companion
    from consentry.cli.passphrase import PassphraseSource
    from consentry.cli.pictures import Picture

_EXIT_OF = {
    Verdict.ALLOW: ExitCode.OK,
    Verdict.NEEDS_CONSENT: ExitCode.NEEDS_CONSENT,
    Verdict.REFUSE: ExitCode.REFUSE,
}
_SYMBOLS = {
    Verdict.ALLOW: ("✓", "+"),
    Verdict.NEEDS_CONSENT: ("?", "?"),
    Verdict.REFUSE: ("✗", "x"),
}
_MEND = {
    PrivateReason.DETECTOR_UNAVAILABLE: (
        "Faces could not be looked for: the models are missing. Make them with: consentry models build"
    ),
    PrivateReason.INDEX_INCOMPLETE: (
        "Somebody was enrolled with another model, so she would be missed. Go back to that model, or revoke her "
        "and enrol her with this one."
    ),
}
_WORDS = {
    Verdict.ALLOW: "ALLOW",
    Verdict.NEEDS_CONSENT: "NEEDS CONSENT",
    Verdict.REFUSE: "REFUSE",
}


def check(  # noqa: PLR0913 -- one argument for each option of the command
    context: typer.Context,
    *,
    images: Annotated[
        list[str],
        typer.Argument(metavar="IMAGE...", help="Picture files; - reads one from standard input."),
    ],
    prompt: Annotated[
        str | None,
        typer.Option(help="What is asked for; - reads it from standard input.", show_default=False),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(help="ISO 3166 code of where it is asked, such as DE.", show_default=False),
    ] = None,
    purpose: StatedPurpose = Purpose.EDIT,
    mode: Annotated[
        Mode,
        typer.Option(
            help="act: sign and keep the verdict. inform: only tell, and leave nothing behind."
        ),
    ] = Mode.ACT,
    as_me: Annotated[
        bool,
        typer.Option(
            "--as-me", help="It is I who ask: an edit of my own picture. Needs the passphrase."
        ),
    ] = False,
    subject: Whose = None,
    explain: Explain = False,
    as_json: AsJson = False,
    passphrase_fd: PassphraseFd = None,
    own_passphrase_fd: OwnPassphraseFd = None,
) -> None:
    """Check pictures with a prompt. Exit code: 0 allow, 10 refuse, 11 needs consent, 2 bad input, 1 our fault."""
    from consentry.cli import calls
    from consentry.cli.pictures import read_pictures

    invocation = Invocation.of(context)
    text = read_prompt(prompt, images)
    pictures = read_pictures(images, max_bytes=invocation.settings.max_image_bytes)
    with invocation.line() as line:
        presence = Presence(line, invocation, passphrase_fd, own_passphrase_fd)
        actor = who_asks(presence, subject, as_me=as_me)
        answer = calls.check(
            line,
            pictures,
            calls.CheckQuestion(
                prompt=text,
                region=None if region is None else region.upper(),
                purpose=purpose,
                mode=mode,
                actor=actor,
            ),
        )
    conclude(answer, pictures, with_private=explain, as_json=as_json)


def conclude(
    answer: CheckAnswer, pictures: Sequence[Picture], *, with_private: bool, as_json: bool
) -> NoReturn:
    """Say a verdict, and leave with its exit code.

    Args:
        answer: The verdict.
        pictures: Those that it describes; none to leave them out.
        with_private: Also what is for the enrolled person's eyes only.
        as_json: As a document.
    """
    _say_how_to_mend(answer)
    if as_json:
        say_document(_document(answer, with_private=with_private))
    else:
        _show(answer, pictures, with_private=with_private)
    raise typer.Exit(_EXIT_OF[answer.verdict])


def read_prompt(prompt: str | None, images: list[str]) -> str | None:
    """Return what is asked for.

    Raises:
        BadRequest: If standard input is wanted twice, or is no text.
    """
    if prompt != "-":
        return prompt
    if "-" in images:
        raise BadRequest("Standard input (-) can be a picture or the prompt, not both.")
    try:
        return sys.stdin.buffer.read().decode("utf-8").removesuffix("\n")
    except UnicodeDecodeError as cause:
        raise BadRequest("The prompt on standard input is not UTF-8 text.") from cause


def who_asks(presence: Presence, subject: str | None, *, as_me: bool) -> str | None:
    """Return the subject who asks, proved to be there; None for anybody, for whom the vault is unlocked if possible.

    Args:
        presence: Opens the home, and proves.
        subject: Whose edit it is; None where one person is enrolled.
        as_me: Whether she says that she asks herself.
    """
    if as_me:
        return presence.prove(subject)
    _unlock_if_possible(presence.line, presence.invocation.passphrase(presence.fd))
    return None


def _unlock_if_possible(line: Companion, source: PassphraseSource) -> None:
    """Unlock a locked vault if there is a passphrase to be had; else go on locked, and say so."""
    from consentry.cli import calls
    from consentry.vault.custody import VaultState

    if calls.vault(line).state is not VaultState.LOCKED:
        return
    passphrase = source.given_or_asked()
    if passphrase is None:
        note(
            "The vault is locked and no passphrase was given, so faces cannot be compared with the enrolled ones."
        )
        return
    calls.unlock(line, passphrase)
    if line.is_server:
        note(
            "The running companion is unlocked now. It locks by itself after a while, or with: consentry lock"
        )


def _show(answer: CheckAnswer, pictures: Sequence[Picture], *, with_private: bool) -> None:
    say(f"{symbol(*_SYMBOLS[answer.verdict])} {_WORDS[answer.verdict]}")
    say(f"  {answer.explanation if with_private else _public_explanation(answer)}")
    if answer.reasons:
        say(f"  reasons: {', '.join(answer.reasons)}")
    for picture, seen in zip(pictures, answer.images if pictures else (), strict=True):
        if seen.error is not None:
            say(f"  {picture.shown_as}: {seen.error.message} [{seen.error.code}]")
        else:
            say(
                f"  {picture.shown_as}: {seen.width} x {seen.height}, {_faces_in_words(len(seen.faces))}"
            )
    if with_private and answer.private is not None:
        say(f"  for your eyes only: {_private_in_words(answer.private)}")
    if answer.receipt is not None:
        say(f"  receipt: {answer.check_id} (kept; `consentry receipt list` shows them)")


def _say_how_to_mend(answer: CheckAnswer) -> None:
    """Tell the owner what stood in the way of the check, as far as it is in her hands."""
    for reason in () if answer.private is None else answer.private.reasons:
        if reason in _MEND:
            note(_MEND[reason])


def _document(answer: CheckAnswer, *, with_private: bool) -> JsonObject:
    if with_private:
        return answer.document()
    return {
        **answer.document(without={"private"}),
        "explanation": _public_explanation(answer),
    }


def _public_explanation(answer: CheckAnswer) -> str:
    """Explain from what everybody may know: what the owner is told also speaks of who is enrolled."""
    from consentry.consent.decision import Decision
    from consentry.consent.explanation import Audience, explain

    public = Decision.of_public_part(
        verdict=answer.verdict,
        reasons=tuple(answer.reasons),
        obligations=tuple(answer.obligations),
        checked=answer.checked,
    )
    return explain(public, Audience.PLATFORM)


def _private_in_words(private: PrivateAnswer) -> str:
    present = ", ".join(each.name or each.subject for each in private.subjects) or "nobody enrolled"
    return (
        f"{present} present; the text asks for {private.intent.replace('_', ' ')} "
        f"(language {private.language}); {', '.join(private.reasons) or 'no private reason'}"
    )


def _faces_in_words(count: int) -> str:
    match count:
        case 0:
            return "no face"
        case 1:
            return "1 face"
        case _:
            return f"{count} faces"
