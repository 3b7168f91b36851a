"""Metrics of the server in the formats of Prometheus. The only file that knows the package prometheus_client.

Labels have few values, all known before: no name of a file, folder, person, or client is one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .. import __version__
from ..facefix import FaceFix
from .errors import Refusal
from .job import Answer, Job, State
from .job_queue import JobQueue

SECONDS = (0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
"""Upper bounds of the histograms of requests, in seconds."""
LONG_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 43200)
"""Upper bounds of the histogram of jobs, in seconds; a folder may take hours."""
METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS"})
"""Methods that are told apart; clients can make up others."""


class Metrics:
    """Counts requests, jobs, and faces of one server. It is a `Listener` of the queue."""

    def __init__(self, line: JobQueue, engine: FaceFix) -> None:
        # A time for each series would double their number.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(_Live(line, engine))
        line.listeners.append(self)

        def count(name: str, about: str, *labels: str) -> Counter:
            return Counter(f"facefix_{name}", about, labels, registry=self._registry)

        def time_of(name: str, about: str, label: str, bounds: tuple[float, ...]) -> Histogram:
            return Histogram(f"facefix_{name}", about, [label], buckets=bounds, registry=self._registry)

        self.requests = count("requests", "Requests, by route, method, and status.", "route", "method", "status")
        self.request_seconds = time_of(
            "request_seconds", "Seconds from a request to the end of its response.", "route", SECONDS
        )
        self.received = count("received_bytes", "Bytes of the bodies of requests.")
        self.sent = count("sent_bytes", "Bytes of the bodies of responses.")
        self._jobs = count("jobs_ended", "Ended jobs, by call and by state.", "call", "state")
        self._job_seconds = time_of("job_seconds", "Seconds that a job took, without waiting.", "call", LONG_SECONDS)
        self._faces = count("faces", "Faces, by decision and by verdict.", "decision", "verdict")

    def note_image(self, record: Mapping[str, Any]) -> None:
        """Count the faces of a finished image. record: as in a report."""
        for face in record["faces"]:
            self._faces.labels(face["decision"], face["outcome"]).inc()

    def note_end(self, job: Job, state: State, outcome: Answer | Refusal) -> None:
        """Count an ended job. The images of a folder have been counted already."""
        self._jobs.labels(job.kind, state).inc()
        if job.began:
            self._job_seconds.labels(job.kind).observe(time.monotonic() - job.began)
        if job.kind == "fix" and isinstance(outcome, Answer):
            self.note_image(outcome.report)

    def measure(self, app: ASGIApp) -> Measured:
        """Return the app, with all its requests counted."""
        return Measured(app, self)

    def respond(self, request: Request) -> Response:
        """Return all metrics, as text or as OpenMetrics, whichever the client accepts."""
        encode, kind = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self._registry), headers={"Content-Type": kind})


class _Live(Collector):
    """Reads what can be read at any time: queue, models, and time."""

    def __init__(self, line: JobQueue, engine: FaceFix) -> None:
        self._line, self._engine, self._began = line, engine, time.monotonic()

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        load = self._line.load
        for name, value, about in (
            ("queue_limit", self._line.most, "Largest number of waiting jobs."),
            ("queue_bytes", load.held, "Bytes of arriving and waiting requests."),
            ("queue_bytes_limit", self._line.most_bytes, "Largest number of these bytes."),
            ("uptime_seconds", time.monotonic() - self._began, "Seconds since the server was started."),
            ("stopping", int(self._line.ended), "1 once the server accepts no more jobs."),
        ):
            yield GaugeMetricFamily(f"facefix_{name}", about, value)
        jobs = GaugeMetricFamily("facefix_jobs", "Unfinished jobs, by state.", labels=["state"])
        jobs.add_metric(["waiting"], load.waiting)
        jobs.add_metric(["running"], load.running)
        yield jobs
        setups = sum(queue.load.running for queue in self._line.beside)
        yield GaugeMetricFamily("facefix_setups", "Downloads of restorers that are running now: 0 or 1.", setups)
        loads = CounterMetricFamily("facefix_model_loads", "Loaded models, by group.", labels=["group"])
        for group, number in sorted(self._engine.models.loads.items()):
            loads.add_metric([group], number)
        yield loads
        yield InfoMetricFamily("facefix_build", "Version of FaceFix.", {"version": __version__})


class Measured:
    """A middleware that counts requests."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count one request, and let the app respond to it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 0

        async def receive_counted() -> Message:
            message = await receive()
            self._metrics.received.inc(len(message.get("body", b"")))
            return message

        async def send_counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            self._metrics.sent.inc(len(message.get("body", b"")))
            await send(message)

        try:
            await self._app(scope, receive_counted, send_counted)
        finally:
            method = scope["method"] if scope["method"] in METHODS else "other"
            route = _name_route(scope)
            self._metrics.requests.labels(route, method, status or 500).inc()
            self._metrics.request_seconds.labels(route).observe(time.monotonic() - began)


def _name_route(scope: Scope) -> str:
    """Return the path of a route as it is declared, "page" for the files of the page, and "other" for the rest."""
    path = getattr(scope.get("route"), "path_format", "")
    if isinstance(path, str) and path:
        return path
    return "page" if isinstance(scope.get("endpoint"), StaticFiles) else "other"
