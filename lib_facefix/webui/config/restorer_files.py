"""Restorers whose files are not installed: what a user of the WebUI is told about them."""

from __future__ import annotations

from ...errors import BadModel
from ...models.setup import Offer, list_offers
from ...registry import RESTORERS
from ...settings.face_settings import FaceSettings
from ...weights import ModelPaths
from .engine import get_engine

MEGABYTE = 1_000_000


def find_missing(name: str) -> Offer | None:
    """Return what must be downloaded for a restorer; None if nothing, or if `name` is the path of a file."""
    if name not in RESTORERS.names() or not RESTORERS[name].weights_name:
        return None
    [offer] = (offer for offer in list_offers(read_paths()) if offer.info.name == name)
    return None if offer.weights_here else offer


def check_installed(settings: FaceSettings) -> None:
    """Raise `BadModel` if faces may be restored with a restorer that is not installed."""
    missing = find_missing(settings.restorer) if settings.method in ("auto", "restore") else None
    if missing:
        raise BadModel(explain_missing(missing))


def explain_missing(offer: Offer) -> str:
    """Return a sentence that says what is missing, and how to get it."""
    return (
        f"{offer.info.label} is not installed. Select it as Restorer under FaceFix and press Download, or download "
        f"{offer.record.urls[0]} ({describe_size(offer)}) to {read_paths().own}"
    )


def describe_size(offer: Offer) -> str:
    """Return the size of the download, such as "377 MB"."""
    return f"{offer.record.bytes / MEGABYTE:.0f} MB"


def read_paths() -> ModelPaths:
    """Return the folders of the WebUI's engine."""
    return get_engine().models.paths
