"""A request that is a graph of nodes. Only kinds of nodes that the description names are open: a node can do anything.

Words are wanted or unwanted by how they are used: those that are reached only through an unwanted input (a sampler's
``negative``) are unwanted, all others are wanted, also when nobody seems to use them.

Names count in whatever case; the kinds and the identifiers of nodes, which others refer to, as they are written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from consentry.gateway.configured.description import Graph, Node
from consentry.gateway.configured.places import leaves
from consentry.gateway.json_body import Json, JsonObject
from consentry.gateway.sources import picture_in
from consentry.kernel.errors import BadRequest

MAX_NODES = 500
_LINK_LENGTH = 2
_MAX_SETTING_CHARS = 128
_LEAST_GUIDANCE = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphWords:
    """What a graph says.

    Attributes:
        wanted, unwanted: Words.
        others: Strings that are neither named nor short.
        stored: Names of uploaded pictures.
        turns_words: A guidance is below 1, so that unwanted words are wanted.
    """

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]
    others: tuple[str, ...]
    stored: tuple[str, ...]
    turns_words: bool


@dataclass(frozen=True, slots=True)
class _Use:
    """One node of a request; the names of its inputs are in lower case, here and in its kind."""

    node: Node
    inputs: Mapping[str, Json]


def read_graph(graph: Graph, body: JsonObject) -> GraphWords:
    """Read a graph.

    Raises:
        BadRequest: If it is none, or has a node of a kind that is not open.
    """
    if len(body) > MAX_NODES:
        raise BadRequest(f"A graph has at most {MAX_NODES} nodes.")
    uses = {name: _use(graph, each) for name, each in body.items()}
    wanted = _wanted(uses)
    texts = [
        (name in wanted, text)
        for name, use in uses.items()
        for text in _strings(use, use.node.words)
    ]
    others = [
        text
        for use in uses.values()
        for name, value in use.inputs.items()
        if name not in (*use.node.words, *use.node.stored)
        for _, text in leaves(value)
        if isinstance(text, str) and not _is_link(value)
    ]
    if any(picture_in(text) is not None for text in others):
        raise BadRequest("A node of the graph names a picture in a place that is not for one.")
    return GraphWords(
        wanted=tuple(text for is_wanted, text in texts if is_wanted),
        unwanted=tuple(text for is_wanted, text in texts if not is_wanted),
        others=tuple(text for text in others if len(text) > _MAX_SETTING_CHARS),
        stored=tuple(
            text for use in uses.values() for text in _strings(use, use.node.stored) if text
        ),
        turns_words=any(_turns(use) for use in uses.values()),
    )


def _use(graph: Graph, value: Json) -> _Use:
    members = _folded(value) if isinstance(value, Mapping) else {}
    kind = members.get(graph.kind.casefold())
    node = graph.nodes.get(kind) if isinstance(kind, str) else None
    if node is None:
        raise BadRequest("The graph has a node of a kind that is not open here.")
    inputs = members.get(graph.inputs.casefold(), {})
    if not isinstance(inputs, Mapping):
        raise BadRequest("The inputs of a node are an object.")
    return _Use(_folded_node(node), _folded(inputs))


def _folded(members: Mapping[str, Json]) -> Mapping[str, Json]:
    # Lossless: a body in which two names differ by their case alone has been refused.
    return {name.casefold(): each for name, each in members.items()}


def _folded_node(node: Node) -> Node:
    return Node(
        words=tuple(each.casefold() for each in node.words),
        stored=tuple(each.casefold() for each in node.stored),
        unwanted=tuple(each.casefold() for each in node.unwanted),
        guidance=None if node.guidance is None else node.guidance.casefold(),
    )


def _strings(use: _Use, names: Sequence[str]) -> Iterator[str]:
    """Yield the strings of these inputs.

    Raises:
        BadRequest: If one comes from another node, so that nobody can see it yet.
    """
    for name in names:
        value = use.inputs.get(name)
        if isinstance(value, str):
            yield value
        elif value is not None:
            raise BadRequest("Words and names of pictures are written in their own nodes.")


def _wanted(uses: Mapping[str, _Use]) -> set[str]:
    """Return the nodes that are used in any other way than through an unwanted input."""
    links = [
        (name, used, input_name in use.node.unwanted)
        for name, use in uses.items()
        for input_name, value in use.inputs.items()
        if (used := _link(value)) is not None
    ]
    below = _reached({used for _, used, is_unwanted in links if is_unwanted}, links)
    plain = [link for link in links if not link[2]]
    return _reached(set(uses) - below, plain)


def _reached(start: set[str], links: Sequence[tuple[str, str, bool]]) -> set[str]:
    """Return where one comes from these nodes, against the flow: from users to what they use."""
    reached, pending = set(start), list(start)
    while pending:
        user = pending.pop()
        for name, used, _ in links:
            if name == user and used not in reached:
                reached.add(used)
                pending.append(used)
    return reached


def _link(value: Json) -> str | None:
    return str(value[0]) if _is_link(value) and isinstance(value, Sequence) else None


def _is_link(value: Json) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and len(value) == _LINK_LENGTH
        and isinstance(value[0], str | int)
        and isinstance(value[1], int)
    )


def _turns(use: _Use) -> bool:
    if use.node.guidance is None:
        return False
    value = use.inputs.get(use.node.guidance)
    if value is None:
        return False
    return not (
        isinstance(value, int | float) and not isinstance(value, bool) and value >= _LEAST_GUIDANCE
    )
