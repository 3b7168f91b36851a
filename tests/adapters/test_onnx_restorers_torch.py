"""Face restorers of the true architectures, exported in the layout of published files: they answer as PyTorch does."""

import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
for package in ("spandrel", "spandrel_extra_arches", "onnx", "onnxruntime"):
    pytest.importorskip(package)

import engines_made  # noqa: E402
import nets_made  # noqa: E402
from engines_made import EXACT, difference  # noqa: E402
from torch import nn  # noqa: E402

from lib_facefix.fixers.onnx_net import from_file  # noqa: E402
from lib_facefix.nets import Net, stages  # noqa: E402
from lib_facefix.nets.net_calls import CALLS, Call  # noqa: E402
from lib_facefix.nets.spec import FACES  # noqa: E402


class Whole(nn.Module):
    """A net in one piece, which takes CodeFormer's fidelity as a float64, as published files do."""

    def __init__(self, architecture, net):
        super().__init__()
        cut = stages(Net(FACES[architecture], Call(net, CALLS[architecture]), ""))
        self.parts = nn.ModuleList([stage.module for stage in cut])

    def forward(self, picture, *fidelity):
        flow = (picture,)
        for part in self.parts[:-1]:
            flow = part(*flow)
        return self.parts[-1](*flow, *(w.float() for w in fidelity))


def convolutions(side):
    """Return a small net of random weights, whose result is as far from the image as those of restorers are."""
    torch.manual_seed(7)
    body = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(8, 3, 3, padding=1), nn.Tanh())
    return body.eval().requires_grad_(False)


def gfpgan(side):
    return Whole("GFPGAN", engines_made.gfpgan(side))


def codeformer(side):
    return Whole("CodeFormer", engines_made.codeformer(side))


@pytest.mark.parametrize(
    ("make", "side", "dynamic"),
    [
        *(pytest.param(convolutions, side, False, id=f"convolutions {side}") for side in (256, 512, 1024, 2048)),
        pytest.param(convolutions, 512, True, id="convolutions, any size and number"),
        pytest.param(gfpgan, 256, True, id="GFPGAN, any number"),
        pytest.param(codeformer, 256, False, id="CodeFormer"),
    ],
)
def test_an_exported_net_answers_as_pytorch_does(tmp_path, make, side, dynamic):
    path, faces = tmp_path / "net.onnx", nets_made.faces(2, side)
    with nets_made.quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter: its deprecation, and every fixed shape
        net = make(side).eval()
        fidelity = (torch.tensor([0.7], dtype=torch.float64),) if make is codeformer else ()
        answers = net(faces, *fidelity).numpy()
        free = {0: "faces", 2: "height", 3: "width"} if make is convolutions else {0: "faces"}
        torch.onnx.export(
            net,
            (faces[:1], *fidelity),
            path,
            dynamo=False,
            opset_version=17,
            input_names=["input", "weight"][: 1 + len(fidelity)],
            output_names=["output"],
            dynamic_axes={"input": free, "output": free} if dynamic else {},
        )
    runner = from_file(path, tmp_path)._runner
    assert (runner.spec.low, runner.spec.high, runner.spec.size) == (-1, 1, side)
    assert runner.spec.fused == (make is codeformer)
    found = np.stack([answer for answer, _ in runner.each(faces.numpy(), lambda face: face, 0.7)])
    assert difference(found, answers) < EXACT
