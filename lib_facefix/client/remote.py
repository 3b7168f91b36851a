"""Engines that work elsewhere, asked like `FaceFix`: pixels are sent, and pixels come back.

Files are read and written here. So what is written is what this machine would have written, in any kind of file and
depth, and what a file says besides its pixels (where a photo was taken, say) is never sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from ..errors import BadSetting, CannotReach, FaceFixError
from ..facefix import FaceFix
from ..planning.needs import Needs
from ..planning.plan import FaceJob, FixPlan, FixResult, Outcome, Verdict
from ..protocols import Engine, EngineInfo, Fetch, Progress
from ..settings.face_prompt import GenerationParams
from ..settings.face_settings import FaceSettings
from ..settings.treatment import Overrides
from ..types import Image
from .client import ROOT, Client
from .png import decode_png, encode_png
from .sdapi_diffuser import FaceProgress, SdapiDiffuser
from .transport import Transport
from .webui_api import ROOT as SD_ROOT
from .webui_api import SMALL, WebUI


class RemoteFaceFix:
    """Plans and runs like `FaceFix`, on another machine."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def describe(self) -> EngineInfo:
        """Return what the server offers; raises `CannotReach` or `Refused`."""
        return EngineInfo(self.client.wire.url, _rediffuses(self.client.models()), loads_models=False)

    def prepare(self, needs: Needs, fetch: Fetch | None = None) -> None:  # noqa: ARG002 no request starts a download
        """Raise `BadSetting` for what the server has not, before anything is sent; see `Engine.prepare`."""
        url, offered = self.client.wire.url, self.client.models()
        if needs.rediffuses and not _rediffuses(offered):
            raise BadSetting(f"{url} has no Stable Diffusion to re-diffuse with; choose the method 'restore'")
        for kind, names in (("restorer", needs.restorers), ("upscaler", needs.upscalers)):
            here = {str(one.get("name")): one for one in offered.get(f"{kind}s", ()) if one.get("here")}
            for name in sorted(names - set(here)):
                raise BadSetting(f"{url} has no {kind} {name!r}; on offer there: {', '.join(here) or 'none'}")

    def plan(
        self,
        image: Image,
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        origin: GenerationParams | None = None,
    ) -> FixPlan:
        """Return what would be done to each face of one picture, and why; see `FaceFix.plan`."""
        return self.client.plan(encode_png(image), settings, overrides=overrides, origin=origin)

    def replan(
        self,
        plan: FixPlan,
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        origin: GenerationParams | None = None,
    ) -> FixPlan:
        """Return the plan for the same faces with other settings, without the picture; see `Engine.replan`."""
        return self.client.replan(plan, settings, overrides=overrides, origin=origin)

    def run(
        self, images: Sequence[Image], plans: Sequence[FixPlan], *, progress: Progress | None = None
    ) -> list[FixResult]:
        """Carry out plans, one for each picture; see `FaceFix.run`."""
        return [self._run(image, plan, progress) for image, plan in zip(images, plans, strict=True)]

    def _run(self, image: Image, plan: FixPlan, progress: Progress | None) -> FixResult:
        fixed = self.client.fix(encode_png(image), plan=plan, progress=progress)
        drawn = decode_png(fixed.image)
        if drawn is None or drawn.shape[1::-1] not in (plan.size, plan.upscaled):
            raise CannotReach(f"{self.client.wire.url} answers with no picture of the size that was asked for")
        return read_result(fixed.report, drawn)


@dataclass(frozen=True, slots=True)
class ThroughWebUI:
    """Plans and runs here, and lets a WebUI that has no FaceFix redraw the faces."""

    here: FaceFix
    webui: WebUI
    native: int
    """Side in pixels of the squares that its model draws best."""

    def describe(self) -> EngineInfo:
        """Return what is done there, and what is done on this machine."""
        url = self.webui.wire.url
        does = f"it redraws faces, at about {self.native} px, and all else is done here"
        return EngineInfo(url, rediffuses=True, loads_models=True, note=f"{url} has no FaceFix: {does}")

    def prepare(self, needs: Needs, fetch: Fetch | None = None) -> None:
        """Refuse what cannot be done, with the models of this machine; see `Engine.prepare`."""
        self._drawing(None).prepare(needs, fetch)

    def plan(
        self,
        image: Image,
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        origin: GenerationParams | None = None,
    ) -> FixPlan:
        """Return what would be done to each face of one picture, and why; see `FaceFix.plan`."""
        return self._drawing(None).plan(image, settings, overrides=overrides, origin=origin)

    def replan(
        self,
        plan: FixPlan,
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        origin: GenerationParams | None = None,
    ) -> FixPlan:
        """Return the plan for the same faces with other settings, without the picture; see `Engine.replan`."""
        return self._drawing(None).replan(plan, settings, overrides=overrides, origin=origin)

    def run(
        self, images: Sequence[Image], plans: Sequence[FixPlan], *, progress: Progress | None = None
    ) -> list[FixResult]:
        """Carry out plans, one for each picture; see `FaceFix.run`."""
        wanted = sum(job.decision != "leave" for plan in plans for job in plan.jobs)
        within = FaceProgress(progress, wanted) if progress else None
        return self._drawing(within).run(images, plans, progress=within)

    def _drawing(self, within: FaceProgress | None) -> FaceFix:
        return self.here.with_diffuser(SdapiDiffuser(self.webui, self.native, within), most=1)


def _rediffuses(offered: Mapping[str, Sequence[Mapping[str, Any]]]) -> bool:
    """Return whether a server of these models re-diffuses faces."""
    return any(one.get("name") == "re-diffuse" and one.get("here") for one in offered.get("methods", ()))


def connect(url: str, token: str | None, user: str | None, here: FaceFix, native: int | None = None) -> Engine:
    """Return the engine at an address: FaceFix there, or `here` with the WebUI there to redraw faces.

    native: side in pixels of the squares that the WebUI's model draws best; None: as its API tells, else 512.
    Raises `BadSetting`, `CannotReach`, `Refused`.
    """
    client = Client(url, token, user)
    if client.wire.has(f"{ROOT}/models"):
        return RemoteFaceFix(client)
    webui = _webui(client.wire)
    return ThroughWebUI(here, webui, native or webui.native() or SMALL)


def _webui(wire: Transport) -> WebUI:
    if not wire.has(f"{SD_ROOT}/options"):
        raise CannotReach(
            f"{wire.url} answers, but has neither FaceFix nor the API of a WebUI; check the address, and start a WebUI "
            "with --api"
        )
    return WebUI.at(wire)


def read_result(report: Mapping[str, Any], image: Image) -> FixResult:
    """Return what `FixResult.to_json` told of this picture; raises `BadPlan` or `CannotReach` where it is not that."""
    try:
        outcomes = tuple(_outcome(face) for face in report["faces"])
        width, height = report["size"]
        upscale = report["upscale"] or {}
        return FixResult(
            image, outcomes, (int(width), int(height)), upscale.get("upscaler", ""), upscale.get("engine", "")
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, FaceFixError):
            raise
        raise CannotReach(f"the server's report cannot be read ({error!r}); is its FaceFix of this version?") from error


def _outcome(face: Mapping[str, Any]) -> Outcome:
    job, verdict, error = FaceJob.from_json(face), face["outcome"], face["error"]
    if verdict not in get_args(Verdict):
        raise ValueError(verdict)
    failure = FaceFixError(error) if error else None
    return Outcome(job, verdict, failure, float(face["seconds"]), str(face["engine"]), str(face.get("note", "")))
