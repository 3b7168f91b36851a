"""Fixtures shared by all tests."""

import importlib.util
import io
import sys
from pathlib import Path

import cv2
import hypothesis
import numpy as np
import pytest

from lib_facefix.imaging.align import FFHQ_512, rotation, transform_points, translate
from lib_facefix.models import variants
from lib_facefix.types import Box, Face
from lib_facefix.weights import packaged

hypothesis.settings.register_profile("facefix", deadline=None, max_examples=50, derandomize=True, database=None)
hypothesis.settings.load_profile("facefix")


class NoPackage:
    """A plugin: the repository is a package for ComfyUI alone. Pytest would put the folder above it on its path."""

    @staticmethod
    def pytest_collect_directory(path, parent):
        return pytest.Dir.from_parent(parent, path=path) if path == Path(__file__).parents[1] else None


def pytest_configure(config):
    config.pluginmanager.register(NoPackage(), "facefix-no-package")


if not importlib.util.find_spec("torchvision"):  # spandrel imports it for nets that no test calls
    sys.path.append(str(Path(__file__).with_name("torchvision_stub")))


@pytest.fixture(autouse=True)
def first_file_of_each_net(monkeypatch):
    """A net that is published as several files is the first of them, whatever packages this machine has."""
    monkeypatch.setattr(variants, "find_spec", lambda name: name)


@pytest.fixture
def away_from_home(tmp_path, monkeypatch):
    """No data package, no folder and no setting of this machine, no terminal."""
    ours = ("FACEFIX_MODELS", "FACEFIX_WEBUI", "FACEFIX_YOLO", "FACEFIX_OFFLINE", "FACEFIX_MIRROR")
    for name in (*ours, "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "LOCALAPPDATA", "FACEFIX_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setattr(packaged, "find_installed", lambda record: None)
    monkeypatch.setattr("sys.stdin", io.StringIO())


@pytest.fixture
def picture():
    """Smooth coloured noise, 800 x 600."""
    rng = np.random.default_rng(1)
    return cv2.GaussianBlur(rng.integers(0, 256, (600, 800, 3), np.uint8), (9, 9), 3)


@pytest.fixture
def face_at():
    """Make a face centred on (x, y), `size` pixels across, turned clockwise."""

    def make(x, y, *, size=120, degrees=0.0, score=0.9):
        around = translate(rotation(degrees, size / 512), (x, y))
        half = size / 2
        return Face(
            Box(x - half, y - half, x + half, y + half), score, transform_points(FFHQ_512 - 256, around), degrees
        )

    return make


@pytest.fixture
def leaves():
    """Make a picture of leaves over one another: edges are sparse, detail is at every scale, as in photos."""

    def make(height, width):
        rng = np.random.default_rng(4)
        image = np.full((height, width, 3), 128, np.uint8)
        for radius in np.sort(rng.uniform(3, 60, 900 * height * width // 512**2))[::-1]:
            place = int(rng.integers(width)), int(rng.integers(height))
            cv2.circle(image, place, int(radius), tuple(map(int, rng.integers(30, 226, 3))), -1, cv2.LINE_AA)
        return image

    return make


@pytest.fixture(scope="session")
def step_at_edge():
    """Measure what is seen of a seam.

    The mean step between pixels next to each other, across the outer half of the mask's soft edge, in the direction in
    which the mask falls, in steps of 255.
    """

    def measure(image, mask):
        down, across = np.gradient(cv2.GaussianBlur(mask, (0, 0), 1))
        brighter_down, brighter_across = np.gradient(image.mean(2))
        steep = np.hypot(across, down)
        edge = (mask > 0) & (mask < 0.5) & (steep > 0)
        return np.mean(np.abs(brighter_across * across + brighter_down * down)[edge] / steep[edge])

    return measure
