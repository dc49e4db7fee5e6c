"""multilingual-e5-small: a packed 4-bit file to ONNX, and its vocabulary.

The package's file holds, after a header: the pieces of the tokeniser with their scores, a table of
character replacements, and the tensors, matrices in blocks of 32 weights that share one scale
(``Q4_0``: a float16, then 16 bytes, the low halves being the first 16 weights). The rows of the
vocabulary stay 4-bit in the ONNX file, three quarters of its size. The other matrices become 8-bit,
with what we trained added: a third faster than what we trained beside them in 4 bits.

Network: Wang et al., Multilingual E5 Text Embeddings, 2024 (BERT, 12 layers of 384, 12 heads).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources

import numpy as np
import numpy.typing as npt

from consentry.inference.converters.graph import CONTRIBUTED, Graph, require

_MAGIC = b"E5S1"
_SHAPE = (384, 12, 12, 1536, 250_037, 512, 2)
"""Width, layers, heads, inner width, rows of the vocabulary, positions, kinds of token."""
WIDTH, LAYERS, HEADS, INNER, ROWS, POSITIONS, KINDS = _SHAPE
_PIECES = 250_002
_BLOCK = 32
_BLOCK_BYTES = 2 + _BLOCK // 2
_OUR_BLOCK = 64
HEAD_WIDTH = WIDTH // HEADS
_LONGEST_PIECE = 255  # bytes: a length is kept in one
_EPSILON = 1e-12
_INT8_ACTIVATIONS = 4  # `accuracy_level` of MatMulNBits

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]
Learned = Mapping[str, Floats]
SCALE = ".scale"
"""What follows the name of a matrix of bytes in the file of what was learned: its columns' scales."""


@dataclass(slots=True)
class _Reader:
    data: bytes
    at: int = 0

    def take(self, count: int) -> bytes:
        part = self.data[self.at : self.at + count]
        require(len(part) == count, "the weights end too early")
        self.at += count
        return part

    def unpack(self, form: str) -> tuple[int, ...]:
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))


def build_network(weights: bytes, beside: Learned) -> bytes:
    """Return the ONNX file: token numbers in, the probability of a revealing request out.

    Input ``(tokens,)`` int64; output ``()`` float32, 0 to 1.

    Args:
        weights: The package's file.
        beside: What ``benchmarks/train_paraphrase.py`` learned: two thin matrices whose product is
            added to each of the network's own (Hu et al., LoRA, 2021), and the last layer.

    Raises:
        ModelUnavailable: If the weights are not those of this network.
    """
    return _network(Tensors.of(weights), beside)


def build(weights: bytes) -> bytes:
    """Return the ONNX file of the classifier: `build_network` with what was `learned`."""
    return build_network(weights, learned())


def learned() -> Learned:
    """Return what ``benchmarks/train_paraphrase.py`` learned, as it is kept beside this file.

    Matrices are kept as int8 with a scale for each column.
    """
    data = resources.files(__package__).joinpath("paraphrase.npz").read_bytes()
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return {
            name: arrays[name].astype(np.float32) * arrays.get(name + SCALE, np.float32(1))
            for name in arrays.files
            if not name.endswith(SCALE)
        }


def build_vocabulary(weights: bytes) -> bytes:
    """Return the vocabulary as one file (`consentry.intent.subwords` reads it).

    Layout, little-endian: ``CTV1``; count of pieces and length of their text, uint32 each; scores,
    float32; lengths in bytes, uint8; all pieces in UTF-8; count of replacements, uint32; for each
    its character, uint32, the length of its replacement in characters, uint8, and these, uint32.

    Raises:
        ModelUnavailable: If the weights are not those of this network.
    """
    reader = _Reader(weights)
    _read_header(reader)
    pieces, _, _, _, _ = reader.unpack("5i")
    (length,) = reader.unpack("Q")
    offsets = np.frombuffer(reader.take(4 * (pieces + 1)), "<u4")
    scores = reader.take(4 * pieces)
    text = reader.take(length)
    count, size = reader.unpack("iI")
    replacements = reader.take(size)
    lengths = np.diff(offsets)
    require(
        int(lengths.max()) <= _LONGEST_PIECE and int(offsets[-1]) == length, "a piece is too long"
    )
    head = b"CTV1" + struct.pack("<II", pieces, length)
    return (
        head
        + scores
        + lengths.astype(np.uint8).tobytes()
        + text
        + struct.pack("<I", count)
        + replacements
    )


def _read_header(reader: _Reader) -> None:
    require(reader.take(4) == _MAGIC, "the weights have another format")
    reader.unpack("I")
    require(reader.unpack("7i") == _SHAPE, "the network has another shape")
    reader.take(4)
    require(reader.unpack("i") == (_BLOCK,), "the blocks have another size")


def _skip_tokeniser(reader: _Reader) -> None:
    pieces, *special = reader.unpack("5i")
    require(pieces == _PIECES and special == [0, 2, 1, 3], "the vocabulary is another")
    (length,) = reader.unpack("Q")
    reader.take(4 * (pieces + 1) + 4 * pieces + length)
    _, size = reader.unpack("iI")
    reader.take(size)


def _directory(reader: _Reader) -> dict[str, int]:
    (count,) = reader.unpack("i")
    return dict(_entries(reader, count))


def _entries(reader: _Reader, count: int) -> Iterator[tuple[str, int]]:
    for _ in range(count):
        (length,) = reader.unpack("H")
        name = reader.take(length).decode("ascii")
        _, _, offset, _ = reader.unpack("BIQQ")
        yield name, offset


@dataclass(frozen=True, slots=True)
class Tensors:
    """The tensors of the weight file by their names."""

    data: bytes
    offsets: dict[str, int]

    @classmethod
    def of(cls, weights: bytes) -> Tensors:
        """Read the directory of a weight file.

        Raises:
            ModelUnavailable: If the weights are not those of this network.
        """
        reader = _Reader(weights)
        _read_header(reader)
        _skip_tokeniser(reader)
        return cls(weights, _directory(reader))

    def floats(self, name: str, *shape: int) -> Floats:
        """Return a tensor that is not quantised."""
        count = int(np.prod(shape))
        return np.frombuffer(self.data, "<f4", count, self._at(name)).reshape(shape)

    def quantised(self, name: str, rows: int, columns: int) -> tuple[Bytes, Floats]:
        """Return weights, two a byte in their order, and scales: ``(rows, blocks, 16)``, ``(rows, blocks)``."""
        blocks = columns // _BLOCK
        raw = np.frombuffer(self.data, np.uint8, rows * blocks * _BLOCK_BYTES, self._at(name))
        raw = raw.reshape(rows, blocks, _BLOCK_BYTES)
        scales = np.ascontiguousarray(raw[..., :2]).view("<f2")[..., 0].astype(np.float32)
        halves = raw[..., 2:]
        in_order = np.concatenate([halves & 15, halves >> 4], axis=-1)
        return in_order[..., 0::2] | (in_order[..., 1::2] << 4), scales

    def _at(self, name: str) -> int:
        require(name in self.offsets, f"the tensor {name} is missing")
        return self.offsets[name]


def unpacked(packed: Bytes, scales: Floats) -> Floats:
    """Return what `Tensors.quantised` gave as numbers, ``(rows, columns)``; float32 holds them exactly."""
    both = np.stack([packed & 15, packed >> 4], axis=-1).reshape(*packed.shape[:2], -1)
    return ((both.astype(np.float32) - 8) * scales[..., None]).reshape(len(packed), -1)


def _network(tensors: Tensors, beside: Learned) -> bytes:
    graph = Graph()
    network = _Network(graph, tensors, beside)
    state = _embedded(graph, tensors)
    for layer in range(LAYERS):
        state = _layer(network, state, f"l{layer}")
    mean = graph.add("ReduceMean", [state], axes=[0], keepdims=0)
    weight = graph.constant("last.w", beside["last.w"].astype(np.float32))
    bias = graph.constant("last.b", beside["last.b"].astype(np.float32))
    score = graph.add("Sigmoid", [graph.add("Add", [graph.add("MatMul", [mean, weight]), bias])])
    return graph.serialise(
        input_shape=["tokens"], outputs=[(score, "probability", [])], takes_numbers=True
    )


def _embedded(graph: Graph, tensors: Tensors) -> str:
    packed, scales = tensors.quantised("emb.word", ROWS, WIDTH)
    table = graph.constant("word", packed.reshape(ROWS, WIDTH // 2))
    rows = graph.as_floats(graph.add("Gather", [table, "input"]))
    sixteen = graph.constant("sixteen", np.array([16], np.float32))
    high = graph.add("Floor", [graph.add("Div", [rows, sixteen])])
    low = graph.add("Sub", [rows, graph.add("Mul", [high, sixteen])])
    last = graph.constant("last", np.array([-1], np.int64))
    pairs = graph.add(
        "Concat",
        [graph.add("Unsqueeze", [half, last]) for half in (low, high)],
        axis=-1,
    )
    blocks = graph.add(
        "Reshape",
        [pairs, graph.constant("blocks", np.array([-1, WIDTH // _BLOCK, _BLOCK], np.int64))],
    )
    centred = graph.add("Sub", [blocks, graph.constant("zero", np.array([8], np.float32))])
    scale = graph.add("Gather", [graph.constant("word.scale", scales), "input"])
    scaled = graph.add("Mul", [centred, graph.add("Unsqueeze", [scale, last])])
    words = graph.add("Reshape", [scaled, graph.constant("rows", np.array([-1, WIDTH], np.int64))])
    graph.constant("heads", np.array([-1, HEADS, HEAD_WIDTH], np.int64))
    positions = tensors.floats("emb.pos", POSITIONS, WIDTH)
    kind = tensors.floats("emb.type", KINDS, WIDTH)[0]
    place = graph.add(
        "Slice",
        [
            graph.constant("place", positions + kind),
            graph.constant("first", np.array([0], np.int64)),
            graph.add("Shape", ["input"]),
        ],
    )
    return _normalised(graph, tensors, graph.add("Add", [words, place]), "emb.ln")


@dataclass(frozen=True, slots=True)
class _Network:
    graph: Graph
    tensors: Tensors
    beside: Learned

    def linear(self, rows: str, name: str, inputs: int, outputs: int) -> str:
        matrix, scales = _in_bytes(self._whole(name, inputs, outputs))
        product = self.graph.add(
            "MatMulNBits",
            [
                rows,
                self.graph.constant(f"{name}.w", matrix),
                self.graph.constant(f"{name}.scale", scales),
            ],
            domain=CONTRIBUTED,
            K=inputs,
            N=outputs,
            bits=8,
            block_size=_OUR_BLOCK,
            accuracy_level=_INT8_ACTIVATIONS,
        )
        bias = self.graph.constant(f"{name}.b", self.tensors.floats(f"{name}.b", outputs))
        return self.graph.add("Add", [product, bias])

    def _whole(self, name: str, inputs: int, outputs: int) -> Doubles:
        """Return the package's matrix with ours added, ``(outputs, inputs)``.

        One column of ours after the other, in float64: a product of matrices differs in its last
        bits from machine to machine, and the file's digest with it.
        """
        packed, scales = self.tensors.quantised(f"{name}.w", outputs, inputs)
        whole = unpacked(packed, scales).astype(np.float64)
        if f"{name}.in" in self.beside:
            first, second = (
                self.beside[f"{name}.{end}"].astype(np.float64) for end in ("in", "out")
            )
            for column, row in zip(first.T, second, strict=True):
                whole += row[:, None] * column
        return whole


def _in_bytes(matrix: Doubles) -> tuple[Bytes, Floats]:
    """Return weights of 8 bits, 128 being zero, ``(rows, blocks, 64)``, and each block's scale."""
    blocks = matrix.reshape(len(matrix), -1, _OUR_BLOCK)
    scales = np.maximum(np.abs(blocks).max(axis=-1) / 127, _EPSILON)
    weights = np.rint(blocks / scales[..., None]) + 128
    return weights.astype(np.uint8), scales.astype(np.float32).reshape(-1)


def _layer(network: _Network, state: str, name: str) -> str:
    graph, tensors = network.graph, network.tensors
    query, key, value = (
        _heads(graph, network.linear(state, f"{name}.{part}", WIDTH, WIDTH), turned=turned)
        for part, turned in (("q", (1, 0, 2)), ("k", (1, 2, 0)), ("v", (1, 0, 2)))
    )
    scale = graph.constant(f"{name}.scale", np.array([HEAD_WIDTH**-0.5], np.float32))
    scores = graph.add("MatMul", [graph.add("Mul", [query, scale]), key])
    mixed = graph.add("MatMul", [graph.add("Softmax", [scores], axis=-1), value])
    joined = graph.add("Reshape", [graph.add("Transpose", [mixed], perm=[1, 0, 2]), "rows"])
    attended = network.linear(joined, f"{name}.ao", WIDTH, WIDTH)
    state = _normalised(graph, tensors, graph.add("Add", [state, attended]), f"{name}.aln")
    inner = _gelu(graph, network.linear(state, f"{name}.fi", WIDTH, INNER), name)
    outer = network.linear(inner, f"{name}.fo", INNER, WIDTH)
    return _normalised(graph, tensors, graph.add("Add", [state, outer]), f"{name}.oln")


def _heads(graph: Graph, rows: str, *, turned: tuple[int, ...]) -> str:
    return graph.add("Transpose", [graph.add("Reshape", [rows, "heads"])], perm=list(turned))


def _normalised(graph: Graph, tensors: Tensors, rows: str, name: str) -> str:
    weight, bias = (
        graph.constant(f"{name}.{part}", tensors.floats(f"{name}.{part}", WIDTH))
        for part in ("w", "b")
    )
    return graph.add("LayerNormalization", [rows, weight, bias], axis=-1, epsilon=_EPSILON)


def _gelu(graph: Graph, rows: str, name: str) -> str:
    half, one, root = (
        graph.constant(f"{name}.{part}", np.array([value], np.float32))
        for part, value in (("half", 0.5), ("one", 1.0), ("root", 2**-0.5))
    )
    bent = graph.add("Erf", [graph.add("Mul", [rows, root])])
    return graph.add("Mul", [graph.add("Mul", [rows, half]), graph.add("Add", [bent, one])])
