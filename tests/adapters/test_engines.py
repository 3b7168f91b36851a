"""Nets on every engine that is installed: the same answer, and the same bytes each time."""

import functools
import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("spandrel")
pytest.importorskip("spandrel_extra_arches")

import engines_made  # noqa: E402
import nets_made  # noqa: E402
from engines_made import ENGINES, EXACT, HERE, difference  # noqa: E402

from lib_facefix.engines import Machine, Runner, load_runner, runners, this_machine  # noqa: E402
from lib_facefix.errors import BadSetting  # noqa: E402

TITLES = {"torch": "PyTorch", "winograd": "Winograd", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}
every_engine = pytest.mark.parametrize("engine", ENGINES)


@pytest.fixture(autouse=True)
def _quiet():
    with nets_made.quiet():
        yield


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """One folder of exports for all tests that do not look at it."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def net():
    """Make each net once."""
    return functools.cache(engines_made.made)


@every_engine
@pytest.mark.parametrize("name", engines_made.MAKE)
def test_every_engine_gives_what_pytorch_gives(net, cache, name, engine):
    pictures = engines_made.pictures(net(name).spec)
    for w in (0.0, 0.5) if net(name).spec.fused and engine in ("torch", "winograd") else (0.5,):
        runner = Runner(net(name), cache, engine, "exact", HERE)
        answer, ran = runner(pictures, w)
        with torch.no_grad():
            authors = net(name).module(torch.from_numpy(pictures), *([w] if net(name).spec.fused else []))
        assert (answer.dtype, answer.shape) == (np.float32, tuple(authors.shape))
        if engine == "torch":
            assert np.array_equal(answer, authors.numpy())
        assert difference(answer, authors.numpy()) <= EXACT
        assert TITLES[engine] in ran
        assert "fp32" in ran


@every_engine
@pytest.mark.parametrize("name", ["GFPGAN", "RestoreFormer", "Compact"])
def test_a_face_gets_the_same_bytes_in_every_run_in_any_company_and_any_order(net, cache, name, engine):
    faces = engines_made.pictures(net(name).spec, 3)
    given = faces.copy()
    runner = Runner(net(name), cache, engine, "exact", HERE)
    alone = [runner(face[None])[0][0] for face in faces]
    other = Runner(net(name), cache, engine, "exact", HERE)
    for some in (runner(faces)[0], other(faces[::-1].copy())[0][::-1]):
        assert np.array_equal(np.stack(alone), some)
    assert len({answer.tobytes() for answer in alone}) == 3
    assert np.array_equal(faces, given), "the input was changed"


def test_codeformer_at_w_0_leaves_its_fusion_out_and_at_any_other_w_does_not(net, cache):
    codeformer = net("CodeFormer")
    picture = engines_made.pictures(codeformer.spec)
    runner = Runner(codeformer, cache, "auto", "exact", HERE)
    answers = [runner(picture, w)[0] for w in (0.0, 0.3, 0.0, 0.3, 1.0)]
    assert np.array_equal(answers[0], answers[2])
    assert np.array_equal(answers[1], answers[3])
    near, _ = runner(picture, 1e-6)
    assert difference(near, answers[0]) < 1e-3
    assert difference(answers[4], answers[0]) > 0.1


@pytest.mark.skipif(not HERE.bf16, reason="no bfloat16 in this processor")
@pytest.mark.parametrize("engine", ["auto", "torch"])
def test_fast_runs_in_bfloat16_what_that_only_rounds(net, cache, engine):
    able = Machine(bf16=True, winograd=HERE.winograd, packages=HERE.packages)
    for name, titles in (("GFPGAN", ["bf16"]), ("RestoreFormer", ["fp32", "bf16"])):
        pictures = engines_made.pictures(net(name).spec, 2)
        runner = Runner(net(name), cache, engine, "fast", able)
        answer, ran = runner(pictures)
        exact, _ = Runner(net(name), cache, "torch", "exact", HERE)(pictures)
        assert [said.split()[2].strip(",") for said in ran.split(" + ")] == titles
        assert np.abs(answer - exact).mean() < 0.1 * exact.std()
        assert np.array_equal(runner(pictures[::-1].copy())[0][::-1], answer)


def test_fast_is_float32_where_the_processor_has_no_bfloat16(net, cache):
    runner = Runner(net("Compact"), cache, "auto", "fast", Machine(winograd=HERE.winograd))
    _, ran = runner(engines_made.pictures(net("Compact").spec))
    assert "fp32" in ran
    assert "bf16" not in ran


def test_the_device_openvino_is_openvino_itself_where_onnx_runtime_lacks_it_and_equals_pytorch(net, cache):
    pytest.importorskip("openvino")
    pictures = engines_made.pictures(net("Compact").spec, 2)
    answer, ran = Runner(net("Compact"), cache, "auto", "exact", this_machine("openvino"))(pictures)
    exact, _ = Runner(net("Compact"), cache, "torch", "exact", HERE)(pictures)
    assert ran.startswith("OpenVINO ")
    assert ran.endswith(" fp32, openvino")
    assert np.abs(answer - exact).max() < 2e-3 * exact.std()
    with pytest.raises(BadSetting, match="OpenVINO sees no NPU on this machine, only CPU"):
        Runner(net("Compact"), cache, "auto", "exact", this_machine("openvino:npu"))(pictures)


def test_a_runner_is_loaded_from_a_file_and_checks_its_engine_at_once(tmp_path):
    torch.save(nets_made.compact().state_dict(), tmp_path / "net.pth")
    runner = load_runner(tmp_path / "net.pth", tmp_path, "torch", "exact", HERE)
    assert runner.scale == 4
    with pytest.raises(BadSetting, match="Engine must be one of"):
        load_runner(tmp_path / "net.pth", tmp_path, "tensorrt", "exact", HERE)


def test_nothing_is_started_before_the_first_picture_comes(net, tmp_path):
    Runner(net("Compact"), tmp_path, "auto", "exact", HERE)
    assert list(tmp_path.iterdir()) == []


def test_pictures_are_made_only_when_their_turn_has_come(net, cache):
    asked = []

    def blob_of(picture):
        asked.append(1)
        return picture

    answers = Runner(net("Compact"), cache, "torch", "exact", HERE).each(
        engines_made.pictures(net("Compact").spec, 3), blob_of
    )
    next(answers)
    assert len(asked) == 1


WATCHED = """
import os, sys
from pathlib import Path
opened = []
def watch(event, arguments):
    if event.startswith("socket.") and "AF_UNIX" not in repr(arguments):
        opened.append((event, repr(arguments)))
sys.addaudithook(watch)
sys.path[:0] = {path}
import nets_made, torch
from lib_facefix.engines import load_runner, this_machine
here = Path({folder})
torch.save(nets_made.compact().state_dict(), here / "net.pth")
machine = this_machine("cpu")
for engine in ("torch", *sorted(machine.packages)):
    runner = load_runner(here / "net.pth", here, engine, "exact", machine)
    _, ran = runner(nets_made.faces(1, 32, low=0.0).numpy())
    print(ran)
held = [os.path.realpath(one) for one in Path("/proc/self/fd").glob("*")]  # also what no Python opened
print("did", opened, [one for one in held if "socket:" in one])
"""


def test_no_engine_reaches_for_the_network(tmp_path):
    path = [one for one in sys.path if one] + [str(Path(__file__).parents[2])]
    code = WATCHED.format(path=path, folder=repr(str(tmp_path)))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *engines, did = done.stdout.splitlines()
    assert did == "did [] []"
    assert len(engines) == 1 + len(HERE.packages)


def test_onnxruntime_is_told_to_report_nothing(monkeypatch):
    pytest.importorskip("onnxruntime")
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    runners.import_optional("onnxruntime")
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"


def test_a_package_that_only_reports_usage_cannot_be_imported(monkeypatch):
    monkeypatch.delitem(sys.modules, "openvino_telemetry", raising=False)
    runners.import_optional("json")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("openvino_telemetry")
