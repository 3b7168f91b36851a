"""Judge the shipped ONNX file on the held-out faces, through the library's own parts.

    python -m training.evaluate lib_facefix/assets/lite.onnx --out build/evaluation

Writes figures.json and sheet.png and prints a table. Detection, alignment and pasting are the library's, the
network runs in OpenCV; PyTorch is needed for the identity distance only.
"""

from __future__ import annotations

import argparse
import json
import resource
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from lib_facefix.imaging.align import FFHQ_512, compose, fit_similarity, transform_points, translate
from lib_facefix.imaging.blend import paste
from lib_facefix.imaging.frames import cut
from lib_facefix.imaging.masks import polygon, soften
from lib_facefix.imaging.resample import warp
from lib_facefix.inference import CvNetwork
from lib_facefix.settings.treatment import FIDELITY_EXPONENT
from lib_facefix.types import Crop, Face, Image, Mask
from training.embedding import CHIP, CHIP_BOX, FaceEmbedding, read_weights
from training.faces import locate_faces
from training.held_out import Case, HeldOutFace, cases, held_out_faces, nearest
from training.pictures import EMBEDDING, fetch

FIDELITY = 0.6
"""The library's default."""
FEATHER = 0.12
"""Width of the mask's soft edge, in face widths: the library's default."""
TILE, TILE_CUT = 224, 430
"""Side of one face on the contact sheet, and of what is cut for it, pixels."""
ON_SHEET = ("hard", "hard, blurred after reducing", "mild")


@dataclass(frozen=True)
class Figures:
    """How one restored face compares with the clean one, and the degraded one with it."""

    face: str
    kind: str
    kernels: str
    found: bool
    psnr_in: float
    psnr_out: float
    identity_in: float
    identity_out: float


def hull(face: Face, shape: tuple[int, int]) -> Mask:
    """The face's mesh as a mask of the whole picture."""
    if face.mesh is None:
        raise ValueError("the mesh is not sure of this face")
    return polygon(face.mesh.points[:, :2], shape)


class Restorer:
    """What the library does with one face, at full visibility and default fidelity."""

    def __init__(self, onnx: Path) -> None:
        self._net = CvNetwork(onnx)
        self.seconds: list[float] = []
        """CPU seconds of each run of the network."""

    def residual(self, crop: Image) -> NDArray[np.float32]:
        """(512, 512, 3), in units of 255, at default strength."""
        blob = np.ascontiguousarray(crop.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
        before = resource.getrusage(resource.RUSAGE_SELF)
        [found] = self._net(blob)
        after = resource.getrusage(resource.RUSAGE_SELF)
        self.seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return np.asarray(found[0].transpose(1, 2, 0) * np.float32(255 * (1 - FIDELITY**FIDELITY_EXPONENT)))

    def restore(self, picture: Image, face: Face) -> Image:
        """The picture with this face restored."""
        if face.landmarks is None:
            raise ValueError("a face without landmarks cannot be aligned")
        crop: Crop = cut(picture, fit_similarity(face.landmarks, FFHQ_512), 512)
        patch = np.asarray(np.clip(np.rint(crop.image + self.residual(crop.image)), 0, 255), np.uint8)
        outline = face.box.corners if face.mesh is None else face.mesh.points[:, :2]
        corners = transform_points(face.box.corners, crop.matrix)
        width = float(np.linalg.norm(corners[1] - corners[0]))
        mask = soften(polygon(transform_points(outline, crop.matrix), (512, 512)), 0.0, FEATHER * width)
        canvas: Image = picture.copy()
        paste(canvas, patch, mask, crop.matrix, base=crop.image)
        return canvas


def psnr(picture: Image, clean: Image, inside: Mask) -> float:
    """Peak signal to noise ratio in decibels over the pixels of the mask; 99 for equal ones."""
    error = (picture[inside > 0].astype(np.float64) - clean[inside > 0]) ** 2
    return 99.0 if error.max() == 0 else float(10 * np.log10(255**2 / error.mean()))


class Identity:
    """Euclidean distance of 128-d embeddings, of chips cut at the clean face's place."""

    def __init__(self, cache: Path) -> None:
        weights, _ = (fetch(file, cache) for file in EMBEDDING)
        self._embed = FaceEmbedding(read_weights(weights.with_suffix("")))

    def _place(self, picture: Image, face: Face) -> torch.Tensor:
        assert face.landmarks is not None
        left, top, right, _ = CHIP_BOX
        crop = translate(fit_similarity(face.landmarks, FFHQ_512), (-left, -top))
        chip = warp(picture, compose(np.eye(2, 3) * (CHIP / (right - left)), crop), (CHIP, CHIP))
        with torch.inference_mode():
            planes = torch.from_numpy(chip.transpose(2, 0, 1)[None].astype(np.float32) / 255)
            point: torch.Tensor = self._embed(planes)
        return point

    def distance(self, picture: Image, clean: HeldOutFace) -> float:
        """Between the face in `picture` and the same face in the clean picture."""
        return float((self._place(picture, clean.face) - self._place(clean.picture, clean.face)).norm())


def judge(case: Case, restorer: Restorer, identity: Identity) -> tuple[Figures, Image]:
    """Restore one case and compare; a face that is not found any more stays as it is."""
    face = nearest(locate_faces(case.degraded), *case.clean.face.box.centre)
    restored = case.degraded if face is None else restorer.restore(case.degraded, face)
    clean, inside = case.clean.picture, hull(case.clean.face, case.clean.picture.shape[:2])
    figures = Figures(
        face=case.clean.name,
        kind=case.kind,
        kernels=" / ".join(case.kernels),
        found=face is not None,
        psnr_in=psnr(case.degraded, clean, inside),
        psnr_out=psnr(restored, clean, inside),
        identity_in=identity.distance(case.degraded, case.clean),
        identity_out=identity.distance(restored, case.clean),
    )
    return figures, restored


def table(figures: list[Figures]) -> str:
    """Means by kind of degradation, as a Markdown table."""
    groups: dict[str, list[Figures]] = defaultdict(list)
    for one in figures:
        groups[one.kind].append(one)
    lines = ["| input | PSNR in | PSNR out | gain | smallest gain | identity in | identity out |"]
    lines.append("|---|---|---|---|---|---|---|")
    for kind, group in groups.items():
        names = ("psnr_in", "psnr_out", "identity_in", "identity_out")
        before, after, strange, familiar = (float(np.mean([getattr(one, name) for one in group])) for name in names)
        worst = min(one.psnr_out - one.psnr_in for one in group)
        change = f"{before:.2f} | {after:.2f} | {after - before:+.2f} | {worst:+.2f}"
        if kind == "clean":
            change = f"equal | {after:.2f} | | (lowest {min(one.psnr_out for one in group):.2f})"
        lines.append(f"| {kind} | {change} | {strange:.3f} | {familiar:.3f} |")
    return "\n".join(lines)


def tile(picture: Image, face: Face) -> Image:
    """The face for the contact sheet."""
    assert face.landmarks is not None
    crop = cut(picture, fit_similarity(face.landmarks, FFHQ_512), 512).image
    return np.asarray(crop[70 : 70 + TILE_CUT, 41 : 41 + TILE_CUT])


def contact_sheet(rows: Iterable[list[Image]]) -> Image:
    """One row a face, seven tiles wide at most, small enough to look at."""
    sheet = np.concatenate([np.concatenate(row, axis=1) for row in rows])
    width = TILE * sheet.shape[1] // TILE_CUT
    height = TILE * sheet.shape[0] // TILE_CUT
    return np.asarray(cv2.resize(sheet, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("onnx", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder for figures.json and sheet.png")
    parser.add_argument("--cache", type=Path, default=Path("build/pictures"), help="for fetched files")
    return parser.parse_args()


def main() -> None:
    """Run from the command line."""
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    restorer, identity = Restorer(options.onnx), Identity(options.cache)
    figures: list[Figures] = []
    rows: dict[str, list[Image]] = defaultdict(list)
    for case in cases(list(held_out_faces(options.cache))):
        one, restored = judge(case, restorer, identity)
        figures.append(one)
        if case.kind in ON_SHEET and case.kernels[0] == "pil-bicubic":
            rows[one.face] += [tile(case.degraded, case.clean.face), tile(restored, case.clean.face)]
            if case.kind == "mild":
                rows[one.face].append(tile(case.clean.picture, case.clean.face))
    cv2.imwrite(str(options.out / "sheet.png"), contact_sheet(rows.values())[..., ::-1])
    seconds = float(np.median(restorer.seconds))
    report = {
        "opencv": cv2.__version__,
        "cpu_seconds_per_face": seconds,
        "faces": [asdict(one) for one in figures],
    }
    (options.out / "figures.json").write_text(json.dumps(report, indent=1))
    lost = sum(not one.found for one in figures)
    print(table(figures))  # noqa: T201 a command prints
    print(f"{lost} of {len(figures)} faces lost by the detector")  # noqa: T201
    print(f"{seconds:.3f} CPU seconds a face in OpenCV {cv2.__version__}")  # noqa: T201


if __name__ == "__main__":
    main()
