"""Files that pretend to be face restorers: refused with a sentence, with nothing read elsewhere and little memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import restorers_made as made
import yolo_made
from peak_memory import PEAK, needs_linux
from restorers_made import TensorProto, helper, onnx

import lib_facefix
from lib_facefix.errors import BadModel
from lib_facefix.fixers import onnx_net
from lib_facefix.fixers.onnx_net import from_file
from lib_facefix.weights import read_restorer

MOST_BYTES, MOST_SECONDS = 1 << 30, 5.0
"""What refusing a file may cost."""


def model(*nodes, **shape):
    return onnx.load_from_string(made.restorer(*nodes, **shape))


def with_initializer(tensor, *, sparse=False):
    changed = model(made.node("Add", ["input", "w"]))
    (changed.graph.sparse_initializer if sparse else changed.graph.initializer).append(tensor)
    return changed.SerializeToString()


def elsewhere():
    tensor = TensorProto(name="w", data_type=1, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../../etc/passwd")
    return tensor


def branch(kind, **attributes):
    """Return a node with a graph inside."""
    inner = helper.make_graph([made.node("Identity", ["input"], "inside")], "inner", [], [made.value("inside", [1])])
    return helper.make_node(kind, ["input"], ["output"], **dict.fromkeys(attributes, inner))


def of_another_domain(domain):
    return made.restorer(helper.make_node("Mul", ["input", "input"], ["output"], domain=domain))


def with_function():
    function = helper.make_function(
        "own", "f", ["x"], ["y"], [made.node("Identity", ["x"], "y")], [helper.make_opsetid("", 17)]
    )
    changed = model()
    changed.functions.append(function)
    return changed.SerializeToString()


def sized(*shape, dtype="float32", restored=None):
    """Return a net whose input and output have these shapes."""
    changed = model()
    for place, sides in ((changed.graph.input, shape), (changed.graph.output, restored or shape)):
        place[0].CopyFrom(made.value(place[0].name, list(sides), dtype))
    return changed.SerializeToString()


SPARSE = helper.make_sparse_tensor(
    helper.make_tensor("w", 1, [1], [1.0]), helper.make_tensor("i", 7, [1], [0]), [1 << 40]
)
STATIC = [
    pytest.param(with_initializer(elsewhere()), "stores weights in other files", id="external data"),
    pytest.param(
        with_initializer(TensorProto(name="w", data_type=1, dims=[1 << 20, 1 << 20])),
        "declares a tensor with more values than the file can hold",
        id="a giant weight",
    ),
    pytest.param(with_initializer(SPARSE, sparse=True), "contains sparse tensors", id="a sparse weight"),
    pytest.param(of_another_domain("evil"), r"part of neither ONNX nor ONNX Runtime \(evil\)", id="a custom operator"),
    pytest.param(with_function(), "defines operators of its own", id="a function"),
    pytest.param(made.restorer(branch("Loop", body=1)), "contains a loop, which may never end", id="a loop"),
    pytest.param(made.restorer(branch("Scan", body=1)), "contains a subgraph", id="a scan"),
    pytest.param(made.restorer(branch("If", then_branch=1, else_branch=1)), "contains a subgraph", id="a branch"),
    pytest.param(sized(1, 3, 200_000, 200_000), "takes images of 200000 px; supported are 256 to 2048", id="giant"),
    pytest.param(sized(1, 3, 1 << 62, 1 << 62), r"takes images of \d{19} px", id="beyond all memory"),
    pytest.param(sized(1, 3, 512, 512, restored=(1, 3, 4096, 4096)), "returns images of 4096 px", id="giant result"),
    pytest.param(sized(1, 3, 128, 128), "takes images of 128 px", id="too small"),
    pytest.param(sized(1, 3, 0, 0), "takes images of 0 px", id="empty"),
    pytest.param(sized(1, 3, 512, 256), "takes images of 256 x 512 px instead of squares", id="not square"),
    pytest.param(sized(1, 1, 512, 512), r"takes \(1, 1, 512, 512\) instead of RGB", id="grey"),
    pytest.param(sized(1, 512, 512, 3), r"takes \(1, 512, 512, 3\) instead of RGB", id="colours last"),
    pytest.param(sized(4, 3, 512, 512), "takes 4 images at once; supported are 1, or any number", id="four at once"),
    pytest.param(sized(1, 3, 512, 512, dtype="uint8"), "another type than float32 or float16", id="bytes"),
    pytest.param(sized(1, 3, 512, 512, restored=(1, 5, 8400)), "returns no images instead of one", id="a detector"),
    pytest.param(sized(3, 512, 512), "takes 0 images instead of one", id="no image"),
    pytest.param(
        made.restorer(inputs=[made.value("second", [1, 3, 512, 512])]), "takes 2 images instead of one", id="two images"
    ),
    pytest.param(
        made.restorer(inputs=[made.value("style", [1, 512])]), "needs the inputs style, but FaceFix", id="a style"
    ),
    pytest.param(
        made.restorer(
            made.node("Identity", ["input"]),
            made.node("Identity", ["input"], "mask"),
            outputs=[made.value("mask", [1, 3, 512, 512])],
        ),
        "returns 2 images instead of one",
        id="several images",
    ),
    pytest.param(b"not a model", "is not an ONNX file, or incomplete", id="text"),
]

BOMBS = {
    "a constant": made.restorer(
        made.node("ConstantOfShape", ["shape"], "giant"),
        made.node("ReduceMean", ["giant"], "mean", keepdims=0),
        made.node("Add", ["input", "mean"]),
        weights=[made.number("shape", [1, 3, 100_000, 100_000], "int64")],
    ),
    "every value times every value": made.restorer(
        made.node("Reshape", ["input", "row"], "one"),
        made.node("Reshape", ["input", "column"], "other"),
        made.node("Mul", ["one", "other"], "giant"),
        made.node("ReduceMean", ["giant"], "mean", keepdims=0),
        made.node("Add", ["input", "mean"]),
        weights=[made.number("row", [1, -1], "int64"), made.number("column", [-1, 1], "int64")],
    ),
    "an enlarged image": made.restorer(
        made.node("Tile", ["input", "repeats"], "giant"),
        made.node("ReduceMean", ["giant"], "mean", keepdims=0),
        made.node("Add", ["input", "mean"]),
        weights=[made.number("repeats", [1, 1, 300, 300], "int64")],
    ),
    "values that are not given": made.restorer(
        made.node("Expand", ["input", "shape"], "giant"),
        made.node("ReduceMean", ["giant"], "mean", keepdims=0),
        made.node("Add", ["input", "mean"]),
        weights=[made.number("shape", [5000, 3, 512, 512], "int64")],
    ),
}


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "net.onnx"
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize(("content", "why"), STATIC)
def test_no_engine_sees_what_the_graph_alone_shows(write, tmp_path, monkeypatch, content, why):
    for name in ("start_automatic", "start_bounded_session"):
        monkeypatch.setattr(onnx_net, name, lambda *_: pytest.fail("ONNX Runtime was given the file"))
    for load in (read_restorer, lambda path: from_file(path, tmp_path)):
        with pytest.raises(BadModel, match=rf"net\.onnx .*{why}"):
            load(write(content))


def test_a_file_that_would_fill_the_memory_is_refused_unread(write, tmp_path, monkeypatch):
    path = write(made.restorer())
    with path.open("ab") as file:  # a field of a gigabyte that nobody knows: a hole in the file, which takes no room
        file.write(yolo_made.varint(100 << 3 | 2) + yolo_made.varint(MOST_BYTES))
        file.truncate(file.tell() + MOST_BYTES)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("the file was read"))
    for load in (read_restorer, lambda path: from_file(path, tmp_path)):
        with pytest.raises(BadModel, match=r"net\.onnx cannot be used as a restorer: it is larger than 1 GB"):
            load(path)


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS.keys())
def test_values_that_fill_the_memory_are_refused_in_the_trial_run(write, tmp_path, content):
    read_restorer(write(content))  # nothing shows in the graph alone
    with pytest.raises(BadModel, match=r"net\.onnx cannot be used as a restorer: it fails in a trial run"):
        from_file(write(content), tmp_path)
    assert not (tmp_path / "trials.json").exists()


WATCHED = """
import json, sys, time
from pathlib import Path
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
from lib_facefix.errors import BadModel
from lib_facefix.fixers.onnx_net import from_file
path = Path(sys.argv[1])
opened.clear()
begun = time.perf_counter()
try:
    from_file(path, path.parent)
except BadModel as error:
    said = str(error)
seconds = time.perf_counter() - begun
peak = PEAK
print(json.dumps({"said": said, "seconds": seconds, "peak": peak, "engine": "onnxruntime" in sys.modules,
                  "models": [name for name in opened if name.endswith((".onnx", "passwd"))]}))
""".replace("PEAK", PEAK)


@needs_linux
@pytest.mark.parametrize(
    ("content", "engine"),
    [
        pytest.param(STATIC[0].values[0], False, id="external data"),
        pytest.param(STATIC[1].values[0], False, id="a giant weight"),
        pytest.param(STATIC[3].values[0], False, id="a custom operator"),
        *(pytest.param(content, True, id=name) for name, content in BOMBS.items()),
    ],
)
def test_a_refusal_costs_little_memory_and_time_and_reads_nothing_else(write, content, engine):
    path = write(content)
    home = {"PYTHONPATH": str(Path(lib_facefix.__file__).parents[1]), "PATH": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(path)], capture_output=True, text=True, check=True, env=home
    )
    told = json.loads(done.stdout)
    assert str(path) in told["said"]
    assert told["peak"] < MOST_BYTES
    assert told["seconds"] < MOST_SECONDS
    assert told["engine"] == engine
    assert set(told["models"]) == {str(path)}
