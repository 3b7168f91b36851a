"""What an ONNX file says of itself, and that of a damaged one nothing but `BadModel` comes."""

import os
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as some
from yolo_made import varint, yolo_onnx

from lib_facefix.errors import BadModel
from lib_facefix.weights import onnxfile, read_onnx

NET = yolo_onnx((640, 480), [(100, 50, 180, 150)])


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("onnx") / "net.onnx"


def test_metadata_inputs_outputs_and_nodes_are_read_and_weights_are_no_inputs(file):
    file.write_bytes(NET)
    said = read_onnx(file)
    assert said.metadata == {"names": "{0: 'face'}"}
    assert (said.inputs, said.outputs) == ({"picture": (1, 3, 640, 640)}, {"table": (1, 5, 1)})
    assert len(said.nodes) == 3


@given(some.lists(some.tuples(some.integers(0, len(NET) - 1), some.integers(0, 255)), min_size=1, max_size=5))
def test_whatever_is_wrong_with_a_file_nothing_but_bad_model_comes_of_it(file, changes):
    content = bytearray(NET)
    for at, byte in changes:
        content[at] = byte
    file.write_bytes(content)
    with suppress(BadModel):
        read_onnx(file)


@given(some.binary(max_size=40))
def test_no_few_bytes_in_a_graph_bring_another_error(file, content):
    file.write_bytes(b"\x3a" + bytes([len(content)]) + content)
    with suppress(BadModel):
        read_onnx(file)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"no model at all", id="text"),
        pytest.param(b"\x3a\xff\xff", id="cut short"),
        pytest.param(b"\x3a\x06\x5a\x04\x0a\x02ab", id="an input without a type"),
        pytest.param(b"\x72\x02\x12\x00\x3a\x00", id="metadata without a name"),
        pytest.param(b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", id="a length of more than 64 bits"),
        pytest.param(NET[:-1], id="one byte too few"),
    ],
)
def test_what_is_no_onnx_file_is_told(file, content):
    file.write_bytes(content)
    with pytest.raises(BadModel, match="is not an ONNX file, or incomplete"):
        read_onnx(file)


@pytest.mark.parametrize("byte", [b"\0", b" "], ids=["room for a download", "fields without an end"])
def test_a_large_file_of_nothing_is_no_model_and_soon_told(file, byte):
    file.write_bytes(byte * 20_000_000)
    begun = time.process_time()
    with pytest.raises(BadModel):
        read_onnx(file)
    assert time.process_time() - begun < 3


@pytest.mark.skipif(os.name != "posix", reason="a file that is open is not cut short there")
def test_a_file_that_shrinks_while_it_is_read_is_no_model_and_ends_no_process(file, monkeypatch):
    file.write_bytes(NET)
    whole = onnxfile._model

    def shrinking(content):
        os.truncate(file, 0)
        return whole(content)

    monkeypatch.setattr(onnxfile, "_model", shrinking)
    with pytest.raises(BadModel, match="incomplete"):
        read_onnx(file)


def test_weights_are_not_read(file):
    hole = 1 << 40  # a file with a hole of a terabyte: nothing of it takes room
    initializer = b"\x42\x01w" + b"\x4a" + varint(hole)
    graph = b"\x2a" + varint(len(initializer) + hole) + initializer
    with file.open("wb") as made:
        made.write(b"\x3a" + varint(len(graph) + hole) + graph)
        try:
            made.truncate(made.tell() + hole)
        except OSError:
            pytest.skip("this file system has no holes of that size")
    try:
        assert read_onnx(file).inputs == {}
    finally:
        file.unlink()
