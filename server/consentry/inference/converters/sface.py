"""SFace: norm layers folded, a dynamic batch, and its large matrices kept in 8 bits.

The package's file holds every weight as whole numbers in blocks: ``(number - zero point) x scale``,
one scale and one zero point a block. Here the pointwise convolutions and the last layer, nearly all
of it, stay so, and the graph spells the conversion out in operations on constants alone: ONNX
Runtime computes those once, when the file is loaded, in Python and in the browser (it would repeat
a ``DequantizeLinear`` in every run). So the file is a quarter as large, and the numbers are the
same.

Network: Zhong et al., SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition,
2021; the layers are those of MobileNet (Howard et al., 2017), each followed by a norm layer and a
PReLU.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto, NodeProto, numpy_helper

from consentry.inference.converters.graph import INPUT, Floats, Graph, require

_SIDE_PX = 112
_DIMENSION = 128
_OUTPUT = "fc1"
_POINT = [1, 1]

Numbers = npt.NDArray[np.int8]


def build(data: bytes) -> bytes:
    """Return the ONNX file: input ``(n, 3, 112, 112)`` RGB, normalised; output ``(n, 128)``.

    Raises:
        ModelUnavailable: If the file holds other layers than expected.
    """
    source = _Source(onnx.load_from_string(data))
    graph = Graph()
    tensor = INPUT
    for i, convolution in enumerate(source.convolutions):
        norm = source.after(convolution, "BatchNormalization")
        bend = source.after(norm, "PRelu")
        slopes = source.floats(bend.input[1]).ravel()
        following = source.after(bend)
        closing = following if following.op_type == "BatchNormalization" else None
        tensor = _block(graph, source, f"layer{i}", (tensor, convolution, norm, slopes, closing))
    flat = graph.add("Flatten", [tensor])
    tensor = _last(graph, source, flat)
    return graph.serialise(
        input_shape=["n", 3, _SIDE_PX, _SIDE_PX],
        outputs=[(tensor, "embedding", ["n", _DIMENSION])],
    )


class _Source:
    """The layers and the constants of the package's file."""

    def __init__(self, model: ModelProto) -> None:
        self._constants = {
            each.name: numpy_helper.to_array(each) for each in model.graph.initializer
        }
        self._makers = {node.output[0]: node for node in model.graph.node}
        self._users = {node.input[0]: node for node in model.graph.node if node.input}
        require(_OUTPUT in self._makers, "SFace's file has another output")
        self.convolutions = [node for node in model.graph.node if node.op_type == "Conv"]

    def after(self, node: NodeProto, kind: str = "") -> NodeProto:
        """Return the layer that reads what ``node`` writes."""
        found: NodeProto | None = self._users.get(node.output[0])
        known = found is not None and kind in {"", found.op_type}
        require(known, f"a layer of SFace is not followed by {kind or 'another'}")
        assert found is not None  # noqa: S101 -- said above; for the type checker
        return found

    def last(self) -> tuple[NodeProto, NodeProto]:
        """Return the fully connected layer and its norm layer."""
        norm = self._makers[_OUTPUT]
        gemm = self._makers.get(norm.input[0])
        require(
            norm.op_type == "BatchNormalization" and gemm is not None and gemm.op_type == "Gemm",
            "SFace ends in another way",
        )
        assert gemm is not None  # noqa: S101 -- said above; for the type checker
        return gemm, norm

    def floats(self, name: str) -> Floats:
        """Return a constant."""
        require(name in self._constants, "a constant of SFace is missing")
        values: Floats = self._constants[name].astype(np.float32)
        return values

    def norm(self, node: NodeProto) -> tuple[Floats, Floats]:
        """Return a norm layer as a factor and a shift for each channel."""
        gamma, beta, mean, variance = (self.floats(name) for name in node.input[1:5])
        epsilon = next(each.f for each in node.attribute if each.name == "epsilon")
        factor: Floats = gamma / np.sqrt(variance + np.float32(epsilon))
        shift: Floats = beta - mean * factor
        return factor, shift

    def blocks(self, name: str) -> tuple[Numbers, Numbers, Floats]:
        """Return a matrix as it is stored: numbers, zero points, and scales, one row an output.

        Shapes ``(rows, blocks, block)``, ``(rows, blocks, 1)`` and ``(rows, blocks, 1)``.
        """
        node = self._makers[name]
        if node.op_type == "Reshape":
            node = self._makers[node.input[0]]
        require(node.op_type == "DequantizeLinear", "a matrix of SFace is not in 8 bits")
        numbers, scales, zeros = (self._constants[each] for each in node.input)
        require(
            numbers.dtype == zeros.dtype == np.int8 and numbers.size % scales.size == 0,
            "a matrix of SFace is stored in another way",
        )
        rows, blocks = len(scales), scales.size // len(scales)
        return (
            numbers.reshape(rows, blocks, -1),
            zeros.reshape(rows, blocks, 1),
            scales.reshape(rows, blocks, 1).astype(np.float32),
        )


_Layer = tuple[str, NodeProto, NodeProto, Floats, NodeProto | None]
"""The tensor read, a convolution, its norm layer, its PReLU's slopes, and a norm layer after that."""


def _block(graph: Graph, source: _Source, name: str, layer: _Layer) -> str:
    """Add one convolution with all that belongs to it."""
    tensor, convolution, norm, slopes, closing = layer
    factor, shift = source.norm(norm)
    numbers, zeros, scales = source.blocks(convolution.input[1])
    scales = scales * factor[:, None, None]
    attributes = {each.name: list(each.ints) for each in convolution.attribute}
    groups = next(each.i for each in convolution.attribute if each.name == "group")
    kernel = attributes["kernel_shape"]
    if kernel == _POINT:
        filters = _wide(graph, name, (numbers, zeros, scales), [len(numbers), -1, 1, 1])
        biases = graph.constant(f"{name}.biases", shift)
        output = graph.copy("Conv", [tensor, filters, biases], convolution.attribute)
        after = None if closing is None else source.norm(closing)
        return graph.prelu(output, name, slopes, then=after)
    values = (numbers.astype(np.float32) - zeros) * scales
    narrow: Floats = values.astype(np.float32).reshape(len(numbers), -1, *kernel)
    if groups > 1 and slopes.max() < 1:
        return graph.bent_depthwise(tensor, name, (narrow, shift, slopes), convolution.attribute)
    inputs = [
        tensor,
        graph.constant(f"{name}.filters", narrow),
        graph.constant(f"{name}.biases", shift),
    ]
    return graph.prelu(graph.copy("Conv", inputs, convolution.attribute), name, slopes)


def _wide(
    graph: Graph, name: str, stored: tuple[Numbers, Numbers, Floats], shape: list[int]
) -> str:
    """Add the conversion of a stored matrix to float32."""
    numbers, zeros, scales = stored
    centred = graph.add(
        "Sub",
        [
            graph.as_floats(graph.constant(f"{name}.numbers", numbers)),
            graph.as_floats(graph.constant(f"{name}.zeros", zeros)),
        ],
    )
    wide = graph.add("Mul", [centred, graph.constant(f"{name}.scales", scales)])
    return graph.add("Reshape", [wide, graph.constant(f"{name}.shape", np.array(shape, np.int64))])


def _last(graph: Graph, source: _Source, tensor: str) -> str:
    """Add the fully connected layer, its norm layer folded in."""
    gemm, norm = source.last()
    factor, shift = source.norm(norm)
    numbers, zeros, scales = source.blocks(gemm.input[1])
    matrix = _wide(
        graph, "last", (numbers, zeros, scales * factor[:, None, None]), [_DIMENSION, -1]
    )
    few, zero, scale = source.blocks(gemm.input[2])
    biases = ((few.astype(np.float32) - zero) * scale).ravel()
    biases = biases * factor + shift
    return graph.add("Gemm", [tensor, matrix, graph.constant("last.biases", biases)], transB=1)
