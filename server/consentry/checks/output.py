"""Looks at what a generator has made, before anybody gets it (docs/adr/0023-output-rule.md).

    results --decode--> exposure --risen?--> compared with the inputs' ; is somebody in it?
                          |
                          +--faces--> search, with the inputs' faces --> who was not there before?
                                                                           |
                                             decide_output --> sign --> keep the receipt --> verdict

How much work it does depends on the pictures alone, never on who is enrolled: so neither the answer
to an ordinary result nor its timing tells whether anybody in it is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from consentry.checks.check import CheckRequest, CheckResult
from consentry.checks.comparing import Comparison
from consentry.checks.consents import Consents, Read
from consentry.checks.grounds import LetThrough
from consentry.checks.keeping import KeepVerdict
from consentry.checks.pictures import ImageReport, Picture
from consentry.checks.ports import (
    ExposureReader,
    FaceReader,
    Gallery,
    PersonReader,
    ProbeMeter,
    ReceiptStore,
)
from consentry.checks.repeats import Retry
from consentry.checks.search import SearchFaces
from consentry.checks.sightings import SealSighting, Seen, Stage, seen_in
from consentry.consent.authority import Authority
from consentry.consent.decide import POLICY_VERSION
from consentry.consent.decision import Decision
from consentry.consent.findings import Findings
from consentry.consent.output import Ground, MadePicture, decide_output
from consentry.consent.request import Request
from consentry.consent.yes import Yes
from consentry.imagery.exposure import EXPOSURE_ENGINE
from consentry.imagery.limits import Limits
from consentry.intent.engine import ENGINE_VERSION
from consentry.kernel.biometrics import Embedding
from consentry.kernel.clock import Clock
from consentry.kernel.errors import (
    BadRequest,
    CheckUnusable,
    NotFound,
    OperatorError,
    VaultAbsent,
    VaultLocked,
)
from consentry.kernel.ids import CheckId, Random, SubjectId, new_check_id
from consentry.kernel.taxonomy import (
    Assessment,
    IntentCategory,
    Mode,
    PrivateReason,
    Purpose,
    Verdict,
)
from consentry.transparency.receipts import (
    ReceiptInputs,
    ReceiptSigner,
    ReceiptStatement,
    SignedReceipt,
)

MAX_RESULTS = 64
NO_GROUND_ANY_MORE = (
    "That check is no ground (any more): it is more than an hour old, its results have been judged, "
    "or what it was allowed on has changed. Leave it out, and the request is judged anew."
)
OF_RESULTS = "exposure"
"""The engine that takes part in checks of results alone, as their receipts name it."""
_NOTHING_SAID = Assessment(
    category=IntentCategory.NONE,
    spans=(),
    language="und",
    is_readable=True,
    has_text=False,
    has_age_cue=False,
    refers_to_person=False,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """A check on which the generator was let to work: an `ACT` that was answered with `ALLOW`.

    Attributes:
        request, result: The check.
        let_through: Who was there when it was allowed, if that was kept; None when the check was
            made just now, and whoever is found in its inputs again was found then.
    """

    request: CheckRequest
    result: CheckResult
    let_through: LetThrough | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputRequest:
    """What a generator has made, and from what.

    Attributes:
        results: Encoded files, 1 to `MAX_RESULTS`.
        bases: The checks of the request. None when nothing is known of it: then nobody has agreed
            to anything, and every exposure is a rise.
        platform: Who asks, as far as it is known.
        purpose, region, declares_minor: As in `CheckRequest`; count where there are no bases.
        caller: Who calls, as this server knows it; may read the receipt again.
        idempotency_key: A retry under the same key uses nothing up again.
        meter: Charged with the faces in the results, before any search.
        takes: The place of what a check was allowed on: it is ground for one output check. None
            when that is counted elsewhere.
    """

    results: tuple[bytes, ...] = field(repr=False)
    bases: tuple[Basis, ...]
    platform: str | None
    purpose: Purpose = Purpose.EDIT
    region: str | None = None
    declares_minor: bool = False
    caller: str = "local"
    idempotency_key: str | None = field(default=None, repr=False)
    meter: ProbeMeter | None = None
    takes: bytes | None = field(default=None, repr=False)

    @property
    def inputs(self) -> tuple[bytes, ...]:
        """Every picture that went in, once."""
        return tuple(dict.fromkeys(image for each in self.bases for image in each.request.images))


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputResult:
    """The answer: deliver on `ALLOW`, withhold on anything else.

    Attributes:
        check: Identifier of this check.
        decision: Verdict with public reasons; its private part is for the subject only.
        receipt: The signed verdict.
        assessment: What the words of the request asked for, at its strictest.
        images: One report for each result, in order; none when it is a repeated answer.
        is_repeated: As in `CheckResult`.
    """

    check: CheckId
    decision: Decision
    receipt: SignedReceipt
    assessment: Assessment
    images: tuple[ImageReport, ...] = ()
    is_repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutput:
    """Check results before they are delivered. Stateless; safe to share between threads."""

    faces: FaceReader
    persons: PersonReader
    exposure: ExposureReader
    gallery: Gallery
    consents: Consents
    signer: ReceiptSigner
    receipts: ReceiptStore
    sightings: SealSighting
    limits: Limits
    clock: Clock
    random: Random = os.urandom

    def __call__(self, request: OutputRequest) -> OutputResult:
        """Decide, sign the decision, and keep the receipt.

        Every result, every frame and every face is looked at. Whatever fails, withholds.

        Raises:
            BadRequest: If there is nothing to check, or more than the limit.
            TooManyRequests: If the caller's budget does not cover the faces: no verdict either.
            IdempotencyKeyReused: If the key was used for something else.
            CheckUnusable: If the check that it is judged beside is no ground any more.
            StorageFull, StorageFailed: If the receipt could not be kept: then there is no verdict.
        """
        if not 0 < len(request.results) <= MAX_RESULTS:
            raise BadRequest(f"An output check takes 1 to {MAX_RESULTS} results.")
        if any(each.result.decision.verdict is not Verdict.ALLOW for each in request.bases):
            raise ValueError("nothing may have been made on a request that was not allowed")
        repeated = self.repeated(request)
        if repeated is not None:
            return repeated
        made = [Picture.read(each, self.limits) for each in request.results]
        for picture in made:
            picture.detect(self.faces, thorough=True)
        if request.meter is not None:
            request.meter.spend(max(1, sum(picture.face_count() for picture in made)))
        return self._decided(made, request)

    def _decided(self, made: Sequence[Picture], request: OutputRequest) -> OutputResult:
        compared = Comparison(made, self.exposure, self.faces.operating_curve)
        candidates = [picture for picture in made if compared.may_have_risen(picture)]
        for picture in candidates:
            picture.look_for_person(self.persons, thorough=True)
        has_faces = any(picture.face_count() for picture in made)
        if candidates or has_faces:
            compared.inputs = [Picture.read(each, self.limits) for each in request.inputs]
        # Only a result with a face can show somebody new.
        looked_at = compared.inputs if has_faces else ()
        for picture in looked_at:
            picture.detect(self.faces, thorough=True)
        intent, asked = _asked(request)
        unlocked = _unlocked(request)
        search = SearchFaces(self.faces, self.gallery)
        found = search(
            [*made, *looked_at],
            lambda probes: self._confirmed(unlocked, probes),
            mirrored=True,
        )
        shown = found.images[: len(made)]
        settled = _settled(request)
        if all(each.let_through is None for each in request.bases):
            settled |= {
                match.subject
                for image in found.images[len(made) :]
                for face in image.faces
                for match in face.matches
            }
        pictures = [
            MadePicture(
                image=replace(image, faces=compared.newcomers(picture, image.faces)),
                exposure=compared.exposure(picture),
            )
            for picture, image in zip(made, shown, strict=True)
        ]
        yes, is_read = self._yes(pictures)
        findings = Findings(images=shown, search=found.search, consents_read=is_read)
        ground = Ground(settled=frozenset(settled), unlocked=unlocked)
        seen = Seen(
            stage=Stage.RESULT, category=intent.category, subjects=seen_in(findings.images, ())
        )
        while True:
            decision = decide_output(pictures, findings, ground, (intent, asked), yes)
            check = new_check_id(self.random)
            receipt = self._keep(check, decision, seen, request)
            if receipt is not None:
                return OutputResult(
                    check=check,
                    decision=decision,
                    receipt=receipt,
                    assessment=intent,
                    images=tuple(picture.report() for picture in made),
                )
            repeated = self.repeated(request)
            if repeated is not None:
                return repeated
            if (
                request.takes is not None
                and self.receipts.answer(request.takes, now=self.clock.now()) is None
            ):
                raise CheckUnusable(NO_GROUND_ANY_MORE)
            # A use was taken meanwhile: without it there is less to rely on, so there is an end.
            yes = yes.without(decision.relies_on)

    def _confirmed(
        self, unlocked: SubjectId | None, probes: Sequence[Embedding]
    ) -> Mapping[SubjectId, Sequence[bool]]:
        return {} if unlocked is None else {unlocked: self.consents.confirms(unlocked, probes)}

    def _yes(self, made: Sequence[MadePicture]) -> tuple[Yes, bool]:
        """Read what has been agreed to, and whether all of it could be read."""
        now = self.clock.now()
        present = {
            match.subject for each in made for face in each.image.faces for match in face.matches
        }
        nothing = Yes({}, Authority(), now)
        try:
            contested = self.consents.contests.contested()
            authority = self.consents.authority(Read(contested=contested), present)
        except (OperatorError, VaultAbsent, VaultLocked, NotFound):
            return nothing, False
        return replace(nothing, authority=authority), True

    def _keep(
        self, check: CheckId, decision: Decision, seen: Seen, request: OutputRequest
    ) -> SignedReceipt | None:
        retry = _retry_of(request)
        keep = KeepVerdict(self.signer, self.receipts, self.clock, self.sightings)
        return keep(
            ReceiptStatement(
                check=check,
                mode=Mode.ACT,
                verdict=decision.verdict,
                reasons=decision.reasons,
                obligations=decision.obligations,
                policy_version=POLICY_VERSION,
                engines={
                    "faces": self.faces.model_id,
                    "intent": ENGINE_VERSION,
                    OF_RESULTS: EXPOSURE_ENGINE,
                },
            ),
            _inputs_of(request),
            seen=seen,
            caller=request.caller,
            relies_on=decision.relies_on,
            seals=() if retry is None else (retry.seal(check, decision, None),),
            takes=request.takes,
        )

    def repeated(self, request: OutputRequest) -> OutputResult | None:
        """Return the answer that was given to this very request under its key, or None.

        Raises:
            IdempotencyKeyReused: If the key was used for something else.
        """
        retry = _retry_of(request)
        found = None if retry is None else retry.answered(self.receipts, self.clock.now())
        if found is None:
            return None
        return OutputResult(
            check=found.check,
            decision=found.decision,
            receipt=found.receipt,
            assessment=_asked(request)[0],
            is_repeated=True,
        )


def _inputs_of(request: OutputRequest) -> ReceiptInputs:
    _, asked = _asked(request)
    first = request.bases[0].request if request.bases else None
    return ReceiptInputs(
        images=(*request.results, *request.inputs),
        prompt=None if first is None else first.prompt,
        context=() if first is None else first.context,
        purpose=asked.purpose,
        region=asked.region,
        platform=asked.platform,
    )


def _retry_of(request: OutputRequest) -> Retry | None:
    if request.idempotency_key is None:
        return None
    _, asked = _asked(request)
    return Retry.of(
        request.caller,
        request.idempotency_key,
        _inputs_of(request),
        # Where the results end and the inputs begin.
        str(len(request.results)),
        asked.declares_minor,
        asked.actor,
        *(each.result.check for each in request.bases),
    )


def _asked(request: OutputRequest) -> tuple[Assessment, Request]:
    """Return what was asked for, at its strictest."""
    bases = sorted(
        request.bases,
        key=lambda each: (
            not each.result.assessment.category.is_revealing,
            not each.result.assessment.has_age_cue,
        ),
    )
    if not bases:
        return _NOTHING_SAID, Request(
            mode=Mode.ACT,
            purpose=request.purpose,
            region=request.region,
            platform=request.platform,
            actor=None,
            declares_minor=request.declares_minor,
        )
    asked = bases[0].request
    return bases[0].result.assessment, Request(
        mode=Mode.ACT,
        purpose=asked.purpose,
        region=asked.region,
        platform=asked.platform,
        actor=asked.actor,
        declares_minor=any(each.request.declares_minor for each in bases),
    )


def _settled(request: OutputRequest) -> set[SubjectId]:
    """Return who was there, by face or by name, when the request was allowed."""
    return {
        subject
        for each in request.bases
        for subject in (
            each.result.decision.subjects if each.let_through is None else each.let_through.subjects
        )
    }


def _unlocked(request: OutputRequest) -> SubjectId | None:
    """Return the one subject whose token allowed a revealing request, if all of it was hers."""
    if not request.bases or not all(_is_by_token(each) for each in request.bases):
        return None
    subjects = _settled(request)
    return subjects.pop() if len(subjects) == 1 else None


def _is_by_token(basis: Basis) -> bool:
    if basis.let_through is not None:
        return basis.let_through.is_by_token
    return PrivateReason.TOKEN_USED in basis.result.decision.private_reasons
