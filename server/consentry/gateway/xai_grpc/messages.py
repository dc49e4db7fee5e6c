"""The messages of this API that are read: numbers as in xAI's own definitions, ``xai.api.v1``.

Fields are named as in the REST API where it has the same ones, so that one reader serves both. Enumerations are
numbers. Of an answer only what may be a picture by name is here; everything else in it is looked at all the same
(`consentry.gateway.xai_grpc.answers`).
"""

from __future__ import annotations

from consentry.gateway.protobuf import Message, Scalar

_TEXT, _BYTES, _NUMBER, _FLOAT = Scalar.TEXT, Scalar.BYTES, Scalar.NUMBER, Scalar.FLOAT

IMAGE_URL = Message(
    "ImageUrlContent", image_url=(1, _TEXT), detail=(2, _NUMBER), file_id=(3, _TEXT)
)
_PUBLIC_URL = Message("PublicUrlOptions", expires_after=(1, _NUMBER))
_STORAGE = Message(
    "StorageOptions",
    filename=(1, _TEXT),
    expires_after=(2, _NUMBER),
    public_url=(3, _PUBLIC_URL),
)
GENERATE_IMAGE = Message(
    "GenerateImageRequest",
    prompt=(1, _TEXT),
    model=(2, _TEXT),
    n=(3, _NUMBER),
    user=(4, _TEXT),
    image=(5, IMAGE_URL),
    response_format=(11, _NUMBER),
    quality=(12, _NUMBER),
    aspect_ratio=(14, _NUMBER),
    resolution=(15, _NUMBER),
    images_s=(17, IMAGE_URL),
    storage_options=(19, _STORAGE),
)

_TIMESTAMP = Message("Timestamp", seconds=(1, _NUMBER), nanos=(2, _NUMBER))
_FILE = Message(
    "FileContent",
    file_id=(1, _TEXT),
    file_data=(2, _BYTES),
    filename=(3, _TEXT),
    mime_type=(4, _TEXT),
    file_url=(5, _TEXT),
)
_CONTENT = Message("Content", text=(1, _TEXT), image_url=(2, IMAGE_URL), file=(3, _FILE))
_FUNCTION_CALL = Message("FunctionCall", name=(1, _TEXT), arguments=(2, _TEXT))
_TOOL_CALL = Message(
    "ToolCall",
    id=(1, _TEXT),
    kind=(2, _NUMBER),
    status=(3, _NUMBER),
    error_message=(4, _TEXT),
    function=(10, _FUNCTION_CALL),
)
_MESSAGE = Message(
    "Message",
    content_s=(1, _CONTENT),
    role=(2, _NUMBER),
    name=(3, _TEXT),
    tool_calls_s=(4, _TOOL_CALL),
    reasoning_content=(5, _TEXT),
    encrypted_content=(6, _TEXT),
    call_id=(7, _TEXT),
)
_FUNCTION = Message(
    "Function",
    name=(1, _TEXT),
    description=(2, _TEXT),
    strict=(3, _NUMBER),
    parameters=(4, _TEXT),
)
_PLACE = Message(
    "WebSearchUserLocation",
    country=(1, _TEXT),
    city=(2, _TEXT),
    region=(3, _TEXT),
    timezone=(4, _TEXT),
)
_WEB_SEARCH = Message(
    "WebSearch",
    excluded_domains_s=(1, _TEXT),
    allowed_domains_s=(2, _TEXT),
    enable_image_understanding=(3, _NUMBER),
    user_location=(4, _PLACE),
    enable_image_search=(5, _NUMBER),
)
_X_SEARCH = Message(
    "XSearch",
    from_date=(1, _TIMESTAMP),
    to_date=(2, _TIMESTAMP),
    allowed_x_handles_s=(3, _TEXT),
    excluded_x_handles_s=(4, _TEXT),
    enable_image_understanding=(5, _NUMBER),
    enable_video_understanding=(6, _NUMBER),
)
_RERANKER = Message("RerankerModel", model=(1, _TEXT), instructions=(2, _TEXT))
_FUSION = Message(
    "ReciprocalRankFusion", k=(1, _NUMBER), embedding_weight=(3, _FLOAT), text_weight=(4, _FLOAT)
)
_HYBRID = Message(
    "HybridRetrieval",
    search_multiplier=(1, _NUMBER),
    reranker_model=(2, _RERANKER),
    reciprocal_rank_fusion=(3, _FUSION),
)
_COLLECTIONS_SEARCH = Message(
    "CollectionsSearch",
    collection_ids_s=(1, _TEXT),
    limit=(2, _NUMBER),
    instructions=(3, _TEXT),
    hybrid_retrieval=(4, _HYBRID),
    semantic_retrieval=(5, Message("SemanticRetrieval", reranker=(1, _RERANKER))),
    keyword_retrieval=(6, Message("KeywordRetrieval", reranker=(1, _RERANKER))),
)
_HEADER = Message("MCP.ExtraHeadersEntry", key=(1, _TEXT), value=(2, _TEXT))
_MCP = Message(
    "MCP",
    server_label=(1, _TEXT),
    server_description=(2, _TEXT),
    server_url=(3, _TEXT),
    allowed_tool_names_s=(4, _TEXT),
    authorization=(5, _TEXT),
    extra_headers_s=(6, _HEADER),
)
_TOOL = Message(
    "Tool",
    function=(1, _FUNCTION),
    web_search=(3, _WEB_SEARCH),
    x_search=(4, _X_SEARCH),
    code_execution=(5, Message("CodeExecution")),
    collections_search=(6, _COLLECTIONS_SEARCH),
    mcp=(7, _MCP),
    attachment_search=(8, Message("AttachmentSearch", limit=(2, _NUMBER))),
    image_generation=(10, Message("ImageGeneration", action=(1, _TEXT))),
)
_WEB_SOURCE = Message(
    "WebSource",
    excluded_websites_s=(2, _TEXT),
    country=(3, _TEXT),
    safe_search=(4, _NUMBER),
    allowed_websites_s=(5, _TEXT),
)
_NEWS_SOURCE = Message(
    "NewsSource", excluded_websites_s=(2, _TEXT), country=(3, _TEXT), safe_search=(4, _NUMBER)
)
_X_SOURCE = Message(
    "XSource",
    included_x_handles_s=(7, _TEXT),
    excluded_x_handles_s=(8, _TEXT),
    post_favorite_count=(9, _NUMBER),
    post_view_count=(10, _NUMBER),
)
_SOURCE = Message(
    "Source",
    web=(1, _WEB_SOURCE),
    news=(2, _NEWS_SOURCE),
    x=(3, _X_SOURCE),
    rss=(4, Message("RssSource", links_s=(1, _TEXT))),
)
_SEARCH = Message(
    "SearchParameters",
    mode=(1, _NUMBER),
    from_date=(4, _TIMESTAMP),
    to_date=(5, _TIMESTAMP),
    return_citations=(7, _NUMBER),
    max_search_results=(8, _NUMBER),
    sources_s=(9, _SOURCE),
)
_POLICY = Message("PolicyGuideline", category=(1, _NUMBER), behavior=(2, _NUMBER))
GET_COMPLETIONS = Message(
    "GetCompletionsRequest",
    messages_s=(1, _MESSAGE),
    model=(2, _TEXT),
    frequency_penalty=(3, _FLOAT),
    logprobs=(5, _NUMBER),
    top_logprobs=(6, _NUMBER),
    max_tokens=(7, _NUMBER),
    n=(8, _NUMBER),
    presence_penalty=(9, _FLOAT),
    response_format=(
        10,
        Message("ResponseFormat", format_type=(1, _NUMBER), schema=(2, _TEXT)),
    ),
    seed=(11, _NUMBER),
    stop_s=(12, _TEXT),
    temperature=(14, _FLOAT),
    top_p=(15, _FLOAT),
    user=(16, _TEXT),
    tools_s=(17, _TOOL),
    tool_choice=(18, Message("ToolChoice", mode=(1, _NUMBER), function_name=(2, _TEXT))),
    reasoning_effort=(19, _NUMBER),
    search_parameters=(20, _SEARCH),
    parallel_tool_calls=(21, _NUMBER),
    previous_response_id=(22, _TEXT),
    store_messages=(23, _NUMBER),
    use_encrypted_content=(24, _NUMBER),
    max_turns=(25, _NUMBER),
    include_s=(26, _NUMBER),
    agent_count=(29, _NUMBER),
    service_tier=(31, _NUMBER),
    safety_identifier=(34, _TEXT),
    guidelines_s=(39, Message("Guideline", policy=(1, _POLICY))),
)

CREATE_BATCH = Message("CreateBatchRequest", name=(1, _TEXT), input_file_id=(2, _TEXT))
_BATCH_REQUEST = Message(
    "BatchRequest",
    batch_request_id=(1, _TEXT),
    completion_request=(2, GET_COMPLETIONS),
    image_request=(3, GENERATE_IMAGE),
)
"""Without its two requests for videos: they are not known here, and so they are refused."""
ADD_BATCH_REQUESTS = Message(
    "AddBatchRequestsRequest", batch_id=(1, _TEXT), batch_requests_s=(2, _BATCH_REQUEST)
)

_FILE_OUTPUT = Message("FileOutput", url=(4, _TEXT))
_GENERATED_IMAGE = Message(
    "GeneratedImage", b64_json=(1, _TEXT), url=(3, _TEXT), file_output=(8, _FILE_OUTPUT)
)
IMAGE_RESPONSE = Message("ImageResponse", images_s=(1, _GENERATED_IMAGE))
CHAT_RESPONSE = Message("GetChatCompletionResponse")
_BATCH_RESULT = Message(
    "BatchResult", response=(4, Message("BatchResultData", image_response=(3, IMAGE_RESPONSE)))
)
LIST_BATCH_RESULTS = Message("ListBatchResultsResponse", results_s=(1, _BATCH_RESULT))
BATCH_REQUEST_RESULT = Message("GetBatchRequestResultResponse", result=(2, _BATCH_RESULT))
RETRIEVE_FILE_CONTENT = Message("RetrieveFileContentRequest", file_id=(1, _TEXT))
FILE_CONTENT = Message("FileContentChunk", data_s=(1, _BYTES))
