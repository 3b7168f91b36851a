"""Restorers whose files are not installed: what a user of the WebUI is told about them, and how they are downloaded."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait

from ...errors import BadModel, BadSetting
from ...models.setup import Offer, carry_out, list_offers
from ...registry import RESTORERS
from ...settings.face_settings import FaceSettings
from ...weights import ModelPaths
from ...weights.urls import is_loopback
from .engine import find_model_paths

MEGABYTE = 1_000_000
EXPOSING_FLAGS = ("listen", "share", "ngrok")
"""Flags of the host that make its page available to other machines."""
TELL_EVERY = 0.5
"""Seconds between two sentences about a running download."""

_downloading = threading.Lock()


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
        raise BadModel(
            f"{missing.info.label} is not installed. Select it as Restorer under FaceFix and press Download, or "
            f"{_describe_by_hand(missing)}"
        )


def describe_offer(offer: Offer) -> str:
    """Return sentences about a download, for a user who may start it."""
    return (
        f"{offer.info.label} is not installed. Download {describe_size(offer)} from {offer.sources[0]} to "
        f"{read_paths().own}? {offer.record.notice}"
    )


def explain_refusal(offer: Offer) -> str:
    """Return why this page cannot download a restorer, and what to do; blank if it can."""
    from modules import shared

    flags, start, instead = shared.cmd_opts, f"{offer.info.label} is not installed.", _describe_by_hand(offer)
    if offer.missing_packages:
        return f"{start} It needs the Python package {offer.missing_packages[0]}, which this WebUI does not have."
    if getattr(flags, "facefix_offline", False):
        return f"{start} Downloads are turned off by --facefix-offline. Instead, {instead}."
    named = getattr(flags, "server_name", None)
    exposed = any(getattr(flags, name, None) for name in EXPOSING_FLAGS) or (named and not is_loopback(named))
    if exposed and not getattr(flags, "enable_insecure_extension_access", False):
        return f"{start} Other machines can reach this page, so it downloads nothing. Instead, {instead}."
    return ""


def download(offer: Offer) -> Iterator[str]:
    """Download, verify, and convert the file of a restorer; yield sentences about the progress.

    Raises `BadSetting` if the page may not download it or is downloading another one, `Offline`, `CannotFetch`, and
    `CannotWrite`. If the caller stops early, so does the download; the complete part is kept.
    """
    if reason := explain_refusal(offer):
        raise BadSetting(reason)
    if not _downloading.acquire(blocking=False):
        raise BadSetting("another restorer is being downloaded. Wait for its end, then press Download again.")
    ended, latest = threading.Event(), [0, offer.record.bytes]

    def tell(done: int, total: int, _doing: str) -> None:
        latest[:] = done, total

    try:
        with ThreadPoolExecutor(1) as pool:
            job = pool.submit(carry_out, [offer], read_paths(), tell=tell, should_stop=ended.is_set)
            try:
                while not wait([job], TELL_EVERY).done:
                    done, total = latest
                    yield f"Downloading {offer.record.name}: {done / max(total, 1):.0%} of {describe_size(offer)}"
            finally:
                ended.set()
        job.result()
    finally:
        _downloading.release()


def describe_size(offer: Offer) -> str:
    """Return the size of the download, such as "377 MB"."""
    return f"{offer.record.bytes / MEGABYTE:.0f} MB"


def read_paths() -> ModelPaths:
    """Return the folders of the WebUI's engine."""
    return find_model_paths()


def _describe_by_hand(offer: Offer) -> str:
    return f"download {offer.record.urls[0]} ({describe_size(offer)}) to {read_paths().own}"
