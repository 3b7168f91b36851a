import json
import re
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from host_loading import every_host, load
from passes_made import a_face, controls

from lib_facefix.webui.passes.infotext import KEY, find, make_fields, quote, read, select, write
from lib_facefix.webui.passes.settings import OFFERED, PassSettings, page_args, read_passes

HARD = [
    pytest.param("she said \"hi\", 'bye'", id="quotes"),
    pytest.param("first line\nsecond line\r\nthird\ttabbed\n", id="newlines"),
    pytest.param(r"a \(cat\), C:\new\table, \\, \", trailing \ ".strip(), id="backslashes"),
    pytest.param(
        "grinning \U0001f600\U0001f468\u200d\U0001f469 \u00e9\u4e2d\u2028\u0085", id="emoji and other scripts"
    ),
    pytest.param("a, b,c , ,, (d:1.2), <lora:x:0.5>, e: f,", id="commas and colons"),
    pytest.param("x\nNegative prompt: y\nSteps: 20, Sampler: Euler, Size: 1x1", id="an infotext inside"),
    pytest.param(", ".join(f"a rather long description {n}" for n in range(60)), id="beyond 75 tokens"),
    pytest.param('{"v":9,"passes":[]}', id="a block inside"),
    pytest.param("Size: 5x5, FaceFix: no, 512x512", id="what looks like other entries"),
    pytest.param("smiling [SEP] [face:2] old man, [PROMPT] [SEP] [SKIP]", id="the grammar of prompts"),
    pytest.param(" ", id="a space"),
    pytest.param("512x512", id="a size"),
    pytest.param("512x512\n", id="a size and a newline"),
    pytest.param("==", id="equals signs"),
    pytest.param('"all quoted"', id="in quotes"),
    pytest.param('"', id="a quote"),
    pytest.param("carriage\rreturn\x0b", id="other line breaks"),
]
PASS = PassSettings(fidelity=0.9, steps=12, sampler="DPM++ 2M, SDE", mask="box")


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"Steps": "20"}, id="without an entry"),
        pytest.param(write((PASS,)), id="with one pass"),
        pytest.param(write((PASS, PASS, PassSettings())), id="with several"),
        pytest.param({KEY: '{"v":3,"passes":[{"steps":12},{}]}'}, id="of an older version"),
    ],
)
def test_pasting_sets_every_control_so_that_nothing_stale_survives(params):
    told = []
    values = [value(params) for _, value in make_fields(controls(), told.append)]

    assert values == page_args(read(params) if "Steps" not in params else ())
    assert None not in values  # a host leaves the control alone then
    assert told == []


@pytest.mark.parametrize(
    "params",
    [
        *(
            {KEY: text}
            for text in ('{"v":1,"passes":[{"fid', "", "[" * 100_000, '{"v":99}', '{"v":1,"passes":[{"x":1}]}')
        ),
        {"FaceFix format": "99"},
        {"FaceFix steps": "5"},
        {"FaceFix format": "4", "FaceFix steps": "many"},
    ],
)
def test_pasting_a_broken_entry_switches_faces_off_and_says_so_once(params):
    told = []
    values = [value(params) for _, value in make_fields(controls(), told.append)]

    assert values == page_args(())
    [sentence] = told
    assert sentence.startswith("FaceFix is switched off: the FaceFix entry of this infotext ")


def test_both_tabs_have_the_same_fields_so_that_send_to_finds_them():
    here, there = ([value for _, value in make_fields(controls())] for _ in range(2))
    assert here == there
    assert len(set(here + there)) == len(here)


class Restated:
    """What all hosts do with an infotext, in our own words: for runs without their sources."""

    ENTRY = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')

    def quote(self, text):
        return json.dumps(text, ensure_ascii=False) if re.search(r"[,:\n]", text) else text

    def parsed(self, text):
        entries = self.ENTRY.findall(text.strip().split("\n")[-1])
        return {key: json.loads(value) if value.startswith('"') else value for key, value in entries}

    def paste(self, text, shown):
        return [value(self.parsed(text)) for _, value in make_fields(shown)]

    api = paste


class Real:
    """The same, done by a host's own sources."""

    def __init__(self, root):
        gradio, modules = MagicMock(update=dict, skip=dict), MagicMock()
        modules.shared.opts.configure_mock(infotext_styles="Ignore", infotext_skip_pasting=[])
        self.host = modules.infotext_utils = load(root / "modules/infotext_utils.py", modules=modules, gradio=gradio)
        self.server = load(root / "modules/api/api.py", modules=modules, gradio=gradio).Api
        self.quote, self.parsed = self.host.quote, self.host.parse_generation_parameters

    def paste(self, text, shown):
        """Return the values of the controls after the button below the prompt."""
        button = MagicMock()
        self.host.connect_paste(button, make_fields(shown), None, None, "txt2img")
        pasted = button.click.call_args_list[0].kwargs["fn"]
        return [update["value"] for update in pasted(text)]  # without a value it leaves the control alone

    def api(self, text, shown):
        """Return the script's arguments that the field `infotext` of the API makes."""
        self.host.add_paste_fields("txt2img", None, make_fields(shown))
        request = SimpleNamespace(infotext=text, override_settings={}, dict=lambda **_: {}, __fields__={})
        runner, values = SimpleNamespace(inputs=[None, *shown]), {}
        self.server.apply_infotext(None, request, "txt2img", script_runner=runner, mentioned_script_args=values)
        return [values[place] for place in range(1, 1 + len(shown))]


def whole(host, entries):
    """Make the text that a host writes into a picture."""
    ours = ", ".join(f"{name}: {host.quote(quote(text))}" for name, text in entries.items())
    return (
        "a cat, (dog:1.2)\nNegative prompt: blurred\nSteps: 20, Sampler: DPM++ 2M, CFG scale: 7, Seed: 1, Size: 64x64, "
        f"Model: flux, {ours}, Face restoration: GFPGAN, Version: v1.10.1"
    )


def check_pasting(host, made):
    entries = write(made, [[a_face(prompt=one.prompt, decision="re-diffuse")] for one in made])
    text = whole(host, entries)
    params = host.parsed(text)

    assert read(select(params)) == made
    assert find(text) == entries
    assert (params["Seed"], params["Face restoration"], params["Version"]) == ("1", "GFPGAN", "v1.10.1")
    assert read_passes(host.paste(text, controls())) == made
    assert read_passes(host.api(text, controls())) == made


@pytest.mark.parametrize("prompt", HARD)
def test_every_prompt_survives_quoting_and_pasting(prompt):
    check_pasting(Restated(), (PassSettings(prompt=prompt, checkpoint=prompt), PASS))


@every_host
@pytest.mark.parametrize("prompt", HARD)
def test_every_prompt_survives_a_real_hosts_quoting_and_pasting(host, prompt):
    check_pasting(Real(host), (PassSettings(prompt=prompt, checkpoint=prompt), PASS))


@every_host
def test_every_setting_survives_a_real_hosts_pasting(host):
    real = Real(host)
    for field, known in OFFERED:
        if field.name != "active":
            check_pasting(real, (PassSettings(**{field.name: another(field.default, known)}),))


def another(default, known):
    """Return an allowed value that is not the default."""
    if type(default) is str:
        return known.choices()[-1] if known.choices else "1"
    values = (not default,) if type(default) is bool else (known.low, known.high, default + 1)
    return next(type(default)(value) for value in values if value not in (None, default))


@every_host
def test_pasting_in_a_real_host_an_infotext_without_faces_fixed_switches_them_off(host):
    real = Real(host)
    text = "a cat\nSteps: 20, Sampler: DPM++ 2M, CFG scale: 7, Seed: 1, Size: 64x64"

    assert read_passes(real.paste(text, controls())) == ()
    assert real.api(text, controls()) == page_args(())
    assert read_passes(real.paste(f"{text}, {KEY}: broken", controls())) == ()
    assert read_passes(real.paste(f"{text}, {KEY} format: broken", controls())) == ()


@every_host
def test_an_infotext_of_an_older_version_is_pasted_in_a_real_host(host):
    real = Real(host)
    entry = '{"v":3,"passes":[{"prompt":"a, \\"b\\"","steps":12,"restorer":"gfpgan"},{"method":"restore"}]}'
    text = f"a cat\nSteps: 20, Sampler: DPM++ 2M, CFG scale: 7, {KEY}: {real.quote(entry)}, Version: v1.10.1"
    made = (PassSettings(prompt='a, "b"', steps=12, restorer="gfpgan"), PassSettings(method="restore"))

    assert read_passes(real.paste(text, controls())) == made
    assert read_passes(real.api(text, controls())) == made
