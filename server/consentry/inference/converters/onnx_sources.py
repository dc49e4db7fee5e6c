"""CenterFace, whose package ships ONNX: sizes become dynamic, norm layers are folded."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, numpy_helper

from consentry.inference.converters.graph import INPUT, Floats, Graph, require

_CENTERFACE_OUTPUTS = (
    ("537", "heatmap", 1),
    ("538", "scale", 2),
    ("539", "offset", 2),
    ("540", "landmarks", 10),
)


def build_centerface(data: bytes) -> bytes:
    """Return CenterFace with dynamic batch, height and width, its three norm layers folded.

    Input ``(n, 3, height, width)`` RGB 0 to 255, sides multiples of 32. Outputs at a quarter of the
    size: ``heatmap (n, 1)``, ``scale (n, 2)``, ``offset (n, 2)``, ``landmarks (n, 10)``.

    Raises:
        ModelUnavailable: If the file holds other layers than expected.
    """
    source = _Source(data)
    outputs: list[tuple[str, str, list[int | str]]] = []
    for internal, name, channels in _CENTERFACE_OUTPUTS:
        require(internal in source.names, "CenterFace's file has other outputs")
        outputs.append((source.names[internal], name, ["n", channels, "h", "w"]))
    return source.graph.serialise(input_shape=["n", 3, "height", "width"], outputs=outputs)


class _Source:
    """Copies a graph node by node. ``names`` maps its tensors to ours."""

    def __init__(self, data: bytes) -> None:
        model: ModelProto = onnx.load_from_string(data)
        self.graph = Graph()
        self._constants: dict[str, Floats] = {
            each.name: numpy_helper.to_array(each) for each in model.graph.initializer
        }
        inputs = [each.name for each in model.graph.input if each.name not in self._constants]
        require(len(inputs) == 1, "an ONNX source has more than one input")
        self.names = {inputs[0]: INPUT}
        users: dict[str, list[NodeProto]] = {}
        for node in model.graph.node:
            users.setdefault(node.input[0], []).append(node)
        for node in model.graph.node:
            self._copy(node, users)

    def _copy(self, node: NodeProto, users: dict[str, list[NodeProto]]) -> None:
        operation = node.op_type
        if operation == "BatchNormalization":
            # Already folded into the transposed convolution before it.
            self.names[node.output[0]] = self.names[node.input[0]]
            return
        require(
            operation in {"Conv", "ConvTranspose", "Relu", "Add", "Sigmoid"},
            f"an ONNX source has a layer that is not known here ({operation})",
        )
        constants = {name: self._constants[name] for name in node.input if name in self._constants}
        if operation == "ConvTranspose":
            folded = self._fold(node, users)
            inputs = [self.names[node.input[0]], *folded]
        else:
            inputs = [self.names.get(name, name) for name in node.input]
            for name, values in constants.items():
                self.graph.constant(name, values)
        self.names[node.output[0]] = self.graph.copy(operation, inputs, node.attribute)

    def _fold(self, node: NodeProto, users: dict[str, list[NodeProto]]) -> list[str]:
        """Fold the norm layer that follows a transposed convolution into its weights."""
        after = users.get(node.output[0], [])
        require(
            len(after) == 1 and after[0].op_type == "BatchNormalization" and len(node.input) == 2,  # noqa: PLR2004 -- tensor and filters, no biases
            "a transposed convolution is not followed by a norm layer alone",
        )
        gamma, beta, mean, variance = (self._constants[name] for name in after[0].input[1:5])
        epsilon = next(each.f for each in after[0].attribute if each.name == "epsilon")
        scale = gamma / np.sqrt(variance + np.float32(epsilon))
        filters = self._constants[node.input[1]] * scale[None, :, None, None]
        return [
            self.graph.constant(node.input[1], filters.astype(np.float32)),
            self.graph.constant(
                f"{node.input[1]}.biases", (beta - mean * scale).astype(np.float32)
            ),
        ]
