"""Restorers and upscalers as torch nets, loaded from weights files. Only this room uses spandrel."""

from .loader import load_net as load_net
from .spec import Net as Net
from .spec import Spec as Spec
from .stages import Stage as Stage
from .stages import stages as stages
