"""The OpenAPI document of all routes (docs/openapi.json)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import TypedDict, cast

from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from consentry.accounts.sessions import SESSION_COOKIE
from consentry.api import (
    outputs,
    questions,
    routes_backup,
    routes_checks,
    routes_consent_requests,
    routes_consent_tokens,
    routes_contests,
    routes_grants,
    routes_keys,
    routes_my_checks,
    routes_names,
    routes_pairing,
    routes_receipts,
    routes_rights,
    routes_subjects,
    routes_tokens,
    routes_vault,
    routes_words,
)
from consentry.api.app import DESCRIPTION, TITLE, bare_app
from consentry.api.problems import MEDIA_TYPE, Problem
from consentry.api.wire import Json
from consentry.kernel.errors import Unauthenticated

# The bodies that routes read themselves, after the caller was let in.
BODIES: tuple[type[BaseModel], ...] = (
    Problem,
    routes_backup.BackupIn,
    routes_vault.PassphraseIn,
    routes_vault.NewPassphraseIn,
    routes_subjects.SubjectIn,
    routes_subjects.PolicyIn,
    routes_subjects.OwnPassphraseIn,
    routes_subjects.ProofIn,
    routes_subjects.EraseIn,
    questions.CheckIn,
    questions.TurnIn,
    routes_checks.BatchIn,
    outputs.OutputsIn,
    outputs.SaltsIn,
    routes_grants.GrantIn,
    routes_consent_tokens.ConsentTokenIn,
    routes_consent_tokens.ConsentSessionIn,
    routes_consent_tokens.DeclarationIn,
    routes_consent_requests.ApprovalIn,
    routes_consent_requests.UnblockIn,
    routes_names.AliasIn,
    routes_names.AliasProofIn,
    routes_contests.ContestIn,
    routes_receipts.ReceiptIn,
    routes_rights.RetentionIn,
    routes_rights.HoldIn,
    routes_rights.CopyIn,
    routes_my_checks.MyChecksIn,
    routes_my_checks.MyDigestsIn,
    routes_words.WordsIn,
    routes_tokens.TokenIn,
    routes_keys.KeyIn,
    routes_keys.RotationIn,
    routes_pairing.HelloIn,
    routes_pairing.ConfirmIn,
    routes_pairing.ChallengeIn,
)

_SCHEMAS = "#/components/schemas/{model}"
_FOREIGN = ("HTTPValidationError", "ValidationError")


class _Operation(TypedDict, total=False):
    responses: dict[str, dict[str, Json]]
    security: list[dict[str, list[str]]]


class _Components(TypedDict, total=False):
    schemas: dict[str, Json]
    responses: dict[str, Json]
    securitySchemes: dict[str, Json]


class OpenApi(TypedDict, total=False):
    """As far as it is worked on here."""

    paths: dict[str, dict[str, _Operation]]
    components: _Components
    security: list[dict[str, list[str]]]


def openapi_document(version: str) -> OpenApi:
    """Return the document. Needs no services: it is about the routes alone."""
    app = bare_app(version, middleware=[])
    document = cast(
        OpenApi,
        get_openapi(title=TITLE, version=version, description=DESCRIPTION, routes=app.routes),
    )
    components = document["components"]
    _, bodies = models_json_schema([(body, "validation") for body in BODIES], ref_template=_SCHEMAS)
    schemas = {**components["schemas"], **bodies["$defs"]}
    components["schemas"] = {name: schemas[name] for name in schemas if name not in _FOREIGN}
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE},
    }
    document["security"] = [{"token": []}, {"session": []}]
    for operation in _operations(document):
        if str(Unauthenticated.status) not in operation["responses"]:
            operation["security"] = []
        for status, response in list(operation["responses"].items()):
            # What FastAPI adds by itself; here such a request is a 400.
            if "HTTPValidationError" in json.dumps(response):
                del operation["responses"][status]
    _share_problems(document)
    return document


def _share_problems(document: OpenApi) -> None:
    """Write the commonest problem of each status once, and refer to it."""
    counts: Counter[tuple[str, str]] = Counter()
    for operation in _operations(document):
        for status, response in operation["responses"].items():
            if MEDIA_TYPE in json.dumps(response):
                counts[status, json.dumps(response, sort_keys=True)] += 1
    shared: dict[str, str] = {}
    for (status, text), _ in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        shared.setdefault(status, text)
    document["components"]["responses"] = {
        f"Problem{status}": json.loads(text) for status, text in sorted(shared.items())
    }
    for operation in _operations(document):
        for status, response in operation["responses"].items():
            if shared.get(status) == json.dumps(response, sort_keys=True):
                operation["responses"][status] = {"$ref": f"#/components/responses/Problem{status}"}


def _operations(document: OpenApi) -> Iterator[_Operation]:
    for path in document["paths"].values():
        yield from path.values()
