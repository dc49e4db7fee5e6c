"""PP-OCR, from the ONNX files that a package ships: where lines of text are, what they say, and its letters.

The networks stay as they are, but for their names and a first layer that prepares the colours.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import ModelProto, helper, numpy_helper

from consentry.inference.converters.graph import INPUT, require

_HALF = 127.5  # 0 to 255 becomes -1 to 1
_ALPHABET = "character"


def build_lines(data: bytes) -> bytes:
    """Return the network that finds lines: ``(n, 3, height, width)`` RGB 0 to 255, sides multiples of 32.

    Output ``text (n, 1, height, width)``: the likelihood of the core of a line, 0 to 1.

    Raises:
        ModelUnavailable: If the file has other ends than expected.
    """
    return _renamed(data, ["n", 3, "height", "width"], "text")


def build_text(data: bytes) -> bytes:
    """Return the network that reads a line: ``(n, 3, 48, width)`` RGB 0 to 255.

    Output ``letters (n, steps, 2 + letters)``: at each step the likelihood of no letter, of each letter, of a space.

    Raises:
        ModelUnavailable: If the file has other ends than expected.
    """
    return _renamed(data, ["n", 3, 48, "width"], "letters")


def build_alphabet(data: bytes) -> bytes:
    """Return the letters, one a line, in UTF-8.

    Raises:
        ModelUnavailable: If the file names none.
    """
    model: ModelProto = onnx.load_from_string(data)
    found = [each.value for each in model.metadata_props if each.key == _ALPHABET]
    require(len(found) == 1, "the text network names no letters")
    alphabet: bytes = found[0].encode()
    return alphabet


def _renamed(data: bytes, shape: list[int | str], output: str) -> bytes:
    model: ModelProto = onnx.load_from_string(data)
    graph = model.graph
    require(len(graph.input) == 1 and len(graph.output) == 1, "a text network has other ends")
    inner_input, inner_output = graph.input[0].name, graph.output[0].name
    colours = np.zeros((3, 3, 1, 1), np.float32)
    for blue_first in range(3):
        colours[blue_first, 2 - blue_first] = 1 / _HALF
    graph.initializer.extend(
        [
            numpy_helper.from_array(colours, "colours"),
            numpy_helper.from_array(np.full(3, -1, np.float32), "shift"),
        ]
    )
    prepare = helper.make_node(
        "Conv", [INPUT, "colours", "shift"], [inner_input], kernel_shape=[1, 1]
    )
    graph.node.insert(0, prepare)
    for node in graph.node:
        for i, name in enumerate(node.output):
            node.output[i] = output if name == inner_output else name
    kind = onnx.TensorProto.FLOAT
    del graph.input[:], graph.output[:], model.metadata_props[:]
    graph.input.append(helper.make_tensor_value_info(INPUT, kind, shape))
    graph.output.append(helper.make_tensor_value_info(output, kind, None))
    serialised: bytes = model.SerializeToString(deterministic=True)
    return serialised
