"""The routes for those who run a server: health and metrics."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from fastapi.params import Depends
from starlette.requests import Request
from starlette.responses import Response

from ..facefix import FaceFix
from .errors import LACKING, refuse
from .health import Health
from .job import Job
from .job_queue import JobQueue
from .routes import RefusingRoute

if TYPE_CHECKING:
    from .metrics import Metrics

NO_METRICS = "metrics need the package prometheus-client. Install it, and start the server again"
TEXT = {"content": {"text/plain": {}}, "description": "All metrics."}


def open_metrics(line: JobQueue, engine: FaceFix) -> Metrics | None:
    """Return the metrics of a server, or None if their package is missing: it can work without them."""
    try:
        from .metrics import Metrics  # here, as the server starts without the package
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "prometheus_client":
            raise
        return None
    return Metrics(line, engine)


def make_operation_router(
    line: JobQueue, metrics: Metrics | None, guards: Sequence[Depends], start: Job | None
) -> APIRouter:
    """Return the router. Health needs no token, as it says nothing of anybody's work; metrics need it.

    start: the job that loads the models, before whose end the server is not ready; None: there is none.
    """
    made, health = APIRouter(tags=["Operation"], route_class=RefusingRoute), Health(line, start)
    add = partial(made.add_api_route, methods=["GET"], response_model=None)
    refused: dict[int | str, dict[str, Any]] = {503: {"description": "`problems` lists the reasons."}}
    add("/healthz", health.ready, summary="Whether the server can take work", responses=refused)
    add("/healthz/live", health.live, summary="Whether the server runs", responses=refused)
    answers: dict[int | str, dict[str, Any]] = {200: TEXT, 401: {"description": "The token is missing or wrong."}}
    answers[LACKING] = {"description": "The package prometheus-client is not installed."}

    def respond(request: Request) -> Response:
        if metrics is None:
            raise refuse(LACKING, NO_METRICS)
        return metrics.respond(request)

    add("/metrics", respond, summary="Metrics for Prometheus", responses=answers, dependencies=[*guards])
    return made
