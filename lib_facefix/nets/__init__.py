"""Restorers and upscalers as torch nets, from the files people have. The only room that knows spandrel."""

from .loader import load_net
from .spec import Net, Spec
from .stages import Stage, stages

__all__ = ["Net", "Spec", "Stage", "load_net", "stages"]
