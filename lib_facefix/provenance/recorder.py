"""Decides what is recorded in a result, and whether an image may be changed at all, for all front ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..pictures.claims import SIGNED
from ..pictures.formats import Format
from ..pictures.losses import holds_xmp
from ..pictures.picture import Metadata
from ..pictures.write import Seal
from .mark import Edits, add_mark, describe_edits, read_edits

if TYPE_CHECKING:
    from .credentials import Signer

PARENT = "Its Content Credentials (C2PA) are kept as the parent of the new ones."
NOT_SIGNED = "Nothing changed, so the file is a copy, and was not signed again."


@dataclass(frozen=True, slots=True)
class Recorder:
    """What the user wants recorded. Example: `Recorder().mark_metadata(picture.metadata, edits, kind)`."""

    mark: bool = True
    """True to write a mark into the XMP of changed images."""
    again: bool = False
    """True to change images that FaceFix has changed before."""
    signer: Signer | None = None
    """Signs changed images, if there is one."""

    def check(self, kind: Format) -> None:
        """Raise `BadSetting` if results of this kind cannot be signed as wanted."""
        if self.signer:
            self.signer.check(kind.name)

    def find_earlier(self, said: Metadata, *, enlarges: bool = False) -> str:
        """Return what FaceFix did to an image before, if this must not be done twice; blank if work may begin.

        said: metadata of its file. enlarges: whether the image is to be enlarged, too.
        """
        edits = () if self.again else read_edits(said)
        return describe_edits(edits) if any(edit.face or enlarges for edit in edits) else ""

    def mark_metadata(self, said: Metadata, edits: Edits, kind: Format) -> tuple[Metadata, tuple[str, ...]]:
        """Return the metadata with the mark of these edits, and notes on why it has none."""
        if not self.mark or not edits:
            return said, ()
        if not holds_xmp(kind):
            return said, (f"The result has no mark (XMP): {kind.name} files cannot hold one.",)
        return add_mark(said, edits)

    def make_seal(
        self, edits: Edits, parent: tuple[str, str, bytes], engines: Sequence[str] = (), *, local: bool = True
    ) -> Seal | None:
        """Return the function that signs a result, or None if nothing is to be signed.

        parent: name, kind, and content of the original file. engines: those of the faces, as reported. local: whether
        the models ran in this process; the hashes of those of a server are not known.
        """
        from .credentials import hash_models

        signer = self.signer
        if signer is None:
            return None
        hashes = hash_models(edits, engines) if local else {}
        return lambda kind, made: signer.seal(kind, made, edits, parent, hashes)

    def explain_signing(self, left_out: Sequence[str], *, copied: bool) -> tuple[str, ...]:
        """Return notes for a result that was to be signed. left_out: notes on the original. copied: it is a copy."""
        if self.signer is None:
            return ()
        if copied:
            return (NOT_SIGNED,)
        return (PARENT,) if SIGNED in left_out else ()
