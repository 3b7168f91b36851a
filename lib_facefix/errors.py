"""What can go wrong, as one tree.

* FaceFixError
  x BadSetting            a value the user gave is out of range or unknown
  x BadPlan               a plan does not say what to do, or is for another picture
  x BadPicture            a file is no picture we can read, or too large
  x CannotWrite           a result cannot be put where it should go
  x MissingPackage        an optional dependency is not installed
  x MissingDiffuser       a face is to be re-diffused, and nothing here can
  x Stopped               the person stopped the work
  x BadModel              a model file is missing or not what it should be
  x CannotFetch           a file could not be downloaded
    x Offline             the network is not to be used
  x CannotReach           no server answers where one should
  x Refused               a server answers, but does not do what it was asked
  x DegenerateLandmarks   the points of a face do not fix its position
  x MissingPart           a face has not what its mask is made from
  x BadCrop               a fixer answered with something that is not a crop
"""

MAX_CHARACTERS = 300
"""Characters of what another library complains of."""
MAX_SHOWN = 80
"""Characters of a value that somebody gave."""


class FaceFixError(Exception):
    """Base of every error this library raises on purpose; its text is a sentence for a person."""


class BadSetting(FaceFixError, ValueError):
    """A value the user gave is out of range or unknown."""


class BadPlan(FaceFixError, ValueError):
    """A plan does not say what to do, or is for another picture."""


class BadPicture(FaceFixError, ValueError):
    """A file is no picture we can read, or too large."""


class CannotWrite(FaceFixError, OSError):
    """A result cannot be put where it should go."""


class MissingPackage(FaceFixError, ImportError):
    """An optional dependency is not installed."""

    def __init__(self, wanted_by: str, package: str, instead: str = "") -> None:
        """instead: what to install where that is more than the package, or what to do where nothing else will do."""
        what_to_do = instead or f"Install it with `pip install {package}`, or choose another."
        super().__init__(f"{wanted_by} needs the Python package {package!r}, which is not installed. {what_to_do}")
        self.package = package


class MissingDiffuser(FaceFixError):
    """A face is to be re-diffused, and nothing here can."""


class Stopped(FaceFixError):
    """The person stopped the work; what was being done is dropped, what is done is kept."""


class BadModel(FaceFixError):
    """A model file is missing or not what it should be."""


class CannotFetch(FaceFixError):
    """A file could not be downloaded."""


class Offline(CannotFetch):
    """A file would have to be downloaded, but the network is not to be used."""


class CannotReach(FaceFixError, OSError):
    """No server answers where one should, or none that is FaceFix or a WebUI."""


class Refused(FaceFixError):
    """A server answers, but does not do what it was asked."""

    def __init__(self, sentence: str, status: int) -> None:
        """status: of HTTP, 300..599."""
        super().__init__(sentence)
        self.status = status


class DegenerateLandmarks(FaceFixError):
    """The points of a face do not fix its position."""


class MissingPart(FaceFixError):
    """A face has not what its mask is made from: a mesh, a segment."""


class BadCrop(FaceFixError):
    """A fixer answered with something that is not a crop."""


def shown(value: object) -> str:
    """Return a value that somebody gave as part of a sentence: its beginning, where it is long or holds much."""
    if isinstance(value, dict | list | tuple) and len(value) > MAX_SHOWN:
        return f"a {type(value).__name__} of {len(value)} values"
    try:
        text = repr(value[: MAX_SHOWN + 1] if isinstance(value, str) else value)
    except (ValueError, RecursionError):  # a number of thousands of digits; lists nested deep
        return f"a {type(value).__name__} that is too long to be shown"
    return text if len(text) <= MAX_SHOWN + 2 else f"{text[:MAX_SHOWN]}..."


def briefly(error: Exception) -> str:
    """Return what another library complains of as part of a sentence: on one line, of at most `MOST` characters."""
    said = " ".join(str(error).split()) or type(error).__name__
    return said if len(said) <= MAX_CHARACTERS else f"{said[:MAX_CHARACTERS]}..."
