"""Two person detectors, from TensorFlow.js to ONNX.

A TensorFlow.js graph is a JSON list of nodes beside one file of weights, kept as 16-bit floats. Here
channels come first, padding becomes part of the layer that follows it, and what is not asked for
(boxes, the other 79 classes) is left out. Both networks take ``(n, 3, side, side)`` RGB, 0 to 255,
and answer with one number a picture: the largest logit of "person" over all places.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NewType, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from consentry.inference.converters.graph import INPUT, Floats, Graph, require

NANODET_SIDE_PX = 416
CENTERNET_SIDE_PX = 512

_NANODET_HEADS = ("PartitionedCall/Add_29", "PartitionedCall/Add_33", "PartitionedCall/Add_37")
_CENTERNET_HEADS = ("tower_0/CenternetHead/centernet_cls_output/BiasAdd",)
# What NanoDet was trained with, in its order of colours: blue, green, red.
_NANODET_MEAN = (103.53, 116.28, 123.675)
_NANODET_DEVIATION = (57.375, 57.12, 58.395)
_WIDTHS: dict[str, np.dtype[np.generic]] = {
    "float16": np.dtype("<f2"),
    "float32": np.dtype("<f4"),
    "int32": np.dtype("<i4"),
}
_CHANNELS_LAST = (0, 3, 1, 2)  # (n, height, width, channels) -> (n, channels, height, width)
_PICTURE_DIMENSIONS = 4

Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"
Values = npt.NDArray[np.float32] | npt.NDArray[np.int32]
Side = NewType("Side", int)
"""Height and width of a tensor: all are square."""


def build_nanodet(data: bytes) -> bytes:
    """Return NanoDet-g, for persons only.

    Raises:
        ModelUnavailable: If the file holds other layers than expected.
    """
    network = _Network(data, side=NANODET_SIDE_PX)
    colours = np.zeros((3, 3, 1, 1), np.float32)
    for blue_first in range(3):
        colours[blue_first, 2 - blue_first] = 1 / _NANODET_DEVIATION[blue_first]
    shift = -np.array(_NANODET_MEAN) / np.array(_NANODET_DEVIATION)
    network.prepare(colours, shift.astype(np.float32))
    return network.largest_logit(_NANODET_HEADS)


def build_centernet(data: bytes) -> bytes:
    """Return CenterNet on MobileNetV3, for persons only.

    Raises:
        ModelUnavailable: If the file holds other layers than expected.
    """
    return _Network(data, side=CENTERNET_SIDE_PX).largest_logit(_CENTERNET_HEADS)


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A tensor of the ONNX graph. ``padding`` is still to be added by the layer that takes it."""

    name: str
    side: Side
    padding: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class _Node:
    operation: str
    inputs: tuple[str, ...]
    attributes: dict[str, Json]

    def numbers(self, name: str) -> list[int]:
        """Return an attribute that is a list of whole numbers."""
        return [int(cast("str", each)) for each in _list(_dict(self.attributes[name]), "list", "i")]

    def words(self, name: str) -> list[str]:
        """Return an attribute that is a list of words; none when it is absent."""
        if name not in self.attributes:
            return []
        return [_word(each) for each in _list(_dict(self.attributes[name]), "list", "s")]

    def word(self, name: str) -> str:
        """Return an attribute that is one word."""
        return _word(_dict(self.attributes[name])["s"])

    def number(self, name: str) -> float:
        """Return an attribute that is one number."""
        return float(cast("float", _dict(self.attributes[name])["f"]))


class _Network:
    """Copies a graph node by node, from what is asked for back to the picture."""

    def __init__(self, data: bytes, *, side: int) -> None:
        # The description ends where its braces close; the weights follow.
        description, end = json.JSONDecoder().raw_decode(data.decode("latin-1"))
        self._nodes = dict(_nodes(_dict(description)))
        self._constants = dict(_weights(_dict(description), data[end:]))
        self._side = side
        self._graph = Graph()
        self._tensors: dict[str, _Tensor] = {}
        self._input = INPUT

    def prepare(self, colours: Floats, shift: Floats) -> None:
        """Mix and shift the colours before anything else."""
        weights = self._graph.constant("colours", colours)
        biases = self._graph.constant("shift", shift)
        self._input = self._graph.add("Conv", [INPUT, weights, biases], kernel_shape=[1, 1])

    def largest_logit(self, heads: Sequence[str]) -> bytes:
        """Serialise, with the largest value of the first channel of ``heads`` as the only output."""
        starts, ends, axes = (
            self._graph.constant(name, np.array([value], np.int64))
            for name, value in (("first", 0), ("second", 1), ("channel", 1))
        )
        persons = []
        for head in heads:
            require(head in self._nodes, "a person detector has other outputs")
            channels = self._tensor(head).name
            person = self._graph.add("Slice", [channels, starts, ends, axes])
            persons.append(self._graph.add("GlobalMaxPool", [person]))
        largest = self._graph.add("Max", persons)
        return self._graph.serialise(
            input_shape=["n", 3, self._side, self._side],
            outputs=[(self._graph.add("Flatten", [largest]), "logit", ["n", 1])],
        )

    def _tensor(self, name: str) -> _Tensor:
        # Deepest first, without recursion: the graphs are hundreds of nodes deep.
        waiting = [name]
        while waiting:
            wanted = waiting[-1]
            missing = [
                each
                for each in self._nodes[wanted].inputs
                if each not in self._tensors and each not in self._constants
            ]
            if not missing and wanted not in self._tensors:
                self._tensors[wanted] = self._copy(wanted, self._nodes[wanted])
            if missing:
                waiting.extend(missing)
            else:
                waiting.pop()
        return self._tensors[name]

    def _copy(self, name: str, node: _Node) -> _Tensor:
        if node.operation == "Placeholder":
            return _Tensor(self._input, Side(self._side))
        copier = _COPIERS.get(node.operation)
        require(
            copier is not None,
            f"a person detector has a layer that is not known here ({node.operation})",
        )
        return cast("_Copier", copier)(self, name, node)

    def _first(self, node: _Node) -> _Tensor:
        """Return the first input that is no constant."""
        return next(self._tensors[each] for each in node.inputs if each in self._tensors)

    def _plain(self, operation: str, node: _Node) -> _Tensor:
        first = self._first(node)
        inputs = [self._operand(each) for each in node.inputs]
        return _Tensor(self._graph.add(operation, inputs), first.side)

    def _operand(self, name: str) -> str:
        if name in self._tensors:
            require(self._tensors[name].padding == (0, 0), "padding comes before another layer")
            return self._tensors[name].name
        values = self._constants[name].astype(np.float32)
        if values.ndim == 1:
            values = values.reshape(1, -1, 1, 1)
        return self._constant(name, values)

    def _constant(self, name: str, values: Floats) -> str:
        if not any(each.name == name for each in self._graph.constants):
            self._graph.constant(name, np.ascontiguousarray(values))
        return name

    def add(self, _name: str, node: _Node) -> _Tensor:
        return self._plain("Add", node)

    def multiply(self, _name: str, node: _Node) -> _Tensor:
        # The larger tensor's side, whichever comes first: a picture is weighted by channels.
        tensor = self._plain("Mul", node)
        sides = [self._tensors[each].side for each in node.inputs if each in self._tensors]
        return _Tensor(tensor.name, max(sides))

    def rectify(self, _name: str, node: _Node) -> _Tensor:
        return self._plain("Relu", node)

    def sigmoid(self, _name: str, node: _Node) -> _Tensor:
        return self._plain("Sigmoid", node)

    def clip(self, _name: str, node: _Node) -> _Tensor:
        first = self._first(node)
        return _Tensor(self._clipped(first.name), first.side)

    def _clipped(self, tensor: str) -> str:
        bounds = [self._constant(f"clip{each}", np.array(each, np.float32)) for each in (0, 6)]
        return self._graph.add("Clip", [tensor, *bounds])

    def leak(self, _name: str, node: _Node) -> _Tensor:
        first = self._first(node)
        alpha = node.number("alpha")
        return _Tensor(self._graph.add("LeakyRelu", [first.name], alpha=alpha), first.side)

    def average(self, _name: str, node: _Node) -> _Tensor:
        return _Tensor(
            self._graph.add("GlobalAveragePool", [self._operand(node.inputs[0])]), Side(1)
        )

    def join(self, _name: str, node: _Node) -> _Tensor:
        inputs = [self._operand(each) for each in node.inputs[:-1]]
        return _Tensor(self._graph.add("Concat", inputs, axis=1), self._first(node).side)

    def keep(self, _name: str, node: _Node) -> _Tensor:
        # Channels come first here anyhow: moving them changes nothing.
        return self._first(node)

    def pad(self, _name: str, node: _Node) -> _Tensor:
        first = self._first(node)
        pairs = {(int(before), int(after)) for before, after in self._constants[node.inputs[1]]}
        pairs -= {(0, 0)}
        require(len(pairs) <= 1 and first.padding == (0, 0), "padding differs by side")
        return _Tensor(first.name, first.side, pairs.pop() if pairs else (0, 0))

    def resize(self, _name: str, node: _Node) -> _Tensor:
        first = self._first(node)
        side = Side(int(self._constants[node.inputs[1]][0]))
        factor = side / first.side
        scales = self._constant(
            f"scales{first.side}to{side}", np.array([1, 1, factor, factor], np.float32)
        )
        is_centred = bool(_dict(node.attributes["half_pixel_centers"]).get("b", False))
        return _Tensor(
            self._graph.add(
                "Resize",
                [self._operand(node.inputs[0]), "", scales],
                mode="linear",
                coordinate_transformation_mode="half_pixel" if is_centred else "asymmetric",
            ),
            side,
        )

    def pool(self, _name: str, node: _Node) -> _Tensor:
        kernel, stride = node.numbers("ksize")[1], node.numbers("strides")[1]
        tensor, (before, after), side = self._window(node, kernel, stride)
        return _Tensor(
            self._graph.add(
                "MaxPool",
                [tensor.name],
                kernel_shape=[kernel, kernel],
                strides=[stride, stride],
                pads=[before, before, after, after],
            ),
            side,
        )

    def convolve(self, _name: str, node: _Node) -> _Tensor:
        return self._convolve(node, (3, 2, 0, 1))

    def convolve_by_channel(self, _name: str, node: _Node) -> _Tensor:
        return self._convolve(node, (2, 3, 0, 1))

    def _convolve(self, node: _Node, order: tuple[int, int, int, int]) -> _Tensor:
        filters = self._constants[node.inputs[1]].transpose(order).astype(np.float32)
        kernel, stride = filters.shape[2], node.numbers("strides")[1]
        tensor, (before, after), side = self._window(node, kernel, stride)
        inputs = [tensor.name, self._constant(node.inputs[1], filters)]
        if len(node.inputs) > 2:  # noqa: PLR2004 -- picture and filters, then biases
            biases = self._constants[node.inputs[2]].astype(np.float32)
            inputs.append(self._constant(node.inputs[2], biases))
        made = self._graph.add(
            "Conv",
            inputs,
            group=filters.shape[0] if order[0] == 2 else 1,  # noqa: PLR2004 -- by channel
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[before, before, after, after],
        )
        for fused in node.words("fused_ops"):
            require(fused in {"BiasAdd", "Relu", "Relu6"}, "a convolution is fused with more")
            if fused == "Relu":
                made = self._graph.add("Relu", [made])
            elif fused == "Relu6":
                made = self._clipped(made)
        return _Tensor(made, side)

    def _window(
        self, node: _Node, kernel: int, stride: int
    ) -> tuple[_Tensor, tuple[int, int], Side]:
        """Return the input, the pixels to add before and after it, and the side of the output."""
        tensor = self._tensors[node.inputs[0]]
        before, after = tensor.padding
        if node.word("padding") == "SAME":
            # TensorFlow's "same": the output is the input by the stride, rounded up; what is
            # missing is added on both sides, the odd pixel at the end.
            missing = max((-(-tensor.side // stride) - 1) * stride + kernel - tensor.side, 0)
            before, after = missing // 2, missing - missing // 2
        side = (tensor.side + before + after - kernel) // stride + 1
        return tensor, (before, after), Side(side)


_Copier = Callable[[_Network, str, _Node], _Tensor]
_COPIERS: dict[str, _Copier] = {
    "Add": _Network.add,
    "AddV2": _Network.add,
    "ConcatV2": _Network.join,
    "Conv2D": _Network.convolve,
    "DepthwiseConv2dNative": _Network.convolve_by_channel,
    "FusedDepthwiseConv2dNative": _Network.convolve_by_channel,
    "LeakyRelu": _Network.leak,
    "MaxPool": _Network.pool,
    "Mean": _Network.average,
    "Mul": _Network.multiply,
    "Pad": _Network.pad,
    "PadV2": _Network.pad,
    "Relu": _Network.rectify,
    "Relu6": _Network.clip,
    "ResizeBilinear": _Network.resize,
    "Sigmoid": _Network.sigmoid,
    "Transpose": _Network.keep,
    "_FusedConv2D": _Network.convolve,
}


def _nodes(description: dict[str, Json]) -> Iterator[tuple[str, _Node]]:
    for each in _list(description, "modelTopology", "node"):
        node = _dict(each)
        if node["op"] == "Const":
            continue
        inputs = tuple(str(name) for name in cast("list[Json]", node.get("input") or []))
        attributes = _dict(node.get("attr") or {})
        yield str(node["name"]), _Node(str(node["op"]), inputs, attributes)


def _weights(description: dict[str, Json], data: bytes) -> Iterator[tuple[str, Values]]:
    manifest = cast("list[Json]", description["weightsManifest"])
    offset = 0
    for each in cast("list[Json]", _dict(manifest[0])["weights"]):
        weight = _dict(each)
        shape = tuple(int(cast("int", side)) for side in cast("list[Json]", weight["shape"]))
        kept_as = str(_dict(weight.get("quantization") or {"dtype": weight["dtype"]})["dtype"])
        require(kept_as in _WIDTHS, f"weights are kept in another way ({kept_as})")
        width, count = _WIDTHS[kept_as], int(np.prod(shape))
        values = np.frombuffer(data, width, count, offset).reshape(shape)
        offset += count * width.itemsize
        is_whole = weight["dtype"] == "int32"
        yield (
            str(weight["name"]),
            values.astype(np.int32) if is_whole else values.astype(np.float32),
        )
    require(offset == len(data), "the weights are not as long as their description says")


def _dict(value: Json) -> dict[str, Json]:
    require(isinstance(value, dict), "the description of a network has another form")
    return cast("dict[str, Json]", value)


def _list(value: dict[str, Json], *path: str) -> list[Json]:
    found: Json = value
    for key in path:
        found = _dict(found).get(key)
    require(isinstance(found, list), "the description of a network has another form")
    return cast("list[Json]", found)


def _word(value: Json) -> str:
    return base64.b64decode(str(value)).decode("ascii")
