"""Environment -> one frozen `Settings`. Nobody else reads the environment (docs/configuration.md lists every field)."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from consentry.kernel.errors import BadRequest
from consentry.rights.periods import LONGEST_DAYS, Periods

_LOOPBACK = {"127.0.0.1", "::1"}


def _default_home() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "Consentry"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Consentry"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "consentry"


def _default_models_dir() -> Path:
    if sys.platform == "win32":
        cache = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
        return cache / "Consentry" / "Cache" / "models"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "Consentry" / "models"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "consentry" / "models"


class Settings(BaseSettings):
    """Everything that can be set, from environment variables named ``CONSENTRY_`` + the field in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="CONSENTRY_", frozen=True, extra="forbid", env_ignore_empty=True
    )

    home: Path = Field(
        default_factory=_default_home,
        description="The data folder: database, keys, socket. Made on first use, readable by you alone.",
    )
    models_dir: Path = Field(
        default_factory=_default_models_dir,
        description="Where the built model files are. Public files that can be rebuilt at any time.",
    )
    model: Literal["companion", "light", "registry", "face-recognition"] = Field(
        default="companion",
        description="The face engine. Templates of one engine are never compared with those of another.",
    )
    host: str = Field(
        default="127.0.0.1", description="Address to listen on. Loopback only: 127.0.0.1 or ::1."
    )
    port: int = Field(
        default=8484, ge=0, le=65535, description="Port to listen on; 0 takes any free one."
    )
    idle_lock_s: float = Field(
        default=900.0,
        ge=10.0,
        le=86_400.0,
        description="Seconds without use after which the vault locks by itself.",
    )
    intimate_delay_s: float = Field(
        default=0.0,
        ge=0.0,
        le=2_592_000.0,
        description=(
            "Cooling-off time, in seconds, between announcing consent to a revealing use and being "
            "able to give it; taking it back is never delayed."
        ),
    )
    receipts_days: int = Field(
        default=1095,
        ge=30,
        le=LONGEST_DAYS,
        description="Days for which receipts are kept; a legal hold keeps them longer.",
    )
    openings_days: int = Field(
        default=1095,
        ge=30,
        le=LONGEST_DAYS,
        description=(
            "Days for which platform, purpose and region of a verdict can be opened to an auditor; "
            "a legal hold keeps that longer. Then the log's entry tells the day and the verdict alone."
        ),
    )
    feed_days: int = Field(
        default=90,
        ge=7,
        le=LONGEST_DAYS,
        description="Days for which a platform can still read that something was taken back.",
    )
    lapsed_days: int = Field(
        default=30,
        ge=1,
        le=365,
        description="Days for which tokens and keys stay listed after their end.",
    )
    sightings_days: int = Field(
        default=180,
        ge=1,
        le=3650,
        description=(
            "Days for which somebody can read which checks her face or name mattered in; older ones "
            "are destroyed."
        ),
    )
    engine_threads: int = Field(
        default=0,
        ge=0,
        le=64,
        description="Model runs of one check at once; 0: as many as there are cores, at most 4.",
    )
    worker_threads: int = Field(
        default=4, ge=1, le=64, description="Requests that are worked on at the same time."
    )
    max_image_bytes: int = Field(
        default=20 * 1024 * 1024,
        ge=1024,
        description="Largest picture file that is read, in bytes.",
    )
    max_body_bytes: int = Field(
        default=64 * 1024 * 1024,
        ge=1024,
        description="Largest request body that is read, in bytes.",
    )
    gateway_openai: str | None = Field(
        default=None,
        description=(
            "Where the generator behind the gateway's /openai/v1 is: `https://api.openai.com/v1` or a "
            "server of your own that speaks the same API."
        ),
    )
    gateway_xai: str | None = Field(
        default=None,
        description=(
            "Where the generator behind the gateway's /xai/v1 is: `https://api.x.ai/v1` or a server that "
            "speaks the same REST API."
        ),
    )
    gateway_xai_grpc: str | None = Field(
        default=None,
        description=(
            "Where the generator behind the gateway's gRPC door is: `api.x.ai:443`, over TLS, or "
            "`http://127.0.0.1:50051` for one without. The client `xai-sdk` speaks nothing else."
        ),
    )
    gateway_apis: Path | None = Field(
        default=None,
        description=(
            "A file that describes another JSON API (docs/gateway-apis.md), or a folder of such files, "
            "`*.toml`: each is served by the gateway under its name."
        ),
    )
    gateway_host: str = Field(
        default="127.0.0.1",
        description="Address that the gateway listens on. It has no dashboard, and nobody is trusted there.",
    )
    gateway_port: int = Field(
        default=8585, ge=0, le=65535, description="Port of the gateway; 0 takes any free one."
    )
    gateway_grpc_port: int = Field(
        default=8586,
        ge=0,
        le=65535,
        description="Port of the gateway's gRPC door; 0 takes any free one.",
    )
    gateway_grpc_certificate: Path | None = Field(
        default=None,
        description=(
            "Certificate of the gRPC door, in PEM, with what it is signed by. Without one it speaks in plain, "
            "for clients on the same machine or behind a proxy that has one."
        ),
    )
    gateway_grpc_key: Path | None = Field(
        default=None, description="Private key of that certificate, in PEM, without a passphrase."
    )
    gateway_grpc_max_message_bytes: int = Field(
        default=20 * 1024 * 1024,
        ge=1024,
        description=(
            "Largest message that the gRPC door reads; `xai-sdk` sends none that is larger. It takes up to four "
            "times that of the gateway's memory."
        ),
    )
    gateway_platform: str | None = Field(
        default=None, description="Whom the gateway acts for; goes into every receipt and grant."
    )
    gateway_caller: str | None = Field(
        default=None,
        description=(
            "Identifier (`key_…`) of the platform's API key, so that it may follow consent requests "
            "that the gateway has opened. Its budget of faces, as it is when the gateway starts, is charged."
        ),
    )
    gateway_checks: int = Field(
        default=4, ge=1, le=64, description="Checks that the gateway makes at the same time."
    )
    gateway_memory_bytes: int = Field(
        default=1024 * 1024 * 1024,
        ge=1024 * 1024,
        description="Memory that the gateway sets aside for bodies; whoever finds no room waits unread.",
    )
    gateway_max_body_bytes: int = Field(
        default=128 * 1024 * 1024,
        ge=1024,
        description="Largest body that the gateway reads; it takes up to four times that of its memory.",
    )
    gateway_max_upload_bytes: int = Field(
        default=512 * 1024 * 1024,
        ge=1024,
        description="Largest body that streams through unread: a file that is stored upstream.",
    )
    gateway_max_answer_bytes: int = Field(
        default=64 * 1024 * 1024,
        ge=1024,
        description="Largest answer, or event of a stream, that the gateway holds until it is examined.",
    )
    gateway_body_timeout_s: float = Field(
        default=60.0, ge=1.0, le=3600.0, description="Longest wait for one body, in seconds."
    )
    gateway_patience_s: float = Field(
        default=30.0, ge=0.1, le=600.0, description="Longest wait for memory, in seconds."
    )
    gateway_connect_timeout_s: float = Field(
        default=10.0,
        ge=0.1,
        le=300.0,
        description="Longest to connect to the generator, in seconds.",
    )
    gateway_answer_timeout_s: float = Field(
        default=600.0,
        ge=0.1,
        le=3600.0,
        description="Longest silence of the generator, in seconds, also between two pieces of an answer.",
    )
    gateway_drain_s: float = Field(
        default=30.0,
        ge=0.0,
        le=3600.0,
        description="Longest that requests have to finish when the gateway stops, in seconds.",
    )
    log_name: str = Field(
        default="consentry.local",
        min_length=1,
        max_length=200,
        pattern=r"^[^\s+]+$",
        description=(
            "What the origin of the transparency log begins with: for a public one its address without "
            "the scheme, for example log.example.org. Of a log that has begun it does not change."
        ),
    )
    log_batch_s: float = Field(
        default=3600.0,
        ge=1.0,
        le=86_400.0,
        description=(
            "Seconds between two signed heads of the log. Enrolments and revocations come into it with "
            "them, in random order."
        ),
    )
    log_policy: Path | None = Field(
        default=None,
        description=(
            "A trust policy file (C2SP tlog-policy) that names the witnesses to ask, with their "
            "addresses, and the quorum. Without one, nobody is asked."
        ),
    )
    log_memory: Path | None = Field(
        default=None,
        description=(
            "The file that remembers the head of the log that was signed last; best on another disk "
            "than the data folder, where no backup of it puts it back. Default: in the data folder."
        ),
    )
    log_public: bool = Field(
        default=False,
        description=(
            "Whether /log/ answers without a token: for an operator's log, that anybody shall verify. "
            "Not for a companion: how much it is used is nobody's business."
        ),
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="warning", description="How much is written to standard error."
    )
    passphrase: SecretStr | None = Field(
        default=None,
        description=(
            "The vault's passphrase, for scripts. Other programs of yours may be able to read it; "
            "`--passphrase-fd` is better."
        ),
    )

    @field_validator("host")
    @classmethod
    def _loopback_only(cls, host: str) -> str:
        if host not in _LOOPBACK:
            raise ValueError(
                "the companion holds faces and listens on this machine only: use 127.0.0.1 or ::1"
            )
        return host

    @field_validator("home", "models_dir")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().absolute()

    @property
    def periods(self) -> Periods:
        """How long things are kept."""
        return Periods(
            receipts_days=self.receipts_days,
            openings_days=self.openings_days,
            sightings_days=self.sightings_days,
            feed_days=self.feed_days,
            lapsed_days=self.lapsed_days,
        )

    @property
    def holds_path(self) -> Path:
        """The file of legal holds."""
        return self.home / "holds.json"

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return self.home / "consentry.db"

    @property
    def keys_dir(self) -> Path:
        """Keys of the installation: they sign, they open nothing."""
        return self.home / "keys"

    @property
    def log_memory_path(self) -> Path:
        """Where the last signed head of the log is remembered."""
        return self.log_memory or self.home / "log.checkpoint"

    @property
    def socket_path(self) -> Path:
        """Where a running companion answers the command line."""
        return self.home / "run" / "companion.sock"


def load_settings(**overrides: object) -> Settings:
    """Read the environment once, with explicit values (of the command line) before it; None stands for "not given".

    Raises:
        BadRequest: If a value is out of range; names the variable and says what it may be.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]  # pydantic checks what mypy cannot see here
    except ValidationError as cause:
        problems = "; ".join(
            f"CONSENTRY_{str(e['loc'][0]).upper() if e['loc'] else '?'}: {e['msg']}"
            for e in cause.errors()
        )
        raise BadRequest(f"The configuration does not hold. {problems}.") from cause
