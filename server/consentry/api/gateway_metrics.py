"""Counts and durations of the gateway, for `GET /metrics`. Labels are templates and closed vocabularies."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from consentry.gateway.passage import Passage

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)


class GatewayMetrics:
    """The measurements of one gateway, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "consentry_gateway_requests",
            "Answers, by route template, status and verdict.",
            ("dialect", "route", "status", "verdict", "refusal"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "consentry_gateway_seconds",
            "Time of a request: all of it, in checks, and until the generator began to answer.",
            ("dialect", "route", "part"),
            registry=self._registry,
            buckets=_SECONDS,
        )
        self._pictures = Counter(
            "consentry_gateway_pictures",
            "Pictures that were checked.",
            ("dialect", "stage"),
            registry=self._registry,
        )
        self._active = Gauge(
            "consentry_gateway_active", "Requests being answered.", registry=self._registry
        )
        self._memory = Gauge(
            "consentry_gateway_memory_bytes",
            "Memory that is set aside for bodies.",
            registry=self._registry,
        )
        self._waiting = Gauge(
            "consentry_gateway_waiting",
            "Requests that wait for memory.",
            registry=self._registry,
        )

    def note(self, dialect: str, passage: Passage, *, status: int, seconds: float) -> None:
        """Count an answer."""
        verdict = passage.verdict.value if passage.verdict is not None else "none"
        refusal = passage.refusal.kind.value if passage.refusal is not None else "none"
        self._requests.labels(dialect, passage.route, str(status), verdict, refusal).inc()
        for part, took in (
            ("all", seconds),
            ("check", passage.check_s),
            ("upstream", passage.upstream_s),
        ):
            self._seconds.labels(dialect, passage.route, part).observe(took)
        self._pictures.labels(dialect, "input").inc(passage.pictures)
        self._pictures.labels(dialect, "output").inc(passage.outputs)

    def note_load(self, *, active: int, memory: int, waiting: int) -> None:
        """Note what is going on."""
        self._active.set(active)
        self._memory.set(memory)
        self._waiting.set(waiting)

    def render(self) -> bytes:
        """Return all of it in the Prometheus text format."""
        return generate_latest(self._registry)
