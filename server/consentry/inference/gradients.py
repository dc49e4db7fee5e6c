"""Gradients of a network by its input: what an attacker with the weights can compute, and our own measurement too.

Reverse-mode differentiation, written as more ONNX nodes behind the graph's own, so that ONNX Runtime computes both:

    input -> network -> embedding
    direction (n, d) -> the network's transposed steps, backwards -> gradient of <embedding, direction> by input

Only the operators of our embedders are known (`_RULES`). Needs ``onnx`` (the extra ``models``); no check uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from consentry.inference.registry import ModelName
from consentry.inference.sessions import ModelStore, open_session
from consentry.kernel.errors import ModelUnavailable

if TYPE_CHECKING:
    import onnx

Floats = npt.NDArray[np.float32]
Attribute = int | float | str | Sequence[int]

_INPUT, _DIRECTION, _EMBEDDING, _GRADIENT = "input", "direction", "embedding", "gradient"


class Gradient:
    """A network and its gradient. Any number of threads may run it at once.

    Args:
        name: Which network.
        models: The models folder.

    Raises:
        ModelUnavailable: If the network's file is missing or not the pinned one, or ``onnx`` is not installed.
        ValueError: If the network has an operator without a rule.
    """

    def __init__(self, name: ModelName, models: ModelStore) -> None:
        self._session = open_session(_with_gradient(models.file(name)))

    def __call__(self, inputs: Floats, direction: Floats) -> tuple[Floats, Floats]:
        """Run the network forwards and backwards.

        Args:
            inputs: Shape ``(n, 3, side, side)``, as the network takes them.
            direction: Shape ``(n, d)``.

        Returns:
            The embeddings, ``(n, d)``, and the gradient of each one's product with its direction by its input.
        """
        embedding, gradient = self._session.run(
            [_EMBEDDING, _GRADIENT], {_INPUT: inputs, _DIRECTION: direction}
        )
        return embedding, gradient


def _with_gradient(data: bytes) -> bytes:
    try:
        import onnx
    except ImportError as cause:
        raise ModelUnavailable("gradients need the package onnx: install '.[models]'") from cause
    model = onnx.shape_inference.infer_shapes(onnx.load_from_string(data))
    tape = _Tape(model.graph)
    tape.differentiate()
    done: bytes = model.SerializeToString()
    return done


@dataclass
class _Tape:
    """The graph that backward nodes are added to."""

    graph: onnx.GraphProto
    gradients: dict[str, list[str]] = field(default_factory=dict)
    constants: dict[str, npt.NDArray[np.generic]] = field(default_factory=dict)
    count: int = 0

    def differentiate(self) -> None:
        from onnx import TensorProto, helper

        nodes = list(self.graph.node)
        active = {_INPUT}
        for node in nodes:
            if active.intersection(node.input):
                active.update(node.output)
        self._fold([node for node in nodes if not active.intersection(node.input)])
        self.gradients[self.graph.output[0].name] = [_DIRECTION]
        for node in reversed(nodes):
            for output in node.output:
                if output in self.gradients and active.intersection(node.input):
                    self._back(node, self._total(output), active)
        self.node("Identity", [self._total(_INPUT)], output=_GRADIENT)
        width = self.shape(self.graph.output[0].name)[1]
        if self.graph.output[0].name != _EMBEDDING:
            raise ValueError("the output of an embedder is called embedding")
        float32 = TensorProto.FLOAT
        self.graph.input.append(helper.make_tensor_value_info(_DIRECTION, float32, ["n", width]))
        side = self.shape(_INPUT)[2:]
        self.graph.output.append(helper.make_tensor_value_info(_GRADIENT, float32, ["n", 3, *side]))

    def _fold(self, nodes: Sequence[onnx.NodeProto]) -> None:
        """Compute what does not depend on the input: weights that are stored in fewer bits."""
        from onnx import TensorProto, helper, numpy_helper
        from onnx.reference import ReferenceEvaluator

        self.constants.update(
            (each.name, numpy_helper.to_array(each)) for each in self.graph.initializer
        )
        names = [name for node in nodes for name in node.output]
        if names:
            outputs = [helper.make_tensor_value_info(n, TensorProto.UNDEFINED, None) for n in names]
            graph = helper.make_graph(nodes, "constants", [], outputs, self.graph.initializer)
            values = ReferenceEvaluator(helper.make_model(graph)).run(None, {})
            self.constants.update(zip(names, map(np.asarray, values), strict=True))

    def _back(self, node: onnx.NodeProto, gradient: str, active: set[str]) -> None:
        rule = _RULES.get(node.op_type)
        if rule is None:
            raise ValueError(f"there is no rule for the gradient of {node.op_type}")
        for place, name in enumerate(node.input):
            if name in active:
                self.gradients.setdefault(name, []).append(rule(self, node, gradient, place))

    def _total(self, name: str) -> str:
        parts = self.gradients[name]
        return parts[0] if len(parts) == 1 else self.node("Sum", parts)

    def node(
        self,
        kind: str,
        inputs: Sequence[str],
        *,
        output: str | None = None,
        **attributes: Attribute,
    ) -> str:
        """Add a node and return the name of its output."""
        from onnx import helper

        self.count += 1
        name = output or f"back_{self.count}"
        node = helper.make_node(kind, list(inputs), [name])
        node.attribute.extend(
            helper.make_attribute(key, value) for key, value in attributes.items()
        )
        self.graph.node.append(node)
        return name

    def constant(self, values: npt.NDArray[np.generic]) -> str:
        """Add a constant and return its name."""
        from onnx import numpy_helper

        self.count += 1
        name = f"back_{self.count}"
        self.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def value(self, name: str) -> npt.NDArray[np.generic] | None:
        """Return a constant of the graph; None for what depends on the input."""
        return self.constants.get(name)

    def shape(self, name: str) -> list[int]:
        """Return a shape; 0 for the batch."""
        known = [*self.graph.input, *self.graph.value_info, *self.graph.output]
        found = next(each for each in known if each.name == name)
        return [each.dim_value for each in found.type.tensor_type.shape.dim]

    def ints(self, node: onnx.NodeProto, name: str, default: Sequence[int]) -> list[int]:
        """Return an attribute that is a list of integers."""
        return next(
            (list(each.ints) for each in node.attribute if each.name == name), list(default)
        )

    def group(self, node: onnx.NodeProto) -> int:
        """Return the groups of a convolution."""
        return next((each.i for each in node.attribute if each.name == "group"), 1)


Rule = Callable[[_Tape, "onnx.NodeProto", str, int], str]


def _conv(tape: _Tape, node: onnx.NodeProto, gradient: str, place: int) -> str:
    filters = tape.value(node.input[1])
    if place != 0 or filters is None:
        raise ValueError("the filters of a convolution are constant")
    across = filters.shape[2:]
    strides, pads = tape.ints(node, "strides", (1, 1)), tape.ints(node, "pads", (0, 0, 0, 0))
    group = tape.group(node)
    if strides != [1, 1]:
        return _transposed(tape, node.input[0], gradient, filters, (strides, pads, group))
    # At stride 1 it is a convolution with the filters turned round, which runs faster than a transposed one.
    outputs, inputs = filters.shape[0] // group, filters.shape[1]
    turned = filters.reshape(group, outputs, inputs, *across).swapaxes(1, 2)[..., ::-1, ::-1]
    turned = turned.reshape(group * inputs, outputs, *across)
    rest = [across[i % 2] - 1 - pad for i, pad in enumerate(pads)]
    return tape.node(
        "Conv", [gradient, tape.constant(turned)], pads=rest, group=group, kernel_shape=list(across)
    )


def _transposed(
    tape: _Tape,
    name: str,
    gradient: str,
    filters: npt.NDArray[np.generic],
    how: tuple[Sequence[int], Sequence[int], int],
) -> str:
    strides, pads, group = how
    across = filters.shape[2:]
    size = tape.shape(name)[2:]
    # Rows and columns at the end that no step of the convolution reached.
    left = [(size[i] + pads[i] + pads[i + 2] - across[i]) % strides[i] for i in range(len(across))]
    return tape.node(
        "ConvTranspose",
        [gradient, tape.constant(filters)],
        strides=list(strides),
        pads=list(pads),
        group=group,
        output_padding=left,
        kernel_shape=list(across),
    )


def _relu(tape: _Tape, node: onnx.NodeProto, gradient: str, _: int) -> str:
    zero = tape.constant(np.zeros((), np.float32))
    above = tape.node("Greater", [node.input[0], zero])
    return tape.node("Where", [above, gradient, zero])


def _prelu(tape: _Tape, node: onnx.NodeProto, gradient: str, place: int) -> str:
    if place != 0:
        raise ValueError("the slopes of a PRelu are constant")
    above = tape.node("Greater", [node.input[0], tape.constant(np.zeros((), np.float32))])
    return tape.node("Where", [above, gradient, tape.node("Mul", [gradient, node.input[1]])])


def _add(_: _Tape, __: onnx.NodeProto, gradient: str, ___: int) -> str:
    return gradient


def _sub(tape: _Tape, _: onnx.NodeProto, gradient: str, place: int) -> str:
    return tape.node("Neg", [gradient]) if place else gradient


def _mul(tape: _Tape, node: onnx.NodeProto, gradient: str, place: int) -> str:
    return tape.node("Mul", [gradient, node.input[1 - place]])


def _reshape(tape: _Tape, node: onnx.NodeProto, gradient: str, _: int) -> str:
    return tape.node("Reshape", [gradient, tape.node("Shape", [node.input[0]])])


def _matmul(tape: _Tape, node: onnx.NodeProto, gradient: str, place: int) -> str:
    weights = tape.value(node.input[1])
    is_turned = any(each.name == "transB" and each.i for each in node.attribute)
    if place != 0 or weights is None:
        raise ValueError("the weights of a layer are constant")
    return tape.node("MatMul", [gradient, tape.constant(weights if is_turned else weights.T)])


def _pad(tape: _Tape, node: onnx.NodeProto, gradient: str, _: int) -> str:
    pads = tape.value(node.input[1])
    if pads is None:
        raise ValueError("the pads of a graph are constant")
    shape = tape.shape(node.input[0])
    before = np.asarray(pads, np.int64)[: len(shape)]
    axes = np.arange(1, len(shape), dtype=np.int64)
    starts = before[1:]
    ends = starts + np.array(shape[1:], np.int64)
    return tape.node("Slice", [gradient, *map(tape.constant, (starts, ends, axes))])


def _average_pool(tape: _Tape, node: onnx.NodeProto, gradient: str, _: int) -> str:
    across = tape.ints(node, "kernel_shape", ())
    channels = tape.shape(node.input[0])[1]
    filters = np.full((channels, 1, *across), 1 / np.prod(across), np.float32)
    strides, pads = tape.ints(node, "strides", (1, 1)), tape.ints(node, "pads", (0, 0, 0, 0))
    return _transposed(tape, node.input[0], gradient, filters, (strides, pads, channels))


def _global_average_pool(tape: _Tape, node: onnx.NodeProto, gradient: str, _: int) -> str:
    size = np.prod(tape.shape(node.input[0])[2:])
    part = tape.node("Mul", [gradient, tape.constant(np.full((), 1 / size, np.float32))])
    return tape.node("Expand", [part, tape.node("Shape", [node.input[0]])])


def _max_pool(tape: _Tape, node: onnx.NodeProto, gradient: str, _: int) -> str:
    """Add each gradient to where its maximum came from; windows overlap."""
    if len(node.output) == 1:
        node.output.append(f"{node.output[0]}_places")
    flat = tape.constant(np.array([-1], np.int64))
    zeros = tape.node("Mul", [node.input[0], tape.constant(np.zeros((), np.float32))])
    scattered = tape.node(
        "ScatterElements",
        [tape.node("Reshape", [each, flat]) for each in (zeros, node.output[1], gradient)],
        axis=0,
        reduction="add",
    )
    return tape.node("Reshape", [scattered, tape.node("Shape", [node.input[0]])])


_RULES: dict[str, Rule] = {
    "Add": _add,
    "AveragePool": _average_pool,
    "Cast": _add,
    "Conv": _conv,
    "Flatten": _reshape,
    "Gemm": _matmul,
    "GlobalAveragePool": _global_average_pool,
    "Identity": _add,
    "MatMul": _matmul,
    "MaxPool": _max_pool,
    "Mul": _mul,
    "PRelu": _prelu,
    "Pad": _pad,
    "Relu": _relu,
    "Reshape": _reshape,
    "Sub": _sub,
}
