"""Which engine runs what on which machine, and how many faces go through a net at once."""

import sys

import pytest

torch = pytest.importorskip("torch")

from lib_facefix.engines.batch_sizer import MAX_BATCH, BatchSizer, is_out_of_memory  # noqa: E402
from lib_facefix.engines.select import FASTEST_FLOAT, Backend, Machine, select_backend, this_machine  # noqa: E402  # noqa: E402
from lib_facefix.errors import BadSetting, MissingPackage  # noqa: E402
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


def test_engines_that_are_not_installed_are_not_on_the_list(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert "openvino" not in this_machine("cpu").packages


class Device:
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
    assert Device(10**9, 1).run(4, BatchSizer(None)) == [1, 1, 1, 1]


def test_the_first_face_is_measured_and_then_as_many_go_together_as_fit():
    assert Device(100, 10).run(20) == [1, 8, 8, 3]


def test_what_was_measured_is_remembered():
    device = Device(100, 10)
    passes = BatchSizer(device)
    device.run(1, passes)
    device.run(8, passes)
    assert device.passes == [1, 8]


def test_no_pass_is_larger_than_brings_anything():
    assert max(Device(10**9, 1).run(200)) == MAX_BATCH


def test_a_pass_that_does_not_fit_after_all_is_halved_until_it_does():
    device = Device(100, 10, fails_above=3)
    assert device.run(12) == [1, 8, 4, 2, 2, 2, 2, 2, 1]
    assert device.alone == []


def test_a_face_that_does_not_fit_alone_is_done_elsewhere():
    device = Device(5, 10)
    assert device.run(3) == [1, 1, 1]
    assert device.alone == [1, 2, 3]


def test_memory_that_somebody_else_took_meanwhile_costs_no_face():
    device = Device(100, 10)
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
        list(BatchSizer(Device(100, 10)).run([1, 2], fails, lambda face: face))


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
