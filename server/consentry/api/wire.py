"""How all bodies look on the wire, and how routes tell OpenAPI about them.

Inputs refuse what they do not know; every answer names its format and version.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from consentry.kernel.errors import BadRequest

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


class Inbound(BaseModel):
    """What is sent to us. Strict: "1" is not 1, and an unknown field is a mistake."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Outbound(BaseModel):
    """What is sent by us."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def answer(
    body: Outbound, status: int = 200, *, leaves_out: frozenset[str] = frozenset()
) -> Response:
    """Return a body as a JSON response, without the members in ``leaves_out``."""
    return Response(
        body.model_dump_json(exclude=set(leaves_out)), status, media_type="application/json"
    )


def to_base64url(data: bytes) -> str:
    """Encode without padding."""
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def from_base64url(text: str, *, field: str) -> bytes:
    """Decode without padding.

    Raises:
        BadRequest: If it is not base64url; names the field, never what was in it.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as cause:
        raise BadRequest(f"{field} is not base64url without padding.") from cause
    return data


def json_body(model: type[BaseModel]) -> dict[str, Json]:
    """Describe a JSON body, for OpenAPI. `consentry.api.app` adds the schema of the model."""
    ref = f"#/components/schemas/{model.__name__}"
    return _body({"application/json": {"schema": {"$ref": ref}}})


def form_body(
    *,
    files: Mapping[str, str],
    fields: Mapping[str, Json],
    required: Sequence[str],
    json_model: type[BaseModel] | None = None,
) -> dict[str, Json]:
    """Describe a multipart form, for OpenAPI.

    Args:
        files: Name to description; one that ends in ``s`` may be given several times.
        fields: Name to schema.
        required: Names.
        json_model: The body that is taken as JSON instead, if any.
    """
    properties: dict[str, Json] = {}
    for name, description in files.items():
        one: Json = {"type": "string", "format": "binary"}
        properties[name] = (
            {"type": "array", "items": one, "description": description}
            if name.endswith("s")
            else {"type": "string", "format": "binary", "description": description}
        )
    properties.update(fields)
    content: dict[str, Json] = {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "additionalProperties": False,
                "properties": properties,
                "required": list(required),
            }
        }
    }
    if json_model is not None:
        content["application/json"] = {
            "schema": {"$ref": f"#/components/schemas/{json_model.__name__}"}
        }
    return _body(content)


def _body(content: Json) -> dict[str, Json]:
    return {"requestBody": {"required": True, "content": content}}
