import pytest

from lib_facefix.cli.flags import add_runtime, read_runtime
from lib_facefix.cli.parser import Parser
from lib_facefix.errors import BadSetting
from lib_facefix.settings.devices import NAMES
from lib_facefix.settings.options import options, schema
from lib_facefix.settings.runtime import ENGINES, PRECISIONS, Runtime


def read(*flags):
    parser = Parser()
    add_runtime(parser)
    return read_runtime(parser.parse_args(flags))


def test_the_schema_says_what_may_be_chosen():
    properties = schema(Runtime)["properties"]
    assert properties["engine"]["enum"] == list(ENGINES)
    assert properties["precision"]["enum"] == list(PRECISIONS)
    assert properties["device"]["examples"] == list(NAMES)
    assert (properties["keep"]["minimum"], properties["keep"]["type"]) == (1, "integer")
    assert {fact["x-group"] for fact in properties.values()} == {"machine"}
    assert all(fact["title"] and fact["description"] for fact in properties.values())


def test_without_flags_all_is_as_declared():
    assert read() == Runtime()
    assert (Runtime().engine, Runtime().precision) == ("auto", "exact")


def test_every_choice_has_a_flag():
    given = {
        "engine": "torch",
        "precision": "fast",
        "device": "cpu",
        "models": "/a:/b",
        "webui": "/webui",
        "yolo": "/c:/d",
        "keep": 3,
        "accept_licences": "gfpgan, codeformer",
    }
    assert set(given) == {field.name for field, _ in options(Runtime)}
    flags = [text for name, value in given.items() for text in (f"--{name.replace('_', '-')}", str(value))]
    assert read(*flags) == Runtime(**given)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"engine": "tensorrt"}, "Backend must be one of auto, torch, .*openvino; not 'tensorrt'"),
        ({"precision": "fp16"}, "Precision must be one of exact, fast; not 'fp16'"),
        ({"device": "gpu:1"}, "Device must be one of auto, cpu, cuda, .*; not 'gpu:1'"),
        ({"keep": 0}, "Model cache size must be at least 1, not 0"),
        ({"keep": 2.0}, "Model cache size must be a whole number"),
        ({"models": None}, "Models folder must be text"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(wrong, told):
    with pytest.raises(BadSetting, match=told):
        Runtime(**wrong)
