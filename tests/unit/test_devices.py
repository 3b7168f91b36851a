"""Devices: their names, the execution providers of ONNX Runtime behind them, and what happens if one does not start."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from lib_facefix import inference
from lib_facefix.cli.doctor.devices import describe_devices, probe_devices
from lib_facefix.errors import BadModel, BadSetting
from lib_facefix.facefix import FaceFix
from lib_facefix.inference import CvNetwork, OrtNetwork, load, load_as_made, providers
from lib_facefix.inference.providers import DeviceFailed, find_provider, make_options, start_automatic, start_session
from lib_facefix.planning.needs import Needs
from lib_facefix.settings.devices import CPU, KINDS, NAMES, Device, parse_device
from lib_facefix.settings.face_settings import FaceSettings
from lib_facefix.settings.runtime import Runtime
from lib_facefix.weights import asset

EVERY = tuple(name for kind in KINDS.values() for name in kind.providers)


class Refused(Exception):
    """An error of ONNX Runtime, which is no RuntimeError."""


class FakeRuntime:
    """ONNX Runtime with chosen providers, of which some do not start: silently, or with an error."""

    __version__ = "1.99"
    ExecutionMode = SimpleNamespace(ORT_SEQUENTIAL="sequential")

    def __init__(self, *listed, silent=(), loud=(), broken_model=False):
        self.listed = ("AzureExecutionProvider", *listed, "CPUExecutionProvider")
        self.silent, self.loud, self.broken_model, self.sessions = silent, loud, broken_model, []
        names = ("EPFail", "Fail", "NotImplemented", "RuntimeException")
        self.capi = SimpleNamespace(onnxruntime_pybind11_state=SimpleNamespace(**dict.fromkeys(names, Refused)))

    def get_available_providers(self):
        return list(self.listed)

    def SessionOptions(self):
        entries = []
        return SimpleNamespace(entries=entries, add_session_config_entry=lambda *pair: entries.append(pair))

    def InferenceSession(self, model, options, providers, **more):
        chain = [(one, {}) if isinstance(one, str) else one for one in providers]
        if self.broken_model or set(self.loud) & {name for name, _ in chain}:
            raise Refused("no such library.")
        took = [name for name, _ in chain if name not in self.silent]
        made = SimpleNamespace(
            get_providers=lambda: took,
            disable_fallback=lambda: None,
            get_inputs=lambda: [SimpleNamespace(name="x")],
            run=lambda _, fed: [fed["x"] * 2],
        )
        self.sessions.append(SimpleNamespace(model=model, options=options, chain=chain, more=more, made=made))
        return made


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """Forget what other tests tried in this process."""
    for name in ("_failed", "_started"):
        monkeypatch.setattr(providers, name, set())
    monkeypatch.setattr(providers, "_notes", {})


@pytest.fixture
def install(monkeypatch, tmp_path):
    """Install a fake ONNX Runtime."""
    monkeypatch.setenv("FACEFIX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(inference, "check_onnx", lambda path: None)

    def put(*listed, **facts):
        fake = FakeRuntime(*listed, **facts)
        fake.__spec__ = SimpleNamespace(name="onnxruntime")
        monkeypatch.setitem(sys.modules, "onnxruntime", fake)
        return fake

    return put


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"a net")
    return path


@pytest.mark.parametrize(
    ("text", "device", "title"),
    [
        ("auto", Device("auto"), None),
        ("auto:1", Device("auto", "1"), None),
        (" CUDA:1 ", Device("cuda", "1"), "cuda:1"),
        ("cuda", Device("cuda"), "cuda:0"),
        ("cuda:01", Device("cuda", "1"), "cuda:1"),
        ("openvino:GPU.1", Device("openvino", "gpu.1"), "openvino:gpu.1"),
        ("openvino", Device("openvino"), "openvino"),
        ("coreml", Device("coreml"), "coreml"),
    ],
)
def test_a_device_is_a_name_and_a_number_or_a_part(text, device, title):
    assert parse_device(text) == device
    assert title is None or device.title == title
    assert parse_device(str(device)) == device


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gpu", r"Device must be one of auto, cpu, cuda, tensorrt, .*, some with a number as in cuda:1; not 'gpu'"),
        ("cudda", "Did you mean 'cuda'"),
        ("cuda:", "the number of a device must be 0 to 99, as in cuda:1; not ''"),
        ("cuda:-1", "the number of a device must be 0 to 99"),
        ("cuda:100", "the number of a device must be 0 to 99"),
        ("coreml:1", "the device coreml has no number; write --device coreml"),
        ("cpu:0", "the device cpu has no number"),
        ("openvino:tpu", "after openvino: write cpu, gpu, gpu.1, or npu; not 'tpu'"),
    ],
)
def test_a_wrong_device_is_refused_in_a_sentence(text, said):
    with pytest.raises(BadSetting, match=said):
        Runtime(device=text)


def test_each_device_says_how_to_install_it():
    for kind in list(KINDS.values())[1:]:
        told = providers.explain_missing(Device(kind.name))
        assert kind.label in told
        assert "pip install" in told or "PyTorch" in told
        assert told.endswith("Install it, or use --device auto")
    assert set(NAMES) == {"auto", *KINDS}


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("cuda:1", {"device_id": "1", "use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC",
                    "arena_extend_strategy": "kSameAsRequested"}),
        ("directml", {"device_id": "0"}),
        ("rocm:2", {"device_id": "2"}),
        ("openvino", {"device_type": "CPU", "precision": "FP32"}),
        ("openvino:gpu.1", {"device_type": "GPU.1", "precision": "FP32"}),
        ("qnn", {"backend_type": "htp"}),
    ],
)  # fmt: skip
def test_each_provider_gets_its_options(text, options):
    assert make_options(parse_device(text), "1.99") == options


def test_tf32_is_allowed_only_where_rounding_is(tmp_path, monkeypatch):
    assert make_options(Device("cuda"), "1.99", exact=False)["use_tf32"] == "1"


@pytest.mark.parametrize("name", ["tensorrt", "coreml", "migraphx"])
def test_what_compiles_keeps_its_work_in_the_cache_folder_of_this_version(name, tmp_path, monkeypatch):
    monkeypatch.setenv("FACEFIX_CACHE", str(tmp_path))
    folder = tmp_path / "compiled" / f"{name}-1.99"
    assert str(folder) in make_options(Device(name), "1.99").values()
    assert folder.is_dir()


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.providers and name != "cpu"])
def test_a_device_runs_on_its_provider_and_then_on_the_processor(install, name):
    fake = install(*EVERY)
    start_session(fake, b"net", 3, Device(name))
    [session] = fake.sessions
    taken = [provider for provider, _ in session.chain]
    more = ["CUDAExecutionProvider"] if name == "tensorrt" else []
    assert taken == [KINDS[name].providers[0], *more, "CPUExecutionProvider"]
    assert session.more == {"enable_fallback": 0}
    assert session.options.intra_op_num_threads == 3
    assert session.options.entries == [("session.intra_op.allow_spinning", "0")]


def test_directml_gets_neither_parallel_execution_nor_memory_patterns(install):
    fake = install(*EVERY)
    start_session(fake, b"net", device=Device("directml"))
    start_session(fake, b"net", device=Device("cuda"))
    [directml, cuda] = fake.sessions
    assert (directml.options.enable_mem_pattern, directml.options.execution_mode) == (False, "sequential")
    assert not hasattr(cuda.options, "enable_mem_pattern")


def test_the_processor_is_asked_for_by_name_so_that_no_cloud_is_ever_used(install):
    fake = install()
    start_session(fake, b"net")
    start_automatic(fake, b"net", 0, Device("auto"))
    assert [session.chain for session in fake.sessions] == [[("CPUExecutionProvider", {})]] * 2
    assert "AzureExecutionProvider" not in EVERY


def test_auto_takes_a_gpu_that_compiles_nothing_first(install):
    fake = install("TensorrtExecutionProvider", "OpenVINOExecutionProvider", "CUDAExecutionProvider")
    _, device = start_automatic(fake, b"net", 0, Device("auto", "1"))
    assert device == Device("cuda", "1")
    _, device = start_automatic(install("TensorrtExecutionProvider", "CoreMLExecutionProvider"), b"", 0, Device("auto"))
    assert device == CPU


def test_auto_notices_a_gpu_that_silently_did_not_start_tells_it_once_and_tries_it_once(install):
    fake = install("CUDAExecutionProvider", silent=["CUDAExecutionProvider"])
    for _ in range(2):
        session, device = start_automatic(fake, b"net", 0, Device("auto"))
        assert (device, session.get_providers()) == (CPU, ["CPUExecutionProvider"])
    assert len(fake.sessions) == 3
    [note] = providers.list_notes()
    assert note.startswith("ONNX Runtime cannot start the device cuda (NVIDIA GPU): its libraries or drivers cannot be")
    assert note.endswith("Until then, auto uses the processor")
    assert FaceFix().describe().notes == (note,)


def test_auto_tries_a_gpu_again_that_refused_only_one_model(install):
    fake = install("DmlExecutionProvider", loud=["DmlExecutionProvider"])
    assert start_automatic(fake, b"net", 0, Device("auto"))[1] == CPU
    fake.loud = ()
    assert start_automatic(fake, b"net", 0, Device("auto"))[1] == Device("directml")
    [note] = providers.list_notes()
    assert "by DirectML): no such library. It needs its driver, and `pip install onnxruntime-directml`." in note


def test_a_broken_model_is_not_blamed_on_the_gpu(install, net):
    install("CUDAExecutionProvider", broken_model=True)
    with pytest.raises(BadModel, match="ONNX Runtime cannot read the model"):
        OrtNetwork(net, Device("auto"))
    assert providers.list_notes() == ()


@pytest.mark.parametrize("facts", [{"silent": EVERY[1:]}, {"loud": EVERY[1:]}], ids=["silently", "with an error"])
@pytest.mark.parametrize("name", ["cuda", "directml", "openvino"])
def test_a_device_asked_for_by_name_that_does_not_start_is_an_error(install, net, name, facts):
    install(*EVERY, **facts)
    with pytest.raises(DeviceFailed, match=f"ONNX Runtime cannot start the device {name} "):
        load_as_made(net, device=Device(name))
    with pytest.raises(DeviceFailed, match=f"ONNX Runtime cannot start the device {name} "):
        load(net, Device(name))
    assert providers.list_notes() == ()


def test_the_engine_of_the_report_names_the_device(install, net):
    install(*EVERY)
    assert load_as_made(net).engine == "ONNX Runtime 1.99"
    assert load_as_made(net, device=Device("auto", "1")).engine == "ONNX Runtime 1.99, cuda:1"
    assert load(net, Device("openvino", "gpu")).engine == "ONNX Runtime 1.99, openvino:gpu"
    assert load_as_made(net, device=Device("cuda"))(np.ones(2, np.float32))[0].tolist() == [2, 2]


def test_a_small_net_stays_on_opencv_unless_onnx_runtime_has_the_device(install, monkeypatch):
    install("CUDAExecutionProvider")
    for device in (CPU, Device("auto"), Device("coreml")):
        monkeypatch.setattr(providers, "list_automatic", lambda device: iter([CPU]))
        monkeypatch.setattr(inference, "list_automatic", lambda device: iter([CPU]))
        assert isinstance(load(asset("lite.onnx"), device), CvNetwork)
    assert isinstance(load(asset("lite.onnx"), Device("cuda")), OrtNetwork)
    assert isinstance(load(asset("face_landmark.tflite"), Device("cuda")), CvNetwork)


def test_without_onnx_runtime_a_device_asked_for_is_a_sentence_and_auto_is_opencv(net, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(providers, "find_spec", lambda name: None)
    assert isinstance(load_as_made(asset("lite.onnx"), device=Device("auto")), CvNetwork)
    said = r"needs an ONNX Runtime with DmlExecutionProvider \(`pip install onnxruntime-directml`\), which is not inst"
    with pytest.raises(DeviceFailed, match=said):
        load_as_made(net, device=Device("directml"))
    with pytest.raises(BadSetting, match=said):
        FaceFix(Runtime(device="directml")).prepare(Needs.of_settings(FaceSettings()))
    FaceFix(Runtime(device="auto")).prepare(Needs.of_settings(FaceSettings()))


def test_auto_asks_neither_pytorch_nor_onnx_runtime_for_the_built_in_models(monkeypatch):
    for name in ("torch", "onnxruntime"):
        monkeypatch.setitem(sys.modules, name, None)  # an import raises
    monkeypatch.setattr(providers, "list_providers", lambda: pytest.fail("asked"))
    engine = FaceFix(Runtime(device="auto"))
    engine.prepare(Needs.of_settings(FaceSettings()), lambda *_: None)
    assert engine.describe().notes == ()


def test_the_doctor_lists_devices_by_library_and_warns_of_those_that_do_not_start(install):
    install("CUDAExecutionProvider", "OpenVINOExecutionProvider", silent=["CUDAExecutionProvider"])
    problems = []
    found = probe_devices(problems, "mps")
    assert [(one["device"], one["by"], one["state"]) for one in found] == [
        ("cpu", "ONNX Runtime", "works"),
        ("cuda", "ONNX Runtime", "does not start"),
        ("openvino", "ONNX Runtime", "works"),
        ("mps", "PyTorch", "works"),
    ]
    assert next(describe_devices(found[1:])) == "--device cuda (NVIDIA GPU), by ONNX Runtime: does not start"
    [problem] = problems
    assert (problem.level, problem.todo.partition(",")[0]) == ("warning", "Install its driver")
    assert problem.what == (
        "ONNX Runtime cannot start the device cuda (NVIDIA GPU): its libraries or drivers cannot be loaded."
    )


def test_the_providers_of_an_onnx_runtime_that_is_installed_here_start():
    onnxruntime = pytest.importorskip("onnxruntime")
    assert find_provider(CPU) == "CPUExecutionProvider"
    session, device = start_automatic(onnxruntime, providers.TINY_MODEL, 1, Device("auto"))
    assert (device, session.get_providers()) == (CPU, ["CPUExecutionProvider"])
    for given, expected in ((-3.0, 0.0), (4.0, 4.0)):
        assert session.run(None, {"x": np.float32([given])})[0].tolist() == [expected]
