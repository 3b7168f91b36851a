"""A net from a file. Which architecture it is follows from the names and shapes of its weights."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from torch import Tensor

from ..errors import BadModel, MissingPackage
from ..weights import read_tensors, sha256_of
from . import restoreformer_plus
from .net_calls import BY_ARCHITECTURE, Call, Described
from .spec import FACES, SCALES, Net, Spec, upscaler

Tensors = dict[str, Tensor]

_LIGHTNING = "vqvae."
_WRAPPERS = ("module.", "netG.", "params_ema.", "params.")
_PACKAGES = ("spandrel", "spandrel_extra_arches", "torchvision", "einops", "safetensors", "typing_extensions")
_SEED = 0
_IMPORTING = Lock()


def load_net(path: Path) -> Net:
    """Return the net that the file holds, for the CPU, in float32 and ready to be called.

    Raises `BadModel` where the file holds no net that is known or fits, `MissingPackage` where spandrel is missing.
    """
    tensors = weights_of(path)
    try:
        spec, call = _face_net(tensors) or _any_net(tensors)
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package not in _PACKAGES:
            raise
        raise MissingPackage(path.name, package) from error
    except BadModel as error:
        raise BadModel(f"{path} cannot be used: {error}") from error
    except Exception as error:  # spandrel counts on shapes as it finds them, so anything may be raised
        told = str(error).strip().replace("\n", " ")[:300] or type(error).__name__
        raise BadModel(f"{path} looks like a known net, but its weights do not fit: {told}. Get it again") from error
    return Net(spec, call.eval().requires_grad_(requires_grad=False), sha256_of(path))


def weights_of(path: Path) -> Tensors:
    """Return the weights of the net in a file by its own names, every one a number; raises `BadModel`."""
    tensors = _rename_weights(read_tensors(path))
    _check_values(path, tensors)
    return tensors


def _rename_weights(tensors: Mapping[str, Tensor]) -> Tensors:
    """Return the weights of the net itself by its own names: not what it was trained with, nor with a prefix."""
    own = {name.removeprefix(_LIGHTNING): value for name, value in tensors.items() if name.startswith(_LIGHTNING)}
    named = own or dict(tensors)
    for prefix in _WRAPPERS:
        if all(name.startswith(prefix) for name in named):
            named = {name.removeprefix(prefix): value for name, value in named.items()}
    return named


def _check_values(path: Path, tensors: Tensors) -> None:
    if not tensors:
        raise BadModel(f"{path} holds no weights; get it again")
    for name, value in tensors.items():
        if value.is_floating_point() and not value.isfinite().all():
            raise BadModel(f"{path} is broken: {name} holds values that are no numbers; get it again")


def _face_net(tensors: Tensors) -> tuple[Spec, Call] | None:
    """Return the face restorer that these weights make, or None where they are of another net.

    The net is first made without memory, which also checks names and shapes; then it takes the weights as they are.
    """
    architecture = _face_architecture(tensors)
    if architecture is None:
        return None
    if architecture == "GFPGAN":
        tensors = _with_noise(tensors)
    hollow = {name: torch.empty_like(value, device="meta") for name, value in tensors.items()}
    with torch.device("meta"):
        net = restoreformer_plus.build(hollow) if architecture == "RestoreFormer++" else _describe_net(hollow).model
    net.load_state_dict({name: _ready(value) for name, value in tensors.items()}, assign=True)
    if any(value.is_meta for value in itertools.chain(net.parameters(), net.buffers())):
        raise BadModel(f"this release of spandrel keeps parts of {architecture} outside its weights; use another")
    return FACES[architecture], BY_ARCHITECTURE[architecture](net)


def _face_architecture(tensors: Tensors) -> str | None:
    """Tell the face restorers from one another by weights that only they have."""
    if "stylegan_decoder.style_mlp.1.weight" in tensors and "toRGB.0.weight" in tensors:
        return "GFPGAN"
    if "quantize.embedding.weight" not in tensors:
        return None
    if "position_emb" in tensors and "idx_pred_layer.1.weight" in tensors:
        return "CodeFormer"
    if "quant_conv.weight" in tensors and "encoder.conv_in.weight" in tensors:
        return "RestoreFormer++" if restoreformer_plus.MARK in tensors else "RestoreFormer"
    return None


def _with_noise(tensors: Tensors) -> Tensors:
    """Return GFPGAN's weights with its 15 noise pictures, from a fixed seed where the file lacks them."""
    chance = torch.Generator().manual_seed(_SEED)
    full = dict(tensors)
    for layer in range(15):
        side = 2 ** ((layer + 5) // 2)
        noise = torch.randn(1, 1, side, side, generator=chance)
        full.setdefault(f"stylegan_decoder.noises.noise{layer}", noise)
    return full


def _ready(value: Tensor) -> Tensor:
    """Return the weight in float32, dense and aligned: what a matrix product rounds to may depend on the place.

    Always memory of its own: where the file is mapped, somebody may write over it while the net is in use.
    """
    dense = (value.float() if value.is_floating_point() else value).contiguous()
    return dense.clone() if dense.data_ptr() == value.data_ptr() else dense


def _any_net(tensors: Tensors) -> tuple[Spec, Call]:
    """Return the upscaler that these weights make, by spandrel; raises `BadModel` for a net of another kind."""
    from spandrel import ImageModelDescriptor

    found = _describe_net(tensors)
    name = str(found.architecture.id)
    ours = "FaceFix takes nets from 3 channels to 3 channels that enlarge 1, 2 or 4 times"
    if not isinstance(found, ImageModelDescriptor):
        raise BadModel(f"{name} wants a mask beside the picture; {ours}")
    if (found.input_channels, found.output_channels) != (3, 3):
        raise BadModel(f"it takes {found.input_channels} channels and gives {found.output_channels}; {ours}")
    if found.scale not in SCALES:
        raise BadModel(f"it enlarges {found.scale} times; {ours}")
    call = BY_ARCHITECTURE[name](found.model) if name in BY_ARCHITECTURE else Described(found)
    return upscaler(name, found.scale), call.float()


def _describe_net(tensors: Mapping[str, Tensor]) -> Any:
    """Return spandrel's description of the net; raises `BadModel` for a net that it does not know."""
    from spandrel import ModelLoader, UnsupportedModelError

    device = next(iter(tensors.values())).device
    try:
        return ModelLoader(device, _registry(tensors)).load_from_state_dict(dict(tensors))
    except UnsupportedModelError as error:
        some = ", ".join(itertools.islice(tensors, 3))
        raise BadModel(
            f"it is no restorer or upscaler that spandrel knows (it starts with {some}); choose another file"
        ) from error


def _registry(tensors: Mapping[str, Tensor]) -> Any:
    """Return all architectures in a list of our own; spandrel's is shared with the program we run in."""
    from spandrel import MAIN_REGISTRY

    registry = MAIN_REGISTRY.copy()
    try:
        with _IMPORTING, warnings.catch_warnings():  # its filters are those of all threads
            warnings.simplefilter("ignore", DeprecationWarning)  # it uses what PyTorch is about to give up
            from spandrel_extra_arches import EXTRA_REGISTRY
    except ModuleNotFoundError:
        if _face_architecture(dict(tensors)) == "CodeFormer" and "CodeFormer" not in registry:
            raise
        return registry
    registry.add(*(known for known in EXTRA_REGISTRY if known.architecture.id not in registry))
    return registry
