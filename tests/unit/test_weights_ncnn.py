"""Files of ncnn, made here by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_facefix.errors import BadModel, CannotWrite
from lib_facefix.weights import convert
from lib_facefix.weights.ncnn import HALF, MAGIC, read_layers, state_of
from lib_facefix.weights.tensorfile import content_of, read_header, read_origin

RNG = np.random.default_rng(3)


def conv(gives, takes, *, half=True):
    weight = RNG.normal(size=gives * takes * 9).astype("<f2" if half else "<f4")
    flag = np.array([HALF if half else 0], "<u4").tobytes()
    padding = b"\0" * (-weight.nbytes % 4)
    line = f"Convolution c 1 1 a b 0={gives} 1=3 4=1 5=1 6={weight.size}"
    return line, flag + weight.tobytes() + padding + RNG.normal(size=gives).astype("<f4").tobytes()


def prelu(channels):
    return f"PReLU p 1 1 a b 0={channels}", RNG.normal(size=channels).astype("<f4").tobytes()


def pair(*layers):
    lines = ["Input i 0 1 data", *(line for line, _ in layers)]
    return "\n".join([MAGIC, f"{len(lines)} 9", *lines, ""]).encode(), b"".join(data for _, data in layers)


def compact(*, half=True):
    return pair(conv(8, 3, half=half), prelu(8), conv(8, 8, half=half), prelu(8), conv(12, 8, half=half))


def rrdb():
    inner = [conv(4 if place < 5 else 8, 8 + (place - 1) * 4) for _ in range(3) for place in range(1, 6)]
    return pair(conv(8, 3), *inner, *(conv(8, 8) for _ in range(4)), conv(3, 8))


@pytest.mark.parametrize("half", [True, False], ids=["16 bits", "32 bits"])
def test_a_compact_network_is_read_under_its_names(half):
    param, data = compact(half=half)
    state = state_of(read_layers(param, data))
    assert {name: weights.shape for name, weights in state.items()} == {
        "body.0.weight": (8, 3, 3, 3),
        "body.0.bias": (8,),
        "body.1.weight": (8,),
        "body.2.weight": (8, 8, 3, 3),
        "body.2.bias": (8,),
        "body.3.weight": (8,),
        "body.4.weight": (12, 8, 3, 3),
        "body.4.bias": (12,),
    }
    first = np.frombuffer(data, "<f2" if half else "<f4", 8 * 27, 4).reshape(8, 3, 3, 3)
    np.testing.assert_array_equal(state["body.0.weight"], first)


def test_an_rrdb_network_is_read_under_its_names():
    state = state_of(read_layers(*rrdb()))
    assert len(state) == 2 * 21
    assert state["body.0.rdb3.conv5.weight"].shape == (8, 24, 3, 3)
    assert state["conv_last.weight"].shape == (3, 8, 3, 3)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        pytest.param(lambda p, d: (p, d[:-4]), "too short", id="the numbers are cut short"),
        pytest.param(lambda p, d: (p, d + b"1234"), "too long", id="numbers are left over"),
        pytest.param(lambda p, d: (p, b"\1" + d[1:]), "flag", id="weights of another kind"),
        pytest.param(lambda p, d: (p[1:], d), "begin", id="no magic number"),
        pytest.param(lambda p, d: (b"", d), "begin", id="an empty list"),
        pytest.param(lambda p, d: (b"\xff" + p, d), "not text", id="the binary form"),
        pytest.param(lambda p, d: (p.replace(b"6 9", b"7 9"), d), "number of layers", id="a layer is missing"),
        pytest.param(lambda p, d: (p.replace(b"PReLU", b"LSTM"), d), "LSTM", id="a layer that is not known"),
        pytest.param(lambda p, d: (p.replace(b"6=216", b"6=217"), d), "impossible", id="numbers that do not divide"),
        pytest.param(lambda p, d: (p.replace(b"0=8", b"0=-8"), d), "invalid number", id="a negative size"),
        pytest.param(lambda p, d: (p.replace(b"0=8", b"0=999999999999"), d), "invalid number", id="a huge size"),
    ],
)
def test_what_is_not_a_pair_of_ncnn_is_refused_with_a_reason(spoil, told):
    with pytest.raises(BadModel, match=told):
        read_layers(*spoil(*compact()))


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param((conv(8, 3), conv(3, 8)), id="two convolutions"),
        pytest.param((conv(8, 3), prelu(4), conv(12, 8)), id="a PReLU of another width"),
        pytest.param((conv(8, 3), prelu(8), conv(5, 8)), id="five colours"),
        pytest.param((conv(8, 3), prelu(8)), id="no last convolution"),
        pytest.param((), id="nothing"),
    ],
)
def test_a_network_of_another_shape_is_refused(layers):
    with pytest.raises(BadModel, match=r"network|SRVGG"):
        state_of(read_layers(*pair(*layers)))


@given(st.data())
def test_no_damage_makes_the_reader_do_anything_but_refuse(data):
    param, numbers = compact()
    place = data.draw(st.integers(0, len(param) - 1))
    spoilt = param[:place] + data.draw(st.binary(max_size=3)) + param[place + data.draw(st.integers(0, 9)) :]
    shorter = numbers[: data.draw(st.integers(0, len(numbers)))]
    for given_param, given_numbers in ((spoilt, numbers), (param, shorter), (spoilt, shorter)):
        try:
            state = state_of(read_layers(given_param, given_numbers))
        except BadModel:
            continue
        assert state


def test_a_pair_is_converted_beside_itself_and_says_what_it_is_from(tmp_path):
    for end, content in zip(("param", "bin"), compact(), strict=True):
        (tmp_path / f"net.{end}").write_bytes(content)
    made = convert(tmp_path / "net.param")
    assert made == tmp_path / "net.safetensors"
    assert read_origin(made)["source"] == "net.bin"
    assert read_origin(made)["content"] == content_of(made)
    header, begins = read_header(made)
    assert begins % 8 == 0
    assert header["body.4.weight"]["shape"] == [12, 8, 3, 3]
    assert convert(tmp_path / "net.bin") == made  # there already


def test_half_a_pair_is_refused(tmp_path):
    (tmp_path / "net.bin").write_bytes(b"1")
    with pytest.raises(BadModel, match=r"net\.param is missing"):
        convert(tmp_path / "net.bin")


def test_what_lies_in_the_way_is_not_overwritten(tmp_path):
    for end, content in zip(("param", "bin"), compact(), strict=True):
        (tmp_path / f"net.{end}").write_bytes(content)
    (tmp_path / "net.safetensors").write_bytes(b"precious")
    with pytest.raises(CannotWrite, match="has another source"):
        convert(tmp_path / "net.bin")
    assert (tmp_path / "net.safetensors").read_bytes() == b"precious"
