import json
import math

import hypothesis.strategies as st
import pytest
from hypothesis import given
from passes_made import passes

from lib_facefix.errors import BadSetting
from lib_facefix.webui.passes.settings import (
    MAX_PASSES,
    OFFERED,
    PassSettings,
    changed_values,
    page_args,
    read_passes,
)

DEFAULTS = {field.name: field.default for field, _ in OFFERED}
PASS = PassSettings(fidelity=0.9, steps=12, sampler="Euler a", match_colour=False, faces="1,3-4")


def placed(enabled, *passes):
    """Make the page's arguments of these passes, each a dict of what is not at its default."""
    return [enabled, *[json.dumps(passes)] * MAX_PASSES]


def kinds_mixed_up(value):
    """Return the value as gradio and JavaScript send it: whole floats as int, and ints as float."""
    if type(value) is int:
        return float(value)
    return int(value) if type(value) is float and value.is_integer() else value


@given(st.lists(passes(), min_size=1, max_size=3))
def test_what_the_page_shows_is_read_back(made):
    assert read_passes(page_args(made)) == tuple(made)
    units = [{name: kinds_mixed_up(value) for name, value in changed_values(one).items()} for one in made]
    assert read_passes(placed(True, *units)) == tuple(made)


@given(st.lists(passes(), max_size=3))
def test_what_is_sent_over_the_api_is_read_back(made):
    assert read_passes([bool(made), *map(changed_values, made)]) == tuple(made)


def test_a_number_has_its_declared_type_whatever_gradio_sent():
    [one] = read_passes(placed(True, {"steps": 20.0, "cfg_scale": 7, "seed": 4294967295.0}))

    assert (one.steps, one.cfg_scale, one.seed) == (20, 7.0, 2**32 - 1)
    assert [type(value) for value in (one.steps, one.cfg_scale, one.seed)] == [int, float, int]


@pytest.mark.parametrize("empty", [None, ""])
def test_an_empty_text_of_the_page_means_the_defaults(empty):
    assert read_passes([True, empty, empty]) == (PassSettings(),)
    assert read_passes([None, empty, empty]) == ()


@pytest.mark.parametrize("text", ["{oops", "[]", "{}", "3", "[1]", "[[]]", "[" * 100_000, 0.4, True])
def test_a_text_that_has_no_passes_is_refused(text):
    with pytest.raises(BadSetting, match="FaceFix's passes must be objects, as in"):
        read_passes([True, text])


def test_true_alone_is_one_pass_with_all_defaults():
    assert read_passes([True]) == (PassSettings(),)


@pytest.mark.parametrize(
    "args",
    [
        pytest.param([], id="no arguments"),
        pytest.param([False], id="off"),
        pytest.param(placed(False, {"fidelity": 5.0}), id="off, with nonsense"),
        pytest.param([False, {"unknown": 1}], id="off, over the API"),
        pytest.param(placed(True, {"active": False}, {"active": False}), id="no pass active"),
        pytest.param([True, {"active": False}], id="the only unit is off"),
    ],
)
def test_where_nothing_is_to_be_done_there_are_no_passes(args):
    assert read_passes(args) == ()


def test_only_active_passes_are_read_and_keep_their_order():
    args = placed(True, {"fidelity": 0.1}, {"active": False, "fidelity": 9.0}, {"fidelity": 0.3})
    assert [one.fidelity for one in read_passes(args)] == [0.1, 0.3]


def test_dicts_among_the_arguments_are_the_passes_and_all_else_is_ignored():
    args = [True, *[None] * 5, {"fidelity": 1}, "text", {"active": False}, 0.7, {}]
    assert read_passes(args) == (PassSettings(fidelity=1.0), PassSettings())


def test_more_units_may_be_sent_than_the_ui_has_passes():
    assert len(read_passes([True, *[{"steps": n} for n in range(1, 9)]])) == 8


@pytest.mark.parametrize(
    ("unit", "sentence"),
    [
        pytest.param({"fidelty": 1}, "pass 2: unknown setting 'fidelty'; available: ", id="unknown"),
        pytest.param({"fidelity": 1.5}, "pass 2: Fidelity must be between 0 and 1, not 1.5", id="too large"),
        pytest.param({"steps": 2.5}, "pass 2: Sampling steps must be a whole number, not 2.5", id="half a step"),
        pytest.param(
            {"steps": "20"}, "pass 2: Sampling steps must be a whole number, not '20'", id="a text for a number"
        ),
        pytest.param(
            {"steps": True}, "pass 2: Sampling steps must be a whole number, not True", id="true for a number"
        ),
        pytest.param({"fidelity": None}, "pass 2: Fidelity must be a finite number, not None", id="null"),
        pytest.param({"fidelity": math.nan}, "pass 2: Fidelity must be a finite number, not nan", id="NaN"),
        pytest.param({"fidelity": 10**400}, "pass 2: Fidelity must be a finite number, not 1000", id="beyond floats"),
        pytest.param({"match_colour": 1}, "must be true or false, not 1", id="a number for a switch"),
        pytest.param({"sampler": 3}, "pass 2: Sampling method must be text, not 3", id="a number for a text"),
        pytest.param({"faces": "two"}, "pass 2: face numbers must look like \"1,3-4\", not 'two'", id="grammar"),
        pytest.param({"mask": "square"}, "pass 2: Mask must be one of ", id="no such choice"),
        pytest.param({"min_size": 9, "max_size": 8}, "pass 2: Maximum face size", id="two that do not go together"),
        pytest.param({"upscale": "2"}, "pass 2: 'upscale' is not a setting of a pass", id="what the host does itself"),
        pytest.param({"active": False, "no": 1}, "pass 2: unknown setting 'no'", id="unknown in a pass that is off"),
    ],
)
def test_a_bad_unit_is_refused_in_words_that_name_pass_and_setting(unit, sentence):
    with pytest.raises(BadSetting) as caught:
        read_passes([True, {}, unit])
    assert str(caught.value).startswith(sentence) or sentence in str(caught.value)


def test_a_bad_value_of_the_ui_names_its_pass():
    with pytest.raises(BadSetting, match=r"^pass 2: Sampling steps must be a whole number, not 2.5"):
        read_passes(placed(True, {}, {"steps": 2.5}))


@pytest.mark.parametrize("enabled", [1, "true", ["true"], 0.0])
@pytest.mark.parametrize("more", [[], [{}]], ids=["alone", "with a pass"])
def test_the_first_argument_must_be_true_or_false_or_a_pass(enabled, more):
    with pytest.raises(BadSetting, match="first argument must be true or false"):
        read_passes([enabled, *more])


@pytest.mark.parametrize(
    ("args", "passes"),
    [
        pytest.param([{}], (PassSettings(),), id="a blank pass"),
        pytest.param([{"steps": 5}], (PassSettings(steps=5),), id="one pass"),
        pytest.param([{"steps": 5}, {}], (PassSettings(steps=5), PassSettings()), id="two passes"),
        pytest.param([{"active": False}, {}], (PassSettings(),), id="the first pass is off"),
        pytest.param([{"active": False}], (), id="the only pass is off"),
        pytest.param([{"steps": 5}, *page_args((PassSettings(fidelity=0.1),))[1:]], (PassSettings(steps=5),),
                     id="filled up by the host"),
        pytest.param([None, {"steps": 5}], (), id="a blank first argument"),
    ],
)  # fmt: skip
def test_passes_without_a_first_argument_switch_it_on(args, passes):
    assert read_passes(args) == passes


def test_a_bad_unit_in_place_of_the_first_argument_is_refused():
    with pytest.raises(BadSetting, match=r"^pass 1: unknown setting 'fidelty'"):
        read_passes([{"fidelty": 1}])


@pytest.mark.parametrize("place", [1, 5, 10])
def test_a_text_in_any_one_place_counts(place):
    """A host that reads an infotext for an API request sets one place, and leaves the defaults in the others."""
    args = [True, *page_args(())[1:] * MAX_PASSES]
    args[place] = page_args((PassSettings(steps=5), PassSettings(fidelity=0.1)))[1]
    assert read_passes(args) == (PassSettings(steps=5), PassSettings(fidelity=0.1))
    assert read_passes([True, *args[place : place + 1] * MAX_PASSES]) == read_passes(args)


def test_the_arguments_are_not_changed():
    args = [True, {"steps": 20.0}]
    read_passes(args)
    assert args == [True, {"steps": 20.0}]
    assert type(args[1]["steps"]) is float


def test_the_page_starts_off_with_its_first_pass_ready():
    assert page_args(()) == [False, "[{}]"]


def test_a_page_shows_only_what_differs_from_the_defaults():
    assert page_args((PassSettings(fidelity=0.9), PassSettings())) == [True, '[{"fidelity":0.9},{}]']


def test_only_what_differs_from_the_defaults_is_sent():
    only = {"steps": 12, "sampler": "Euler a", "fidelity": 0.9, "match_colour": False, "faces": "1,3-4"}
    assert list(changed_values(PASS).items()) == list(only.items())
    assert changed_values(PASS) == only
    assert changed_values(PassSettings()) == {}
