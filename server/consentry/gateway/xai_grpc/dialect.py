"""Which methods of this API are open. Whatever is not named here is closed.

Closed on purpose: ``Video`` (video is not examined), ``Files/CreatePublicUrl`` (a picture would be published unseen),
``Chat/CompactContext`` (turns would come back encrypted, and nobody could read them again), ``Sample`` and
``collections``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from consentry.gateway.dialect import Endpoint, Lookup, Reply
from consentry.gateway.exchange import Call, Head
from consentry.gateway.json_body import Json, JsonObject
from consentry.gateway.off_loop import off_loop
from consentry.gateway.pinning import data_url
from consentry.gateway.protobuf import Message, exchanged, read, written
from consentry.gateway.refusals import Refusal
from consentry.gateway.request import GatewayRequest, Picture
from consentry.gateway.xai.images import read_images
from consentry.gateway.xai_grpc import messages, refusals
from consentry.gateway.xai_grpc.answers import file_of, pictures_of_file, pictures_of_message
from consentry.gateway.xai_grpc.conversations import read_chat
from consentry.kernel.errors import BadRequest

RETRIEVE_FILE = "xai_api.Files/RetrieveFileContent"
STREAMS = frozenset({"xai_api.Chat/GetCompletionChunk"})
"""Methods of which each message of the answer stands for itself."""

_LENGTH_TAG = b"\x0a"
"""Of field 1, which has a length."""

Reader = Callable[[JsonObject], Sequence[GatewayRequest]]
Finder = Callable[[bytes], Sequence[Picture]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """How a request is read."""

    message: Message
    reader: Reader


@dataclass(frozen=True, slots=True)
class MethodEndpoint:
    """One method.

    Attributes:
        route: Service and method.
        asked: How it is read; None to hand it on unread.
        finder: How pictures are found in its answer; None to hand it on unread.
    """

    route: str
    asked: _Asked | None = None
    finder: Finder | None = None

    @property
    def reads(self) -> bool:
        """Whether the request is read."""
        return self.asked is not None

    @property
    def inspects(self) -> bool:
        """Whether pictures may come back."""
        return self.finder is not None

    async def ask(self, call: Call, lookup: Lookup) -> Sequence[GatewayRequest]:
        """Read a request (`consentry.gateway.dialect.Endpoint`)."""
        del lookup
        asked = self.asked
        if asked is None:
            return ()
        return await off_loop(len(call.body), lambda: asked.reader(read(call.body, asked.message)))

    def found(self, media_type: str, body: bytes) -> Sequence[Picture]:
        """Find the pictures in an answer."""
        del media_type
        return self.finder(body) if self.finder is not None else ()

    def refusal(self, refusal: Refusal, request_id: str) -> Reply:
        """Word a refusal."""
        return refusals.worded(refusal, request_id)

    def last_event(self, refusal: Refusal, request_id: str) -> bytes:
        """Word nothing: a stream of this API ends with a status, not with a message."""
        del refusal, request_id
        return b""


def _read_image(message: JsonObject) -> Sequence[GatewayRequest]:
    return (read_images(message),)


def _read_new_batch(message: JsonObject) -> Sequence[GatewayRequest]:
    if message.get("input_file_id"):
        raise BadRequest(
            "A batch from a file is not let through, because its lines cannot be read here. Add its requests instead."
        )
    return ()


def _read_batch(message: JsonObject) -> Sequence[GatewayRequest]:
    found: list[GatewayRequest] = []
    for each in _objects(message.get("batch_requests")):
        for image in _objects([each.get("image_request")]):
            found.extend(_read_image(image))
        for chat in _objects([each.get("completion_request")]):
            found.extend(read_chat(chat))
    return found


def _objects(value: Json) -> Sequence[JsonObject]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [each for each in value if isinstance(each, Mapping)]
    return ()


def _finder(message: Message) -> Finder:
    return lambda body: pictures_of_message(body, message)


_IMAGE = _Asked(messages.GENERATE_IMAGE, _read_image)
_CHAT = _Asked(messages.GET_COMPLETIONS, read_chat)
_IN_CHAT = _finder(messages.CHAT_RESPONSE)

_METHODS: Sequence[MethodEndpoint] = (
    MethodEndpoint("xai_api.Image/GenerateImage", _IMAGE, _finder(messages.IMAGE_RESPONSE)),
    MethodEndpoint("xai_api.Chat/GetCompletion", _CHAT, _IN_CHAT),
    MethodEndpoint("xai_api.Chat/GetCompletionChunk", _CHAT, _IN_CHAT),
    MethodEndpoint("xai_api.Chat/StartDeferredCompletion", _CHAT),
    MethodEndpoint("xai_api.Chat/GetDeferredCompletion", None, _IN_CHAT),
    MethodEndpoint("xai_api.Chat/GetStoredCompletion", None, _IN_CHAT),
    MethodEndpoint("xai_api.Chat/DeleteStoredCompletion"),
    MethodEndpoint("xai_api.BatchMgmt/CreateBatch", _Asked(messages.CREATE_BATCH, _read_new_batch)),
    MethodEndpoint(
        "xai_api.BatchMgmt/AddBatchRequests", _Asked(messages.ADD_BATCH_REQUESTS, _read_batch)
    ),
    MethodEndpoint("xai_api.BatchMgmt/GetBatch"),
    MethodEndpoint("xai_api.BatchMgmt/ListBatches"),
    MethodEndpoint("xai_api.BatchMgmt/CancelBatch"),
    MethodEndpoint("xai_api.BatchMgmt/ListBatchRequestMetadata"),
    MethodEndpoint(
        "xai_api.BatchMgmt/ListBatchResults", None, _finder(messages.LIST_BATCH_RESULTS)
    ),
    MethodEndpoint(
        "xai_api.BatchMgmt/GetBatchRequestResult", None, _finder(messages.BATCH_REQUEST_RESULT)
    ),
    MethodEndpoint("xai_api.Files/UploadFile"),
    MethodEndpoint("xai_api.Files/ListFiles"),
    MethodEndpoint("xai_api.Files/RetrieveFile"),
    MethodEndpoint("xai_api.Files/DeleteFile"),
    MethodEndpoint("xai_api.Files/RevokePublicUrl"),
    MethodEndpoint(RETRIEVE_FILE, None, pictures_of_file),
    MethodEndpoint("xai_api.Auth/get_api_key_info"),
    MethodEndpoint("xai_api.Models/ListLanguageModels"),
    MethodEndpoint("xai_api.Models/ListEmbeddingModels"),
    MethodEndpoint("xai_api.Models/ListImageGenerationModels"),
    MethodEndpoint("xai_api.Models/GetLanguageModel"),
    MethodEndpoint("xai_api.Models/GetEmbeddingModel"),
    MethodEndpoint("xai_api.Models/GetImageGenerationModel"),
    MethodEndpoint("xai_api.Embedder/Embed"),
    MethodEndpoint("xai_api.Tokenize/TokenizeText"),
)
_BY_PATH: Mapping[str, MethodEndpoint] = {each.route: each for each in _METHODS}


@dataclass(frozen=True, slots=True)
class XaiGrpcDialect:
    """The API of ``xai-sdk`` (`consentry.gateway.dialect.Dialect`)."""

    name: str = "xai-grpc"

    def has_credentials(self, head: Head) -> bool:
        """Whether there is an API key."""
        return head.value(b"authorization") is not None

    def endpoint(self, method: str, path: str) -> Endpoint | None:
        """Return the method that a call is for, or None: closed."""
        return _BY_PATH.get(path) if method == "POST" else None

    def pinned(self, call: Call, pictures: Mapping[str, bytes]) -> bytes:
        """Put checked pictures in place of their addresses; every other byte stays as it was."""
        endpoint = _BY_PATH[call.head.path]
        if not pictures or endpoint.asked is None:
            return call.body
        missing = set(pictures)

        def exchange(text: str) -> str | None:
            # As every reader of addresses does: with blanks around it, it is the same one.
            text = text.strip()
            if text not in pictures:
                return None
            missing.discard(text)
            return data_url(pictures[text]).decode("ascii")

        body = exchanged(call.body, endpoint.asked.message, exchange)
        if missing:
            raise BadRequest(
                "A picture by address cannot be held fast here. Send the picture itself."
            )
        return body

    async def file(self, file_id: str, lookup: Lookup) -> bytes:
        """Return what was uploaded under an identifier, as its owner would get it."""
        name = file_id.encode()
        message = _LENGTH_TAG + written(len(name)) + name
        return file_of(await lookup.call(RETRIEVE_FILE, message))

    def refusal(self, refusal: Refusal, request_id: str) -> Reply:
        """Word a refusal where there is no endpoint."""
        return refusals.worded(refusal, request_id)
