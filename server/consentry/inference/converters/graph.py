"""A small writer of ONNX files, whose bytes depend on nothing but what was added to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

from consentry.kernel.errors import ModelUnavailable

INPUT = "input"
_PRODUCER = "consentry"
_IR_VERSION = 8
_OPSET = 17
CONTRIBUTED = "com.microsoft"
"""Operations that ONNX Runtime has beyond the standard, in Python and in the browser alike."""
_KINDS = {
    np.dtype(np.float32): TensorProto.FLOAT,
    np.dtype(np.int64): TensorProto.INT64,
    np.dtype(np.uint8): TensorProto.UINT8,
    np.dtype(np.int8): TensorProto.INT8,
}

Floats = npt.NDArray[np.float32]
Constant = Floats | npt.NDArray[np.int64] | npt.NDArray[np.uint8] | npt.NDArray[np.int8]


def require(condition: bool, what: str) -> None:  # noqa: FBT001 -- reads as an assertion
    """Stop the build when the weights are not what the builder was written for.

    Raises:
        ModelUnavailable: If ``condition`` is false.
    """
    if not condition:
        raise ModelUnavailable(
            f"the model was not built: {what}. The source package has changed; "
            "install the versions that requirements/run.lock pins"
        )


@dataclass(slots=True)
class Graph:
    """Nodes in order of execution, and the constants that they use."""

    nodes: list[NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)

    def constant(self, name: str, values: Constant) -> str:
        """Add a constant tensor and return its name."""
        kind = _KINDS[values.dtype]
        little_endian = values.astype(values.dtype.newbyteorder("<"), copy=False)
        tensor = helper.make_tensor(name, kind, values.shape, little_endian.tobytes(), raw=True)
        self.constants.append(tensor)
        return name

    def add(
        self,
        operation: str,
        inputs: Sequence[str],
        *,
        domain: str = "",
        **attributes: float | str | Sequence[int],
    ) -> str:
        """Add one node and return the name of its only output."""
        output = f"{operation.lower()}_{len(self.nodes)}"
        node = helper.make_node(operation, list(inputs), [output], domain=domain or None)
        node.attribute.extend(
            helper.make_attribute(name, attributes[name]) for name in sorted(attributes)
        )
        self.nodes.append(node)
        return output

    def enlarged(self, tensor: str, factors: str) -> str:
        """Add an enlargement by whole factors that repeats each value."""
        output = self.add("Resize", [tensor, "", factors])
        self.nodes[-1].attribute.extend(
            [
                helper.make_attribute("coordinate_transformation_mode", "asymmetric"),
                helper.make_attribute("mode", "nearest"),
                helper.make_attribute("nearest_mode", "floor"),
            ]
        )
        return output

    def as_floats(self, tensor: str) -> str:
        """Add a conversion of whole numbers to float32."""
        return self.add("Cast", [tensor], to=TensorProto.FLOAT)

    def prelu(
        self,
        tensor: str,
        name: str,
        slopes: Floats,
        *,
        then: tuple[Floats, Floats] | None = None,
    ) -> str:
        """Add a PReLU, one slope a channel, as ``slope x + (1 - slope) relu(x)``.

        Two 1x1 convolutions, a Relu and an Add rather than the PRelu that ONNX has:
        ONNX Runtime keeps convolutions, Relu and Add in its blocked memory layout but not PRelu, and
        spends more time on leaving that layout than on all convolutions. Measured once with ONNX
        Runtime 1.31, a batch of two, one thread: 38 to 15 ms (192-D) and 34 to 18 ms (512-D); the
        outputs differ by 1e-5 at most, on values up to 9. Another runtime may prefer PRelu.

        Args:
            tensor: What is bent.
            name: A prefix for the constants.
            slopes: One for each channel, for negative values.
            then: A factor and a shift for each channel, applied afterwards: a norm layer.
        """
        slopes = slopes.ravel()
        channels = slopes.size
        factor, shift = then or (np.ones(channels, np.float32), None)
        rest = (np.float32(1) - slopes) * factor
        kernels = [
            self.constant(f"{name}.slope", (slopes * factor).reshape(-1, 1, 1, 1)),
            self.constant(f"{name}.rest", rest.reshape(-1, 1, 1, 1)),
        ]
        if shift is not None:
            kernels.append(self.constant(f"{name}.shift", shift))
        sloped = self.add("Conv", [tensor, kernels[0]], group=channels, kernel_shape=[1, 1])
        positive = self.add("Relu", [tensor])
        bent = self.add("Conv", [positive, *kernels[1:]], group=channels, kernel_shape=[1, 1])
        return self.add("Add", [sloped, bent])

    def bent_depthwise(
        self,
        tensor: str,
        name: str,
        layer: tuple[Floats, Floats, Floats],
        attributes: Sequence[AttributeProto],
    ) -> str:
        """Add a depthwise convolution and the PReLU that follows it, as two convolutions.

        ``slope y + relu((1 - slope) y)``: where no slope reaches 1, both factors go into the
        filters, and ONNX Runtime computes Relu and Add while it writes the convolutions.

        Args:
            tensor: What is convolved.
            name: A prefix for the constants.
            layer: Filters, biases, and one slope below 1 for each channel.
            attributes: Of the convolution.
        """
        filters, biases, slopes = layer

        def scaled(part: str, factor: Floats) -> str:
            return self.copy(
                "Conv",
                [
                    tensor,
                    self.constant(f"{name}.{part}", filters * factor[:, None, None, None]),
                    self.constant(f"{name}.{part}.biases", biases * factor),
                ],
                attributes,
            )

        positive = self.add("Relu", [scaled("rest", np.float32(1) - slopes)])
        return self.add("Add", [scaled("slope", slopes), positive])

    def copy(
        self, operation: str, inputs: Sequence[str], attributes: Sequence[AttributeProto]
    ) -> str:
        """Add one node with the attributes of a node of another graph."""
        output = self.add(operation, inputs)
        self.nodes[-1].attribute.extend(sorted(attributes, key=lambda each: each.name))
        return output

    def serialise(
        self,
        *,
        input_shape: Sequence[int | str],
        outputs: Sequence[tuple[str, str, Sequence[int | str]]],
        takes_numbers: bool = False,
    ) -> bytes:
        """Return the ONNX file.

        Args:
            input_shape: Dimensions of the one input; a word is a dynamic dimension.
            outputs: For each output the tensor's name in this graph, its public name, and its
                dimensions.
            takes_numbers: The input is int64 (of tokens), not float32.
        """
        public = {internal: name for internal, name, _ in outputs}
        for node in self.nodes:
            for i, tensor in enumerate(node.output):
                node.output[i] = public.get(tensor, tensor)
            for i, tensor in enumerate(node.input):
                node.input[i] = public.get(tensor, tensor)
        graph = helper.make_graph(
            self.nodes,
            _PRODUCER,
            [
                _declared(
                    INPUT, input_shape, TensorProto.INT64 if takes_numbers else TensorProto.FLOAT
                )
            ],
            [_declared(name, shape, TensorProto.FLOAT) for _, name, shape in outputs],
            self.constants,
        )
        operations = [helper.make_opsetid("", _OPSET)]
        if any(node.domain == CONTRIBUTED for node in self.nodes):
            operations.append(helper.make_opsetid(CONTRIBUTED, 1))
        model: ModelProto = helper.make_model(
            graph, producer_name=_PRODUCER, opset_imports=operations
        )
        model.ir_version = _IR_VERSION
        serialised: bytes = model.SerializeToString(deterministic=True)
        return serialised


def _declared(name: str, shape: Sequence[int | str], kind: int) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)
