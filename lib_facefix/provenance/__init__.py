"""The record of what was done to an image: a mark in its XMP, and signed Content Credentials (C2PA)."""

from .mark import Edit, Edits, add_mark, describe_edits, list_edits, read_edits
from .recorder import Recorder

__all__ = ["Edit", "Edits", "Recorder", "add_mark", "describe_edits", "list_edits", "read_edits"]
