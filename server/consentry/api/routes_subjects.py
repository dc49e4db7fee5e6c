"""Enrolled people: enrol, list, revoke, erase everybody.

No name and no identifier of a person is part of an address: addresses end up in logs.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from consentry.accounts.principals import Door, Principal, Scope
from consentry.api.authentication import may, owner_only
from consentry.api.bodies import parse_fields, read_form, read_json
from consentry.api.erasures import ErasedEntryOut, entries_of
from consentry.api.once import place_of
from consentry.api.problems import documented
from consentry.api.runtime import runtime_of
from consentry.api.wire import Inbound, Outbound, answer, form_body, json_body
from consentry.api.work import Kind
from consentry.enrolment.enrol import MAX_PHOTOS
from consentry.kernel.errors import (
    Conflict,
    CorruptImage,
    DifferentFaces,
    EmptyImage,
    Forbidden,
    IdempotencyKeyReused,
    ImageTooLarge,
    IndexIncomplete,
    ModelUnavailable,
    NoFaceFound,
    QualityTooLow,
    SeveralFacesFound,
    StorageFull,
    TruncatedImage,
    UnknownImageFormat,
    VaultAbsent,
    VaultLocked,
    WeakPassphrase,
    WrongPassphrase,
)
from consentry.kernel.taxonomy import SubjectPolicy
from consentry.services import Services
from consentry.vault.passphrase import Passphrase

router = APIRouter(tags=["subjects"])

Reader = Annotated[Principal, Depends(may(Scope.SUBJECTS_READ))]
Writer = Annotated[Principal, Depends(may(Scope.SUBJECTS_WRITE))]
Owner = Annotated[Principal, Depends(owner_only(Door.SOCKET, Door.DASHBOARD))]

_FIELDS = frozenset({"name", "policy", "own_passphrase"})
_FILES = frozenset({"photos"})


class EnrolFields(Inbound):
    """The fields of an enrolment."""

    name: str
    policy: SubjectPolicy | None = None
    own_passphrase: str | None = Field(default=None, repr=False)


class SubjectIn(Inbound):
    """Who is meant."""

    subject: str = Field(description="An identifier or, while unlocked, a name.", repr=False)


class PolicyIn(Inbound):
    """What somebody chooses anew to protect."""

    subject: str = Field(description="An identifier or, while unlocked, a name.", repr=False)
    policy: SubjectPolicy


class OwnPassphraseIn(Inbound):
    """A passphrase of one person's own."""

    subject: str = Field(description="An identifier or a name.", repr=False)
    new: str = Field(repr=False)
    old: str | None = Field(default=None, repr=False, description="The one before, if any.")


class ProofIn(Inbound):
    """A proof that one person is there herself."""

    subject: str = Field(description="An identifier or a name.", repr=False)
    passphrase: str = Field(repr=False, description="Her own.")


class EraseIn(Inbound):
    """So that it does not happen by a slip."""

    confirm: Literal["erase everybody"]


class EnrolledOut(Outbound):
    """What an enrolment led to."""

    format: Literal["consentry.enrolled/1"] = "consentry.enrolled/1"
    subject: str
    name: str
    templates_added: int
    templates_total: int
    is_new: bool = Field(description="False when photos were added to somebody already enrolled.")


class SubjectOut(Outbound):
    """An enrolled person, as her owner sees her."""

    subject: str
    name: str | None = Field(description="Null while the vault is locked.")
    policy: SubjectPolicy
    enrolled_at: datetime
    templates: dict[str, int] = Field(description="How many there are of each model.")
    has_own_passphrase: bool = Field(
        description="Whether she is asked for a passphrase of her own, and not for the home's."
    )


class SubjectsOut(Outbound):
    """Everybody enrolled, oldest first."""

    format: Literal["consentry.subjects/1"] = "consentry.subjects/1"
    subjects: list[SubjectOut]


class RevokedOut(Outbound):
    """Whose protection ended: her key is destroyed, and no search finds her."""

    format: Literal["consentry.revoked/1"] = "consentry.revoked/1"
    subject: str
    receipt: str = Field(description="Compact JWS: the erasure receipt. It is kept nowhere.")
    entries: list[ErasedEntryOut]


class ErasedOut(Outbound):
    """How many people were erased."""

    format: Literal["consentry.erased/1"] = "consentry.erased/1"
    subjects: int
    receipt: str = Field(description="Compact JWS: the erasure receipt. It is kept nowhere.")
    entries: list[ErasedEntryOut]


@router.post(
    "/v1/subjects",
    operation_id="enrolSubject",
    status_code=201,
    response_model=EnrolledOut,
    openapi_extra=form_body(
        files={"photos": f"1 to {MAX_PHOTOS} photos of one person."},
        fields={
            "name": {"type": "string"},
            "policy": {"type": "string", "enum": [policy.value for policy in SubjectPolicy]},
            "own_passphrase": {
                "type": "string",
                "description": "A passphrase of her own, if she shares this home: set now or never. "
                "Only the owner may send it.",
            },
        },
        required=["photos", "name"],
    ),
    responses=documented(
        Conflict,
        IdempotencyKeyReused,
        EmptyImage,
        UnknownImageFormat,
        TruncatedImage,
        CorruptImage,
        ImageTooLarge,
        NoFaceFound,
        SeveralFacesFound,
        QualityTooLow,
        DifferentFaces,
        VaultAbsent,
        VaultLocked,
        StorageFull,
        ModelUnavailable,
        IndexIncomplete,
        WeakPassphrase,
        reads_body=True,
    ),
)
async def enrol_subject(request: Request, principal: Writer) -> Response:
    """Enrol a person, or add photos to somebody enrolled under that name.

    Who shares this home can have a passphrase of her own only from the moment she is enrolled on.

    All photos go in, or none. When this is answered, the very next check finds her.
    """
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.PICTURES):
        form = await read_form(request, max_bytes=runtime.max_body_bytes, max_files=MAX_PHOTOS + 1)
        form.require_only(fields=_FIELDS, files=_FILES)
        fields = parse_fields(EnrolFields, form.fields)
        photos = form.files.get("photos", ())
        own = _own_of(fields, principal)

        async def enrol() -> Response:
            enrolled = await runtime.work.run(
                Kind.PICTURES,
                partial(
                    runtime.services.enrol,
                    photos,
                    name=fields.name,
                    policy=fields.policy,
                    own_passphrase=own,
                ),
            )
            return answer(
                EnrolledOut(
                    subject=enrolled.subject,
                    name=enrolled.name,
                    templates_added=len(enrolled.templates),
                    templates_total=enrolled.total_templates,
                    is_new=enrolled.is_new,
                ),
                201,
            )

        parts = [fields.model_dump_json().encode(), *photos]
        return await runtime.once.answer(place_of(request, principal), parts, enrol)


@router.get(
    "/v1/subjects",
    operation_id="listSubjects",
    response_model=SubjectsOut,
    responses=documented(),
)
async def list_subjects(request: Request, _: Reader) -> Response:
    """List everybody enrolled; without names while the vault is locked."""
    runtime = runtime_of(request)
    people = await runtime.work.do(Kind.STORE, runtime.services.people.all)
    return answer(
        SubjectsOut(
            subjects=[
                SubjectOut(
                    subject=person.subject,
                    name=person.name,
                    policy=person.policy,
                    enrolled_at=person.enrolled_at,
                    templates={str(model): count for model, count in person.templates.items()},
                    has_own_passphrase=person.has_own_passphrase,
                )
                for person in people
            ]
        )
    )


@router.post(
    "/v1/subjects/revoke",
    operation_id="revokeSubject",
    response_model=RevokedOut,
    openapi_extra=json_body(SubjectIn),
    responses=documented(reads_body=True),
)
async def revoke_subject(request: Request, _: Writer) -> Response:
    """End a protection: her key, name and templates are destroyed before the answer."""
    runtime = runtime_of(request)
    erasure = await runtime.work.do_with(
        Kind.STORE,
        partial(read_json, request, SubjectIn),
        lambda body: runtime.services.revoke(body.subject),
    )
    (entry,) = entries_of(erasure)
    return answer(RevokedOut(subject=entry.subject, receipt=erasure.jws, entries=[entry]))


@router.post(
    "/v1/subjects/policy",
    operation_id="setPolicy",
    status_code=204,
    response_class=Response,
    openapi_extra=json_body(PolicyIn),
    responses=documented(reads_body=True),
)
async def set_policy(request: Request, _: Writer) -> Response:
    """Protect more, at any time; or less, with her passphrase within the last five minutes."""
    runtime = runtime_of(request)
    await runtime.work.do_with(
        Kind.STORE, partial(read_json, request, PolicyIn), partial(_choose, runtime.services)
    )
    return Response(status_code=204)


@router.post(
    "/v1/subjects/passphrase",
    operation_id="setOwnPassphrase",
    status_code=204,
    response_class=Response,
    openapi_extra=json_body(OwnPassphraseIn),
    responses=documented(
        Conflict, VaultAbsent, VaultLocked, WrongPassphrase, WeakPassphrase, reads_body=True
    ),
)
async def set_own_passphrase(request: Request, _: Owner) -> Response:
    """Give somebody who shares this home a passphrase of her own: only with it is a yes hers.

    The first needs the home's passphrase within the last five minutes, and that she never shared
    this home (else it comes with her enrolment); each later one needs the one before.
    """
    runtime = runtime_of(request)
    await runtime.work.do_with(
        Kind.KEYS, partial(read_json, request, OwnPassphraseIn), partial(_give, runtime.services)
    )
    return Response(status_code=204)


@router.post(
    "/v1/subjects/prove",
    operation_id="proveSubject",
    status_code=204,
    response_class=Response,
    openapi_extra=json_body(ProofIn),
    responses=documented(Conflict, VaultAbsent, VaultLocked, WrongPassphrase, reads_body=True),
)
async def prove_subject(request: Request, _: Owner) -> Response:
    """Prove by her own passphrase that somebody is there herself, for five minutes."""
    runtime = runtime_of(request)
    await runtime.work.do_with(
        Kind.KEYS, partial(read_json, request, ProofIn), partial(_prove, runtime.services)
    )
    return Response(status_code=204)


@router.post(
    "/v1/erase",
    operation_id="eraseEverybody",
    response_model=ErasedOut,
    openapi_extra=json_body(EraseIn),
    responses=documented(reads_body=True),
)
async def erase_everybody(request: Request, _: Owner) -> Response:
    """Destroy every enrolment and the vault. Needs no passphrase: it may be forgotten."""
    runtime = runtime_of(request)
    erasure = await runtime.work.do_with(
        Kind.STORE,
        partial(read_json, request, EraseIn),
        lambda _confirmed: runtime.services.erase_home(),
    )
    entries = entries_of(erasure)
    return answer(ErasedOut(subjects=len(entries), receipt=erasure.jws, entries=entries))


def _own_of(fields: EnrolFields, principal: Principal) -> Passphrase | None:
    if fields.own_passphrase is None:
        return None
    if not principal.is_owner:
        raise Forbidden("A passphrase of her own is typed here, and set by no program of hers.")
    return Passphrase(fields.own_passphrase)


def _give(services: Services, body: OwnPassphraseIn) -> None:
    services.own_passphrases.set(
        services.people.find(body.subject),
        Passphrase(body.new),
        old=None if body.old is None else Passphrase(body.old),
    )


def _prove(services: Services, body: ProofIn) -> None:
    services.own_passphrases.prove(services.people.find(body.subject), Passphrase(body.passphrase))


def _choose(services: Services, body: PolicyIn) -> None:
    services.set_policy(services.people.find(body.subject), body.policy)
