"""Which engine runs what on which machine, and how many faces go through a net at once."""

import sys

import pytest

torch = pytest.importorskip("torch")

from lib_facefix.engines.batch_sizer import MAX_BATCH, BatchSizer, is_out_of_memory  # noqa: E402
from lib_facefix.engines.select import FASTEST_FLOAT, Backend, Machine, select_backend, this_machine  # noqa: E402  # noqa: E402
from lib_facefix.errors import BadSetting, MissingPackage  # noqa: E402
from lib_facefix.inference import DeviceFailed  # noqa: E402
from lib_facefix.settings.devices import CPU, KINDS, Device  # noqa: E402
from lib_facefix.settings.runtime import ENGINES, PRECISIONS  # noqa: E402

BOTH = frozenset({"onnxruntime", "openvino"})
MACHINES = {
    "bare": Machine(),
    "openvino": Machine(packages=frozenset({"openvino"})),
    "onnxruntime": Machine(packages=frozenset({"onnxruntime"})),
    "both": Machine(packages=BOTH),
    "winograd": Machine(winograd=True, packages=BOTH),
    "bf16": Machine(bf16=True, winograd=True, packages=BOTH),
    "bf16 alone": Machine(bf16=True),
    "cuda": Machine("cuda", bf16=True, winograd=True, packages=BOTH),
    "mps": Machine("mps"),
}


@pytest.mark.parametrize(
    ("machine", "architecture", "precision", "way"),
    [
        ("bare", "GFPGAN", "exact", Backend("torch", "fp32")),
        ("bare", "GFPGAN", "fast", Backend("torch", "fp32")),
        ("openvino", "GFPGAN", "exact", Backend("openvino", "fp32")),
        ("openvino", "GFPGAN", "fast", Backend("openvino", "fp32")),
        ("onnxruntime", "GFPGAN", "exact", Backend("onnxruntime", "fp32")),
        ("both", "GFPGAN", "exact", Backend("openvino", "fp32")),
        ("both", "CodeFormer", "exact", Backend("onnxruntime", "fp32")),
        ("winograd", "CodeFormer", "exact", Backend("winograd", "fp32")),
        ("winograd", "CodeFormer", "fast", Backend("winograd", "fp32")),
        ("bf16", "GFPGAN", "exact", Backend("winograd", "fp32")),
        ("bf16", "GFPGAN", "fast", Backend("openvino", "bf16")),
        ("bf16 alone", "GFPGAN", "fast", Backend("torch", "bf16")),
        ("bf16", "SPAN", "exact", Backend("torch", "fp32")),
        ("bf16", "SPAN", "fast", Backend("torch", "fp32")),
        ("cuda", "GFPGAN", "exact", Backend("torch", "fp32", "cuda")),
        ("cuda", "GFPGAN", "fast", Backend("torch", "bf16", "cuda")),
        ("cuda", "SPAN", "fast", Backend("torch", "tf32", "cuda")),
        ("mps", "GFPGAN", "exact", Backend("torch", "fp32", "mps")),
        ("mps", "GFPGAN", "fast", Backend("torch", "bf16", "mps")),
    ],
)
def test_auto_takes_the_fastest_that_is_there(machine, architecture, precision, way):
    assert select_backend(architecture, True, MACHINES[machine], "auto", precision) == way


@pytest.mark.parametrize(
    ("machine", "precision"), [("bf16", "fp32"), ("bf16 alone", "fp32"), ("cuda", "tf32"), ("mps", "fp32")]
)
def test_what_chooses_codes_never_runs_in_bfloat16(machine, precision):
    assert select_backend("CodeFormer", False, MACHINES[machine], "auto", "fast").precision == precision


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
@pytest.mark.parametrize("architecture", [*FASTEST_FLOAT, "SPAN"])
def test_no_choice_is_ever_fp16_or_an_engine_that_is_not_there(machine, architecture):
    for precision in PRECISIONS:
        for bears in (True, False):
            for engine in ENGINES:
                try:
                    way = select_backend(architecture, bears, machine, engine, precision)
                except (MissingPackage, BadSetting):
                    continue
                assert way.precision in ("fp32", "tf32", "bf16")
                assert precision == "fast" or way.precision == "fp32"
                assert way.engine in {"torch"} | machine.packages | ({"winograd"} if machine.winograd else set())
                nothing_to_do = engine == "winograd" and architecture == "SPAN"
                assert engine in ("auto", way.engine) or (nothing_to_do and way.engine == "torch")
                assert way.device == "cpu" or (way.engine, way.device) == ("torch", machine.accelerator)


@pytest.mark.parametrize(
    ("engine", "precision", "error", "told"),
    [
        ("openvino", "exact", MissingPackage, "the engine 'openvino' needs the Python package 'openvino'"),
        ("onnxruntime", "exact", MissingPackage, "pip install onnxruntime"),
        ("winograd", "exact", BadSetting, "PyTorch with NNPACK"),
        ("tensorrt", "exact", BadSetting, "Engine must be one of auto"),
        ("auto", "fp16", BadSetting, "Precision must be one of exact, fast"),
    ],
)
def test_what_cannot_be_had_is_told_in_a_sentence(engine, precision, error, told):
    with pytest.raises(error, match=told):
        select_backend("GFPGAN", True, MACHINES["bare"], engine, precision)


def test_a_processor_can_be_asked_for_where_there_is_an_accelerator(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert this_machine().accelerator == "cuda"
    assert this_machine("cpu").accelerator == ""


ON = {name: Device(name, "1" if KINDS[name].numbered else "") for name in KINDS}


@pytest.mark.parametrize(
    ("machine", "engine", "precision", "way"),
    [
        pytest.param(Machine(packages=BOTH, provided=ON["directml"]), "auto", "exact",
                     Backend("onnxruntime", "fp32", "directml:1"), id="auto on a GPU of ONNX Runtime alone"),
        pytest.param(Machine(packages=BOTH, provided=ON["cuda"]), "onnxruntime", "fast",
                     Backend("onnxruntime", "tf32", "cuda:1"), id="ONNX Runtime rounds where it may"),
        pytest.param(Machine("cuda:1", packages=BOTH, provided=ON["cuda"], wanted=ON["cuda"]), "auto", "fast",
                     Backend("torch", "bf16", "cuda:1"), id="PyTorch before ONNX Runtime"),
        pytest.param(Machine("cuda:1", packages=BOTH, provided=ON["cuda"], wanted=ON["cuda"]), "onnxruntime", "exact",
                     Backend("onnxruntime", "fp32", "cuda:1"), id="unless the engine is named"),
        pytest.param(Machine(winograd=True, packages=BOTH, provided=ON["coreml"], wanted=ON["coreml"]), "auto", "fast",
                     Backend("onnxruntime", "fp32", "coreml"), id="a device of ONNX Runtime"),
        pytest.param(Machine(packages=frozenset({"openvino"}), provided=ON["openvino"], wanted=ON["openvino"]), "auto",
                     "exact", Backend("openvino", "fp32", "openvino"), id="OpenVINO itself"),
        pytest.param(Machine(winograd=True, packages=BOTH, provided=ON["directml"]), "winograd", "exact",
                     Backend("winograd", "fp32"), id="an engine of the processor, where no device is named"),
    ],
)  # fmt: skip
def test_the_engine_follows_the_device(machine, engine, precision, way):
    assert select_backend("GFPGAN", True, machine, engine, precision) == way


def test_on_auto_an_architecture_that_nobody_measured_is_not_exported():
    machine = Machine(packages=BOTH, provided=ON["directml"])
    assert select_backend("SPAN", True, machine, "auto", "exact") == Backend("torch", "fp32")
    assert select_backend("SPAN", True, machine, "onnxruntime", "exact").device == "directml:1"


@pytest.mark.parametrize(("device", "engine"), [("directml", "torch"), ("mps", "onnxruntime"), ("cuda", "openvino")])
def test_an_engine_that_cannot_use_the_named_device_is_told(device, engine):
    provided = ON[device] if KINDS[device].providers else CPU
    machine = Machine(KINDS[device].torch, packages=BOTH, provided=provided, wanted=ON[device])
    with pytest.raises(DeviceFailed, match=f"the engine '{engine}' cannot use the device {device}.* Choose the engine"):
        select_backend("GFPGAN", True, machine, engine, "exact")


def test_several_gpus_are_told_apart_and_one_too_many_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [this_machine(name).accelerator for name in ("cuda", "cuda:1", "auto:1", "auto")] == [
        "cuda", "cuda:1", "cuda:1", "cuda",
    ]  # fmt: skip
    with pytest.raises(DeviceFailed, match="there is no device cuda:2: PyTorch sees 2, numbered from 0"):
        this_machine("cuda:2")
    monkeypatch.setattr(torch.version, "hip", None)
    with pytest.raises(DeviceFailed, match=r"the device rocm .* needs"):
        this_machine("rocm")
    monkeypatch.setattr(torch.version, "hip", "6.2")
    assert this_machine("rocm:1").accelerator == "cuda:1"


def test_a_device_that_nothing_here_can_use_is_told_with_what_brings_it():
    with pytest.raises(DeviceFailed, match=r"the device qnn .* needs an ONNX Runtime with QNNExecutionProvider"):
        this_machine("qnn")


def test_engines_that_are_not_installed_are_not_on_the_list(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert "openvino" not in this_machine("cpu").packages


class Room:
    """A device with so much room, whose passes take so much for each face: a fake meter, and the work."""

    def __init__(self, room, each, *, fails_above=MAX_BATCH):
        self.room, self.each, self.fails_above = room, each, fails_above
        self.passes, self.alone = [], []

    def free(self):
        return self.room

    def start(self):
        self.most = 0

    def taken(self):
        return self.most

    def work(self, faces):
        self.passes.append(len(faces))
        self.most = self.each * len(faces)
        if self.most > self.room or len(faces) > self.fails_above:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return [-face for face in faces]

    def one(self, face):
        self.alone.append(face)
        return -face

    def run(self, count, passes=None):
        passes = passes or BatchSizer(self)
        answers = list(passes.run(range(1, count + 1), self.work, self.one))
        assert answers == [-face for face in range(1, count + 1)], "order lost"
        return self.passes


def test_without_a_meter_faces_go_one_by_one():
    assert Room(10**9, 1).run(4, BatchSizer(None)) == [1, 1, 1, 1]


def test_the_first_face_is_measured_and_then_as_many_go_together_as_fit():
    assert Room(100, 10).run(20) == [1, 8, 8, 3]


def test_what_was_measured_is_remembered():
    device = Room(100, 10)
    passes = BatchSizer(device)
    device.run(1, passes)
    device.run(8, passes)
    assert device.passes == [1, 8]


def test_no_pass_is_larger_than_brings_anything():
    assert max(Room(10**9, 1).run(200)) == MAX_BATCH


def test_a_pass_that_does_not_fit_after_all_is_halved_until_it_does():
    device = Room(100, 10, fails_above=3)
    assert device.run(12) == [1, 8, 4, 2, 2, 2, 2, 2, 1]
    assert device.alone == []


def test_a_face_that_does_not_fit_alone_is_done_elsewhere():
    device = Room(5, 10)
    assert device.run(3) == [1, 1, 1]
    assert device.alone == [1, 2, 3]


def test_memory_that_somebody_else_took_meanwhile_costs_no_face():
    device = Room(100, 10)
    passes = BatchSizer(device)
    device.run(8, passes)
    device.room = 15
    device.run(8, passes)
    device.room = 3
    device.run(4, passes)
    assert device.alone == [1, 2, 3, 4]


@pytest.mark.parametrize("error", [RuntimeError("CUDA error: device-side assert"), ValueError("of no use")])
def test_any_other_error_goes_through(error):
    def fails(faces):
        raise error

    with pytest.raises(type(error), match=str(error)):
        list(BatchSizer(Room(100, 10)).run([1, 2], fails, lambda face: face))


@pytest.mark.parametrize(
    ("error", "is_one"),
    [
        (torch.cuda.OutOfMemoryError("full"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
    ],
)
def test_a_full_accelerator_is_told_from_other_errors(error, is_one):
    assert is_out_of_memory(error) is is_one
