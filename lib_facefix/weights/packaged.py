"""Networks out of a data wheel: installed, or as a file. No code of the package is imported or run."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from ..errors import BadModel, CannotWrite
from ..fsio import is_filled
from .checksums import describe_mismatch, sha256_of
from .ncnn import Weights, read_layers, state_of
from .published import PUBLISHED, record_of
from .tensorfile import Raw, Source, is_converted, is_from, write_tensors
from .weight_record import Packaged, Published

MAX_BYTES = 1 << 28
"""Bytes; no .bin known here is nearly as large."""


def from_data_package(name: str, cache: Path) -> Path | None:
    """Return the converted network of an installed data package, or None if none is installed.

    It is converted once, into `cache`; a damaged package is as good as none. Raises `CannotWrite`.
    """
    record = record_of(name)
    pair = find_installed(record) if record else None
    if record is None or record.packaged is None or pair is None:
        return None
    target = cache / "converted" / f"{Path(record.name).stem}-{record.packaged.bin_sha256[:12]}.safetensors"
    if is_from(target, record.packaged.bin_sha256):
        return target
    try:
        _convert(pair[0].read_bytes(), pair[1].read_bytes(), record.packaged, target)
    except CannotWrite as error:
        raise CannotWrite(f"{error} (FACEFIX_CACHE names the folder.)") from error
    except (BadModel, OSError):
        return None
    return target


def find_installed(record: Published) -> tuple[Path, Path] | None:
    """Return where an installed package holds the network: its .param and its .bin."""
    if record.packaged is None:
        return None
    from importlib import metadata  # here, as it takes a while to import

    try:
        distribution = metadata.distribution(record.packaged.wheel.package)
    except metadata.PackageNotFoundError:
        return None
    places = [Path(str(distribution.locate_file(f"{record.packaged.stem}.{end}"))) for end in ("param", "bin")]
    return (places[0], places[1]) if all(is_filled(place) for place in places) else None


def from_wheel(wheel: Path, record: Published, into: Path) -> Path:
    """Convert the network of a wheel file into the folder; raises `BadModel` or `CannotWrite`."""
    if record.packaged is None:
        raise BadModel(f"no wheel known here holds {record.name}")
    if (found := sha256_of(wheel)) != record.packaged.wheel.sha256:
        raise BadModel(describe_mismatch(wheel, record.packaged.wheel, found))
    stem, target = record.packaged.stem, into / Path(record.name).with_suffix(".safetensors").name
    if is_converted(target, record.packaged.bin_sha256):
        return target
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [f"{stem}.{end}" for end in ("param", "bin")]
            if any(archive.getinfo(name).file_size > MAX_BYTES for name in names):
                raise BadModel(f"{wheel} holds too much to be {record.name}")
            param, data = map(archive.read, names)
    except (zipfile.BadZipFile, KeyError, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise BadModel(f"{wheel} does not hold {record.name}: {error}") from error
    _convert(param, data, record.packaged, target)
    return target


def in_wheel(path: Path) -> tuple[Published, ...]:
    """Return what a wheel of this name holds."""
    return tuple(one for one in PUBLISHED.values() if one.packaged and one.packaged.wheel.name == path.name)


def _convert(param: bytes, data: bytes, packaged: Packaged, target: Path) -> None:
    for what, digest in ((param, packaged.param_sha256), (data, packaged.bin_sha256)):
        if hashlib.sha256(what).hexdigest() != digest:
            raise BadModel(f"the package holds another {packaged.stem} than the one known here. Install it again.")
    source = Source(f"{packaged.stem.rpartition('/')[2]}.bin", packaged.bin_sha256, len(data))
    write_tensors(target, as_raw(state_of(read_layers(param, data))), source)


def as_raw(state: dict[str, Weights]) -> dict[str, Raw]:
    """Return the arrays as they are written."""
    return {
        name: Raw("F32", weights.shape, weights.astype("<f4", order="C").reshape(-1).view("u1").data)
        for name, weights in state.items()
    }
