"""The forms in which clients of the API write FaceFix's arguments, and old names of samplers in them."""

import pictures
import pytest
from driving import QUICK
from server import Refused

ONE = pictures.sheet(1)
LEFT = {"method": "leave"}


def asked(host, args):
    return host.txt2img(draws=[ONE], scripts={"FaceFix": {"args": args}})


@pytest.mark.parametrize(
    ("args", "passes"),
    [
        pytest.param([], None, id="none"),
        pytest.param([False], None, id="off"),
        pytest.param([False, LEFT], None, id="off, with a pass"),
        pytest.param([True], [{}], id="on"),
        pytest.param([{}], [{}], id="a blank pass"),
        pytest.param([LEFT], [LEFT], id="a pass"),
        pytest.param([LEFT, {**LEFT, "steps": 3}], [LEFT, {**LEFT, "steps": 3}], id="two passes"),
        pytest.param([True, LEFT], [LEFT], id="on, with a pass"),
    ],
)
def test_the_first_argument_may_be_left_out(host, args, passes):
    record = asked(host, args).record()
    assert (record and record["passes"]) == passes


@pytest.mark.parametrize(
    ("args", "said"),
    [
        pytest.param(["true"], "first argument must be true or false", id="a text"),
        pytest.param(["true", {}], "first argument must be true or false", id="a text and a pass"),
        pytest.param([{"methid": "leave"}], "pass 1: unknown setting 'methid'", id="an unknown setting"),
        pytest.param({"enabled": True}, "", id="no list, which the WebUI itself refuses"),
    ],
)
def test_other_arguments_are_refused(host, args, said):
    with pytest.raises(Refused) as refused:
        asked(host, args)
    assert refused.value.status in (422, 500)
    assert said in str(refused.value.answer)
    assert host.all_runs() == [] or not any(run["items"] for run in host.all_runs())


@pytest.mark.parametrize(
    ("old", "new"),
    [("DPM++ 2M Karras", ("DPM++ 2M", "Automatic")), ("Euler Karras", ("Euler", "Karras"))],
)
def test_an_old_name_of_a_sampler_means_what_the_webui_reads_in_it(host, old, new):
    made = asked(host, [{**QUICK, "sampler": old}])
    [run] = host.runs()
    assert (run["sampler"], run["scheduler"]) == new
    assert made.record()["passes"] == [{**QUICK, "sampler": new[0], "scheduler": new[1]}]


def test_an_old_name_of_no_sampler_is_refused_with_the_list(host):
    with pytest.raises(Refused) as refused:
        asked(host, [{**QUICK, "sampler": "Nope Karras"}])
    assert "Sampling method 'Nope Karras' is not available. Available: " in str(refused.value.answer)
