"""A Python client for the HTTP API of FaceFix. It uses the library's own types and only the standard library.

    client = Client("http://127.0.0.1:7861", token="...")
    fixed = client.fix(path.read_bytes(), FaceSettings(method="restore"))
    new.write_bytes(fixed.image)

Images are sent as files in any supported format, and the results are files of the same format.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any
from urllib.parse import quote

from ..errors import CannotReach, FaceFixError, Refused, Stopped
from ..planning.plan import FixPlan
from ..protocols import Progress
from ..settings.face_prompt import GenerationParams
from ..settings.face_settings import FaceSettings
from ..settings.treatment import Overrides
from .png import decode_base64, encode_base64
from .transport import TIMEOUT, Transport

ROOT = "/facefix/v1"
FINAL_STATES = ("done", "failed", "stopped")
"""States of a finished job."""
FIRST_POLL, LAST_POLL = 0.05, 1.0
"""First and longest interval in seconds between two status requests. The interval grows, as most jobs are short."""
MAX_LOST_POLLS = 5
"""Number of consecutive failed status requests after which the client gives up."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job that runs on a server in the background."""

    id: str
    state: str
    """State of the job: "waiting", "running", "done", "failed", or "stopped"."""
    done: int = 0
    """Number of finished faces, or of finished images in a folder."""
    total: int = 0
    """Number of all faces, or of all images in a folder."""
    doing: str = ""
    """Description of the current step."""
    error: str | None = None
    """Error message of a failed job."""
    result: Any = None
    """The JSON that the call would have returned without a job."""

    @property
    def over(self) -> bool:
        """Whether the job is finished."""
        return self.state in FINAL_STATES


@dataclass(frozen=True, slots=True)
class Fixed:
    """A fixed image from the server."""

    image: bytes
    """Image file of the same format as the one sent. If nothing changed, it has the same bytes."""
    report: Mapping[str, Any] = field(default_factory=dict)
    """Sizes and the outcome for each face, as in `FixResult.to_json`."""


class Client:
    """Client for `facefix serve` or a WebUI with FaceFix. It is thread-safe and keeps no connection open.

    Every call raises `CannotReach` if no server responds, and `Refused` if the server rejects the request.
    """

    def __init__(self, url: str, token: str | None = None, user: str | None = None, patience: float = TIMEOUT) -> None:
        """url: such as "http://127.0.0.1:7861"; it may include a path. token: the token of `facefix serve`.

        user: "name:password" of a WebUI's --api-auth. patience: timeout in seconds without a byte received.
        Raises `BadSetting`.
        """
        self.transport = Transport.from_url(url, token, user, patience)

    def models(self) -> dict[str, list[dict[str, Any]]]:
        """Return the server's models by kind, such as "restorers". Each has a name, a licence, and `here` (usable)."""
        return {kind: entries for kind, entries in self._get("/models").items() if isinstance(entries, list)}

    def settings(self) -> dict[str, Any]:
        """Return the JSON schema of all settings."""
        return self._get("/settings")

    def detect(
        self, image: bytes, settings: FaceSettings | None = None, *, salvage: bool = False
    ) -> list[dict[str, Any]]:
        """Return the faces in an image file, as printed by `facefix detect`.

        salvage: whether to use the readable part of a JPEG that is cut off, in all calls that have this parameter.
        """
        answer = self._post("/detect", image, **_make_body(settings, salvage=salvage))
        faces: list[dict[str, Any]] = self._require(answer, "faces")
        return faces

    def plan(
        self,
        image: bytes,
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        origin: GenerationParams | None = None,
        salvage: bool = False,
    ) -> FixPlan:
        """Return the plan for an image file. See `FaceFix.plan`."""
        body = _make_body(settings, overrides, origin=origin, salvage=salvage)
        return FixPlan.from_json(self._post("/plan", image, **body))

    def replan(
        self,
        plan: FixPlan,
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        origin: GenerationParams | None = None,
    ) -> FixPlan:
        """Return a new plan for the same faces with other settings, without sending the image. See `FaceFix.replan`."""
        return FixPlan.from_json(self.transport.post(f"{ROOT}/replan", _make_body(settings, overrides, plan, origin)))

    def fix(
        self,
        image: bytes,
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        plan: FixPlan | None = None,
        origin: GenerationParams | None = None,
        progress: Progress | None = None,
        salvage: bool = False,
        again: bool = False,
        mark: bool = True,
    ) -> Fixed:
        """Fix the faces in an image file, or carry out a plan for it, and wait for the result.

        With `progress`, the work runs as a job whose progress is reported. When `progress` stops it, the faces fixed
        so far are returned. Raises `Stopped` if there are none. again: whether to fix an image that FaceFix has fixed
        before; otherwise it is returned as it is. mark: whether the result says in its metadata what was done.
        """
        body = _make_body(settings, overrides, plan, origin, salvage=salvage, again=again, mark=mark)
        if progress is None:
            answer = self._post("/fix", image, **body)
        else:
            job = self._require(self._post("/fix", image, **body, wait=False), "job")
            answer = self.wait(str(job), progress)
        fixed = self._require_image(answer)
        return Fixed(fixed, {name: value for name, value in answer.items() if name not in ("image", "version")})

    def preview(self, image: bytes, plan: FixPlan, *, salvage: bool = False) -> bytes:
        """Return a PNG of the image with numbered boxes and the masks of a plan."""
        return self._require_image(self._post("/preview", image, **_make_body(plan=plan, salvage=salvage)))

    def batch(
        self,
        folder: str,
        output: str,
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        overwrite: bool = False,
        again: bool = False,
        mark: bool = True,
    ) -> Job:
        """Start a job that fixes a folder on the server and writes the results to another. Pass its id to `wait`.

        overwrite: whether results may replace files that FaceFix did not write. By default, the job fails instead.
        again, mark: as for `fix`.
        """
        body = {"folder": folder, "output": output, **_make_body(settings, overrides, again=again, mark=mark)}
        if overwrite:
            body["overwrite"] = True
        return self.job(str(self._require(self.transport.post(f"{ROOT}/batch", body), "job")))

    def job(self, job: str) -> Job:
        """Return the state of a job."""
        answer = self._get(f"/jobs/{quote(job, safe='')}")
        known = {field.name for field in fields(Job)} - {"id"}
        return Job(job, **{name: value for name, value in answer.items() if name in known})

    def cancel(self, job: str) -> None:
        """Stop a job after the current step. The server keeps the finished part."""
        self.transport.delete(f"{ROOT}/jobs/{quote(job, safe='')}")

    def wait(self, job: str, progress: Progress) -> Any:
        """Wait for a job, report to `progress`, and return the result.

        The job is cancelled when `progress` stops it or on Ctrl-C. Raises `FaceFixError` with the job's error if it
        failed, and `Stopped` if it was stopped before there was a result.
        """
        try:
            over = self._watch_job(job, progress)
        except BaseException:  # also Ctrl-C: nobody waits for the job any more
            self._cancel_quietly(job)
            raise
        if over.state == "failed":
            raise FaceFixError(f"{self.transport.url}: {over.error or 'the job failed'}")
        if over.result is None:
            raise Stopped("stopped before it was done")
        return over.result

    def _watch_job(self, job: str, progress: Progress) -> Job:
        pause, cancelled = FIRST_POLL, False
        while not (state := self._poll_job(job)).over:
            progress.step(state.done, state.total, state.doing or f"{state.state} on the server")
            if not cancelled and progress.should_stop():
                cancelled = True
                self.cancel(job)
            time.sleep(pause)
            pause = min(LAST_POLL, 1.5 * pause)
        return state

    def _poll_job(self, job: str) -> Job:
        """Return the state of a job. A short network failure is tolerated, as the job continues on the server."""
        for _ in range(MAX_LOST_POLLS - 1):
            try:
                return self.job(job)
            except CannotReach:
                time.sleep(LAST_POLL)
        return self.job(job)

    def _cancel_quietly(self, job: str) -> None:
        try:
            self.cancel(job)
        except (CannotReach, Refused):
            return  # the server is gone, or the job is finished: there is nothing to cancel

    def _get(self, path: str) -> dict[str, Any]:
        answer = self.transport.get(ROOT + path)
        if not isinstance(answer, dict):
            raise self._not_facefix()
        return answer

    def _post(self, path: str, image: bytes, **body: Any) -> Any:
        return self.transport.post(ROOT + path, {"image": encode_base64(image), **body})

    def _require(self, answer: Any, name: str) -> Any:
        """Return a member of a response. Raises `CannotReach` if it is missing."""
        if not isinstance(answer, Mapping) or name not in answer:
            raise self._not_facefix()
        return answer[name]

    def _require_image(self, answer: Any) -> bytes:
        image = decode_base64(self._require(answer, "image"))
        if image is None:
            raise self._not_facefix()
        return image

    def _not_facefix(self) -> CannotReach:
        return CannotReach(
            f"{self.transport.url} does not respond like FaceFix; check the address and the server's version"
        )


def _make_body(
    settings: FaceSettings | None = None,
    overrides: Overrides | None = None,
    plan: FixPlan | None = None,
    origin: GenerationParams | None = None,
    *,
    salvage: bool = False,
    again: bool = False,
    mark: bool = True,
) -> dict[str, Any]:
    """Return the members of a request body, without those that are None, and flags only if they are not the default."""
    body: dict[str, Any] = {
        "settings": settings and settings.to_json(),
        "overrides": {str(n): dict(own) for n, own in overrides.items()} if overrides else None,
        "plan": plan and plan.to_json(),
        "origin": origin and asdict(origin),
        "salvage": salvage or None,
        "again": again or None,
        "mark": None if mark else False,
    }
    return {name: value for name, value in body.items() if value is not None}
