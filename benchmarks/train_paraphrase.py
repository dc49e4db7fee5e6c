"""Train the classifier of paraphrases: `server/consentry/inference/converters/paraphrase.npz`.

    pip install jax                                     # only for this
    python benchmarks/train_paraphrase.py [--epochs 3]
    python benchmarks/train_paraphrase.py --further NAMES...    # prompts more, to what was learned

Takes the prompts of `tests/corpora/` (all but the test part of `intent_world.jsonl`, and but
`intent_threshold.jsonl` and `intent_twins.jsonl`, by which thresholds are chosen) and the examples in the lexicons, and
teaches the text network (docs/model-cards/e5-small.md) to tell what asks for something revealing.
The network's own weights stay as they are: what is learned are two thin
matrices beside each of the upper layers' matrices, and the last layer (Hu et al., LoRA, 2021).
The lower layers are run once and kept. Seeded; on two cores about three quarters of an hour.

With ``--further`` it begins with what it learned before, and hears the prompts of the named files of
`tests/corpora/training/` (``stubborn_*``) beside as many old ones, chosen by chance.
What is written lies half way between before and after (Wortsman et al., model soups, 2022): it knows
the new and forgets less of the old than either end. What ships was made so: two rounds over 51,946
prompts; two rounds in which those of ``stubborn_*`` were heard twice, beside twice as many old ones;
then ``--further 'asked_*' 'wished_*' --epochs 2``, all this while the network still heard prompts
without their accents (`tokens_of`); then ``--further 'hinted_*' 'fitted_*' 'wished_*' --epochs 2``.
"""

from __future__ import annotations

import argparse
import json
import math
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from consentry.inference.converters import e5_small
from consentry.inference.converters.e5_small import HEADS, INNER, LAYERS, WIDTH, Tensors
from consentry.inference.registry import MODEL_FILES, ModelName
from consentry.inference.weights import fetch
from consentry.intent.paraphrase import PREFIX, tokens_of
from consentry.intent.subwords import Vocabulary

ROOT = Path(__file__).parents[1]
CORPORA = ROOT / "tests" / "corpora"
LEXICONS = ROOT / "server" / "consentry" / "intent" / "lexicons"
OUT = ROOT / "server" / "consentry" / "inference" / "converters" / "paraphrase.npz"
FROZEN_LAYERS = 5
RANK = 16
MAX_TOKENS = 96
BATCH = 32
PEAK_RATE = 1.5e-3
FURTHER_RATE = 5e-4
DROPPED = 0.1
SEED = 20261122
# Parts of the corpora of which nothing is learned; ``test`` is scored after each round.
ASKED_LATER = {"test", "threshold", "twins"}

Array = npt.NDArray[np.float32]
Weights = dict[str, jax.Array]


@dataclass(frozen=True, slots=True)
class Line:
    """A prompt with the turns before it."""

    language: str
    text: str
    is_revealing: bool
    is_test: bool
    source: str = ""


def lines() -> list[Line]:
    """Read every prompt that there is; those of the blind test part only to be scored."""
    found: list[Line] = []
    asked_later: set[str] = set()
    for path in sorted([*CORPORA.glob("intent_*.jsonl"), *CORPORA.glob("training/*.jsonl")]):
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            if row.get("part") in ASKED_LATER:
                asked_later.add(_letters(row["text"]))
            if "label" not in row or row.get("part") in ASKED_LATER - {"test"}:
                continue
            found.append(
                Line(
                    row.get("language", "en"),
                    "\n".join([*row.get("context", []), row["text"]]),
                    row["label"] == "revealing",
                    row.get("part") == "test",
                    path.stem,
                )
            )
    for path in sorted(LEXICONS.glob("*.json")):
        lexicon = json.loads(path.read_text(encoding="utf-8"))
        found += [
            Line(path.stem, text, is_revealing=False, is_test=False)
            for text in lexicon.get("harmless", [])
        ]
        for category, texts in lexicon.get("revealing", {}).items():
            if category not in {"face_swap", "impersonation"}:
                found += [Line(path.stem, text, is_revealing=True, is_test=False) for text in texts]
    # Short requests are written twice by chance: nothing is learned from a prompt that is asked later.
    return [
        line
        for line in found
        if line.is_test or asked_later.isdisjoint(map(_letters, (line.text, _last(line.text))))
    ]


def _last(text: str) -> str:
    return text.rpartition("\n")[2]


def _letters(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(filter(str.isalnum, folded)) or text


class Network:
    """The text network, in full precision, its lower layers frozen."""

    def __init__(self, weights: bytes) -> None:
        tensors = Tensors.of(weights)
        self.word = tensors.quantised("emb.word", e5_small.ROWS, WIDTH)
        self.place = tensors.floats("emb.pos", e5_small.POSITIONS, WIDTH)
        self.kind = tensors.floats("emb.type", e5_small.KINDS, WIDTH)[0]
        self.ends: Weights = {
            name: jnp.array(tensors.floats(f"emb.ln.{name}", WIDTH)) for name in ("w", "b")
        }
        self.layers = [_layer_weights(tensors, f"l{layer}") for layer in range(LAYERS)]

    def embed(self, tokens: npt.NDArray[np.int64]) -> Array:
        """Return the embeddings of tokens, ``(n, width)``."""
        packed, scales = self.word
        rows = packed[tokens]
        both = np.stack([rows & 15, rows >> 4], axis=-1).reshape(len(tokens), -1, 32)
        values = (both.astype(np.float32) - 8) * scales[tokens][..., None]
        return values.reshape(len(tokens), WIDTH) + self.place[: len(tokens)] + self.kind


def _layer_weights(tensors: Tensors, name: str) -> Weights:
    shapes = {
        "q": (WIDTH, WIDTH),
        "k": (WIDTH, WIDTH),
        "v": (WIDTH, WIDTH),
        "ao": (WIDTH, WIDTH),
        "fi": (INNER, WIDTH),
        "fo": (WIDTH, INNER),
    }
    found: Weights = {}
    for part, (outputs, inputs) in shapes.items():
        packed, scales = tensors.quantised(f"{name}.{part}.w", outputs, inputs)
        both = np.stack([packed & 15, packed >> 4], axis=-1).reshape(outputs, -1, 32)
        values = (both.astype(np.float32) - 8) * scales[..., None]
        found[f"{part}.w"] = jnp.array(values.reshape(outputs, inputs).T)
        found[f"{part}.b"] = jnp.array(tensors.floats(f"{name}.{part}.b", outputs))
    for part in ("aln", "oln"):
        for end in ("w", "b"):
            found[f"{part}.{end}"] = jnp.array(tensors.floats(f"{name}.{part}.{end}", WIDTH))
    return found


def _normal(x: jax.Array, weight: jax.Array, bias: jax.Array) -> jax.Array:
    centred = x - x.mean(-1, keepdims=True)
    spread = jnp.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
    return centred / spread * weight + bias


def _linear(x: jax.Array, layer: Weights, thin: Weights | None, part: str) -> jax.Array:
    out = x @ layer[f"{part}.w"] + layer[f"{part}.b"]
    if thin is not None:
        out = out + (x @ thin[f"{part}.in"]) @ thin[f"{part}.out"]
    return out


def run_layer(x: jax.Array, mask: jax.Array, layer: Weights, thin: Weights | None) -> jax.Array:
    """Run one layer on ``(n, tokens, width)``; ``mask`` is 1 where there is a token."""
    count, tokens, _ = x.shape

    def heads(part: str) -> jax.Array:
        rows = _linear(x, layer, thin, part)
        return rows.reshape(count, tokens, HEADS, WIDTH // HEADS).transpose(0, 2, 1, 3)

    query, key, value = heads("q"), heads("k"), heads("v")
    scores = query @ key.transpose(0, 1, 3, 2) / math.sqrt(WIDTH // HEADS)
    scores = jnp.where(mask[:, None, None, :] > 0, scores, -1e9)
    mixed = (jax.nn.softmax(scores) @ value).transpose(0, 2, 1, 3).reshape(x.shape)
    x = _normal(x + _linear(mixed, layer, thin, "ao"), layer["aln.w"], layer["aln.b"])
    inner = jax.nn.gelu(_linear(x, layer, thin, "fi"), approximate=False)
    return _normal(x + _linear(inner, layer, thin, "fo"), layer["oln.w"], layer["oln.b"])


def learnable(random: np.random.Generator) -> dict[str, Weights]:
    """Return fresh thin matrices, of no effect yet, and a last layer."""
    shapes = {
        **dict.fromkeys(("q", "k", "v", "ao"), (WIDTH, WIDTH)),
        "fi": (WIDTH, INNER),
        "fo": (INNER, WIDTH),
    }
    found: dict[str, Weights] = {}
    for layer in range(FROZEN_LAYERS, LAYERS):
        thin: Weights = {}
        for part, (inputs, outputs) in shapes.items():
            first = random.standard_normal((inputs, RANK)) / math.sqrt(inputs)
            thin[f"{part}.in"] = jnp.array(first.astype(np.float32))
            thin[f"{part}.out"] = jnp.zeros((RANK, outputs), jnp.float32)
        found[f"l{layer}"] = thin
    found["last"] = {"w": jnp.zeros(WIDTH), "b": jnp.zeros(())}
    return found


def logits(
    learned: dict[str, Weights],
    layers: list[Weights],
    x: jax.Array,
    mask: jax.Array,
    kept: jax.Array,
) -> jax.Array:
    """Return how sure, before the logistic function; ``kept`` drops parts while training."""
    for layer in range(FROZEN_LAYERS, LAYERS):
        x = run_layer(x, mask, layers[layer], learned[f"l{layer}"])
    mean = (x * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
    return (mean * kept) @ learned["last"]["w"] + learned["last"]["b"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Prompts after the frozen layers, as float16 to save room."""

    states: list[npt.NDArray[np.float16]]
    labels: Array

    def batches(
        self, order: npt.NDArray[np.int64]
    ) -> Iterator[tuple[npt.NDArray[np.int64], Array, Array]]:
        """Give batches of prompts of like length: which, states, mask."""
        lengths = np.array([len(self.states[i]) for i in order])
        for start in range(0, len(order), BATCH * 20):
            piece = order[start : start + BATCH * 20]
            piece = piece[np.argsort(lengths[start : start + BATCH * 20], kind="stable")]
            for first in range(0, len(piece), BATCH):
                chosen = piece[first : first + BATCH]
                longest = max(len(self.states[i]) for i in chosen)
                size = -(-longest // 8) * 8
                x = np.zeros((BATCH, size, WIDTH), np.float32)
                mask = np.zeros((BATCH, size), np.float32)
                mask[len(chosen) :, 0] = 1
                for row, i in enumerate(chosen):
                    x[row, : len(self.states[i])] = self.states[i]
                    mask[row, : len(self.states[i])] = 1
                yield chosen, x, mask


def prepare(network: Network, vocabulary: Vocabulary, chosen: list[Line]) -> Prepared:
    """Run the frozen layers once."""

    @jax.jit
    def below(x: jax.Array, mask: jax.Array) -> jax.Array:
        x = _normal(x, network.ends["w"], network.ends["b"])
        for layer in range(FROZEN_LAYERS):
            x = run_layer(x, mask, network.layers[layer], None)
        return x

    embedded = []
    for line in chosen:
        tokens = [*vocabulary.tokens(PREFIX), *tokens_of(line.text.split("\n"), vocabulary)]
        tokens = vocabulary.sentence(tokens[-MAX_TOKENS:])
        embedded.append(network.embed(np.array(tokens)).astype(np.float16))
    raw = Prepared(embedded, np.zeros(len(chosen), np.float32))
    states: list[npt.NDArray[np.float16]] = [np.zeros((0, WIDTH), np.float16)] * len(chosen)
    for which, x, mask in raw.batches(np.arange(len(chosen))):
        done = np.asarray(below(jnp.array(x), jnp.array(mask))).astype(np.float16)
        for row, i in enumerate(which):
            states[i] = done[row, : len(embedded[i])]
    return Prepared(states, np.array([line.is_revealing for line in chosen], np.float32))


def learned_before(path: Path) -> dict[str, Weights]:
    """Return what was learned before, as it was written."""
    found: dict[str, Weights] = {}
    with np.load(path) as arrays:
        for name in arrays.files:
            if name.endswith(e5_small.SCALE):
                continue
            layer, _, part = name.partition(".")
            value = arrays[name].astype(np.float32)
            if name + e5_small.SCALE in arrays.files:
                value = value * arrays[name + e5_small.SCALE]
            found.setdefault(layer, {})[part] = jnp.array(value)
    return found


def further(everything: list[Line], names: list[str], random: np.random.Generator) -> list[Line]:
    """Return the prompts of some files, and as many others."""
    new: list[Line] = []
    old: list[Line] = []
    for line in everything:
        is_named = any(fnmatchcase(line.source, name) for name in names)
        (new if is_named else old).append(line)
    chosen = random.choice(len(old), size=min(len(old), len(new)), replace=False)
    return [*new, *(old[i] for i in chosen)]


def train(
    network: Network,
    prepared: Prepared,
    epochs: int,
    watch: Prepared,
    watched: list[Line],
    *,
    start: dict[str, Weights] | None,
) -> dict[str, Weights]:
    """Learn; after each epoch say how it does on what it does not learn from."""
    random = np.random.default_rng(SEED)
    learned = learnable(random) if start is None else start
    peak = PEAK_RATE if start is None else FURTHER_RATE
    flat, shape = jax.tree.flatten(learned)
    first = [jnp.zeros_like(value) for value in flat]
    second = [jnp.zeros_like(value) for value in flat]
    steps = epochs * -(-len(prepared.labels) // BATCH)

    def loss(
        values: dict[str, Weights], x: jax.Array, mask: jax.Array, y: jax.Array, kept: jax.Array
    ) -> jax.Array:
        z = logits(values, network.layers, x, mask, kept)
        smooth = y * 0.96 + 0.02
        each = jnp.logaddexp(0, z) - smooth * z
        return each.mean()

    @jax.jit
    def step(
        values: list[jax.Array],
        first: list[jax.Array],
        second: list[jax.Array],
        n: jax.Array,
        x: jax.Array,
        mask: jax.Array,
        y: jax.Array,
        kept: jax.Array,
    ) -> tuple[list[jax.Array], list[jax.Array], list[jax.Array], jax.Array]:
        value, slopes = jax.value_and_grad(loss)(
            jax.tree.unflatten(shape, values), x, mask, y, kept
        )
        grads = jax.tree.leaves(slopes)
        norm = jnp.sqrt(sum((g**2).sum() for g in grads))
        grads = [g * jnp.minimum(1.0, 1.0 / (norm + 1e-6)) for g in grads]
        rate = peak * jnp.minimum(n / (0.06 * steps), jnp.maximum(0.02, 1 - n / steps))
        first = [0.9 * m + 0.1 * g for m, g in zip(first, grads, strict=True)]
        second = [0.98 * v + 0.02 * g**2 for v, g in zip(second, grads, strict=True)]
        new = [
            w * (1 - rate * 0.02) - rate * (m / (1 - 0.9**n)) / (jnp.sqrt(v / (1 - 0.98**n)) + 1e-8)
            for w, m, v in zip(values, first, second, strict=True)
        ]
        return new, first, second, value

    n = 0
    for epoch in range(epochs):
        began, losses = time.time(), []
        groups = list(prepared.batches(random.permutation(len(prepared.labels))))
        random.shuffle(groups)
        for which, x, mask in groups:
            if len(which) < BATCH:
                continue
            n += 1
            y = jnp.array(prepared.labels[which])
            kept = (random.random((BATCH, WIDTH)) >= DROPPED) / (1 - DROPPED)
            flat, first, second, value = step(
                flat,
                first,
                second,
                jnp.array(float(n)),
                jnp.array(x),
                jnp.array(mask),
                y,
                jnp.array(kept.astype(np.float32)),
            )
            losses.append(float(value))
        learned = jax.tree.unflatten(shape, flat)
        scores = score(network, learned, watch)
        print(
            f"epoch {epoch + 1}: loss {np.mean(losses):.3f}, {time.time() - began:.0f} s, "
            f"{summary(scores, watched)}",
            flush=True,
        )
    return learned


def score(network: Network, learned: dict[str, Weights], prepared: Prepared) -> Array:
    """Return how sure, 0 to 1, for each prompt."""
    run = jax.jit(lambda x, mask: logits(learned, network.layers, x, mask, jnp.ones(())))
    out = np.zeros(len(prepared.labels), np.float32)
    for which, x, mask in prepared.batches(np.arange(len(prepared.labels))):
        z = np.asarray(run(jnp.array(x), jnp.array(mask)))[: len(which)]
        out[which] = 1 / (1 + np.exp(-z))
    return out


def summary(scores: Array, watched: list[Line]) -> str:
    """Say how well scores part the two kinds."""
    revealing = np.array([line.is_revealing for line in watched])
    yes, no = scores[revealing], np.sort(scores[~revealing])
    area = np.searchsorted(no, yes).sum() / (len(yes) * len(no))
    at = float(np.quantile(no, 0.98))
    return (
        f"AUC {area:.4f}, recall at 2 % false {np.mean(yes > at):.3f} (threshold {at:.2f}), "
        f"at 0.5: recall {np.mean(yes > 0.5):.3f}, false {np.mean(no > 0.5):.3f}"
    )


def packed(name: str, value: Array) -> dict[str, npt.NDArray[np.generic]]:
    """Return a matrix as bytes with a scale for each column; anything else as it is."""
    if value.ndim < 2:
        return {name: value}
    scale = np.abs(value).max(axis=0) / 127
    return {name: np.round(value / scale).astype(np.int8), name + e5_small.SCALE: scale}


def main() -> None:
    """Train, report, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--further", metavar="NAMES", nargs="+")
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    weights = fetch(MODEL_FILES[ModelName.E5_SMALL].source)
    network = Network(weights)
    vocabulary = Vocabulary.parse(e5_small.build_vocabulary(weights))
    everything = lines()
    training = [line for line in everything if not line.is_test]
    watched = [line for line in everything if line.is_test]
    start = None
    if asked.further is not None:
        start = learned_before(OUT)
        training = further(training, asked.further, np.random.default_rng(SEED))
    print(f"{len(training)} prompts to learn from, {len(watched)} blind ones", flush=True)
    prepared, watch = (prepare(network, vocabulary, part) for part in (training, watched))
    learned = train(network, prepared, asked.epochs, watch, watched, start=start)
    if start is not None:
        learned = jax.tree.map(lambda before, after: (before + after) / 2, start, learned)
        print(f"half way: {summary(score(network, learned, watch), watched)}", flush=True)
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for layer, parts in learned.items():
        for part, value in parts.items():
            arrays |= packed(f"{layer}.{part}", np.asarray(value, np.float32))
    np.savez_compressed(asked.out, **arrays)
    print(f"{asked.out.name}: {asked.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
