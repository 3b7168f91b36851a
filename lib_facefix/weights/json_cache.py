"""A small file of the cache folder with facts that can be found again, such as hashes of files."""

import contextlib
import json
from pathlib import Path
from typing import Any

from ..errors import CannotWrite
from ..fsio import atomic_write


class JsonCache:
    """Facts by key, as JSON. A full, locked, or damaged cache raises no error; its facts are found again."""

    def __init__(self, file: Path, most: int) -> None:
        """most: largest number of facts that are kept; the oldest are dropped."""
        self._file, self._most = file, most

    def get(self, key: str) -> Any:
        """Return the fact, or None."""
        return self._read().get(key)

    def put(self, key: str, fact: Any) -> None:
        """Keep a fact."""
        kept = self._read()  # again: another process may have added some meanwhile
        kept.pop(key, None)
        kept[key] = fact
        text = json.dumps(dict(list(kept.items())[-self._most :]), indent=0)
        with contextlib.suppress(CannotWrite):
            atomic_write(self._file, lambda file: file.write(text.encode()))

    def _read(self) -> dict[str, Any]:
        try:
            kept = json.loads(self._file.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return kept if isinstance(kept, dict) else {}
