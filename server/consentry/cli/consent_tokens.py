"""`consent-token`, `session`, `declare`: consent to one request or a studio session, and what comes before."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.invocation import Invocation
from consentry.cli.options import AsJson, PassphraseFd
from consentry.cli.presence import OwnPassphraseFd, Presence, Whose
from consentry.cli.terminal import note, say, say_document, say_table
from consentry.kernel.taxonomy import IntentCategory, Purpose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consentry.cli.consent_answers import DeclarationsAnswer, IssuedConsentAnswer

consent_tokens = typer.Typer(
    help="Consent to one request: these words, these pictures, one use.", no_args_is_help=True
)
sessions = typer.Typer(
    help="Consent to a studio's work on listed pictures: swimwear and underwear only.",
    no_args_is_help=True,
)
declarations = typer.Typer(
    help="What you declare before you can consent to a revealing use.", no_args_is_help=True
)

Pictures = Annotated[
    list[str],
    typer.Argument(metavar="PICTURE...", help="The very files, in the order they will be sent."),
]
Platform = Annotated[
    str, typer.Option(help="Who alone may use it, as it names itself to Consentry.")
]
ForPurpose = Annotated[Purpose, typer.Option(help="What it must be said to be for.")]
Region = Annotated[
    str | None,
    typer.Option(
        help="ISO 3166 code that must be stated; none may be when left out.", show_default=False
    ),
]
TokenArgument = Annotated[str, typer.Argument(metavar="ID", help="As the list shows it.")]


@consent_tokens.command("issue")
def issue_token(  # noqa: PLR0913 -- one argument for each option of the command
    context: typer.Context,
    *,
    pictures: Pictures,
    platform: Platform,
    prompt: Annotated[str, typer.Option(help="The very words of the request.")],
    categories: Annotated[
        list[IntentCategory],
        typer.Option(
            "--category",
            help="What you agree that the words ask for; must be what they are found to ask for.",
        ),
    ],
    turns: Annotated[
        list[str] | None,
        typer.Option("--context", help="Earlier turns, oldest first; repeat.", show_default=False),
    ] = None,
    subject: Whose = None,
    purpose: ForPurpose = Purpose.EDIT,
    region: Region = None,
    lifetime_s: Annotated[int, typer.Option(min=1, max=300, help="Seconds that it holds.")] = 300,
    as_json: AsJson = False,
    passphrase_fd: PassphraseFd = None,
    own_passphrase_fd: OwnPassphraseFd = None,
) -> None:
    """Consent to one request. Nothing else unlocks a revealing one. Needs proof that it is you."""
    from consentry.cli import consent_calls

    invocation = Invocation.of(context)
    digests = _digests(invocation, pictures)
    with invocation.line() as line:
        who = Presence(line, invocation, passphrase_fd, own_passphrase_fd).prove(subject)
        issued = consent_calls.issue_token(
            line,
            consent_calls.TokenWish(
                subject=who,
                platform=platform,
                purpose=purpose,
                region=region,
                categories=categories,
                prompt=prompt,
                context=turns or [],
                digests=digests,
                lifetime_s=lifetime_s,
            ),
        )
    _hand_out(issued, as_json=as_json)


@consent_tokens.command("list")
def list_tokens(
    context: typer.Context, *, as_json: AsJson = False, passphrase_fd: PassphraseFd = None
) -> None:
    """Show every token and session; never what the platform sends."""
    _list(context, as_json=as_json, passphrase_fd=passphrase_fd)


@consent_tokens.command("revoke")
def revoke_token(context: typer.Context, *, token: TokenArgument) -> None:
    """Take a token back. Needs no passphrase."""
    _revoke(context, token)


@sessions.command("open")
def open_session(  # noqa: PLR0913 -- one argument for each option of the command
    context: typer.Context,
    *,
    pictures: Annotated[
        list[str],
        typer.Argument(metavar="PICTURE...", help="Any of them may be sent, and nothing else."),
    ],
    platform: Platform,
    categories: Annotated[
        list[IntentCategory],
        typer.Option("--category", help="swimwear or underwear; repeat for both."),
    ],
    uses: Annotated[int, typer.Option(min=1, max=50, help="How often.")],
    days: Annotated[int, typer.Option(min=1, max=30, help="How long it holds.")],
    subject: Whose = None,
    purpose: ForPurpose = Purpose.EDIT,
    region: Region = None,
    as_json: AsJson = False,
    passphrase_fd: PassphraseFd = None,
    own_passphrase_fd: OwnPassphraseFd = None,
) -> None:
    """Consent to a studio's work on listed pictures. Needs proof that it is you."""
    from consentry.cli import consent_calls

    invocation = Invocation.of(context)
    digests = _digests(invocation, pictures)
    with invocation.line() as line:
        who = Presence(line, invocation, passphrase_fd, own_passphrase_fd).prove(subject)
        issued = consent_calls.open_session(
            line,
            consent_calls.SessionWish(
                subject=who,
                platform=platform,
                purpose=purpose,
                region=region,
                categories=categories,
                digests=digests,
                max_uses=uses,
                lifetime_days=days,
            ),
        )
    _hand_out(issued, as_json=as_json)


@sessions.command("list")
def list_sessions(
    context: typer.Context, *, as_json: AsJson = False, passphrase_fd: PassphraseFd = None
) -> None:
    """Show every token and session; never what the platform sends."""
    _list(context, as_json=as_json, passphrase_fd=passphrase_fd)


@sessions.command("revoke")
def revoke_session(context: typer.Context, *, token: TokenArgument) -> None:
    """End a session at once. Needs no passphrase."""
    _revoke(context, token)


@declarations.command("show")
def show_declarations(
    context: typer.Context, *, as_json: AsJson = False, passphrase_fd: PassphraseFd = None
) -> None:
    """Show who has declared to be 18 or older, and what has been announced."""
    from consentry.cli import consent_calls
    from consentry.cli.people import unlock_if_possible

    invocation = Invocation.of(context)
    with invocation.line() as line:
        unlock_if_possible(line, invocation.passphrase(passphrase_fd))
        answer = consent_calls.declarations(line)
    _show(answer, as_json=as_json)


@declarations.command("adult")
def declare_adult(
    context: typer.Context,
    *,
    subject: Whose = None,
    passphrase_fd: PassphraseFd = None,
    own_passphrase_fd: OwnPassphraseFd = None,
) -> None:
    """Declare that you are 18 or older: nothing revealing is unlocked without. Needs proof that it is you."""
    from consentry.cli import consent_calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        who = Presence(line, invocation, passphrase_fd, own_passphrase_fd).prove(subject)
        consent_calls.declare_adult(line, who)
    say("Declared.")


@declarations.command("intimate")
def announce(
    context: typer.Context,
    *,
    subject: Whose = None,
    as_json: AsJson = False,
    passphrase_fd: PassphraseFd = None,
    own_passphrase_fd: OwnPassphraseFd = None,
) -> None:
    """Announce consent to a revealing use, where a cooling-off time is set. Gives nothing by itself."""
    from consentry.cli import consent_calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        who = Presence(line, invocation, passphrase_fd, own_passphrase_fd).prove(subject)
        answer = consent_calls.announce(line, who)
    _show(answer, as_json=as_json)


@declarations.command("withdraw")
def withdraw(
    context: typer.Context, *, subject: Whose = None, passphrase_fd: PassphraseFd = None
) -> None:
    """Take an announcement back. By identifier it needs no passphrase."""
    from consentry.cli import consent_calls
    from consentry.cli.people import unlock_if_possible

    invocation = Invocation.of(context)
    with invocation.line() as line:
        if subject is not None and not subject.startswith("sub_"):
            unlock_if_possible(line, invocation.passphrase(passphrase_fd))
        who = Presence(line, invocation, passphrase_fd).person(subject)
        consent_calls.withdraw(line, who.subject)
    say("Withdrawn.")


def _digests(invocation: Invocation, paths: Sequence[str]) -> list[str]:
    """Name the files by their digests: the pictures themselves go nowhere."""
    from consentry.cli.pictures import read_pictures

    pictures = read_pictures(paths, max_bytes=invocation.settings.max_image_bytes)
    return [hashlib.sha256(picture.data).hexdigest() for picture in pictures]


def _hand_out(issued: IssuedConsentAnswer, *, as_json: bool) -> None:
    if as_json:
        say_document(issued.document())
        return
    say(issued.jws)
    note(
        f"Hand it to the platform; this is the only time it is shown. It holds until "
        f"{issued.valid_until.astimezone():%Y-%m-%d %H:%M:%S}. "
        f"Take it back with: consentry consent-token revoke {issued.token}"
    )


def _list(context: typer.Context, *, as_json: bool, passphrase_fd: int | None) -> None:
    from consentry.cli import consent_calls

    invocation = Invocation.of(context)
    with invocation.line() as line:
        Presence(line, invocation, passphrase_fd).open()
        answer = consent_calls.tokens(line)
    if as_json:
        say_document(answer.document())
        return
    if not answer.tokens:
        say("There are none.")
        return
    say_table(
        ("identifier", "whose", "kind", "for", "uses left", "until"),
        [
            (
                each.token,
                each.subject,
                each.kind,
                ", ".join(each.categories),
                str(each.uses_left),
                f"{each.valid_until.astimezone():%Y-%m-%d %H:%M}",
            )
            for each in answer.tokens
        ],
    )


def _revoke(context: typer.Context, token: str) -> None:
    from consentry.cli import consent_calls

    with Invocation.of(context).line() as line:
        consent_calls.revoke_token(line, token)
    say("Taken back.")


def _show(answer: DeclarationsAnswer, *, as_json: bool) -> None:
    if as_json:
        say_document(answer.document())
        return
    delay = answer.intimate_delay_s
    say(
        "No cooling-off time is set."
        if delay <= 0
        else f"Consent to a revealing use can be given {delay:g} s after it was announced."
    )
    for each in answer.declarations:
        adult = "has declared to be 18 or older" if each.is_adult else "has not declared to be 18"
        window = (
            ""
            if each.may_consent_from is None or each.may_consent_until is None
            else f"; may consent from {each.may_consent_from.astimezone():%Y-%m-%d %H:%M} "
            f"until {each.may_consent_until.astimezone():%Y-%m-%d %H:%M}"
        )
        say(f"{each.subject} {adult}{window}")
