"""JSON that names files, also those whose names are not valid Unicode."""

import json
from typing import Any

from starlette import responses


class JSONResponse(responses.JSONResponse):
    """A JSON response in UTF-8, or in ASCII alone if a file name in it is not valid Unicode."""

    def render(self, content: Any) -> bytes:
        """Return the body."""
        try:
            return super().render(content)
        except UnicodeEncodeError:  # Python holds such a name with surrogates, which JSON can only escape
            return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")
