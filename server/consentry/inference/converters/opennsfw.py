"""Yahoo's open_nsfw, from the ONNX file that a package ships: channels first, colours prepared inside."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

from consentry.inference.converters.graph import INPUT, Graph, require

SIDE_PX = 224
_MEAN = (104.0, 117.0, 123.0)  # blue, green, red: what it was trained with
_COPIED = {"Conv", "Relu", "Add", "MaxPool", "AveragePool", "MatMul", "Softmax"}


def build(data: bytes) -> bytes:
    """Return the ONNX file: input ``(n, 3, 224, 224)`` RGB 0 to 255; output ``(n, 2)``: harmless, not.

    Raises:
        ModelUnavailable: If the file holds other layers than expected.
    """
    source = onnx.load_from_string(data).graph
    constants = {each.name: numpy_helper.to_array(each) for each in source.initializer}
    inputs = [each.name for each in source.input if each.name not in constants]
    require(len(inputs) == 1 and len(source.output) == 1, "open_nsfw has other ends")
    graph = Graph()
    colours = np.zeros((3, 3, 1, 1), np.float32)
    for blue_first in range(3):
        colours[blue_first, 2 - blue_first] = 1
    prepared = graph.add(
        "Conv",
        [
            INPUT,
            graph.constant("colours", colours),
            graph.constant("shift", -np.array(_MEAN, np.float32)),
        ],
        kernel_shape=[1, 1],
    )
    names = {inputs[0]: prepared}
    for node in source.node:
        if node.op_type == "Transpose":
            # The source takes channels last, and moves them first before anything else.
            require(node.input[0] == inputs[0], "open_nsfw moves its channels elsewhere")
            names[node.output[0]] = names[node.input[0]]
        elif node.op_type == "Reshape":
            names[node.output[0]] = graph.add("Flatten", [names[node.input[0]]])
        else:
            require(node.op_type in _COPIED, f"open_nsfw has another layer ({node.op_type})")
            for name in node.input:
                if name in constants and name not in names:
                    names[name] = graph.constant(name, constants[name])
            tensors = [names[name] for name in node.input]
            names[node.output[0]] = graph.copy(node.op_type, tensors, node.attribute)
    return graph.serialise(
        input_shape=["n", 3, SIDE_PX, SIDE_PX],
        outputs=[(names[source.output[0].name], "exposure", ["n", 2])],
    )
