"""The one decision path. Every door goes through `CheckImages`: REST, dashboard, command line.

    bytes --decode--> views --detect--> faces --settle (laws 1, 2)--> revealing? answer now, before any search
                                          |
                                          +--embed--> search --decide--> sign --> keep the receipt --> verdict

`act` stands at a door that can stop something: whatever fails, refuses, and every verdict is signed and kept.
`inform` only tells the person: it leaves no receipt, no row and no digest behind.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Protocol

from consentry.checks.afterwards import LookAfterwards
from consentry.checks.consents import Consents, Read
from consentry.checks.grounds import LetThrough, seal_ground
from consentry.checks.keeping import KeepVerdict, Seal
from consentry.checks.pictures import ImageReport, Picture
from consentry.checks.ports import (
    FaceReader,
    Gallery,
    PersonReader,
    ProbeMeter,
    ReceiptStore,
    TextReader,
)
from consentry.checks.repeats import Retry
from consentry.checks.search import SearchFaces
from consentry.checks.sightings import SealSighting, Seen, Stage, seen_in
from consentry.consent.authority import Authority
from consentry.consent.decide import (
    POLICY_VERSION,
    decide,
    depends_on_persons,
    settle_before_search,
)
from consentry.consent.decision import Decision
from consentry.consent.findings import (
    Findings,
    SearchState,
)
from consentry.consent.request import Request
from consentry.imagery.limits import Limits
from consentry.intent.engine import ENGINE_VERSION
from consentry.kernel.biometrics import Pixels
from consentry.kernel.clock import Clock
from consentry.kernel.errors import (
    BadRequest,
    NotFound,
    OperatorError,
    VaultAbsent,
    VaultLocked,
)
from consentry.kernel.ids import (
    CheckId,
    ConsentRequestId,
    ConsentTokenId,
    GrantId,
    ModelId,
    Random,
    SubjectId,
    new_check_id,
)
from consentry.kernel.taxonomy import (
    Assessment,
    IntentCategory,
    Mode,
    PrivateReason,
    Purpose,
    SubjectPolicy,
    Verdict,
)
from consentry.transparency.receipts import (
    ReceiptInputs,
    ReceiptSigner,
    ReceiptStatement,
    SignedReceipt,
)

MAX_IMAGES = 16
MAX_PROMPT_CHARS = 32_000
MAX_CONTEXT_TURNS = 50
_Views = tuple[Pixels, ...]
"""What a picture shows: its frames, and their renderings where there is transparency."""

_MAX_READ_VIEWS = 4  # of one picture: text that an animation shows later is not read


class IntentReader(Protocol):
    """What a check asks of an intent engine (`consentry.intent.engine.IntentEngine`)."""

    def assess(self, prompt: str | None, context: tuple[str, ...] = ()) -> Assessment:
        """Say what a prompt asks for, given the turns before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """What somebody wants to do with pictures.

    Attributes:
        images: Encoded files: inputs, masks and reference pictures alike.
        prompt: What is asked for; None when nothing is written.
        context: Earlier turns of the conversation, oldest first.
        mode: `ACT` at a door that can stop something, `INFORM` to tell the person only.
        purpose: What the caller says it is for; can only tighten.
        region: ISO 3166 code, or None when unknown; can only tighten.
        platform: Who asks, as far as it is known.
        actor: The verified subject who asks (`consentry.enrolment.people.VerifyActor`), else None.
        declares_minor: The platform says that a person in it is under age.
        token: A consent token that is shown (`consentry.grants`); only in `ACT` mode.
        asker: The end user behind the platform, as it refers to him; kept for the subject's eyes
            alone, and only with a question to her.
        caller: Who calls, as this server knows it: scopes idempotency keys and questions.
        idempotency_key: A retry under the same key uses nothing up again; only in `ACT` mode.
        meter: Charged with the faces that were found, before any search; None for a caller without
            a budget.
    """

    images: tuple[bytes, ...]
    prompt: str | None
    context: tuple[str, ...] = ()
    mode: Mode
    purpose: Purpose
    region: str | None
    platform: str | None
    actor: SubjectId | None
    declares_minor: bool
    token: str | None = field(default=None, repr=False)
    asker: str | None = field(default=None, repr=False)
    caller: str = "local"
    idempotency_key: str | None = field(default=None, repr=False)
    meter: ProbeMeter | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The answer.

    Attributes:
        check: Identifier of this check.
        decision: Verdict with public reasons; its private part is for the subject only.
        assessment: What the prompt was taken to ask for.
        images: One report for each picture, in order.
        receipt: The signed verdict; None in `INFORM` mode.
        request: By which the caller may poll the subject's answer to a question; None when nobody
            may be asked.
        is_repeated: This is the answer to an earlier request under the same key; the decision is
            then the public part of the one that was made.
        policy_version, model, intent_engine: What decided.
    """

    check: CheckId
    decision: Decision
    assessment: Assessment
    images: tuple[ImageReport, ...]
    receipt: SignedReceipt | None
    request: ConsentRequestId | None = None
    is_repeated: bool = False
    policy_version: str
    model: ModelId
    intent_engine: str


@dataclass(frozen=True, slots=True)
class CheckImages:
    """Answer check requests. Stateless; safe to share between threads."""

    faces: FaceReader
    persons: PersonReader
    text: TextReader
    gallery: Gallery
    intent: IntentReader
    consents: Consents
    signer: ReceiptSigner
    receipts: ReceiptStore
    sightings: SealSighting
    afterwards: LookAfterwards
    limits: Limits
    clock: Clock
    random: Random = os.urandom

    def __call__(self, request: CheckRequest) -> CheckResult:
        """Decide, and in `ACT` mode sign the decision and keep the receipt.

        Every picture, every frame, every face and the whole conversation are looked at. A picture that cannot be
        read is not an error but a finding: the verdict says `unreadable`, and the report names what is wrong.

        Raises:
            BadRequest: If there is nothing to check, or more than the limits.
            TooManyRequests: If the caller's budget does not cover the faces: no verdict either.
            StorageFull, StorageFailed: If the receipt could not be kept: then there is no verdict.
        """
        _require_checkable(request)
        # Words are read while faces are looked for; the networks of both leave the interpreter free.
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="words") as beside:
            words = beside.submit(self._assess, request)
            pictures = [Picture.read(data, self.limits) for data in request.images]
            made = self._repeated(request)
            if made is None:
                written = beside.submit(self._written, words, _views(pictures), request.mode)
                for picture in pictures:
                    picture.detect(self.faces, thorough=request.mode is Mode.ACT)
                if request.meter is not None:
                    # Whoever is or is not enrolled: what is charged tells only what the caller sent.
                    request.meter.spend(max(1, sum(picture.face_count() for picture in pictures)))
                assessment = self._heed(written.result(), pictures, words.result(), request)
                made = self._made(pictures, assessment, request)
            else:
                assessment = words.result()
        return CheckResult(
            check=made.check,
            decision=made.decision,
            assessment=assessment,
            images=tuple(picture.report() for picture in pictures),
            receipt=made.receipt,
            request=made.request,
            is_repeated=made.is_repeated,
            policy_version=POLICY_VERSION,
            model=self.faces.model_id,
            intent_engine=ENGINE_VERSION,
        )

    def read(self, request: CheckRequest) -> Assessment:
        """Say what an act asks for: its words, and the text in its pictures. Nothing is decided or kept.

        Raises:
            OperatorError: If one of them could not be read.
        """
        words = self.intent.assess(request.prompt, request.context)
        if words.category.is_revealing:
            return words
        views = _views([Picture.read(data, self.limits) for data in request.images])
        return self._heeded([self._text_in(each) for each in views], words, request)

    def _assess(self, request: CheckRequest) -> Assessment:
        try:
            return self.intent.assess(request.prompt, request.context)
        except OperatorError:
            return _UNREAD

    def _written(
        self, words: Future[Assessment], pictures: Sequence[_Views], mode: Mode
    ) -> list[str | None]:
        """Read the text in each picture; None where that failed.

        A request that is refused for its words needs no more of them.
        """
        if mode is not Mode.ACT or words.result().category.is_revealing:
            return [""] * len(pictures)
        return [self._text(views) for views in pictures]

    def _text(self, views: _Views) -> str | None:
        try:
            return self._text_in(views)
        except OperatorError:
            return None

    def _text_in(self, views: _Views) -> str:
        read = [self.text.read(view) for view in views[:_MAX_READ_VIEWS]]
        return "\n".join(dict.fromkeys(filter(None, read)))

    def _heed(
        self,
        written: Sequence[str | None],
        pictures: Sequence[Picture],
        assessment: Assessment,
        request: CheckRequest,
    ) -> Assessment:
        for picture, read in zip(pictures, written, strict=True):
            if read is None:
                picture.is_checked = False
        try:
            return self._heeded(written, assessment, request)
        except OperatorError:
            return _UNREAD

    def _heeded(
        self, written: Sequence[str | None], assessment: Assessment, request: CheckRequest
    ) -> Assessment:
        """Take text in the pictures for an earlier turn. It can only tighten: it asks, or says nothing."""
        text = "\n".join(filter(None, written))[:MAX_PROMPT_CHARS]
        if not text:
            return assessment
        heeded = self.intent.assess(request.prompt, (*request.context, text))
        # Text that cannot be understood is in many pictures, and asks for nothing.
        return heeded if heeded.category.is_revealing else assessment

    def _made(
        self, pictures: Sequence[Picture], assessment: Assessment, request: CheckRequest
    ) -> _Made:
        """Decide, and keep the receipt together with the uses that the decision relies on.

        Whatever was used up, revoked or has lapsed since it was read is left out, and it is decided
        again: each round has less to rely on, so there is an end.
        """
        case = self._examine(pictures, assessment, request)
        while True:
            decision = case.decide()
            check = new_check_id(self.random)
            if request.mode is not Mode.ACT:
                return _Made(check, decision, receipt=None)
            views = [picture.image.views[0] for picture in pictures if picture.image is not None]
            question = self.consents.ask(request, decision, assessment.category, views)
            seen = case.seen()
            is_settled = case.findings.search is SearchState.NOT_SEARCHED
            # Before such an answer nothing is done for anybody in particular, not even for a name.
            at_once = replace(seen, subjects={}) if is_settled else seen
            let_through = case.let_through(decision)
            receipt = self._keep(check, decision, question, at_once, let_through, request)
            if receipt is not None:
                if is_settled:
                    self.afterwards.look(check, pictures, seen, _inputs_of(request))
                return _Made(check, decision, receipt, request=question)
            repeated = self._repeated(request)
            if repeated is not None:
                return repeated
            case = case.without(decision.relies_on)

    def _repeated(self, request: CheckRequest) -> _Made | None:
        """Return the answer that was given to this very request under its key, or None.

        Raises:
            IdempotencyKeyReused: If the key was used for another request.
        """
        retry = _retry_of(request)
        found = None if retry is None else retry.answered(self.receipts, self.clock.now())
        if found is None:
            return None
        return _Made(
            found.check, found.decision, found.receipt, request=found.question, is_repeated=True
        )

    def _keep(
        self,
        check: CheckId,
        decision: Decision,
        question: ConsentRequestId | None,
        seen: Seen,
        let_through: LetThrough,
        request: CheckRequest,
    ) -> SignedReceipt | None:
        retry = _retry_of(request)
        seals: list[Seal] = []
        if retry is not None:
            seals.append(retry.seal(check, decision, question))
        if decision.verdict is Verdict.ALLOW:
            seals.append(partial(seal_ground, check, let_through, random=self.random))
        keep = KeepVerdict(self.signer, self.receipts, self.clock, self.sightings)
        return keep(
            self._statement(check, decision, request),
            _inputs_of(request),
            seen=seen,
            caller=request.caller,
            relies_on=decision.relies_on,
            seals=seals,
        )

    def _examine(
        self, pictures: Sequence[Picture], assessment: Assessment, request: CheckRequest
    ) -> _Case:
        asked = Request(
            mode=request.mode,
            purpose=request.purpose,
            region=request.region,
            platform=request.platform,
            actor=request.actor,
            declares_minor=request.declares_minor,
        )
        if depends_on_persons(assessment, asked):
            # Before any search, so whoever is or is not enrolled, it takes the same time.
            for picture in pictures:
                picture.look_for_person(self.persons, thorough=request.mode is Mode.ACT)
        now = self.clock.now()
        named, names = self.consents.named(request)
        read = self.consents.read(request, now)
        unsearched = Findings(
            images=tuple(picture.finding(()) for picture in pictures),
            search=SearchState.NOT_SEARCHED,
            named=named,
            names=names,
            intent_read=assessment is not _UNREAD,
            consents_read=read.is_whole,
            token_fails=read.token_fails,
        )
        case = _Case(unsearched, assessment, asked, {}, read.authority, now)
        if settle_before_search(unsearched, assessment, asked, read.authority, now) is not None:
            return case
        return self._with_subjects(case, pictures, read)

    def _with_subjects(self, case: _Case, pictures: Sequence[Picture], read: Read) -> _Case:
        search = SearchFaces(self.faces, self.gallery)
        found = search(
            pictures,
            partial(self.consents.confirmed, read),
            mirrored=case.asked.mode is Mode.ACT,
        )
        findings = replace(case.findings, images=found.images, search=found.search)
        present = {
            match.subject
            for image in found.images
            for face in image.faces
            for match in face.matches
        }
        try:
            return replace(
                case,
                findings=findings,
                policies=self.gallery.policies(),
                authority=self.consents.authority(read, present | set(findings.named)),
            )
        except (OperatorError, VaultAbsent, VaultLocked, NotFound):
            return replace(case, findings=replace(findings, consents_read=False))

    def _statement(
        self, check: CheckId, decision: Decision, request: CheckRequest
    ) -> ReceiptStatement:
        return ReceiptStatement(
            check=check,
            mode=request.mode,
            verdict=decision.verdict,
            reasons=decision.reasons,
            obligations=decision.obligations,
            policy_version=POLICY_VERSION,
            engines={"faces": self.faces.model_id, "intent": ENGINE_VERSION},
        )


_UNREAD = Assessment(
    category=IntentCategory.NONE,
    spans=(),
    language="und",
    is_readable=False,
    has_text=True,
    has_age_cue=False,
    refers_to_person=False,
)
"""What is known of words when the engine has failed: nothing, so that law 8 refuses them."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A decision that has been kept, as far as it has to be."""

    check: CheckId
    decision: Decision
    receipt: SignedReceipt | None
    request: ConsentRequestId | None = None
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class _Case:
    """All that a decision is made from."""

    findings: Findings
    assessment: Assessment
    asked: Request
    policies: Mapping[SubjectId, SubjectPolicy]
    authority: Authority
    now: datetime

    def decide(self) -> Decision:
        return decide(
            self.findings, self.assessment, self.asked, self.policies, self.authority, self.now
        )

    def seen(self) -> Seen:
        return Seen(
            stage=Stage.REQUEST,
            category=self.assessment.category,
            subjects=seen_in(self.findings.images, self.findings.named),
        )

    def let_through(self, decision: Decision) -> LetThrough:
        """Return who was there; whoever has no policy, because nobody was searched for, is not."""
        seen = self.seen().subjects
        return LetThrough(
            subjects={each: self.policies[each] for each in seen if each in self.policies},
            is_by_token=PrivateReason.TOKEN_USED in decision.private_reasons,
        )

    def without(self, spent: Collection[GrantId | ConsentTokenId]) -> _Case:
        authority = self.authority
        return replace(
            self,
            authority=replace(
                authority,
                grants=tuple(each for each in authority.grants if each.grant not in spent),
                permits=tuple(each for each in authority.permits if each.token not in spent),
            ),
        )


def _require_checkable(request: CheckRequest) -> None:
    if not request.images and not (request.prompt or "").strip() and not request.context:
        raise BadRequest("There is nothing to check: give at least a picture or a prompt.")
    if len(request.images) > MAX_IMAGES:
        raise BadRequest(
            f"A check takes at most {MAX_IMAGES} pictures; {len(request.images)} were given."
        )
    if len(request.prompt or "") > MAX_PROMPT_CHARS:
        raise BadRequest(f"A prompt has at most {MAX_PROMPT_CHARS} characters.")
    if len(request.context) > MAX_CONTEXT_TURNS:
        raise BadRequest(f"A conversation has at most {MAX_CONTEXT_TURNS} earlier turns.")
    if any(len(turn) > MAX_PROMPT_CHARS for turn in request.context):
        raise BadRequest(f"A turn of a conversation has at most {MAX_PROMPT_CHARS} characters.")


def _views(pictures: Sequence[Picture]) -> list[_Views]:
    return [() if picture.image is None else picture.image.views for picture in pictures]


def _inputs_of(request: CheckRequest) -> ReceiptInputs:
    return ReceiptInputs(
        images=request.images,
        prompt=request.prompt,
        context=request.context,
        purpose=request.purpose,
        region=request.region,
        platform=request.platform,
    )


def _retry_of(request: CheckRequest) -> Retry | None:
    if request.idempotency_key is None or request.mode is not Mode.ACT:
        return None
    return Retry.of(
        request.caller,
        request.idempotency_key,
        _inputs_of(request),
        request.token,
        request.asker,
        request.actor,
        request.declares_minor,
    )
