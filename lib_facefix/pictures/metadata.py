"""Metadata of an image file.

Not kept: thumbnails of the old faces, the further pictures of an MPO, claims that would be false of new pixels
(`claims`), and PNG chunks that by PNG's own rule do not outlive a change of pixels (such as the time of the last one).
"""

from dataclasses import replace

from PIL import Image as Pillow
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from . import jpeg
from .avif import avif_colours
from .claims import GAIN_MAP, PRINTED, SIGNED, behind_jpeg, is_signed, true_xmp, without_thumbnails
from .colours import profile_after
from .exif import PREFIX, orientation, without_thumbnail
from .gain_map import find_gain_map
from .jp2 import jp2_metadata
from .picture import RAW_XMP_FIELD, XMP_FIELD, Chunk, Metadata
from .png import lasting, parse_raw_profile


def metadata_of(picture: Pillow.Image, whole: bytes, chunks: tuple[Chunk, ...]) -> tuple[int, Metadata, list[str]]:
    """Return how `picture`, which is loaded, must be turned, what is kept of what it says, and sentences on the rest.

    whole: its file; empty for kinds that need no search. chunks: those of a PNG.
    """
    if picture.format == "JPEG2000":
        return _metadata_of_jp2(picture, whole)
    exif = bytes(picture.info.get("exif") or b"").removeprefix(PREFIX)
    xmp, said = true_xmp(_xmp(picture))
    kept = Metadata(
        exif=without_thumbnail(exif),
        icc=profile_after(picture.mode, picture.info.get("icc_profile") or b""),
        xmp=xmp,
        dpi=_dpi(picture),
        text=dict(picture.text) if isinstance(picture, PngImageFile) else {},
        chunks=tuple(_true_chunk(chunk) for chunk in lasting(chunks)),
        nclx=next(((body[0], body[1]) for kind, body in chunks if kind == b"cICP" and len(body) == 4), None),
    )
    if isinstance(picture, JpegImageFile):
        resources = without_thumbnails(jpeg.photoshop_of(picture))
        kept = replace(kept, segments=jpeg.segments_of(picture), photoshop=resources)
        if found := find_gain_map(whole, picture):
            kept, said = replace(kept, gain_map=found), [sentence for sentence in said if sentence != GAIN_MAP]
        said += [GAIN_MAP] if jpeg.has_gain_map(picture) and not found else []
        said += behind_jpeg(whole, found.image if found else b"")
        said += [SIGNED] if jpeg.is_signed(picture) else []
    elif any(kind == b"caBX" for kind, _ in chunks) or is_signed(picture.format or "", whole):
        said.append(SIGNED)
    if picture.format == "AVIF":
        kept = replace(kept, nclx=avif_colours(whole).nclx)
        said += avif_colours(whole).said
    said += [PRINTED] if picture.mode == "CMYK" else []
    return orientation(exif), kept, list(dict.fromkeys(said))


def _metadata_of_jp2(picture: Pillow.Image, whole: bytes) -> tuple[int, Metadata, list[str]]:
    """Return what a JPEG 2000 file says; nobody turns these by their EXIF."""
    found = jp2_metadata(whole)
    xmp, said = true_xmp(found.xmp)
    kept = replace(found, exif=without_thumbnail(found.exif), xmp=xmp, icc=profile_after(picture.mode, found.icc))
    return 1, kept, [*said, *([SIGNED] if is_signed("JPEG2000", whole) else [])]


def _xmp(picture: Pillow.Image) -> bytes:
    if isinstance(picture, JpegImageFile):
        return jpeg.xmp_of(picture)
    if isinstance(picture, PngImageFile):
        found = str(picture.text.get(XMP_FIELD.decode(), "")).encode()
        return found or parse_raw_profile(str(picture.text.get(RAW_XMP_FIELD.decode(), "")))
    return bytes(picture.info.get("xmp") or b"")


def _dpi(picture: Pillow.Image) -> tuple[float, float] | None:
    across, down = picture.info.get("dpi") or (0, 0)
    return (float(across), float(down)) if across > 0 and down > 0 else None


def _true_chunk(chunk: Chunk) -> Chunk:
    kind, body = chunk
    if kind == b"eXIf":
        return kind, without_thumbnail(body)
    return (kind, true_xmp(body)[0]) if kind == b"iTXt" else chunk
