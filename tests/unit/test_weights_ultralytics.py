"""When a checkpoint may be read at all: decided before ultralytics is imported."""

import importlib.metadata
import io
import os
import pickle
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as some

from lib_facefix.detectors.yolo_pt import from_pt
from lib_facefix.errors import BadModel, CannotWrite, MissingPackage
from lib_facefix.optional_imports import disable_telemetry
from lib_facefix.weights import checkpoints, convert, ultralytics


@pytest.fixture
def checkpoint(tmp_path):
    """A .pt as ultralytics writes it, but for its pickle, which would leave a file behind if it were read."""
    path, marker = tmp_path / "face_yolov8n.pt", tmp_path / "was here"

    class Attack:
        def __reduce__(self):
            return os.system, (f"touch '{marker}'",)

    content = pickle.dumps(Attack(), protocol=2).replace(
        b"\x80\x02", b"\x80\x02cultralytics.nn.tasks\nDetectionModel\n0", 1
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", content)
        archive.writestr("net/version", "3\n")
    yield path
    assert not marker.exists()


@pytest.fixture
def installed(monkeypatch):
    versions = {}

    def version(package):
        if package not in versions:
            raise importlib.metadata.PackageNotFoundError(package)
        return versions[package]

    monkeypatch.setattr(importlib.metadata, "version", version)
    return versions


def test_a_yolo_checkpoint_is_told_by_the_classes_it_names(checkpoint, tmp_path):
    assert ultralytics.is_yolo(checkpoint)
    (tmp_path / "other.pt").write_bytes(b"no zip")
    assert not ultralytics.is_yolo(tmp_path / "other.pt")
    assert not ultralytics.is_yolo(tmp_path / "gone.pt")


PICKLE = pickle.dumps([{"a": 1, "b": "x" * 300}, 1.5, 2**70], protocol=2)


def zipped(method, content=PICKLE):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        archive.writestr("net/data.pkl", content)
    return made.getvalue()


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    return tmp_path_factory.mktemp("damaged") / "net.pt"


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA], ids=["as it is", "deflated", "LZMA"]
)
@given(changes=some.lists(some.tuples(some.integers(0, 400), some.integers(0, 255)), min_size=1, max_size=5))
def test_whatever_is_wrong_with_a_checkpoint_it_is_none_of_yolos_and_no_error(damaged, method, changes):
    content = bytearray(zipped(method))
    for at, byte in changes:
        content[at % len(content)] = byte
    damaged.write_bytes(content)
    assert not ultralytics.is_yolo(damaged)


@given(content=some.binary(max_size=60))
def test_no_pickle_brings_an_error(damaged, content):
    damaged.write_bytes(zipped(zipfile.ZIP_STORED, content))
    assert not ultralytics.is_yolo(damaged)


def test_a_file_that_says_it_goes_on_beyond_all_files_is_none_of_yolos(damaged):
    with zipfile.ZipFile(damaged, "w") as archive:
        archive.writestr("net/data.pkl", PICKLE)
        archive.filelist[0].header_offset = 1 << 63
    assert not ultralytics.is_yolo(damaged)


def test_a_pickle_that_unpacks_without_an_end_is_not_looked_through(damaged, monkeypatch):
    monkeypatch.setattr(zipfile.ZipFile, "read", None)
    damaged.write_bytes(zipped(zipfile.ZIP_DEFLATED, b"\0" * (checkpoints.MAX_PICKLE_BYTES + 1)))
    assert not ultralytics.is_yolo(damaged)


@pytest.mark.parametrize("use", [from_pt, convert], ids=["detecting", "converting"])
def test_without_ultralytics_the_other_way_is_named(checkpoint, installed, use):
    with pytest.raises(MissingPackage, match=r"face_yolov8n\.pt.* needs .*'ultralytics'.*models convert"):
        use(checkpoint)


@pytest.mark.parametrize("version", ["8.3.41", "8.3.42", "8.3.45", "8.3.46"])
def test_a_poisoned_release_is_not_imported(checkpoint, installed, version):
    installed["ultralytics"] = version
    with pytest.raises(BadModel, match=r"contains malware .* did not import"):
        from_pt(checkpoint)


@pytest.mark.parametrize("version", ["8.3.75", "8.4.99", "8.0"])
def test_a_release_that_would_run_the_pickle_is_refused(checkpoint, installed, version):
    installed["ultralytics"] = version
    with pytest.raises(BadModel, match=rf"is a pickle, and ultralytics {version} would run any code in it"):
        from_pt(checkpoint)


def test_a_pytorch_that_cannot_read_it_safely_is_refused(checkpoint, installed, monkeypatch):
    torch = pytest.importorskip("torch")
    installed["ultralytics"] = "8.4.190"
    monkeypatch.delattr(torch.serialization, "get_unsafe_globals_in_checkpoint")
    with pytest.raises(BadModel, match=r"requires PyTorch 2\.6 or newer"):
        from_pt(checkpoint)


def test_a_converted_file_is_not_overwritten(checkpoint, installed):
    checkpoint.with_suffix(".onnx").write_bytes(b"mine")
    with pytest.raises(CannotWrite, match="already exists"):
        convert(checkpoint)
    assert checkpoint.with_suffix(".onnx").read_bytes() == b"mine"


def test_packages_are_told_to_be_quiet_whatever_the_user_has_set(monkeypatch):
    monkeypatch.setenv("YOLO_AUTOINSTALL", "true")
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    disable_telemetry("ultralytics")
    assert os.environ["YOLO_AUTOINSTALL"] == "false"
    assert os.environ["YOLO_OFFLINE"] == "true"
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "0"
