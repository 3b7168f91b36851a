"""Picture files, read and written so that nothing is lost that need not be.

What can be kept, and the little that cannot, is told where it is decided: `merging` (pixels), `metadata`,
`formats` (which file holds what). Reading never touches a file; writing is whole or not at all.
"""

from __future__ import annotations

from .atomic import atomic_write
from .finding import Found, find_pictures, name_apart
from .formats import FORMATS, SUFFIXES, check_writable, format_for
from .picture import MAX_PIXELS, Coding, Metadata, Picture
from .reading import picture_size, read_picture
from .writing import write_picture

__all__ = [
    "FORMATS",
    "MAX_PIXELS",
    "SUFFIXES",
    "Coding",
    "Found",
    "Metadata",
    "Picture",
    "atomic_write",
    "check_writable",
    "find_pictures",
    "format_for",
    "name_apart",
    "picture_size",
    "read_picture",
    "write_picture",
]
