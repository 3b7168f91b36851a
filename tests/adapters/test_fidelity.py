"""Fidelity from 0 to 1 in ten steps: each brings the face closer to the original, with every net.

The nets have random weights in the true architecture; none of them was trained to keep a face, so only the slider can.
CodeFormer's fidelity is its own w, which without training means nothing: here the layers that w turns on are trained
for a few steps to give more of the input at w = 1, which is what their authors trained them for.
"""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("spandrel")
pytest.importorskip("spandrel_extra_arches")

import engines_made  # noqa: E402
import nets_made  # noqa: E402

from lib_facefix.engines import Runner, this_machine  # noqa: E402
from lib_facefix.fixers.lite import Lite  # noqa: E402
from lib_facefix.fixers.restore import Restorer  # noqa: E402
from lib_facefix.nets import Net, stages  # noqa: E402
from lib_facefix.nets.spec import FACES  # noqa: E402
from lib_facefix.planning.plan import FaceJob  # noqa: E402
from lib_facefix.settings.treatment import Treatment  # noqa: E402
from lib_facefix.types import Box, Crop, Face, Pose  # noqa: E402

PHOTO = Path(__file__).parents[2] / "examples" / "astronaut.jpg"
STEPS = [step / 10 for step in range(11)]


@pytest.fixture(autouse=True)
def _quiet():
    with nets_made.quiet():
        yield


class Once(Runner):
    """Runs each face once, whatever the fidelity; a net that does not know of it would answer the same again."""

    def each(self, pictures, blob_of, w=0.0):
        if not hasattr(self, "kept"):
            self.kept = list(super().each(pictures, blob_of, w))
        yield from self.kept


def noise():
    return np.uint8(nets_made.faces(1, 512, low=0.0)[0].permute(1, 2, 0).numpy() * 255)


def distances(fixer, image):
    """Return the mean distance, in 255ths, of what the fixer makes of a face to that face, at each fidelity."""
    face, pose = Face(Box(0, 0, 512, 512), 1.0), Pose(0, 0, 0)
    found = []
    for fidelity in STEPS:
        job = FaceJob(1, face, "restore", "", Treatment(fidelity=fidelity), pose, 0.5)
        [(picture, *_)] = fixer.fix([Crop(image, np.eye(2, 3))], [job])
        found.append(np.abs(picture.astype(float) - image).mean())
    return found


def falls(found):
    return all(one > other for one, other in pairwise(found))


@pytest.mark.parametrize("architecture", ["GFPGAN", "RestoreFormer", "RestoreFormer++", "ESRGAN", "Compact"])
def test_a_blended_net_comes_closer_at_every_step_all_the_way(tmp_path, architecture):
    net = engines_made.made(architecture, **({"out_size": 512} if architecture == "GFPGAN" else {}))
    found = distances(Restorer(Once(net, tmp_path, "auto", "exact", this_machine("cpu"))), noise())
    assert falls(found), found
    assert found[-1] == 0


@pytest.mark.parametrize("factor", [2, 4])
def test_the_built_in_net_comes_closer_at_every_step_all_the_way(factor):
    """It is trained, and takes noise for noise: a photo that lost detail shows what the slider does."""
    face = cv2.imread(str(PHOTO))[20:276, 96:352, ::-1]
    small = cv2.resize(face, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    found = distances(Lite(), cv2.resize(small, (512, 512), interpolation=cv2.INTER_CUBIC))
    assert falls(found), found
    assert found[-1] == 0


def trained(net, picture):
    """Train what w turns on to give the picture at w = 1, as its authors did with clean faces (Adam, their L1 loss)."""
    codes, rest = stages(net)
    between, w = codes.module(picture), torch.ones(1)
    fusions = list(rest.module.fusions.requires_grad_(requires_grad=True).parameters())
    adam = torch.optim.Adam(fusions, lr=2e-4)
    with torch.enable_grad():
        for _ in range(16):
            adam.zero_grad()
            (rest.module(*between, w) - picture).abs().mean().backward()
            adam.step()
    net.module.requires_grad_(requires_grad=False)


def test_codeformer_comes_closer_at_every_step_of_its_own_w(tmp_path):
    net = Net(FACES["CodeFormer"], engines_made.InParts(engines_made.codeformer(side=64), None).eval(), "codeformer")
    picture = nets_made.faces(1, 64)
    trained(net, picture)
    runner = Runner(net, tmp_path, "auto", "exact", this_machine("cpu"))
    found = [np.abs(runner(picture.numpy(), w)[0].clip(-1, 1) - picture.numpy()).mean() for w in STEPS]
    assert falls(found), found
    assert found[-1] < found[0] / 3
