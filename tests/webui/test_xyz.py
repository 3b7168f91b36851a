import copy
import inspect
import sys
from dataclasses import replace
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from host_loading import every_host, load
from PIL import Image

from lib_facefix.errors import BadSetting
from lib_facefix.webui import xyz
from lib_facefix.webui.config.options import PageSettings
from lib_facefix.webui.passes.settings import MAX_PASSES, OFFERED, PassSettings, changed_values, page_args, read_passes
from lib_facefix.webui.xyz import AXES, add_axes, make_axes

TUNED = PassSettings(fidelity=0.9, steps=12)


def axis_option(label, kind, apply, **facts):
    """Make what stands for the host's AxisOption."""
    return SimpleNamespace(**{"label": label, "type": kind, "apply": apply, "choices": None, **facts})


def a_plot():
    return SimpleNamespace(AxisOption=axis_option, axis_options=[axis_option("Nothing", str, None)])


def lists(name):
    return {"samplers": ["Euler a", "DDIM"], "detectors": ["face_yolov8n.pt"]}.get(name, [])


def axis(label, passes=2):
    [found] = [option for option in make_axes(a_plot(), passes, lists) if option.label == label]
    return found


def processing(args, kind=list):
    """Make a `p` whose scripts are another one, ours, and another one."""
    ours = SimpleNamespace(name="facefix", args_from=3, args_to=3 + len(args))
    others = [SimpleNamespace(name="adetailer", args_from=1, args_to=3), SimpleNamespace(name=None)]
    return SimpleNamespace(
        script_args=kind([0, "a", "b", *args, "c"]), scripts=SimpleNamespace(alwayson_scripts=[*others, ours])
    )


def page(*passes):
    """Make the arguments of a page that shows these passes."""
    enabled, text = page_args(passes)
    return [enabled, *[text] * MAX_PASSES]


def own(p):
    return p.script_args[3:-1]


def test_there_are_axes_for_what_people_compare_and_fewer_for_later_passes():
    labels = [option.label for option in make_axes(a_plot(), 2, lists)]
    first = [label for label in labels if label.startswith("[FaceFix] ")]
    assert [label.removeprefix("[FaceFix 2] ") for label in labels[len(first) :]] == [
        *("Active", "Method", "Denoising strength", "Face prompt", "Restorer", "Fidelity", "Visibility", "Detector"),
        *("Mask", "Face prompt S/R"),
    ]
    assert {label.replace("FaceFix 2", "FaceFix") for label in labels} == {*first}
    assert len(set(labels)) == len(labels) <= 40
    assert {*AXES} <= {field.name for field, _ in OFFERED}


def test_a_prompt_for_faces_is_an_axis():
    p = processing(page(TUNED))
    axis("[FaceFix] Face prompt").apply(p, "[PROMPT], smiling", ["[PROMPT], smiling"])
    assert read_passes(own(p)) == (replace(TUNED, prompt="[PROMPT], smiling"),)


SMILING = PassSettings(prompt="[face:1] smiling [SEP] smiling a lot", negative_prompt="not smiling", steps=3)


@pytest.mark.parametrize("args", [page(SMILING), [True, {**changed_values(SMILING)}, None]], ids=["UI", "API"])
def test_prompts_for_faces_are_searched_and_replaced(args):
    p, option = processing(args), axis("[FaceFix] Face prompt S/R")
    values = ["smiling", "frowning"]
    option.confirm(p, values)
    option.apply(p, "frowning", values)
    wanted = replace(SMILING, prompt="[face:1] frowning [SEP] frowning a lot", negative_prompt="not frowning")
    assert read_passes(own(p)) == (wanted,)
    assert option.format_value(p, option, "frowning") == "frowning"


@pytest.mark.parametrize("label", ["[FaceFix] Face prompt S/R", "[FaceFix 2] Face prompt S/R"])
def test_a_search_that_finds_nothing_is_refused_before_any_image_is_made(label):
    p = processing([True, {"steps": 3}, None])
    with pytest.raises(BadSetting, match="the face prompts do not contain 'smiling'"):
        axis(label).confirm(p, ["smiling", "frowning"])


@pytest.mark.parametrize("kind", [list, tuple])
@pytest.mark.parametrize(
    ("args", "passes"),
    [
        pytest.param(page(TUNED), [0.25], id="on in the UI"),
        pytest.param([False, *page(TUNED)[1:]], [0.25], id="off in the UI"),
        pytest.param(page(TUNED, TUNED), [0.25, 0.9], id="two passes"),
        pytest.param([True, {"fidelity": 0.9, "steps": 12}, {"steps": 1}, None], [0.25, 0.6], id="over the API"),
        pytest.param([True, None, {"fidelity": 0.9, "steps": 12}, None], [0.25], id="a unit further behind"),
        pytest.param([False, {"active": False, "steps": 12}, None], [0.25], id="a unit that is off"),
    ],
)
def test_an_axis_sets_its_value_whatever_the_arguments_were(args, passes, kind):
    p = processing(args, kind)
    before = copy.deepcopy(p.script_args)
    shared = p.script_args
    axis("[FaceFix] Fidelity").apply(p, 0.25, [0.25])

    made = read_passes(own(p))
    assert [one.fidelity for one in made] == passes
    assert made[0].steps == 12
    assert shared == before  # the other cells have the same list
    assert (type(p.script_args), len(p.script_args)) == (kind, len(before))
    assert (p.script_args[:3], p.script_args[-1:]) == (before[:3], before[-1:])


def test_an_axis_of_a_later_pass_switches_it_on():
    p, over_api = processing(page()), processing([False, {"mask": "box"}, *[None] * 5])
    axis("[FaceFix 3] Fidelity", passes=3).apply(p, 0.3, [0.3])
    axis("[FaceFix 3] Fidelity", passes=3).apply(over_api, 0.3, [0.3])

    assert read_passes(own(p)) == (PassSettings(), PassSettings(fidelity=0.3))
    assert read_passes(own(over_api)) == (PassSettings(mask="box"), PassSettings(fidelity=0.3))


def test_axes_add_up():
    p = processing(page(TUNED))
    for label, value in (("[FaceFix] Sampling steps", 3), ("[FaceFix 2] Mask", "box"), ("[FaceFix] Method", "restore")):
        axis(label).apply(p, value, [value])

    assert read_passes(own(p)) == (PassSettings(fidelity=0.9, steps=3, method="restore"), PassSettings(mask="box"))


def test_the_axis_active_compares_with_and_without():
    p = processing(page(TUNED))
    axis("[FaceFix] Active").apply(p, False, [False])
    assert read_passes(own(p)) == ()


def test_a_tab_without_us_says_so():
    p = processing([])
    p.scripts.alwayson_scripts.pop()
    with pytest.raises(BadSetting, match="it is off in this tab"):
        axis("[FaceFix] Sampling steps").apply(p, 3, [3])


@pytest.mark.parametrize(
    ("label", "typed", "value"),
    [
        pytest.param("[FaceFix] Fidelity", "0.25", 0.25, id="a number"),
        pytest.param("[FaceFix] Sampling steps", "25", 25, id="a whole number"),
        pytest.param("[FaceFix] Active", "False", False, id="a switch"),
        pytest.param("[FaceFix] Active", " true", True, id="a switch, typed"),
        pytest.param("[FaceFix] Face prompt", "a, b", "a, b", id="a prompt"),
        pytest.param("[FaceFix 2] Mask", "box", "box", id="a choice"),
        pytest.param("[FaceFix] Restorer", "/my/own.pth", "/my/own.pth", id="the path of a restorer"),
        pytest.param("[FaceFix] Sampling method", "Euler a", "Euler a", id="of a list of the host's"),
        pytest.param("[FaceFix] Sampling method", "same as the image", "", id="the picture's own"),
    ],
)
def test_what_is_typed_or_chosen_is_read_and_confirmed(label, typed, value):
    option = axis(label)
    read = option.type(typed)
    option.confirm(None, [read])
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("label", "typed", "sentence"),
    [
        pytest.param("[FaceFix 2] Fidelity", "1.5", "pass 2: Fidelity must be between 0 and 1, not 1.5", id="number"),
        pytest.param("[FaceFix] Active", "perhaps", "pass 1: Active must be true or false, not 'perhaps'", id="switch"),
        pytest.param("[FaceFix] Mask", "square", "pass 1: Mask must be one of ", id="choice"),
        pytest.param(
            "[FaceFix] Sampling method",
            "Eular",
            "pass 1: Sampling method must be one of same as the image, Euler a, DDIM; not 'Eular'",
            id="of a list of the host's",
        ),
    ],
)
def test_what_is_not_allowed_is_said_before_any_picture_is_made(label, typed, sentence):
    option = axis(label)
    with pytest.raises(BadSetting) as caught:
        option.confirm(None, [option.type(typed)])
    assert str(caught.value).startswith(sentence)


def test_choices_are_offered_as_people_see_them():
    assert axis("[FaceFix] Active").choices() == ["True", "False"]
    assert axis("[FaceFix] Mask").choices()[:2] == ["hull", "ellipse"]
    assert axis("[FaceFix] Sampling method").choices() == ["same as the image", "Euler a", "DDIM"]
    assert axis("[FaceFix] Detector").choices()[0] == "auto"
    assert axis("[FaceFix] Detector").choices()[-1] == "face_yolov8n.pt"
    assert axis("[FaceFix] Sampling steps").choices is None

    sampler = axis("[FaceFix] Sampling method")
    assert sampler.format_value(None, sampler, "") == "[FaceFix] Sampling method: same as the image"


def test_the_hosts_lists_are_asked_only_when_somebody_looks():
    def not_yet(name):
        raise AssertionError(name)

    assert make_axes(a_plot(), 1, not_yet)


def test_axes_are_registered_once(monkeypatch):
    plot = a_plot()
    data = [SimpleNamespace(path=f"/host/{name}.py", module=plot) for name in ("scripts/xyz_grid", "scripts/loopback")]
    host = SimpleNamespace(scripts_data=data)
    monkeypatch.setitem(sys.modules, "modules", SimpleNamespace(scripts=host))
    monkeypatch.setattr(xyz, "read_options", lambda: PageSettings(passes=3))
    add_axes()
    add_axes()

    labels = [option.label for option in plot.axis_options]
    assert labels[0] == "Nothing"
    assert labels[1:] == [option.label for option in make_axes(a_plot(), 3, lists)]


class Grid:
    """A host's own X/Y/Z plot, in which pictures cost nothing."""

    def __init__(self, root):
        path = root / "scripts/xyz_grid.py"
        if not path.exists():
            pytest.skip("has no scripts/xyz_grid.py")
        self.seen, modules = [], MagicMock()
        modules.scripts.Script = object
        modules.processing.process_images = self.process_images
        modules.processing.StableDiffusionProcessingTxt2Img = PassSettings  # any class
        modules.shared.opts.configure_mock(img_max_size_mp=100, grid_save=False)
        modules.shared.state.configure_mock(interrupted=False, stopping_generation=False)
        modules.images.image_grid.return_value = Image.new("RGB", (8, 8))
        self.plot = load(path, modules=modules)
        self.plot.axis_options += make_axes(self.plot, 2, lists)

    def process_images(self, p):
        self.seen.append(read_passes(own(p)))
        return SimpleNamespace(
            images=[Image.new("RGB", (8, 8))], prompt="", seed=1, infotexts=[""], all_prompts=[""], all_seeds=[1],
            width=8, height=8,
        )  # fmt: skip

    def run(self, p, **axes_of):
        script = self.plot.Script()
        script.title = lambda: "X/Y/Z plot"
        script.current_axis_options = [one for one in self.plot.axis_options if type(one) is self.plot.AxisOption]
        labels = [option.label for option in script.current_axis_options]
        told = dict.fromkeys(inspect.signature(script.run).parameters, False)
        told |= {name: value for name, value in {"no_fixed_seeds": True, "row_count": 1}.items() if name in told}
        for letter in "xyz":
            label, values = axes_of.get(letter, ("Nothing", ""))
            typed = isinstance(values, str)
            told[f"{letter}_type"] = labels.index(label)
            told[f"{letter}_values"] = values if typed else ""
            told[f"{letter}_values_dropdown"] = [] if typed else values
        script.run(**{**told, "p": p})


@every_host
def test_a_real_plot_makes_each_cell_from_its_own_values(host):
    grid = Grid(host)
    p = processing(page(TUNED))
    vars(p).update({key: [""] for key in ("all_prompts", "all_seeds", "all_subseeds")}, styles=[])
    vars(p).update(seed=1, n_iter=1, batch_size=1, width=8, height=8, steps=4, extra_generation_params={})
    before = list(p.script_args)
    grid.run(p, x=("[FaceFix] Fidelity", "0-0.5 [2]"), y=("[FaceFix 2] Mask", ["box", "hull"]))

    cells = [(first.fidelity, first.steps, second.mask) for first, second in grid.seen]
    assert sorted(cells) == sorted((fidelity, 12, mask) for fidelity in (0.0, 0.5) for mask in ("box", "hull"))
    assert p.script_args == before


@every_host
def test_a_real_plot_refuses_what_is_out_of_range(host):
    grid = Grid(host)
    p = processing(page(TUNED))
    with pytest.raises(BadSetting, match="pass 1: Fidelity must be between"):
        grid.run(p, x=("[FaceFix] Fidelity", "0-2 [3]"))
    assert grid.seen == []
