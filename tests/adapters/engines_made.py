"""Small nets of the true architectures for the tests of `lib_facefix.engines`, made without a file."""

from typing import Any

import nets_made
import numpy as np
import pytest
import torch

from lib_facefix.engines import this_machine
from lib_facefix.nets import Net, Spec, stages
from lib_facefix.nets.net_calls import CALLS, Call
from lib_facefix.nets.spec import FACES, upscaler_spec

EXACT = 2e-3
"""How far an answer may be from PyTorch's, in deviations of the picture."""
HERE = this_machine("cpu")


def _where(engine, there):
    return pytest.param(engine, marks=pytest.mark.skipif(not there, reason=f"no {engine} here"))


EXPORTING = [_where(engine, engine in HERE.packages) for engine in ("onnxruntime", "openvino")]
ENGINES = ["torch", _where("winograd", HERE.winograd), *EXPORTING]


def difference(one, other):
    """Return the largest difference in deviations of the picture."""
    return float(np.abs(one - other).max() / other.std())


class InParts(Call):
    """CodeFormer at another size than 512 px, which its authors' own `forward` cannot take; its parts can."""

    def forward(self, picture: torch.Tensor, w: Any = 0.5) -> Any:
        codes, rest = stages(Net(FACES["CodeFormer"], self, ""))
        return rest.module(*codes.module(picture), torch.as_tensor(w, dtype=torch.float32).reshape(1))


def gfpgan(out_size=128):
    """A quarter as wide as the published one."""
    from spandrel.architectures.GFPGAN import GFPGAN

    torch.manual_seed(1)
    shape = {"num_style_feat": 64, "narrow": 0.25, "different_w": True, "input_is_latent": True, "sft_half": True}
    net = nets_made.randomised(GFPGAN(out_size=out_size, **shape), 1)
    net.final_linear.weight.mul_(30)
    return net


def codeformer(side=128):
    """2 layers instead of 9, for pictures of `side` px."""
    from spandrel_extra_arches.architectures.CodeFormer import CodeFormer

    torch.manual_seed(2)
    return nets_made.randomised(CodeFormer(n_layers=2, latent_size=(side // 32) ** 2), 2)


MAKE = {
    "GFPGAN": gfpgan,
    "CodeFormer": codeformer,
    "RestoreFormer": nets_made.restoreformer,
    "RestoreFormer++": nets_made.restoreformer_plus,
    "ESRGAN": nets_made.esrgan,
    "Compact": nets_made.compact,
}
SIDE = 128
"""Of the pictures that these nets are given."""


def made(architecture, **shape):
    """Return the net as it would come from a file."""
    spec: Spec = FACES.get(architecture) or upscaler_spec(architecture, 4)
    call = InParts if architecture == "CodeFormer" else Call
    module = call(MAKE[architecture](**shape), CALLS[architecture]).eval().requires_grad_(requires_grad=False)
    return Net(spec, module, architecture.lower().replace("+", "p"))


def pictures(spec, count=1):
    """Return (count, 3, SIDE, SIDE) in the range of the net; an upscaler's are smaller."""
    return nets_made.faces(count, SIDE // spec.scale, low=spec.low).numpy()
