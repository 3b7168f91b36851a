"""A whole photo by the peers: facexlib's own FaceRestoreHelper with GFPGAN by spandrel, as GFPGANer runs them.

facexlib would download its detector and its face parser. It is given files with random weights instead, so that both
cost what they cost; the detector's last layer is 0, so that it finds nothing. It runs, and then what goes on is what
FaceFix found, in facexlib's form. All else is facexlib's code as published.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray

from lib_facefix import Face
from lib_facefix.nets import load_net
from lib_facefix.types import Image

from .nets import Peer
from .report import say
from .weights import FOLDER

Seconds = dict[str, float]
PARTS = ("detect", "align", "restore", "parse", "paste")


@dataclass(eq=False)
class Gfpganer:
    """GFPGANer as published, on a processor: every net in float32, one face at a time."""

    weights: Path
    """Of GFPGAN."""
    upscale: int = 1
    use_parse: bool = True
    seconds: Seconds = field(default_factory=dict)
    """CPU seconds of the parts of the latest photo."""

    def __post_init__(self) -> None:
        from facexlib.utils.face_restoration_helper import FaceRestoreHelper

        with _own_files():
            self._helper: Any = FaceRestoreHelper(
                self.upscale, face_size=512, det_model="retinaface_resnet50", use_parse=self.use_parse, device="cpu"
            )
        self._net = Peer(self.weights, load_net(self.weights).spec, 0.0)

    def fix(
        self,
        image: Image,
        faces: Sequence[Face],
        *,
        looking_at: int | None = None,
        restore: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None,
    ) -> Image:
        """Return the RGB picture with these faces restored.

        looking_at: shorter side at which faces are looked for, pixels; None: the picture's own, as GFPGANer does.
        restore: what is put in place of GFPGAN; takes and gives BGR.
        """
        helper, self.seconds = self._helper, dict.fromkeys(PARTS, 0.0)
        helper.clean_all()
        helper.read_image(np.ascontiguousarray(image[..., ::-1]))
        smaller = 1.0 if looking_at is None else min(image.shape[:2]) / looking_at
        with self._told(helper, faces, smaller), self._clock("detect"):
            helper.get_face_landmarks_5(resize=looking_at, eye_dist_threshold=5)
        with self._clock("align"):
            helper.align_warp_face()
        with self._clock("restore"):
            for crop in helper.cropped_faces:
                helper.add_restored_face((restore or self._restored)(crop))
        with self._clock("paste"), self._parse_timed(helper):
            helper.get_inverse_affine(None)
            pasted = helper.paste_faces_to_input_image()
        self.seconds["paste"] -= self.seconds["parse"]
        return np.asarray(pasted[..., ::-1])

    def look(self, image: Image, at: int) -> None:
        """Only look for faces, in the picture made so small that its shorter side is `at` pixels."""
        self._helper.clean_all()
        self._helper.read_image(np.ascontiguousarray(image[..., ::-1]))
        self._helper.get_face_landmarks_5(resize=at, eye_dist_threshold=5)

    def _restored(self, crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return one BGR crop restored, its fractions cut off as GFPGANer does."""
        rgb = np.ascontiguousarray(crop[..., ::-1].transpose(2, 0, 1), np.float32) / 127.5 - 1
        answer = self._net(torch.from_numpy(rgb)[None])[0].clamp(-1, 1).numpy()
        return np.ascontiguousarray(((answer.transpose(1, 2, 0) + 1) * 127.5)[..., ::-1].astype(np.uint8))

    @contextmanager
    def _told(self, helper: Any, faces: Sequence[Face], smaller: float) -> Iterator[None]:
        """Let the detector run, and then say what FaceFix found; `smaller`: how many times what it is given is."""
        true = helper.face_det.detect_faces

        def detect(image: NDArray[np.uint8], threshold: float) -> NDArray[np.float64]:
            assert len(true(image, threshold)) == 0
            return np.array([_as_facexlib(face) for face in faces]) / smaller

        with patch.object(helper.face_det, "detect_faces", detect):
            yield

    @contextmanager
    def _parse_timed(self, helper: Any) -> Iterator[None]:
        """Count the face parser by itself."""
        true = helper.face_parse

        def parse(picture: Any) -> Any:
            with self._clock("parse"):
                return true(picture)

        helper.face_parse = parse
        try:
            yield
        finally:
            helper.face_parse = true

    @contextmanager
    def _clock(self, part: str) -> Iterator[None]:
        started = time.process_time()
        yield
        self.seconds[part] += time.process_time() - started


def _as_facexlib(face: Face) -> list[float]:
    """Return a face as facexlib's detector does: box, score and five points, between pixel centres."""
    assert face.landmarks is not None
    box, points = face.box, np.asarray(face.landmarks) - 0.5
    return [box.left, box.top, box.right, box.bottom, face.score, *points.ravel().tolist()]


@contextmanager
def _own_files() -> Iterator[None]:
    """Give facexlib files of ours where it would download; made once, in build/bench-weights."""

    def file(url: str, **_: object) -> str:
        path = FOLDER / f"{url.rsplit('/', 1)[1].removesuffix('.pth')}-random.pth"
        if not path.is_file():
            say(f"writing random weights to {path}")
            FOLDER.mkdir(parents=True, exist_ok=True)
            torch.save(_random_state("retinaface" if "Resnet50" in url else "parsenet"), path)
        return str(path)

    with (
        patch("facexlib.detection.load_file_from_url", file),
        patch("facexlib.parsing.load_file_from_url", file),
    ):
        yield


def _random_state(name: str) -> dict[str, torch.Tensor]:
    from facexlib.detection.retinaface import RetinaFace
    from facexlib.parsing.parsenet import ParseNet

    torch.manual_seed(5)
    net: torch.nn.Module
    if name == "parsenet":
        net = ParseNet(in_size=512, out_size=512, parsing_ch=19)
    else:
        net = RetinaFace(network_name="resnet50", device="cpu")
        for layer in net.ClassHead.parameters():  # type: ignore[union-attr]
            layer.data.zero_()
    return net.state_dict()
