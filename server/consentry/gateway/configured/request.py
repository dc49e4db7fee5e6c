"""A request, read by its description: what it asks for, what it shall not have, and every picture."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from consentry.gateway.configured.description import RouteDescription
from consentry.gateway.configured.graph import GraphWords, read_graph
from consentry.gateway.configured.places import Path, Scalar, is_at, is_within, leaves
from consentry.gateway.json_body import JsonObject
from consentry.gateway.request import GatewayRequest, Picture, StoredFile
from consentry.gateway.sources import picture_in, pictures_within
from consentry.gateway.words import fitted, split_prompt
from consentry.kernel.errors import BadRequest, CorruptImage

_MAX_SETTING_CHARS = 128
_LEAST_GUIDANCE = 1.0
_BETWEEN_TERMS = re.compile(r"[,;\n|]|\bBREAK\b|\bAND\b")
_WEIGHT = re.compile(r":\s*-?[0-9.]+|[()\[\]{}<>]")


@dataclass(slots=True)
class _Gathered:
    """What is in a request, as it is come upon."""

    description: RouteDescription
    prompts: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    unwanted: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    asker: str | None = None
    turns_words: bool = False

    def take(self, path: Path, value: Scalar) -> None:
        """Take one value, by its place."""
        route = self.description
        if is_within(path, route.ignored):
            return
        if is_within(path, route.closed) and value:
            raise BadRequest(f"`{'.'.join(path[:1])}` is closed here: leave it out.")
        if route.guidance is not None and is_at(path, (route.guidance,)):
            self.turns_words = self.turns_words or not _is_guiding(value)
        elif is_at(path, route.images):
            self._take_picture(value)
        elif isinstance(value, str) and value:
            self._take_text(path, value)

    def take_graph(self, graph: GraphWords) -> None:
        """Take what a graph says."""
        self.prompts += graph.wanted
        self.unwanted += graph.unwanted
        self.words += graph.others
        self.pictures += [StoredFile(name) for name in graph.stored]
        self.turns_words = self.turns_words or graph.turns_words

    def request(self) -> GatewayRequest:
        """Put it together."""
        unwanted = [without(text) for text in self.unwanted]
        if self.turns_words:
            unwanted += self.unwanted
        before, prompt = split_prompt("\n".join(self.prompts))
        return GatewayRequest(
            pictures=tuple(self.pictures),
            prompt=prompt or None,
            context=fitted([*self.words, *unwanted, *before]),
            asker=self.asker,
        )

    def _take_picture(self, value: Scalar) -> None:
        if value is None or value == "":
            return
        picture = picture_in(value) if isinstance(value, str) else None
        if picture is None:
            raise CorruptImage("A picture of the request is given in a way that is not read here.")
        self.pictures.append(picture)

    def _take_text(self, path: Path, text: str) -> None:
        route = self.description
        if route.asker is not None and is_at(path, (route.asker,)):
            self.asker = text
            return
        if is_at(path, route.settings) and len(text) <= _MAX_SETTING_CHARS:
            return
        if is_at(path, route.prompt):
            self.prompts.append(text)
        elif is_at(path, route.unwanted):
            self.unwanted.append(text)
        elif not is_at(path, route.words) and (picture := picture_in(text)) is not None:
            self.pictures.append(picture)
            return
        else:
            self.words.append(text)
        self.pictures.extend(pictures_within(text))


def read_request(
    description: RouteDescription, body: JsonObject, query: bytes = b""
) -> GatewayRequest:
    """Read a body, and the query of the address: there its parameters are at ``?name``.

    Raises:
        BadRequest: If it uses what is closed, or is not of the form that is described.
        ImageError: If a picture is given in a way that is not read here.
    """
    gathered = _Gathered(description)
    graph = description.graph
    if graph is not None:
        place = graph.place.casefold()
        found = next((each for name, each in body.items() if name.casefold() == place), None)
        if not isinstance(found, Mapping):
            raise BadRequest(f"`{graph.place}` is a graph of nodes.")
        gathered.take_graph(read_graph(graph, found))
        body = {name: each for name, each in body.items() if name.casefold() != place}
    for path, value in leaves(body):
        gathered.take(path, value)
    for name, value in _parameters(query):
        gathered.take((f"?{name}",), value)
    return gathered.request()


def without(text: str) -> str:
    """Say of each term that it is not wanted: "clothes, bra" asks for what "without clothes" asks for.

    Example:
        >>> without("(clothes:1.4), blurry")
        'without clothes; without blurry'
    """
    terms = (_WEIGHT.sub(" ", each).strip() for each in _BETWEEN_TERMS.split(text))
    return "; ".join(f"without {term}" for term in terms if term)


def _parameters(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        raise BadRequest("The query of the address could not be read.") from None


def _is_guiding(value: Scalar) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and value >= _LEAST_GUIDANCE
    )
