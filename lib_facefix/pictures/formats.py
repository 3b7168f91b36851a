"""Which kinds of file there are, and what each can hold."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from PIL import Image as Pillow

from ..errors import BadSetting

HEIF_NEEDS = "HEIC needs the Python package pillow-heif. Install it with `pip install 'facefix[heif]'`"
"""What to do about a HEIC file, without its end."""


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of picture file."""

    name: str
    """Pillow's name."""
    suffixes: tuple[str, ...]
    alpha: Literal["full", "binary", "none"] = "none"
    """How much of a picture's opacity it can hold as we write it; GIF knows all or nothing."""
    deep: Literal["kept", "lost", "given up"] = "given up"
    """Fate of 16-bit samples. Lost: the format supports them, but FaceFix cannot write them, so it refuses."""
    grey: bool = True
    """Whether the format supports one channel; otherwise, grey is written as RGB."""
    longest: int = 1 << 31
    """Pixels that a side may have."""
    package: str = ""
    """Module that reads and writes it, if FaceFix can do without."""

    @property
    def missing(self) -> str:
        """A sentence on the package that is needed and not installed, without its end; blank if nothing is missing."""
        return HEIF_NEEDS if self.package and find_spec(self.package) is None else ""


FORMATS = (
    Format("PNG", (".png", ".apng"), alpha="full", deep="kept"),
    Format("TIFF", (".tif", ".tiff"), alpha="full", deep="kept"),
    Format("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), longest=65500),
    Format("WEBP", (".webp",), alpha="full", grey=False, longest=16383),
    Format("BMP", (".bmp", ".dib")),
    Format("GIF", (".gif",), alpha="binary", longest=65535),
    Format("JPEG2000", (".jp2",), alpha="full", deep="lost"),
    Format("AVIF", (".avif",), alpha="full", deep="kept", grey=False, longest=65535),
    Format("HEIF", (".heic", ".heif", ".hif"), "full", "kept", grey=False, longest=16384, package="pillow_heif"),
)
"""Read and written. GIF: 256 colours hold no photograph, so it is quantised: choose it only on purpose."""

SUFFIXES = frozenset(suffix for kind in FORMATS for suffix in kind.suffixes)
"""Suffixes of files that FaceFix reads from folders, and of files that it writes; lower case."""

UNREAD = {
    **dict.fromkeys(("heics", "heifs"), "a HEIC sequence"),
    **dict.fromkeys(("jxl",), "JPEG XL"),
    **dict.fromkeys(("psd", "psb", "xcf", "kra", "ora", "afphoto", "ai", "eps", "svg", "svgz"), ""),
    **dict.fromkeys(
        (
            *("3fr", "ari", "arw", "bay", "cap", "cr2", "cr3", "crw", "dcr", "dcs", "dng", "drf", "eip", "erf", "fff"),
            *("gpr", "iiq", "k25", "kdc", "mdc", "mef", "mos", "mrw", "nef", "nrw", "orf", "ori", "pef", "ptx", "pxn"),
            *("r3d", "raf", "raw", "rw2", "rwl", "rwz", "sr2", "srf", "srw", "x3f"),
        ),
        "camera raw data",
    ),
    **dict.fromkeys(
        (
            *("avifs", "bpg", "cin", "cur", "dcx", "dds", "dpx", "exr", "fits", "flif", "fpx", "hdp", "hdr", "icns"),
            *("ico", "iff", "j2c", "j2k", "jng", "jp2k", "jpc", "jpf", "jpm", "jps", "jpx", "jxr", "mng", "msp"),
            *("pam", "pbm", "pcd", "pct", "pcx", "pfm", "pgm", "pic", "pict", "pnm", "pns", "ppm", "qoi", "ras", "rgb"),
            *("rgba", "sgi", "tga", "tpic", "wbmp", "wdp", "xbm", "xpm"),
        ),
        "",
    ),
}
"""Unsupported image formats by suffix, lower case and without the dot; blank: the suffix is the name. FaceFix lists
such files of a folder as skipped."""


def format_named(name: str) -> Format:
    """Return the format with Pillow's `name`, such as "PNG"."""
    return next(kind for kind in FORMATS if kind.name == name)


def unread_kind(path: Path) -> str | None:
    """Return the format, such as "HEIC", if the suffix of `path` is that of an unsupported one."""
    suffix = path.suffix.lower().removeprefix(".")
    return (UNREAD[suffix] or suffix.upper()) if suffix in UNREAD else None


def missing_package(path: Path) -> str:
    """Return a sentence on the package that files with the suffix of `path` need, if it is not installed."""
    kind = next((kind for kind in FORMATS if path.suffix.lower() in kind.suffixes), None)
    return kind.missing if kind else ""


def names_unwritten_file(path: Path) -> bool:
    """Return whether `path` has the suffix of a file that we do not write, such as .heic or .pdf, not of a folder."""
    from mimetypes import MimeTypes  # few need it

    if path.suffix.lower() in SUFFIXES:
        return False
    kind = MimeTypes().guess_type(f"x{path.suffix.lower()}")[0] or ""
    return unread_kind(path) is not None or kind.startswith(("image/", "video/", "audio/", "text/", "application/pdf"))


def media_type(name: str) -> str:
    """Return the kind of file of Pillow's `name` in the words of HTTP, such as "image/png"."""
    return "image/heic" if name == "HEIF" else Pillow.MIME.get(name, "application/octet-stream")


def format_for(path: Path) -> Format:
    """Return the format for the suffix of `path`. Raises BadSetting if FaceFix cannot write it."""
    kind = next((kind for kind in FORMATS if path.suffix.lower() in kind.suffixes), None)
    if kind is None:
        asked = f"of the kind {path.suffix!r}" if path.suffix else "without a suffix"
        offer = ", ".join(sorted(SUFFIXES))
        raise BadSetting(f"{path}: files {asked} cannot be written. Choose one of {offer}.")
    if kind.missing:
        raise BadSetting(f"{path}: {kind.missing}, or choose .png.")
    if kind.package:
        return kind
    Pillow.preinit()  # the few most common kinds: all of them take a while to load
    if kind.name not in Pillow.SAVE:
        Pillow.init()
    if kind.name not in Pillow.SAVE:
        raise BadSetting(f"{path}: this Pillow cannot write {kind.name}. Choose .png, or install a newer Pillow.")
    return kind
