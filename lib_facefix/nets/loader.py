"""Loading a net from a file. The names and shapes of its weights tell the architecture."""

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
from .net_calls import CALLS, Call, Described
from .spec import FACES, SCALES, Net, Spec, upscaler_spec

Tensors = dict[str, Tensor]

_LIGHTNING = "vqvae."
_WRAPPERS = ("module.", "netG.", "params_ema.", "params.")
_PACKAGES = ("spandrel", "spandrel_extra_arches", "torchvision", "einops", "safetensors", "typing_extensions")
_SEED = 0
_IMPORTING = Lock()


def load_net(path: Path) -> Net:
    """Return the net of a file on the CPU, in float32 and ready to be called.

    Raises `BadModel` for an unknown or unsupported net, `MissingPackage` without spandrel.
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
    except Exception as error:  # spandrel relies on shapes as it finds them, so it may raise anything
        reason = str(error).strip().replace("\n", " ")[:300] or type(error).__name__
        raise BadModel(f"{path}: the weights do not fit this architecture: {reason}. Download it again.") from error
    return Net(spec, call.eval().requires_grad_(requires_grad=False), sha256_of(path))


def weights_of(path: Path) -> Tensors:
    """Return the weights of a net by the net's own names, without prefixes and training data.

    Raises `BadModel`, also for values that are not finite.
    """
    tensors = read_tensors(path)
    own = {name.removeprefix(_LIGHTNING): value for name, value in tensors.items() if name.startswith(_LIGHTNING)}
    named = own or dict(tensors)
    for prefix in _WRAPPERS:
        if all(name.startswith(prefix) for name in named):
            named = {name.removeprefix(prefix): value for name, value in named.items()}
    for name, value in named.items():
        if value.is_floating_point() and not value.isfinite().all():
            raise BadModel(f"{path} is damaged: {name} contains infinite or undefined values. Download it again.")
    return named


def _face_net(tensors: Tensors) -> tuple[Spec, Call] | None:
    """Return the face restorer with these weights, or None for any other net.

    The net is first built without memory, which also checks names and shapes, and then takes over the weights.
    """
    architecture = _face_architecture(tensors)
    if architecture is None:
        return None
    if architecture == "GFPGAN":
        tensors = _with_noise(tensors)
    hollow = {name: torch.empty_like(value, device="meta") for name, value in tensors.items()}
    with torch.device("meta"):
        net = restoreformer_plus.build(hollow) if architecture == "RestoreFormer++" else _describe_net(hollow).model
    net.load_state_dict({name: _copy_weight(value) for name, value in tensors.items()}, assign=True)
    if any(value.is_meta for value in itertools.chain(net.parameters(), net.buffers())):
        raise BadModel(f"This version of spandrel cannot load {architecture} from its weights. Install another.")
    return FACES[architecture], Call(net, CALLS[architecture])


def _face_architecture(tensors: Tensors) -> str | None:
    """Return the architecture of a face restorer, by weights that only it has, or None for any other net."""
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
    """Return GFPGAN's weights with its 15 noise images, from a fixed seed if the file lacks them."""
    chance = torch.Generator().manual_seed(_SEED)
    full = dict(tensors)
    for layer in range(15):
        side = 2 ** ((layer + 5) // 2)
        noise = torch.randn(1, 1, side, side, generator=chance)
        full.setdefault(f"stylegan_decoder.noises.noise{layer}", noise)
    return full


def _copy_weight(value: Tensor) -> Tensor:
    """Return a copy of the weight in float32, dense and aligned, as the rounding of products may depend on that.

    A copy is necessary because the tensors may map the file, which may be overwritten while the net is in use.
    """
    dense = (value.float() if value.is_floating_point() else value).contiguous()
    return dense.clone() if dense.data_ptr() == value.data_ptr() else dense


def _any_net(tensors: Tensors) -> tuple[Spec, Call | Described]:
    """Return the upscaler with these weights, built by spandrel; raises `BadModel` for other kinds of nets."""
    from spandrel import ImageModelDescriptor

    found = _describe_net(tensors)
    name = str(found.architecture.id)
    supported = "FaceFix supports nets with 3 input and 3 output channels that enlarge 1, 2 or 4 times"
    if not isinstance(found, ImageModelDescriptor):
        raise BadModel(f"{name} requires a mask as well as an image. {supported}.")
    if (found.input_channels, found.output_channels) != (3, 3):
        raise BadModel(f"it has {found.input_channels} input and {found.output_channels} output channels. {supported}.")
    if found.scale not in SCALES:
        raise BadModel(f"it enlarges {found.scale} times. {supported}.")
    call = Call(found.model, CALLS[name]) if name in CALLS else Described(found)
    return upscaler_spec(name, found.scale), call.float()


def _describe_net(tensors: Mapping[str, Tensor]) -> Any:
    """Return spandrel's description of the net; raises `BadModel` for a net that spandrel does not support."""
    from spandrel import ModelLoader, UnsupportedModelError

    device = next(iter(tensors.values())).device
    try:
        return ModelLoader(device, _registry(tensors)).load_from_state_dict(dict(tensors))
    except UnsupportedModelError as error:
        some = ", ".join(itertools.islice(tensors, 3))
        raise BadModel(
            f"it is not a restorer or upscaler that spandrel supports (its weights begin with {some}). Choose another "
            "file."
        ) from error


def _registry(tensors: Mapping[str, Tensor]) -> Any:
    """Return all architectures in a list of our own, because spandrel's is shared with the host program."""
    from spandrel import MAIN_REGISTRY

    registry = MAIN_REGISTRY.copy()
    try:
        with _IMPORTING, warnings.catch_warnings():  # the filters are shared by all threads
            warnings.simplefilter("ignore", DeprecationWarning)  # spandrel uses parts of PyTorch that are deprecated
            from spandrel_extra_arches import EXTRA_REGISTRY
    except ModuleNotFoundError:
        if _face_architecture(dict(tensors)) == "CodeFormer" and "CodeFormer" not in registry:
            raise
        return registry
    registry.add(*(known for known in EXTRA_REGISTRY if known.architecture.id not in registry))
    return registry
