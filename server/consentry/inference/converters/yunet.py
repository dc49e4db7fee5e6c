"""YuNet, from the library that carries its weights to ONNX.

libfacedetection compiles the weights into its shared library (ELF, 64 bits, little endian) as arrays
of float32, each under its own name in the table of dynamic symbols. They are read from there; nothing
of the library is run. A layer is a convolution over one pixel, then a 3x3 convolution of each channel;
filters of the first are kept as ``(outputs, inputs)``, of the second as ``(9, channels)``.

    picture -> 3x3/2 -> six stages, the sides halved before stages 1, 3, 4, 5
            -> three levels (1/8, 1/16, 1/32), each with what the coarser one saw
            -> 16 values a cell: face, object, box (4), landmarks (10)

Source: Wu, Peng and Yu, YuNet: A Tiny Millisecond-level Face Detector, 2023; libfacedetection,
facedetectcnn-model.cpp (the order of the layers).
"""

from __future__ import annotations

import struct

import numpy as np

from consentry.inference.converters.graph import INPUT, Floats, Graph, require

_SECTIONS_AT = 40  # in the ELF header: where the table of sections lies
_SECTION_SIZE_AT = 58  # and two bytes further their count
_SECTION = struct.Struct("<IIQQQQIIQQ")  # name, kind, flags, address, offset, size, link, ...
_SYMBOL = struct.Struct("<IBBHQQ")  # name, kind, visibility, section, address, size
_DYNAMIC_SYMBOLS, _STORED = 11, 1  # kinds of sections
_OBJECT, _KIND_BITS = 1, 0x0F  # the kind of a symbol that is data

# (channels in, between the two layers of a stage, out) of stages 1 to 5.
_STAGES = ((16, 16, 32), (32, 32, 64), (64, 64, 64), (64, 64, 64), (64, 64, 64))
_HALVED_BEFORE = frozenset({1, 3, 4, 5})
_LEVELS = 3
_FIRST_LEVEL_STAGE = 3
_STEM_CHANNELS = 16
_STEM_INPUTS = 32  # 27 of them used: three rows, three columns, blue, green and red
_CHANNELS = 64
_HEADS = ("cls", "obj", "bbox", "kps")
_WEIGHTS = 53_184


class _Weights:
    """The arrays of float32 that the library names."""

    def __init__(self, library: bytes) -> None:
        require(library[:5] == b"\x7fELF\x02", "YuNet's library is no 64-bit ELF file")
        (at,) = struct.unpack_from("<Q", library, _SECTIONS_AT)
        size_of_one, count = struct.unpack_from("<HH", library, _SECTION_SIZE_AT)
        require(size_of_one == _SECTION.size, "YuNet's library has other sections")
        sections = [_SECTION.unpack_from(library, at + i * _SECTION.size) for i in range(count)]
        tables = [section for section in sections if section[1] == _DYNAMIC_SYMBOLS]
        require(len(tables) == 1, "YuNet's library has no table of symbols")
        _, _, _, _, first, size, names, *_ = tables[0]
        names_at = sections[names][4]
        self._arrays: dict[str, Floats] = {}
        for place in range(first, first + size, _SYMBOL.size):
            name_at, kind, _, section, address, length = _SYMBOL.unpack_from(library, place)
            if kind & _KIND_BITS != _OBJECT or not 0 < section < len(sections):
                continue
            _, stored, _, start, offset, *_ = sections[section]
            name_end = library.index(b"\0", names_at + name_at)
            name = library[names_at + name_at : name_end].decode("ascii")
            if stored == _STORED and name.endswith(("weight", "bias")):
                begin = offset + address - start
                values = np.frombuffer(library[begin : begin + length], "<f4")
                self._arrays[name] = values.astype(np.float32)
        total = sum(values.size for values in self._arrays.values())
        require(total == _WEIGHTS, "YuNet's library holds another count of weights")

    def of_pixels(self, layer: str, inputs: int) -> tuple[Floats, Floats]:
        """Filters ``(outputs, inputs, 1, 1)`` and biases of a convolution over one pixel."""
        filters = self._array(f"{layer}_pw_weight").reshape(-1, inputs, 1, 1)
        return filters, self._array(f"{layer}_pw_bias")

    def of_channels(self, layer: str) -> tuple[Floats, Floats]:
        """Filters ``(channels, 1, 3, 3)`` and biases of a 3x3 convolution of each channel."""
        filters = self._array(f"{layer}_dw_weight").reshape(9, -1).T.reshape(-1, 1, 3, 3)
        return filters, self._array(f"{layer}_dw_bias")

    def _array(self, name: str) -> Floats:
        require(name in self._arrays, f"YuNet's library has no {name}")
        return self._arrays[name]


class _Builder:
    """Adds layers to a graph, in order of execution."""

    def __init__(self, weights: _Weights) -> None:
        self.graph = Graph()
        self._weights = weights

    def stem(self) -> str:
        filters, biases = self._weights.of_pixels("backbone__model0", _STEM_INPUTS)
        used = filters.reshape(_STEM_CHANNELS, _STEM_INPUTS)[:, :27]
        # Rows, columns, then blue, green, red; ours are red, green, blue, then rows and columns.
        kernels = used.reshape(_STEM_CHANNELS, 3, 3, 3)[..., ::-1].transpose(0, 3, 1, 2)
        seen = self._convolution(INPUT, "stem", (kernels, biases), strides=(2, 2))
        return self.layer(self.graph.add("Relu", [seen]), "backbone__model0_dp", _STEM_CHANNELS)

    def layer(self, tensor: str, name: str, inputs: int) -> str:
        mixed = self._convolution(tensor, f"{name}.pixels", self._weights.of_pixels(name, inputs))
        filters = self._weights.of_channels(name)
        spread = self._convolution(mixed, f"{name}.channels", filters, group=len(filters[1]))
        return self.graph.add("Relu", [spread])

    def halved(self, tensor: str) -> str:
        return self.graph.add("MaxPool", [tensor], kernel_shape=[2, 2], strides=[2, 2])

    def heads(self, tensor: str, level: int) -> str:
        """Add the four heads of a level as one: their channels do not mix."""
        names = [f"bbox_head__multi_level_{head}__{level}" for head in _HEADS]
        pixels = [self._weights.of_pixels(name, _CHANNELS) for name in names]
        channels = [self._weights.of_channels(name) for name in names]
        mixed = self._convolution(tensor, f"heads{level}.pixels", _joined(pixels))
        joined = _joined(channels)
        return self._convolution(mixed, f"heads{level}.channels", joined, group=len(joined[1]))

    def _convolution(
        self,
        tensor: str,
        name: str,
        filters: tuple[Floats, Floats],
        strides: tuple[int, int] = (1, 1),
        group: int = 1,
    ) -> str:
        kernels, biases = filters
        side = kernels.shape[-1]
        constants = [
            self.graph.constant(name, np.ascontiguousarray(kernels)),
            self.graph.constant(f"{name}.biases", biases),
        ]
        return self.graph.add(
            "Conv",
            [tensor, *constants],
            kernel_shape=[side, side],
            pads=[side // 2] * 4,
            strides=strides,
            group=group,
        )


def _joined(filters: list[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    return (
        np.concatenate([kernels for kernels, _ in filters]),
        np.concatenate([biases for _, biases in filters]),
    )


def build(library: bytes) -> bytes:
    """Return YuNet as an ONNX file.

    Args:
        library: ``libfacedetection.so``, as published.

    Raises:
        ModelUnavailable: If it holds other arrays than expected.
    """
    builder = _Builder(_Weights(library))
    graph = builder.graph
    seen = builder.stem()
    levels: list[str] = []
    for stage, (inputs, between, _) in enumerate(_STAGES, start=1):
        if stage in _HALVED_BEFORE:
            seen = builder.halved(seen)
        seen = builder.layer(seen, f"backbone__model{stage}_dp1", inputs)
        seen = builder.layer(seen, f"backbone__model{stage}_dp2", between)
        if stage >= _FIRST_LEVEL_STAGE:
            levels.append(seen)
    twice = graph.constant("twice", np.array([1, 1, 2, 2], np.float32))
    outputs: list[tuple[str, str, list[int | str]]] = []
    coarser = ""
    for level in reversed(range(_LEVELS)):
        seen = graph.add("Add", [coarser, levels[level]]) if coarser else levels[level]
        seen = builder.layer(seen, f"neck__lateral_convs__{level}", _CHANNELS)
        stride = 8 << level
        shape: list[int | str] = ["n", 16, f"height / {stride}", f"width / {stride}"]
        outputs.insert(0, (builder.heads(seen, level), f"cells{stride}", shape))
        coarser = graph.enlarged(seen, twice) if level else ""
    return graph.serialise(input_shape=["n", 3, "height", "width"], outputs=outputs)
