"""The API of FaceFix as a Python object: nouns of the library in and out, over the standard library alone.

    client = Client("http://127.0.0.1:7861", token="...")
    fixed = client.fix(path.read_bytes(), FaceSettings(method="restore"))
    new.write_bytes(fixed.image)

Pictures are files, of any kind that is read; they come back as files of the same kind.
"""

from __future__ import annotations

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
from .png import from_text, to_text
from .transport import PATIENCE, Transport

ROOT = "/facefix/v1"
OVER = ("done", "failed", "stopped")
"""States in which a job stays."""
FIRST_LOOK, LAST_LOOK = 0.05, 1.0
"""Seconds between two looks at a job: few at first, as most pictures take no time, then more."""
LOST = 5
"""Looks in a row that may fail before a job is given up."""


@dataclass(frozen=True, slots=True)
class Job:
    """Work that a server does on its own time."""

    id: str
    state: str
    """"waiting", "running", "done", "failed" or "stopped"."""
    done: int = 0
    total: int = 0
    """Faces, or pictures of a folder."""
    doing: str = ""
    """What is being done, in words."""
    error: str | None = None
    """Why it failed."""
    result: Any = None
    """What the call would have answered."""

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in OVER


@dataclass(frozen=True, slots=True)
class Fixed:
    """A fixed picture, as it came from the server."""

    image: bytes
    """A file of the kind that was sent; the very bytes that were sent where nothing changed."""
    report: Mapping[str, Any] = field(default_factory=dict)
    """Sizes, and what became of each face: see `FixResult.to_json`."""


class Client:
    """Asks a `facefix serve`, or a WebUI with FaceFix. Any thread may call; nothing is kept open between two calls.

    Every call raises `CannotReach` where no server answers, and `Refused` where it does not do what was asked.
    """

    def __init__(self, url: str, token: str | None = None, user: str | None = None, patience: float = PATIENCE) -> None:
        """url: such as "http://127.0.0.1:7861", perhaps with a folder. token: of `facefix serve`.

        user: "name:password", of a WebUI's --api-auth. patience: seconds without a byte after which it is given up.
        Raises `BadSetting`.
        """
        self.wire = Transport.to(url, token, user, patience)

    def models(self) -> dict[str, list[dict[str, Any]]]:
        """Return what is on offer there, by kind: "restorers", say; each with name, licence, and whether it is here."""
        return {kind: entries for kind, entries in self._get("/models").items() if isinstance(entries, list)}

    def settings(self) -> dict[str, Any]:
        """Return the JSON schema of all settings."""
        return self._get("/settings")

    def detect(self, image: bytes, settings: FaceSettings | None = None) -> list[dict[str, Any]]:
        """Return the faces of a picture, as `facefix detect` prints them; image: a file, of any kind that is read."""
        faces: list[dict[str, Any]] = self._part(self._post("/detect", image, **_make_body(settings)), "faces")
        return faces

    def plan(
        self,
        image: bytes,
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        origin: GenerationParams | None = None,
    ) -> FixPlan:
        """Return what would be done to each face, and why; see `FaceFix.plan`."""
        return FixPlan.from_json(self._post("/plan", image, **_make_body(settings, overrides, origin=origin)))

    def replan(
        self,
        plan: FixPlan,
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        origin: GenerationParams | None = None,
    ) -> FixPlan:
        """Return the plan for the same faces with other settings; no picture is sent. See `FaceFix.replan`."""
        return FixPlan.from_json(self.wire.post(f"{ROOT}/replan", _make_body(settings, overrides, plan, origin)))

    def fix(
        self,
        image: bytes,
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        plan: FixPlan | None = None,
        origin: GenerationParams | None = None,
        progress: Progress | None = None,
    ) -> Fixed:
        """Fix the faces of a picture, or carry out a plan for it; wait until it is done.

        With `progress` the server is asked how far it is; when that says stop, the server keeps what is done of it.
        Raises `Stopped` where nothing came of it.
        """
        asked = _make_body(settings, overrides, plan, origin)
        if progress is None:
            return self._read_fixed(self._post("/fix", image, **asked))
        started = self._post("/fix", image, **asked, wait=False)
        return self._read_fixed(self.wait(str(self._part(started, "job")), progress))

    def preview(self, image: bytes, plan: FixPlan) -> bytes:
        """Return a PNG of the picture with the plan's faces numbered, and their masks."""
        return self._picture(self._post("/preview", image, **_make_body(plan=plan)))

    def batch(
        self, folder: str, output: str, settings: FaceSettings | None = None, *, overrides: Overrides | None = None
    ) -> Job:
        """Let the server fix a folder of its own into another; return the job, for `wait`."""
        body = {"folder": folder, "output": output, **_make_body(settings, overrides)}
        return self.job(str(self._part(self.wire.post(f"{ROOT}/batch", body), "job")))

    def job(self, job: str) -> Job:
        """Return how far a job is."""
        answer = self._get(f"/jobs/{quote(job, safe='')}")
        known = {one.name for one in fields(Job)} - {"id"}
        return Job(job, **{name: value for name, value in answer.items() if name in known})

    def cancel(self, job: str) -> None:
        """End a job after what is at hand; what is done of it is kept."""
        self.wire.delete(f"{ROOT}/jobs/{quote(job, safe='')}")

    def wait(self, job: str, progress: Progress) -> Any:
        """Return a job's result once it is over, telling `progress` meanwhile.

        When that says stop, or on Ctrl-C, the job is cancelled. Raises `FaceFixError` where it failed, with its
        sentence, and `Stopped` where it was stopped before there was a result.
        """
        try:
            over = self._watch_job(job, progress)
        except BaseException:  # also Ctrl-C: the server is not to work on for nobody
            self._cancel_quietly(job)
            raise
        if over.state == "failed":
            raise FaceFixError(f"{self.wire.url}: {over.error or 'the work failed there'}")
        if over.result is None:
            raise Stopped("stopped before it was done")
        return over.result

    def _watch_job(self, job: str, progress: Progress) -> Job:
        pause, asked_to_stop = FIRST_LOOK, False
        while not (seen := self._poll_job(job)).over:
            progress.step(seen.done, seen.total, seen.doing or f"{seen.state} on the server")
            if not asked_to_stop and progress.should_stop():
                asked_to_stop = True
                self.cancel(job)
            time.sleep(pause)
            pause = min(LAST_LOOK, 1.5 * pause)
        return seen

    def _poll_job(self, job: str) -> Job:
        """Look at a job; a look or two may fail, as networks do, and the work goes on there."""
        for left in reversed(range(LOST)):
            try:
                return self.job(job)
            except CannotReach:
                if not left:
                    raise
                time.sleep(LAST_LOOK)
        raise AssertionError("there is always a last look")

    def _cancel_quietly(self, job: str) -> None:
        try:
            self.cancel(job)
        except (CannotReach, Refused):
            return  # it is why we are here, or the job is over: there is nothing left to end

    def _get(self, path: str) -> dict[str, Any]:
        answer = self.wire.get(ROOT + path)
        if not isinstance(answer, dict):
            raise self._stranger()
        return answer

    def _post(self, path: str, image: bytes, **asked: Any) -> Any:
        return self.wire.post(ROOT + path, {"image": to_text(image), **asked})

    def _part(self, answer: Any, name: str) -> Any:
        """Return a part of an answer; raises `CannotReach` where it has none of that name."""
        if not isinstance(answer, Mapping) or name not in answer:
            raise self._stranger()
        return answer[name]

    def _picture(self, answer: Any) -> bytes:
        image = from_text(self._part(answer, "image"))
        if image is None:
            raise self._stranger()
        return image

    def _read_fixed(self, answer: Any) -> Fixed:
        image = self._picture(answer)
        return Fixed(image, {name: one for name, one in answer.items() if name not in ("image", "version")})

    def _stranger(self) -> CannotReach:
        return CannotReach(f"{self.wire.url} answers, but not as FaceFix does; check the address and its version")


def _make_body(
    settings: FaceSettings | None = None,
    overrides: Overrides | None = None,
    plan: FixPlan | None = None,
    origin: GenerationParams | None = None,
) -> dict[str, Any]:
    """Return the part of a body that says what is to be done; what is None is left out."""
    asked: dict[str, Any] = {
        "settings": settings and settings.to_json(),
        "overrides": {str(n): dict(own) for n, own in overrides.items()} if overrides else None,
        "plan": plan and plan.to_json(),
        "origin": origin and asdict(origin),
    }
    return {name: one for name, one in asked.items() if one is not None}
