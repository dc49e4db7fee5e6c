"""The 192-D MobileFaceNet, from TensorFlow Lite to ONNX.

The source graph wants a batch of exactly two and channels last, and spells each PReLU out as five
layers, ``relu(x) + a (x - |x|)``, which is a PReLU of slope ``2 a``. Here the batch is dynamic and
channels come first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tflite

from consentry.inference.converters.graph import INPUT, Floats, Graph, require

_SIDE_PX = 112
_DIMENSION = 192
_TO_CHANNELS_FIRST = {
    "CONV_2D": (0, 3, 1, 2),  # (outputs, height, width, inputs) -> (outputs, inputs, height, width)
    "DEPTHWISE_CONV_2D": (
        3,
        0,
        1,
        2,
    ),  # (1, height, width, channels) -> (channels, 1, height, width)
}
_PARTS_OF_PRELU = {"RELU", "ABS", "SUB", "MUL"}
_KIND_NAMES = {
    value: name for name, value in vars(tflite.BuiltinOperator).items() if not name.startswith("_")
}


def build(data: bytes) -> bytes:
    """Return the ONNX file: input ``(n, 3, 112, 112)`` RGB, normalised; output ``(n, 192)``.

    Raises:
        ModelUnavailable: If the file holds other layers than expected.
    """
    source = _Source(data)
    graph = Graph()
    names = {source.input: INPUT}
    for layer in source.layers.values():
        if layer.kind in _TO_CHANNELS_FIRST:
            names[layer.output] = _convolution(graph, source, layer, names[layer.inputs[0]])
        elif layer.kind == "RESHAPE":
            names[layer.output] = graph.add("Flatten", [names[layer.inputs[0]]])
        elif layer.kind == "ADD" and all(tensor in names for tensor in layer.inputs):
            names[layer.output] = graph.add("Add", [names[tensor] for tensor in layer.inputs])
        elif layer.kind == "ADD":
            tensor, slopes = source.prelu(layer)
            names[layer.output] = graph.prelu(names[tensor], f"prelu{layer.output}", slopes)
        else:
            require(
                layer.kind in _PARTS_OF_PRELU,
                f"the 192-D MobileFaceNet has a layer that is not known here ({layer.kind})",
            )
    require(source.output in names, "the 192-D MobileFaceNet has another output")
    return graph.serialise(
        input_shape=["n", 3, _SIDE_PX, _SIDE_PX],
        outputs=[(names[source.output], "embedding", ["n", _DIMENSION])],
    )


@dataclass(frozen=True, slots=True)
class _Layer:
    kind: str
    inputs: tuple[int, ...]
    output: int
    is_same_padded: bool = False
    stride: int = 1


class _Source:
    """The layers in order of execution, by the tensor that each writes; and the constants."""

    def __init__(self, data: bytes) -> None:
        require(data[4:8] == b"TFL3", "the 192-D MobileFaceNet is not a TensorFlow Lite file")
        self._model = tflite.Model.GetRootAsModel(data, 0)
        self._graph = self._model.Subgraphs(0)
        self.input = int(self._graph.Inputs(0))
        self.output = int(self._graph.Outputs(0))
        self.layers: dict[int, _Layer] = {}
        for i in range(self._graph.OperatorsLength()):
            layer = self._layer(self._graph.Operators(i))
            self.layers[layer.output] = layer

    def shape(self, tensor: int) -> tuple[int, ...]:
        return tuple(int(side) for side in self._graph.Tensors(tensor).ShapeAsNumpy())

    def constant(self, tensor: int) -> Floats:
        data = self._model.Buffers(self._graph.Tensors(tensor).Buffer()).DataAsNumpy()
        require(isinstance(data, np.ndarray), "a constant of the 192-D MobileFaceNet is empty")
        values: Floats = data.view("<f4").astype(np.float32).reshape(self.shape(tensor))
        return values

    def prelu(self, total: _Layer) -> tuple[int, Floats]:
        """Return the tensor and the slopes of the PReLU whose last layer is ``total``."""
        relu, product = (self.layers[tensor] for tensor in total.inputs)
        difference = self.layers[product.inputs[1]]
        absolute = self.layers[difference.inputs[1]]
        tensor = relu.inputs[0]
        kinds = (relu.kind, product.kind, difference.kind, absolute.kind)
        require(
            kinds == ("RELU", "MUL", "SUB", "ABS")
            and difference.inputs[0] == tensor
            and absolute.inputs[0] == tensor,
            "the 192-D MobileFaceNet spells a PReLU in another way",
        )
        return tensor, self.constant(product.inputs[0]) * np.float32(2)

    def _layer(self, operator: tflite.Operator) -> _Layer:
        code = self._model.OperatorCodes(operator.OpcodeIndex())
        # Files older than 2020 keep the kind in the first field, younger ones in the second.
        kind = _KIND_NAMES[max(code.DeprecatedBuiltinCode(), code.BuiltinCode())]
        layer = _Layer(
            kind=kind,
            inputs=tuple(int(each) for each in operator.InputsAsNumpy()),
            output=int(operator.Outputs(0)),
        )
        if kind not in _TO_CHANNELS_FIRST:
            return layer
        options = tflite.Conv2DOptions() if kind == "CONV_2D" else tflite.DepthwiseConv2DOptions()
        table = operator.BuiltinOptions()
        options.Init(table.Bytes, table.Pos)
        require(
            options.FusedActivationFunction() == tflite.ActivationFunctionType.NONE
            and options.StrideW() == options.StrideH(),
            "a convolution of the 192-D MobileFaceNet has other options",
        )
        return _Layer(
            kind=kind,
            inputs=layer.inputs,
            output=layer.output,
            is_same_padded=options.Padding() == tflite.Padding.SAME,
            stride=int(options.StrideW()),
        )


def _convolution(graph: Graph, source: _Source, layer: _Layer, tensor: str) -> str:
    filters = source.constant(layer.inputs[1]).transpose(_TO_CHANNELS_FIRST[layer.kind])
    kernel = filters.shape[2]
    side = source.shape(layer.inputs[0])[1]
    # TensorFlow's "same": the output is the input by the stride, rounded up; what is missing is
    # added on both sides, the odd pixel at the end.
    missing = max((-(-side // layer.stride) - 1) * layer.stride + kernel - side, 0)
    before, after = (missing // 2, missing - missing // 2) if layer.is_same_padded else (0, 0)
    return graph.add(
        "Conv",
        [
            tensor,
            graph.constant(f"filters{layer.output}", np.ascontiguousarray(filters)),
            graph.constant(f"biases{layer.output}", source.constant(layer.inputs[2])),
        ],
        group=filters.shape[0] if layer.kind == "DEPTHWISE_CONV_2D" else 1,
        kernel_shape=[kernel, kernel],
        strides=[layer.stride, layer.stride],
        pads=[before, before, after, after],
    )
