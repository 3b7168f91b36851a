"""Installs better restorers on request of a page on the same machine. In a WebUI, or for others, it only lists them."""

import threading
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from ..errors import BadSetting
from ..models.environment import Environment, find_environment
from ..models.setup import (
    Offer,
    carry_out,
    estimate_packages,
    find_offers,
    list_missing,
    list_offers,
    list_requirements,
)
from ..protocols import Progress
from ..weights import ModelPaths
from ..weights.download import is_offline
from ..weights.urls import host_name, is_loopback
from .errors import FORBIDDEN, FULL, UNREADABLE, refuse
from .handlers import Host
from .job import VERSION, Answer, Job
from .job_queue import JobQueue
from .schemas import SetupBody

FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""Headers of proxies. Behind one, a client that seems to be on this machine may be anywhere."""
IN_WEBUI = "a WebUI manages its own packages; copy the file of a model into the WebUI's models folder"
EXPOSED = "this server is open to other machines; run `facefix setup` in a terminal instead"
ELSEWHERE = "only a browser on the server's own machine may install models; run `facefix setup` there"
OFFLINE = "downloads are turned off on this server (FACEFIX_OFFLINE)"


@dataclass(slots=True, eq=False)
class SetupDesk:
    """Answers GET setup and POST setup. One set-up runs at a time, beside the other jobs."""

    host: Host
    line: JobQueue
    """Queue of the other jobs. When it ends, so does the set-up."""
    bound: str
    """Name or address that the server listens on; blank in a WebUI."""
    job: Job | None = None
    """The latest set-up."""
    _queue: JobQueue = field(default_factory=lambda: JobQueue(1, 1 << 20))
    _starting: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._queue.listeners = self.line.listeners
        self.line.beside.append(self._queue)

    def describe(self, request: Request) -> dict[str, Any]:
        """Return all restorers that can be installed, and whether this client may install them."""
        environment, paths = find_environment(), self._paths()
        offers = list_offers(paths)
        packages = list_missing(offers)
        reason = self._explain_refusal(request)
        return {
            "version": VERSION,
            "allowed": not reason,
            "why_not": reason,
            "environment": environment.kind,
            "command": environment.describe(list_requirements(packages)),
            "can_install": environment.can_install,
            "missing_packages": list(packages),
            "package_bytes": estimate_packages(packages, environment),
            "job": self.job.id if self.job and not self.job.future.done() else None,
            "models": [_describe_offer(offer) for offer in offers],
        }

    def begin(self, request: Request, body: SetupBody) -> Job:
        """Start a set-up. Raises `Refusal`."""
        if reason := self._explain_refusal(request):
            raise refuse(FORBIDDEN, reason, "body")
        environment, paths = find_environment(), self._paths()
        try:
            offers = find_offers(body.models, list_offers(paths))
        except BadSetting as error:
            raise refuse(UNREADABLE, str(error), "body", "models") from error
        self._check_consent(body, offers, environment)

        def work(progress: Progress) -> Answer:
            def should_stop() -> bool:
                return progress.should_stop() or self.line.ended

            done = carry_out(offers, paths, tell=progress.step, should_stop=should_stop, environment=environment)
            found = {"installed_packages": list(done.packages), "models": list(done.models), "restart": done.restart}
            return Answer({"version": VERSION, **found})

        with self._starting:
            if self.job and not self.job.future.done():
                raise refuse(FULL, "another set-up is running; wait for its end")
            self.job = self._queue.add(work, 0, keep=False, kind="setup")
            return self.job

    def _paths(self) -> ModelPaths:
        return self.host.engine_for_queries().models.paths

    def _explain_refusal(self, request: Request) -> str:
        """Return why this client may not install anything, or blank if it may."""
        if not self.bound:
            return IN_WEBUI
        if not is_loopback(self.bound):
            return EXPOSED
        named = host_name(request.headers.get("host", ""))
        here = request.client is not None and is_loopback(request.client.host) and is_loopback(named)
        if not here or any(name in request.headers for name in FORWARDED):
            return ELSEWHERE
        return OFFLINE if is_offline() else ""

    def _check_consent(self, body: SetupBody, offers: tuple[Offer, ...], environment: Environment) -> None:
        if not body.accept_licences:
            raise refuse(UNREADABLE, "accept the licences of the models first", "body", "accept_licences")
        packages = list_missing(offers)
        if not packages:
            return
        typed = environment.describe(list_requirements(packages))
        if not environment.can_install:
            raise refuse(UNREADABLE, f"the system manages this Python; run: {typed}", "body", "install_packages")
        if not body.install_packages:
            needed = f"these models need the Python packages {', '.join(packages)}; allow their installation"
            raise refuse(UNREADABLE, f"{needed}, or run: {typed}", "body", "install_packages")


def _describe_offer(offer: Offer) -> dict[str, Any]:
    return {
        "name": offer.info.name,
        "label": offer.info.label,
        "about": offer.info.about,
        "licence": offer.record.licence,
        "notice": offer.record.notice,
        "free": offer.record.free,
        "bytes": offer.record.bytes,
        "sources": list(offer.sources),
        "packages": list(offer.packages),
        "missing_packages": list(offer.missing_packages),
        "weights_here": offer.weights_here,
        "ready": offer.ready,
        "accepted": offer.accepted,
    }
