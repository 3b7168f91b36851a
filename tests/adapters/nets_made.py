"""Files of nets with random weights, by seed, for the tests of `lib_facefix.nets`: nobody may ship the real ones."""

from contextlib import contextmanager

import torch
from torch.nn import functional


@contextmanager
def quiet():
    """No gradients, and one thread: two wait for one another where other work runs."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.no_grad():
            yield
    finally:
        torch.set_num_threads(threads)


def randomised(net, seed):
    """Give noise, biases and norms values too: as they are made, most are 0 or 1 and would hide a mistake."""
    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in net.named_parameters():
            if value.dim() < 2 or "position" in name:
                value.add_(torch.randn(value.shape, generator=chance) * 0.05)
            if name == "quantize.embedding.weight":
                value.mul_(300)  # codes as long as what is compared with them
    return net.eval().requires_grad_(False)


def faces(count, side=512, *, low=-1.0):
    """Smooth coloured noise in low..1, (count, 3, side, side)."""
    chance = torch.Generator().manual_seed(9)
    small = torch.rand(count, 3, side // 8, side // 8, generator=chance)
    smooth = functional.interpolate(small, size=(side, side), mode="bicubic").clamp(0, 1)
    return smooth * (1 - low) + low


def gfpgan():
    from spandrel.architectures.GFPGAN import GFPGAN

    torch.manual_seed(1)
    net = randomised(GFPGAN(), 1)
    net.final_linear.weight.mul_(30)  # so that faces have styles of their own
    return net


def codeformer():
    """2 layers instead of 9."""
    from spandrel_extra_arches.architectures.CodeFormer import CodeFormer

    torch.manual_seed(2)
    return randomised(CodeFormer(n_layers=2), 2)


def restoreformer():
    """Half as wide as the published one."""
    from spandrel.architectures.RestoreFormer import RestoreFormer

    torch.manual_seed(3)
    return randomised(RestoreFormer(ch=32), 3)


def compact(**shape):
    from spandrel.architectures.Compact import Compact

    torch.manual_seed(4)
    return randomised(Compact(num_feat=16, num_conv=2, **shape), 4)


def esrgan(**shape):
    from spandrel.architectures.ESRGAN import ESRGAN

    torch.manual_seed(5)
    return randomised(ESRGAN(num_filters=16, num_blocks=1, **shape), 5)


def restoreformer_plus():
    """Half as wide as the published one."""
    from spandrel.architectures.RestoreFormer import RestoreFormer

    from lib_facefix.nets.restoreformer_plus import build

    torch.manual_seed(6)
    return randomised(build(RestoreFormer(ch=32).state_dict()), 6)
