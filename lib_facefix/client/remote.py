"""Engines with the interface of `FaceFix` that run on another machine.

Only pixels are sent and received. Files are read and written on this machine, so the results have the same format and
depth as local ones, and metadata (such as where a photo was taken) is never sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np

from ..errors import BadSetting, CannotReach, FaceFixError
from ..facefix import FaceFix
from ..planning.identity import IdentityCheck
from ..planning.needs import Needs
from ..planning.plan import FaceJob, FixPlan, FixResult, Outcome, Verdict
from ..protocols import Engine, EngineInfo, Fetch, Progress
from ..settings.face_prompt import GenerationParams
from ..settings.face_settings import FaceSettings
from ..settings.treatment import AUTO_RESTORER, Overrides
from ..types import Image
from .client import ROOT, Client
from .png import decode_png, encode_png
from .sdapi_diffuser import FaceProgress, SdapiDiffuser
from .webui_api import ROOT as SD_ROOT
from .webui_api import SD1_SIDE, WebUI


class RemoteFaceFix:
    """Plans and runs on a FaceFix server."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.replan = client.replan  # needs no image

    def describe(self) -> EngineInfo:
        """Return the abilities of the server. Raises `CannotReach` or `Refused`."""
        offered = self.client.models()
        restorers = {model.get("name"): model for model in offered.get("restorers", ())}
        auto = restorers.get(AUTO_RESTORER, {})
        return EngineInfo(
            self.client.transport.url,
            _can_rediffuse(offered),
            loads_models=False,
            restorer=str(restorers.get(auto.get("restorer"), {}).get("label", "")),
            advice=str(auto.get("advice", "")),
        )

    def prepare(self, needs: Needs, fetch: Fetch | None = None) -> None:  # noqa: ARG002 a server downloads nothing on request
        """Raise `BadSetting` if the server lacks a required model. See `Engine.prepare`.

        A detector other than the default is tried on an empty image. Raises `Refused` if the server cannot use it.
        """
        url, offered = self.client.transport.url, self.client.models()
        if needs.rediffuses and not _can_rediffuse(offered):
            raise BadSetting(f"{url} has no Stable Diffusion, so it cannot re-diffuse; choose the method 'restore'")
        for kind, names in (("restorer", needs.restorers), ("upscaler", needs.upscalers)):
            usable = [str(model.get("name")) for model in offered.get(f"{kind}s", ()) if model.get("here")]
            for name in sorted(names.difference(usable)):
                raise BadSetting(f"{url} has no {kind} {name!r}; available: {', '.join(usable) or 'none'}")
        empty = encode_png(np.zeros((64, 64, 3), np.uint8))
        for detector in sorted(needs.detectors - {FaceSettings().detector}):
            self.client.detect(empty, FaceSettings(detector=detector, min_score=1.0, angles="off"))

    def plan(
        self,
        image: Image,
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        origin: GenerationParams | None = None,
    ) -> FixPlan:
        """Return the plan for one RGB image (H, W, 3). See `Engine.plan`."""
        return self.client.plan(encode_png(image), settings, overrides=overrides, origin=origin)

    def run(
        self, images: Sequence[Image], plans: Sequence[FixPlan], *, progress: Progress | None = None
    ) -> list[FixResult]:
        """Carry out one plan for each image. See `Engine.run`."""
        return [self._run(image, plan, progress) for image, plan in zip(images, plans, strict=True)]

    def _run(self, image: Image, plan: FixPlan, progress: Progress | None) -> FixResult:
        fixed = self.client.fix(encode_png(image), plan=plan, progress=progress)
        drawn = decode_png(fixed.image)
        if drawn is None or drawn.shape[1::-1] not in (plan.size, plan.upscaled):
            raise CannotReach(f"{self.client.transport.url} returned no image of the requested size")
        return read_result(fixed.report, drawn)


class ThroughWebUI:
    """Plans and restores on this machine, and re-diffuses faces with a WebUI that does not have FaceFix."""

    def __init__(self, here: FaceFix, webui: WebUI, native: int) -> None:
        """here: engine for all other work. native: native image side of the WebUI's model, in pixels."""
        self.here, self.webui, self.native = here, webui, native
        engine = self._with_webui(None)
        self.prepare, self.plan, self.replan = engine.prepare, engine.plan, engine.replan

    def describe(self) -> EngineInfo:
        """Return the engine's abilities, and a note about the work that each machine does."""
        url = self.webui.transport.url
        note = f"{url} has no FaceFix: it re-diffuses faces at about {self.native} px; this machine does the rest"
        return EngineInfo(url, rediffuses=True, loads_models=True, note=note)

    def run(
        self, images: Sequence[Image], plans: Sequence[FixPlan], *, progress: Progress | None = None
    ) -> list[FixResult]:
        """Carry out one plan for each image. See `Engine.run`."""
        faces = sum(job.decision != "leave" for plan in plans for job in plan.jobs)
        within = FaceProgress(progress, faces) if progress else None
        return self._with_webui(within).run(images, plans, progress=within)

    def _with_webui(self, within: FaceProgress | None) -> FaceFix:
        return self.here.with_diffuser(SdapiDiffuser(self.webui, self.native, within), most=1)


def _can_rediffuse(offered: Mapping[str, Sequence[Mapping[str, Any]]]) -> bool:
    """Return whether a server with these models can re-diffuse faces."""
    return any(method.get("name") == "re-diffuse" and method.get("here") for method in offered.get("methods", ()))


def connect(url: str, token: str | None, user: str | None, here: FaceFix, native: int | None = None) -> Engine:
    """Return the engine for a server: FaceFix on that server, or `here` combined with a WebUI that re-diffuses.

    native: native image side of the WebUI's model in pixels; None: the one that its API reveals, otherwise 512.
    Raises `BadSetting`, `CannotReach`, or `Refused`.
    """
    client = Client(url, token, user)
    wire = client.transport
    if wire.has(f"{ROOT}/models"):
        return RemoteFaceFix(client)
    if not wire.has(f"{SD_ROOT}/options"):
        raise CannotReach(
            f"{wire.url} has neither FaceFix nor the API of a WebUI; check the address, and start the WebUI with --api"
        )
    webui = WebUI.connect(wire)
    return ThroughWebUI(here, webui, native or webui.find_native_side() or SD1_SIDE)


def read_result(report: Mapping[str, Any], image: Image) -> FixResult:
    """Return the result whose report is in the form of `FixResult.to_json`. Raises `BadPlan` or `CannotReach`."""
    try:
        outcomes = tuple(_read_outcome(face) for face in report["faces"])
        width, height = report["size"]
        upscale = report["upscale"] or {}
        return FixResult(
            image, outcomes, (int(width), int(height)), upscale.get("upscaler", ""), upscale.get("engine", "")
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, FaceFixError):
            raise
        raise CannotReach(
            f"cannot read the server's report ({error!r}); check that both machines run the same version of FaceFix"
        ) from error


def _read_outcome(face: Mapping[str, Any]) -> Outcome:
    job, verdict, error = FaceJob.from_json(face), face["outcome"], face["error"]
    if verdict not in get_args(Verdict):
        raise ValueError(verdict)
    failure = FaceFixError(error) if error else None
    identity = IdentityCheck.from_json(face["identity"]) if face.get("identity") else None
    how = float(face["seconds"]), str(face["engine"]), str(face.get("note", ""))
    return Outcome(job, verdict, failure, *how, identity)
