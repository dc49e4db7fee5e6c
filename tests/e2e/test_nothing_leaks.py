"""The promises P01, P02 and P07, tried on the real thing: real models, vault, database, routes and logs."""

from __future__ import annotations

import io
import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from consentry.accounts.principals import Scope
from consentry.cli.companion import in_process
from consentry.kernel.errors import VaultError, WrongPassphrase
from consentry.settings import load_settings
from consentry.vault.passphrase import Passphrase
from consentry.wiring import Home, open_home, tcp_app
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image, ImageOps
from skimage.data import astronaut

NAME = "Unmistakable Ocelot-Quagga"
PROMPT = "put her in a bikini made of zyzzyva"
PASSPHRASE = Passphrase("correct horse battery staple")

pytestmark = pytest.mark.e2e


def _encoded(image: Image.Image, image_format: str = "PNG") -> bytes:
    out = io.BytesIO()
    image.save(out, image_format)
    return out.getvalue()


ORIGINAL = Image.fromarray(astronaut())
ALTERED = ImageOps.mirror(ORIGINAL.crop((60, 0, 420, 400)))


@pytest.fixture
def real_home(tmp_path: Path) -> Iterator[Home]:
    settings = load_settings(home=tmp_path / "home")
    with open_home(settings) as home:
        home.services.custody.create(PASSPHRASE)
        home.services.enrol([_encoded(ORIGINAL)], name=NAME, policy=None)
        yield home


def _reference(home: Home) -> np.ndarray:
    return home.services.look(_encoded(ORIGINAL)).faces[0].embedding


def _probe(home: Home) -> np.ndarray:
    return home.services.look(_encoded(ALTERED)).faces[0].embedding


def _stolen(home: Home, to: Path) -> bytes:
    """Everything in the data folder but the socket, as a thief would copy it."""
    shutil.copytree(home.settings.home, to, ignore=shutil.ignore_patterns("*.sock"))
    return b"".join(path.read_bytes() for path in sorted(to.rglob("*")) if path.is_file())


def test_a_stolen_home_matches_nobody(real_home: Home, tmp_path: Path):
    reference, probe = _reference(real_home), _probe(real_home)
    # Some 370,000 runs of bytes are taken for templates: at a looser point noise would match by chance
    # (once in 47 runs of this test it did at 1e-2).
    curve = real_home.services.check.faces.operating_curve
    threshold = curve.at_fmr(curve.lowest_fmr).threshold
    assert float(reference @ probe) > threshold, "the thief's probe must match what is enrolled"

    loot = _stolen(real_home, tmp_path / "loot")

    best = max(
        _best_similarity(np.frombuffer(loot[shift:][: (len(loot) - shift) // 4 * 4], "<f4"), probe)
        for shift in range(4)
    )
    assert best < threshold
    assert NAME.encode() not in loot
    assert reference.tobytes()[:16] not in loot


def _best_similarity(floats: np.ndarray, probe: np.ndarray) -> float:
    """Take every run of floats for a template, and return how like the probe the best one is."""
    finite = np.where(np.isfinite(floats) & (np.abs(floats) < 1e6), floats, 0).astype(np.float64)
    best = -1.0
    for start in range(0, max(1, len(finite) - len(probe)), 20_000):
        part = finite[start : start + 20_000 + len(probe)]
        if len(part) < len(probe):
            break
        windows = sliding_window_view(part, len(probe))
        norms = np.sqrt((windows**2).sum(axis=1))
        scores = windows @ probe / np.where(norms > 0, norms, np.inf)
        best = max(best, float(scores.max()))
    return best


def test_the_thief_of_this_test_would_find_a_template_in_the_clear(real_home: Home):
    reference, probe = _reference(real_home), _probe(real_home)
    noise = np.random.default_rng(1).bytes(4096)
    loot = np.frombuffer(noise + reference.tobytes() + noise, "<f4")

    assert _best_similarity(loot, probe) == pytest.approx(float(reference @ probe), abs=1e-4)


def test_a_stolen_home_opens_with_no_other_passphrase(real_home: Home, tmp_path: Path):
    _stolen(real_home, tmp_path / "loot")

    with open_home(load_settings(home=tmp_path / "loot")) as loot:
        for guess in (
            "correct horse battery stapl",
            "correct horse battery staple ",
            "password123",
        ):
            with pytest.raises(WrongPassphrase):
                loot.services.custody.unlock(Passphrase(guess))
        with pytest.raises(VaultError):
            loot.services.gallery.search([_probe(real_home)], min_score=0.1)
        assert [person.name for person in loot.services.people.all()] == [None]


def test_no_name_score_prompt_or_template_is_in_any_log_at_any_level(
    real_home: Home, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    caplog.set_level(logging.DEBUG)
    logging.getLogger().setLevel(logging.DEBUG)
    services = real_home.services
    scores = services.gallery.search([_probe(real_home)], min_score=-1.0)[0]
    subject = services.people.all()[0].subject

    with in_process(real_home.app) as line:
        client = line._client
        for prompt in (PROMPT, "make the sky blue"):
            for mode in ("act", "inform"):
                client.post(
                    "/v1/checks",
                    files=[("images", ("Ocelot.png", _encoded(ALTERED), "image/png"))],
                    data={"prompt": prompt, "mode": mode},
                )
        client.post("/v1/faces", files=[("image", ("Ocelot.png", _encoded(ALTERED), "image/png"))])
        client.post("/v1/checks", files=[("images", ("Ocelot.png", b"broken", "image/png"))])
        client.get("/v1/subjects")
        client.post("/v1/vault/unlock", json={"passphrase": "Unmistakable wrong one"})
        client.post("/v1/subjects/revoke", json={"subject": NAME})
    shown = capfd.readouterr()
    logged = (
        "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
        + shown.out
        + shown.err
    )

    embedding_digits = [f"{value:.6f}" for value in _reference(real_home)[:50] if abs(value) > 0.02]
    secrets = [
        "Unmistakable",
        "Ocelot",
        "zyzzyva",
        "correct horse",
        subject,
        f"{scores[0].score:.4f}",
        *embedding_digits,
    ]
    assert [secret for secret in secrets if secret in logged] == []
    assert caplog.records, "nothing was logged at all, so nothing was tried"


def test_informing_leaves_the_disk_as_it_was(real_home: Home):
    def snapshot() -> dict[str, bytes]:
        return {
            str(path): path.read_bytes()
            for path in real_home.settings.home.rglob("*")
            if path.is_file() and not path.name.endswith("-shm")
        }

    with in_process(real_home.app) as line:
        post = lambda prompt: line._client.post(  # noqa: E731 -- the same call, three times
            "/v1/checks",
            files=[("images", ("a.png", _encoded(ALTERED), "image/png"))],
            data={"prompt": prompt, "mode": "inform"},
        )
        post("make the sky blue")
        before = snapshot()
        answers = [post("make the sky blue").json(), post(PROMPT).json()]

    assert [answer["verdict"] for answer in answers] == ["needs_consent", "refuse"]
    assert [answer["receipt"] for answer in answers] == [None, None]
    assert snapshot() == before


def test_an_answer_to_a_platform_says_nothing_about_anybody(real_home: Home):
    _, token = real_home.services.tokens.issue("platform", [Scope.CHECKS_WRITE], expires_in_days=1)

    with in_process(tcp_app(real_home, 8484)) as line:
        text = line._client.post(
            "http://127.0.0.1:8484/v1/checks",
            headers={"authorization": f"Bearer {token}"},
            files=[("images", ("a.png", _encoded(ALTERED), "image/png"))],
            data={"prompt": "make the sky blue"},
        ).text
    answer = json.loads(text)
    score = real_home.services.gallery.search([_probe(real_home)], min_score=-1.0)[0][0].score

    assert answer["verdict"] == "needs_consent"
    assert not [key for key in answer if "private" in key or "score" in key or "subject" in key]
    assert "Unmistakable" not in text
    assert real_home.services.people.all()[0].subject not in text
    assert f"{score:.3f}" not in text
