"""Picture files, read and written so that nothing is lost that need not be.

What can be kept, and the little that cannot, is told where it is decided: `writing` (pixels), `metadata`,
`formats` (which file holds what). Reading never touches a file; writing is whole or not at all.
"""

from .claims import SIGNED
from .dimensions import read_dimensions
from .discovery import Found, RealPaths, find_pictures, find_root, name_apart
from .drawings import is_drawing, save_drawing
from .formats import SUFFIXES, format_for, media_type, names_unwritten_file
from .losses import holds_xmp
from .pages import Pages, open_pages, save_pages, write_pages
from .picture import MAX_PIXELS, Coding, Metadata, Picture
from .png import PNG_LEVEL
from .read import read_picture
from .result_log import ResultLog
from .sidecars import copy_sidecars
from .write import check_size, check_writable, encode, write_picture

__all__ = [
    "MAX_PIXELS",
    "PNG_LEVEL",
    "SIGNED",
    "SUFFIXES",
    "Coding",
    "Found",
    "Metadata",
    "Pages",
    "Picture",
    "RealPaths",
    "ResultLog",
    "check_size",
    "check_writable",
    "copy_sidecars",
    "encode",
    "find_pictures",
    "find_root",
    "format_for",
    "holds_xmp",
    "is_drawing",
    "media_type",
    "name_apart",
    "names_unwritten_file",
    "open_pages",
    "read_dimensions",
    "read_picture",
    "save_drawing",
    "save_pages",
    "write_pages",
    "write_picture",
]
