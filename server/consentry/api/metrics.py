"""Counts and durations, for `GET /metrics`. No label ever holds an identifier, a name or an address."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from consentry.kernel.taxonomy import Mode, Verdict

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH"})
_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The measurements of one application, in a registry of their own. Safe between threads."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "consentry_http_requests",
            "Answers, by route template.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "consentry_http_request_seconds",
            "Time to the end of the answer.",
            ("route",),
            registry=self._registry,
            buckets=_SECONDS,
        )
        self._checks = Counter(
            "consentry_checks", "Verdicts.", ("mode", "verdict"), registry=self._registry
        )
        self._busy = Gauge(
            "consentry_work_admitted",
            "Pieces of work that run or wait, by kind.",
            ("kind",),
            registry=self._registry,
        )
        self._overloads = Counter(
            "consentry_work_overloaded",
            "Pieces of work turned away because the queue was full.",
            ("kind",),
            registry=self._registry,
        )

    def note_request(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer. ``route`` is a template, never an address."""
        verb = method if method in _METHODS else "other"
        self._requests.labels(verb, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def note_check(self, mode: Mode, verdict: Verdict) -> None:
        """Count a verdict."""
        self._checks.labels(mode.value, verdict.value).inc()

    def note_admitted(self, kind: str, count: int) -> None:
        """Note how much work of a kind runs or waits."""
        self._busy.labels(kind).set(count)

    def note_overload(self, kind: str) -> None:
        """Count a piece of work that was turned away."""
        self._overloads.labels(kind).inc()

    def render(self) -> bytes:
        """Return all of it in the Prometheus text format."""
        return generate_latest(self._registry)
