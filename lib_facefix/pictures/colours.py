"""Colour models other than RGB, turned into it. Little CMS is imported by the few images that need it."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image as Pillow

if TYPE_CHECKING:
    from PIL import ImageCms

_FLAGS = 0x2000
"""Little CMS' flag for black point compensation: without it, printed black is a washed-out grey on a screen."""

Convert = Callable[[Pillow.Image], Pillow.Image]


def to_rgb(mode: str, profile: bytes | None) -> Convert:
    """Return what turns strips of a picture of Pillow's `mode` into RGB.

    Print colours (CMYK) go by the profile in the file, if there is a sound one; RGB stays what it is, with its
    profile beside it.
    """
    if mode == "CMYK":
        return _by_profile(profile, "CMYK") or _plainly
    if mode == "LAB":
        from PIL import ImageCms

        return _transform(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), "LAB")
    return _plainly


def profile_after(mode: str, profile: bytes) -> bytes:
    """Return the profile that is true of the pixels once `to_rgb` has turned them from `mode`."""
    return srgb() if mode in {"CMYK", "LAB"} else profile


def srgb() -> bytes:
    """Return a profile that says sRGB."""
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def fits(profile: bytes, channels: int) -> bool:
    """Is `profile` one for so many channels? A grey profile on colours would make the file unreadable to some."""
    return profile[16:20] == (b"GRAY" if channels < 3 else b"RGB ")


def _plainly(strip: Pillow.Image) -> Pillow.Image:
    return strip if strip.mode == "RGB" else strip.convert("RGB")


def _by_profile(profile: bytes | None, mode: str) -> Convert | None:
    if not profile:
        return None
    from PIL import ImageCms

    try:
        return _transform(ImageCms.ImageCmsProfile(BytesIO(profile)), mode)
    except (ImageCms.PyCMSError, OSError):
        return None


def _transform(source: ImageCms.ImageCmsProfile, mode: str) -> Convert:
    from PIL import ImageCms

    target = ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(source, target, mode, "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC, _FLAGS)  # type: ignore[arg-type]  # a number in old Pillow

    def convert(strip: Pillow.Image) -> Pillow.Image:
        done = ImageCms.applyTransform(strip, transform)
        assert done is not None
        return done

    return convert
