"""The file that describes an API (TOML), read strictly: a name that is not known here is an error, not a wish."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path as FilePath
from typing import TypeAlias

from consentry.gateway.configured.places import Path, place
from consentry.gateway.json_body import Json
from consentry.kernel.errors import BadRequest

Table: TypeAlias = Mapping[str, object]

_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_ROUTE = re.compile(r"[A-Za-z0-9_./{}-]+")


class RouteKind(StrEnum):
    """What is done with a request."""

    JUDGE = "judge"
    """Read, and checked."""
    UPLOAD = "upload"
    """A form with a file that is checked where it is used; only `closed` is held against it."""
    PASS = "pass"  # noqa: S105 -- a kind of route, not a secret
    """Handed on unread: it makes no picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A kind of node of a graph; what is not named of it are numbers and settings.

    Attributes:
        words: Inputs that hold words.
        stored: Inputs that hold the name of a picture that was uploaded.
        unwanted: Inputs whose nodes speak of what the picture shall not have.
        guidance: The input by how much the words guide; below 1 they turn into their opposite.
    """

    words: tuple[str, ...] = ()
    stored: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    guidance: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A request that is a graph: ``{id: {class: …, inputs: {name: value or [id, n]}}}``.

    Attributes:
        place: Where it is in the body.
        kind, inputs: The members of a node that name its kind, and hold its inputs.
        nodes: The kinds that are open. A request with any other is closed.
    """

    place: str
    kind: str = "class_type"
    inputs: str = "inputs"
    nodes: Mapping[str, Node] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteDescription:
    """One route.

    Attributes:
        method, path: ``{id}`` in a path stands for one name.
        kind: What is done with a request.
        prompt: Places of what is asked for.
        words: Places of other words that guide; whatever is not named anywhere is words, too, or
            a picture by its looks.
        unwanted: Places of words for what the picture shall not have.
        guidance: The place of a number: below 1, unwanted words turn into wanted ones.
        images: Places of pictures: base64, ``data:`` or https.
        settings: Places of short strings that are neither words nor pictures.
        ignored: Places that do not reach the model; everything below them, too.
        closed: Places that must be empty: what they ask for cannot be looked at.
        asker: The place of the end user's name.
        graph: When the words and pictures are in a graph.
        results: Places of pictures in the answer.
        inspects: Whether pictures may come back.
    """

    method: str
    path: str
    kind: RouteKind = RouteKind.JUDGE
    prompt: tuple[Path, ...] = ()
    words: tuple[Path, ...] = ()
    unwanted: tuple[Path, ...] = ()
    guidance: Path | None = None
    images: tuple[Path, ...] = ()
    settings: tuple[Path, ...] = ()
    ignored: tuple[Path, ...] = ()
    closed: tuple[Path, ...] = ()
    asker: Path | None = None
    graph: Graph | None = None
    results: tuple[Path, ...] = ()
    inspects: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """How a picture that was uploaded is looked up: ``{name}``, ``{folder}`` and ``{kind}`` are put in."""

    path: str
    query: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalShape:
    """How a refusal looks: ``{code}``, ``{message}`` and ``{request_id}`` are put into its strings.

    Attributes:
        status: Of a verdict.
        consent_status: Of one that consent could lift, where this API knows such a status.
        body: Of every refusal.
    """

    status: int
    body: Json
    consent_status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One API.

    Attributes:
        name: Its prefix at the gateway is ``/{name}``.
        upstream: Where the server is.
        credentials: Header fields of which one must be there; none for a server without accounts.
        refusal: How a refusal looks.
        stored: How uploaded pictures are looked up; None when they cannot be.
        routes: Those that are open.
    """

    name: str
    upstream: str
    credentials: tuple[str, ...] = ()
    refusal: RefusalShape
    stored: Stored | None = None
    routes: tuple[RouteDescription, ...]


def read_description(path: FilePath) -> Description:
    """Read a file.

    Raises:
        BadRequest: If it cannot be read, or says something that is not known here; names what.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as cause:
        raise BadRequest(f"The description {path.name} cannot be read: {cause}") from cause
    return parse_description(table)


def parse_description(table: Table) -> Description:
    """Read a table.

    Raises:
        BadRequest: As `read_description`.
    """
    _require_known(table, Description, "the description", also={"route"}, without={"routes"})
    name = _text(table, "name")
    if not _NAME.fullmatch(name):
        raise BadRequest("A description's `name` is lower-case letters, digits and dashes.")
    routes = _tables(table.get("route"), "route")
    if not routes:
        raise BadRequest("A description has at least one [[route]].")
    stored = table.get("stored")
    return Description(
        name=name,
        upstream=_text(table, "upstream"),
        credentials=_texts(table, "credentials"),
        refusal=_refusal(_table(table.get("refusal"), "refusal")),
        stored=None if stored is None else _stored(_table(stored, "stored")),
        routes=tuple(_route(each) for each in routes),
    )


def _route(table: Table) -> RouteDescription:
    _require_known(table, RouteDescription, "a [[route]]")
    method, path = _text(table, "method"), _text(table, "path")
    if not _ROUTE.fullmatch(path) or path.startswith("/"):
        raise BadRequest("A route's `path` begins without a slash.")
    try:
        kind = RouteKind(_text(table, "kind", RouteKind.JUDGE))
    except ValueError:
        raise BadRequest("A route's `kind` is judge, upload or pass.") from None
    inspects = table.get("inspects", True)
    if not isinstance(inspects, bool):
        raise BadRequest("`inspects` is true or false.")
    graph = table.get("graph")
    return RouteDescription(
        method=method,
        path=path,
        kind=kind,
        prompt=_places(table, "prompt"),
        words=_places(table, "words"),
        unwanted=_places(table, "unwanted"),
        guidance=_place(table, "guidance"),
        images=_places(table, "images"),
        settings=_places(table, "settings"),
        ignored=_places(table, "ignored"),
        closed=_places(table, "closed"),
        asker=_place(table, "asker"),
        graph=None if graph is None else _graph(_table(graph, "graph")),
        results=_places(table, "results"),
        inspects=inspects,
    )


def _graph(table: Table) -> Graph:
    _require_known(table, Graph, "a graph")
    nodes = _table(table.get("nodes"), "nodes")
    return Graph(
        place=_text(table, "place"),
        kind=_text(table, "kind", "class_type"),
        inputs=_text(table, "inputs", "inputs"),
        nodes={name: _node(_table(each, name)) for name, each in nodes.items()},
    )


def _node(table: Table) -> Node:
    _require_known(table, Node, "a node")
    return Node(
        words=_texts(table, "words"),
        stored=_texts(table, "stored"),
        unwanted=_texts(table, "unwanted"),
        guidance=_text(table, "guidance", "") or None,
    )


def _stored(table: Table) -> Stored:
    _require_known(table, Stored, "[stored]")
    return Stored(path=_text(table, "path"), query=_text(table, "query", ""))


def _refusal(table: Table) -> RefusalShape:
    _require_known(table, RefusalShape, "[refusal]")
    status, consent = table.get("status"), table.get("consent_status")
    if not _is_status(status) or not (consent is None or _is_status(consent)):
        raise BadRequest("A refusal's `status` is a number from 400 to 499.")
    body = table.get("body")
    if not isinstance(body, Mapping):
        raise BadRequest("A refusal has a `body`, which is a table.")
    return RefusalShape(
        status=int(str(status)),
        consent_status=None if consent is None else int(str(consent)),
        body=_json(body),
    )


def _is_status(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 400 <= value <= 499  # noqa: PLR2004 -- what a client has done


def _json(value: object) -> Json:
    if isinstance(value, Mapping):
        return {str(name): _json(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_json(each) for each in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise BadRequest("The body of a refusal holds texts, numbers, lists and tables only.")


def _require_known(
    table: Table,
    kind: type,
    what: str,
    *,
    also: frozenset[str] | set[str] = frozenset(),
    without: frozenset[str] | set[str] = frozenset(),
) -> None:
    known = ({each.name for each in fields(kind)} | also) - without
    unknown = sorted(set(table) - known)
    if unknown:
        raise BadRequest(f"In {what}, `{unknown[0]}` is not known. There are: {sorted(known)}.")


def _table(value: object, name: str) -> Table:
    if not isinstance(value, Mapping):
        raise BadRequest(f"A description has a table [{name}].")
    return value


def _tables(value: object, name: str) -> Sequence[Table]:
    if not isinstance(value, list):
        raise BadRequest(f"A description has tables [[{name}]].")
    return [_table(each, name) for each in value]


def _text(table: Table, name: str, default: str | None = None) -> str:
    value = table.get(name, default)
    if not isinstance(value, str):
        raise BadRequest(f"`{name}` is a text, and must be there.")
    return value


def _texts(table: Table, name: str) -> tuple[str, ...]:
    value = table.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadRequest(f"`{name}` is a list of texts.")
    return tuple(value)


def _places(table: Table, name: str) -> tuple[Path, ...]:
    return tuple(place(each) for each in _texts(table, name))


def _place(table: Table, name: str) -> Path | None:
    written = _text(table, name, "")
    return place(written) if written else None
