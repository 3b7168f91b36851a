"""Restorers and upscalers as torch nets, from the files people have. The only room that knows spandrel."""

from .cutting import Stage, stages
from .loading import load_net
from .spec import Net, Spec

__all__ = ["Net", "Spec", "Stage", "load_net", "stages"]
