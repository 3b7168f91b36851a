"""All exceptions that FaceFix raises on purpose."""

from collections.abc import Iterable

MAX_CHARACTERS = 300
"""Maximum length of a quoted message from another library, in characters."""
MAX_QUOTED = 80
"""Maximum length of a quoted value from a user, in characters."""
RESTORER_PACKAGES = ("torch", "spandrel", "spandrel_extra_arches")
"""Packages that `facefix setup` installs, as their versions and sources matter."""


class FaceFixError(Exception):
    """Base class of all errors; the text is a message for people."""


class BadSetting(FaceFixError, ValueError):
    """A setting or argument is unknown or out of range."""


class BadPlan(FaceFixError, ValueError):
    """A plan is invalid, or was made for another image."""


class BadPicture(FaceFixError, ValueError):
    """An image is unreadable, unsupported or too large."""


class SeveralPages(BadPicture):
    """An image file holds several pages or frames, where only one image can be handled."""


class CannotWrite(FaceFixError, OSError):
    """A file cannot be written."""


class MissingPackage(FaceFixError, ImportError):
    """An optional package is not installed."""

    def __init__(self, wanted_by: str, package: str, instead: str = "") -> None:
        """instead: a sentence that replaces the default advice to install the package."""
        advice = instead or f"Install it with `pip install {package}`, or choose another."
        if package in RESTORER_PACKAGES and not instead:
            advice = "Install it with `facefix setup`, or choose another."
        super().__init__(f"{wanted_by} needs the Python package {package!r}, which is not installed. {advice}")
        self.package = package


class MissingDiffuser(FaceFixError):
    """Stable Diffusion is required but not available."""


class Stopped(FaceFixError):
    """The user stopped the work. Finished results are kept."""


class BadModel(FaceFixError):
    """A model file is missing, damaged or of the wrong kind."""


class CannotFetch(FaceFixError):
    """A download failed."""


class Offline(CannotFetch):
    """A download is necessary, but network access is disabled."""


class CannotReach(FaceFixError, OSError):
    """No server answers at an address, or the server is neither FaceFix nor a WebUI."""


class Refused(FaceFixError):
    """A server rejected a request."""

    def __init__(self, sentence: str, status: int) -> None:
        """status: HTTP status code, 300..599."""
        super().__init__(sentence)
        self.status = status


class DegenerateLandmarks(FaceFixError):
    """The landmarks or the box of a face do not define a crop."""


class MissingPart(FaceFixError):
    """A face lacks the data for its mask, for example a mesh or a segment."""


class BadCrop(FaceFixError):
    """A fixer returned an invalid crop."""


def quote_value(value: object) -> str:
    """Return a user's value for a message, cut to `MAX_QUOTED` characters, or the length of a long list or object."""
    if isinstance(value, dict | list | tuple) and len(value) > MAX_QUOTED:
        return f"a {type(value).__name__} of {len(value)} values"
    try:
        text = repr(value[: MAX_QUOTED + 1] if isinstance(value, str) else value)
    except (ValueError, RecursionError):  # a number with thousands of digits, or deeply nested lists
        return f"a {type(value).__name__} that is too long to show"
    return text if len(text) <= MAX_QUOTED + 2 else f"{text[:MAX_QUOTED]}..."


def suggest(word: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'fidelity'?" for the known word that is most like `word`; blank if none is like it."""
    from difflib import get_close_matches  # here, as few runs need it

    lower = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), lower, n=1, cutoff=0.65)
    return f" Did you mean {lower[close[0]]!r}?" if close else ""


def briefly(error: Exception) -> str:
    """Return the message of another library on one line, cut to `MAX_CHARACTERS`."""
    message = " ".join(str(error).split()) or type(error).__name__
    return message if len(message) <= MAX_CHARACTERS else f"{message[:MAX_CHARACTERS]}..."
