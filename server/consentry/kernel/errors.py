"""Every error that Consentry raises on purpose.

    ConsentryError
    ├── CallerError                what was sent cannot be served as sent           4xx
    │   ├── BadRequest             a field is missing, unknown or out of range      400
    │   ├── Unauthenticated        no credential, or one that does not hold         401
    │   ├── Forbidden              the credential does not reach this far           403
    │   ├── NotFound               there is nothing by that name                    404
    │   ├── MethodNotAllowed       the place is there; that verb is not             405
    │   ├── RequestTimedOut        the body came too slowly                         408
    │   ├── Conflict               the state of things does not permit it           409
    │   ├── BodyTooLarge           more bytes than the limit                        413
    │   ├── UnsupportedMediaType   the body is of a kind that is not read here      415
    │   ├── CheckUnusable          results cannot be judged beside that check       422
    │   ├── IdempotencyKeyReused   the key was used for another request             422
    │   ├── TooManyRequests        slow down; Retry-After says how long             429
    │   ├── WrongHost              the Host header names another site               421
    │   ├── HeadersTooLarge        more header fields, or longer, than the limit    431
    │   ├── ImageError             a picture that is not read                       422
    │   │   ├── EmptyImage             no bytes
    │   │   ├── UnknownImageFormat     not one of the formats that are read
    │   │   ├── TruncatedImage         ends before its own header says
    │   │   ├── CorruptImage           damaged, or two formats in one file
    │   │   ├── ImageTooLarge          too many bytes, pixels or frames, or too narrow
    │   │   └── ImageNotFetched        given by an address that may not be, or was not, read
    │   ├── EnrolmentError         a photo that does not make a template            422
    │   │   ├── NoFaceFound            no face that the detector sees
    │   │   ├── SeveralFacesFound      more than one face; whose?
    │   │   ├── QualityTooLow          a face, but not good enough; says why
    │   │   └── DifferentFaces         the photos do not show one person
    │   ├── ReceiptInvalid         a receipt whose signature or form does not hold  422
    │   └── ProofInvalid           a proof or note of a log that does not hold      422
    ├── VaultError                 about the owner's own keys                       4xx
    │   ├── VaultAbsent            nothing has been enrolled here yet               409
    │   ├── VaultExists            there is a vault already                         409
    │   ├── VaultLocked            unlock it first                                  423
    │   ├── WrongPassphrase        also: a damaged key file (not told apart)        403
    │   └── WeakPassphrase         too short to protect anything                    422
    └── OperatorError              our side is broken; trying again may help        5xx
        ├── SealBroken             a sealed value failed authentication             500
        ├── StorageFailed          the store did not take or give what it should    500
        ├── StorageFull            no room; nothing of the change was kept          507
        ├── IndexIncomplete        the gallery is not whole; refuses to answer      503
        ├── ModelUnavailable       a model file is missing or not the pinned one    503
        ├── SigningKeyUnusable     the receipt key is missing, damaged or open to all   500
        ├── LogInconsistent        the log here is not the one that was signed      503
        ├── Unreachable            another server did not answer, or not in our words   503
        │   └── UpstreamTimedOut       it did not answer in time                        504
        ├── NotReady               something that a check needs is not there        503
        └── Overloaded             the queue is full                                503

``code`` is public and stable (docs/errors.md); ``status`` is the HTTP status. A message says what happened, why, and
how to mend it; it may be logged, so it never holds pixels, embeddings, keys, names, prompts or picture addresses.
"""

from __future__ import annotations

from typing import ClassVar


class ConsentryError(Exception):
    """Root of the tree. Never raised itself."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500


class CallerError(ConsentryError):
    """What was sent cannot be served as sent."""

    code = "bad-request"
    status = 400


class BadRequest(CallerError):
    """A field is missing, unknown or out of range."""


class Unauthenticated(CallerError):
    """No credential, or one that does not hold. Wrong, expired and unknown are not told apart."""

    code = "unauthenticated"
    status = 401


class Forbidden(CallerError):
    """The credential does not reach this far, or the request came from a place that may not make it."""

    code = "forbidden"
    status = 403


class NotFound(CallerError):
    """There is nothing by that name."""

    code = "not-found"
    status = 404


class MethodNotAllowed(CallerError):
    """The place is there; that verb is not."""

    code = "method-not-allowed"
    status = 405


class RequestTimedOut(CallerError):
    """The body came too slowly."""

    code = "request-timed-out"
    status = 408


class Conflict(CallerError):
    """The state of things does not permit it."""

    code = "conflict"
    status = 409


class CheckUnusable(CallerError):
    """That check is no ground for results: it allowed nothing, is of results, or is ground no more."""

    code = "check-unusable"
    status = 422


class IdempotencyKeyReused(CallerError):
    """The Idempotency-Key was used for another request. Take a new key for a new question."""

    code = "idempotency-key-reused"
    status = 422


class BodyTooLarge(CallerError):
    """More bytes than the limit."""

    code = "body-too-large"
    status = 413


class UnsupportedMediaType(CallerError):
    """The body is of a kind that is not read here."""

    code = "unsupported-media-type"
    status = 415


class WrongHost(CallerError):
    """The Host header names another site: a page that re-bound its name to this machine."""

    code = "wrong-host"
    status = 421


class HeadersTooLarge(CallerError):
    """More header fields, or longer ones, than the limit."""

    code = "headers-too-large"
    status = 431


class TooManyRequests(CallerError):
    """Slow down. ``retry_after_s`` says how long."""

    code = "too-many-requests"
    status = 429

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ImageError(CallerError):
    """A picture that is not read."""

    code = "image-unreadable"
    status = 422


class EmptyImage(ImageError):
    """No bytes."""

    code = "image-empty"


class UnknownImageFormat(ImageError):
    """Not one of the formats that are read. The name of the file plays no part."""

    code = "image-format-unknown"


class TruncatedImage(ImageError):
    """The file ends before its own header says."""

    code = "image-truncated"


class CorruptImage(ImageError):
    """Damaged, or two formats in one file."""

    code = "image-corrupt"


class ImageTooLarge(ImageError):
    """Too many bytes, pixels or frames, or a side out of proportion."""

    code = "image-too-large"


class ImageNotFetched(ImageError):
    """Given by an address that may not be fetched from, or that did not give it."""

    code = "image-not-fetched"


class EnrolmentError(CallerError):
    """A photo that does not make a template. Nothing was enrolled."""

    code = "enrolment-failed"
    status = 422


class NoFaceFound(EnrolmentError):
    """No face that the detector sees."""

    code = "no-face-found"


class SeveralFacesFound(EnrolmentError):
    """More than one face, so it is not clear whose to enrol."""

    code = "several-faces-found"


class QualityTooLow(EnrolmentError):
    """A face, but not good enough. ``issues`` names what is wrong (docs/reasons.md, quality)."""

    code = "quality-too-low"

    def __init__(self, message: str, *, issues: tuple[str, ...]) -> None:
        super().__init__(message)
        self.issues = issues


class DifferentFaces(EnrolmentError):
    """The photos do not show one person."""

    code = "different-faces"


class ReceiptInvalid(CallerError):
    """A receipt whose signature or form does not hold."""

    code = "receipt-invalid"
    status = 422


class ProofInvalid(CallerError):
    """A proof, entry, checkpoint or cosignature of a transparency log that does not hold."""

    code = "proof-invalid"
    status = 422


class VaultError(ConsentryError):
    """About the owner's own keys."""

    code = "vault-error"
    status = 409


class VaultAbsent(VaultError):
    """There is no vault yet: nobody has been enrolled here."""

    code = "vault-absent"


class VaultExists(VaultError):
    """There is a vault already."""

    code = "vault-exists"


class VaultLocked(VaultError):
    """Unlock it first."""

    code = "vault-locked"
    status = 423


class WrongPassphrase(VaultError):
    """The passphrase does not open the vault. A damaged key file looks the same, on purpose."""

    code = "wrong-passphrase"
    status = 403


class WeakPassphrase(VaultError):
    """Too short, or among the first that anybody would try."""

    code = "weak-passphrase"
    status = 422


class OperatorError(ConsentryError):
    """Our side is broken; trying again may help."""

    code = "internal-error"


class SealBroken(OperatorError):
    """A sealed value failed authentication: wrong key, wrong owner or any changed byte (not told apart)."""

    code = "seal-broken"


class StorageFailed(OperatorError):
    """The store did not take or give what it should."""

    code = "storage-failed"


class StorageFull(OperatorError):
    """No room on the disk. Nothing of the change was kept."""

    code = "storage-full"
    status = 507


class IndexIncomplete(OperatorError):
    """The gallery is not whole or not fresh; it refuses to answer rather than miss somebody."""

    code = "index-incomplete"
    status = 503


class ModelUnavailable(OperatorError):
    """A model file is missing, or is not the one that was pinned."""

    code = "model-unavailable"
    status = 503


class SigningKeyUnusable(OperatorError):
    """The key that signs receipts is missing, damaged, open to others, or there already."""

    code = "signing-key-unusable"


class NotReady(OperatorError):
    """Something that a check needs is not there; the log says what."""

    code = "not-ready"
    status = 503


class LogInconsistent(OperatorError):
    """The log is older than, or other than, what was signed of it. Nothing more is appended or signed."""

    code = "log-inconsistent"
    status = 503


class Unreachable(OperatorError):
    """Another server did not answer, or not in a way that can be understood. Nothing is allowed by it."""

    code = "unreachable"
    status = 503


class UpstreamTimedOut(Unreachable):
    """Another server did not answer in time."""

    code = "upstream-timed-out"
    status = 504


class Overloaded(OperatorError):
    """The queue is full."""

    code = "overloaded"
    status = 503
