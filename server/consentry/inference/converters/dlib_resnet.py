"""dlib's face recognition ResNet, from its own file format to ONNX.

The file holds each layer as its name, then a tensor: a version and four dimensions as
variable-length integers (one byte whose low four bits are the length and whose top bit is the sign,
then that many bytes, little endian), then little-endian float32. Layers come in order of execution.
``con_4``: filters, then biases. ``affine_``: gamma, then beta. ``fc_2``: two integers (outputs,
inputs) before its tensor of inputs x outputs.

    150x150 -> conv 7x7/2 -> max-pool 3x3/2 -> residual blocks -> mean of each channel -> 128 values

Source: dlib, examples/dnn_face_recognition_ex.cpp (the network) and dlib/dnn (what each layer
does).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from consentry.inference.converters.graph import Floats, Graph, require

_SIDE_PX = 150
_DIMENSION = 128
# (channels, blocks, whether the first block halves the sides), in order of execution.
_GROUPS = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
_CONVOLUTIONS = 29
_TENSOR_VERSION = 2
_SIGN_BIT = 0x80
_LENGTH_BITS = 0x0F


@dataclass(frozen=True, slots=True)
class _Layers:
    """What the file holds, in order of execution."""

    convolutions: list[Floats]
    affines: list[Floats]
    last: Floats  # inputs x outputs


class _Reader:
    """A place in the file that moves on with each value read."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    def integer(self) -> int:
        head = self._data[self._at]
        end = self._at + 1 + (head & _LENGTH_BITS)
        value = int.from_bytes(self._data[self._at + 1 : end], "little")
        self._at = end
        return -value if head & _SIGN_BIT else value

    def tensor(self) -> Floats:
        require(self.integer() == _TENSOR_VERSION, "dlib's file has another tensor version")
        count = 1
        for _ in range(4):
            count *= self.integer()
        require(self._at + 4 * count <= len(self._data), "dlib's file ends inside a layer")
        values = np.frombuffer(self._data, dtype="<f4", count=count, offset=self._at)
        self._at += values.nbytes
        return values.astype(np.float32)


def _places(data: bytes, name: bytes) -> list[int]:
    """Where each layer of a kind begins: just after its name, which stands after its own length."""
    marker = bytes([1, len(name)]) + name
    found = []
    at = data.find(marker)
    while at >= 0:
        found.append(at + len(marker))
        at = data.find(marker, at + len(marker))
    return found


def _parse(data: bytes) -> _Layers:
    convolutions = [_Reader(data, at).tensor() for at in _places(data, b"con_4")]
    affines = [_Reader(data, at).tensor() for at in _places(data, b"affine_")]
    ends = _places(data, b"fc_2")
    require(
        (len(convolutions), len(affines), len(ends)) == (_CONVOLUTIONS, _CONVOLUTIONS, 1),
        "dlib's file does not hold 29 convolutions, 29 affine layers and one full layer",
    )
    last = _Reader(data, ends[0])
    outputs, inputs = last.integer(), last.integer()
    return _Layers(convolutions, affines, last.tensor().reshape(inputs, outputs))


@dataclass(frozen=True, slots=True)
class _Shape:
    channels: int
    side: int


class _Builder:
    def __init__(self, layers: _Layers) -> None:
        self.graph = Graph()
        self._layers = iter(zip(layers.convolutions, layers.affines, strict=True))
        self._count = 0

    def convolution(self, tensor: str, inputs: int, outputs: int, kernel: int, stride: int) -> str:
        """Add a convolution with its affine layer folded in: gamma (w x + b) + beta."""
        weights, affine = next(self._layers)
        size = outputs * inputs * kernel * kernel
        require(
            weights.size == size + outputs and affine.size == 2 * outputs,
            "a convolution of dlib's file has another size",
        )
        gamma, beta = affine[:outputs], affine[outputs:]
        filters = weights[:size].reshape(outputs, inputs, kernel, kernel)
        name = f"conv{self._count}"
        self._count += 1
        return self.graph.add(
            "Conv",
            [
                tensor,
                self.graph.constant(f"{name}.filters", filters * gamma[:, None, None, None]),
                self.graph.constant(f"{name}.biases", weights[size:] * gamma + beta),
            ],
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[kernel // 2 if stride == 1 else 0] * 4,
        )

    def block(
        self, tensor: str, shape: _Shape, channels: int, *, halves: bool
    ) -> tuple[str, _Shape]:
        """Add two convolutions and the way around them, zeros appended to the smaller of both."""
        stride = 2 if halves else 1
        inner = self.convolution(tensor, shape.channels, channels, 3, stride)
        through = self.convolution(self.graph.add("Relu", [inner]), channels, channels, 3, 1)
        through_shape = _Shape(channels, (shape.side - 3) // 2 + 1 if halves else shape.side)
        around, around_shape = tensor, shape
        if halves:
            around = self.graph.add("AveragePool", [tensor], kernel_shape=[2, 2], strides=[2, 2])
            around_shape = _Shape(shape.channels, shape.side // 2)
        both = _Shape(channels, max(through_shape.side, around_shape.side))
        total = self.graph.add(
            "Add",
            [self._pad(through, through_shape, both), self._pad(around, around_shape, both)],
        )
        return self.graph.add("Relu", [total]), both

    def _pad(self, tensor: str, shape: _Shape, to: _Shape) -> str:
        if shape == to:
            return tensor
        ends = [0, to.channels - shape.channels, to.side - shape.side, to.side - shape.side]
        name = f"pads{len(self.graph.nodes)}"
        pads = self.graph.constant(name, np.array([0, 0, 0, 0, *ends], dtype=np.int64))
        return self.graph.add("Pad", [tensor, pads])


def build(data: bytes) -> bytes:
    """Return the ONNX file: input ``(n, 3, 150, 150)`` RGB, normalised; output ``(n, 128)``.

    Raises:
        ModelUnavailable: If the file does not hold the expected layers.
    """
    layers = _parse(data)
    require(
        layers.last.shape == (256, _DIMENSION), "the last layer of dlib's file has another size"
    )
    builder = _Builder(layers)
    graph = builder.graph
    tensor = graph.add("Relu", [builder.convolution("input", 3, 32, 7, 2)])
    tensor = graph.add("MaxPool", [tensor], kernel_shape=[3, 3], strides=[2, 2])
    shape = _Shape(32, ((_SIDE_PX - 7) // 2 + 1 - 3) // 2 + 1)
    for channels, blocks, halves in _GROUPS:
        for i in range(blocks):
            tensor, shape = builder.block(tensor, shape, channels, halves=halves and i == 0)
    tensor = graph.add("Flatten", [graph.add("GlobalAveragePool", [tensor])])
    tensor = graph.add("MatMul", [tensor, graph.constant("last", layers.last)])
    return graph.serialise(
        input_shape=["n", 3, _SIDE_PX, _SIDE_PX],
        outputs=[(tensor, "embedding", ["n", _DIMENSION])],
    )
