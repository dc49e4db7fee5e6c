"""What the machine sees in a picture: boxes, landmarks, quality. Never an embedding, never who."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from consentry.accounts.principals import Principal, Scope
from consentry.api.authentication import may
from consentry.api.bodies import read_form
from consentry.api.problems import documented
from consentry.api.runtime import runtime_of
from consentry.api.wire import Outbound, answer, form_body
from consentry.api.work import Kind
from consentry.faces.pipeline import Face
from consentry.kernel.errors import (
    BadRequest,
    CorruptImage,
    EmptyImage,
    ImageTooLarge,
    ModelUnavailable,
    TruncatedImage,
    UnknownImageFormat,
)

router = APIRouter(tags=["faces"])

Viewer = Annotated[Principal, Depends(may(Scope.FACES_READ))]

_FILES = frozenset({"image"})


class QualityOut(Outbound):
    """How well a face can be compared."""

    score: float = Field(description="0 to 1.")
    issues: list[str] = Field(description="What is wrong; docs/reasons.md, quality.")


class FaceOut(Outbound):
    """One face."""

    box: tuple[float, float, float, float] = Field(description="x, y, width, height in pixels.")
    score: float = Field(description="How sure it is that this is a face, 0 to 1.")
    landmarks: list[tuple[float, float]] = Field(
        description="Left eye, right eye, nose, left and right corner of the mouth, as seen."
    )
    quality: QualityOut


class FacesOut(Outbound):
    """All faces of a picture, largest first."""

    format: Literal["consentry.faces/1"] = "consentry.faces/1"
    width: int
    height: int
    model: str
    faces: list[FaceOut]


@router.post(
    "/v1/faces",
    operation_id="findFaces",
    response_model=FacesOut,
    openapi_extra=form_body(files={"image": "One picture."}, fields={}, required=["image"]),
    responses=documented(
        EmptyImage,
        UnknownImageFormat,
        TruncatedImage,
        CorruptImage,
        ImageTooLarge,
        ModelUnavailable,
        reads_body=True,
    ),
)
async def find_faces(request: Request, _: Viewer) -> Response:
    """Find and rate the faces of a picture. Nothing is kept and nobody is searched for."""
    runtime = runtime_of(request)
    async with runtime.work.place(Kind.PICTURES):
        form = await read_form(request, max_bytes=runtime.max_body_bytes, max_files=1)
        form.require_only(fields=frozenset(), files=_FILES)
        if "image" not in form.files:
            raise BadRequest("The form has no file named `image`.")
        look = await runtime.work.run(
            Kind.PICTURES, partial(runtime.services.look, form.files["image"][0])
        )
    return answer(
        FacesOut(
            width=look.width,
            height=look.height,
            model=runtime.services.look.faces.model_id,
            faces=[_face(face) for face in look.faces],
        )
    )


def _face(face: Face) -> FaceOut:
    return FaceOut(
        box=(face.box.x, face.box.y, face.box.w, face.box.h),
        score=face.score,
        landmarks=[(float(x), float(y)) for x, y in face.landmarks],
        quality=QualityOut(
            score=face.quality.score, issues=[issue.value for issue in face.quality.issues]
        ),
    )
