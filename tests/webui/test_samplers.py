"""Old names of samplers, which hosts with schedule types read as a sampler and a schedule type."""

from types import SimpleNamespace

import pytest
from host_loading import every_host, load

from lib_facefix.webui.config import choices
from lib_facefix.webui.passes import samplers
from lib_facefix.webui.passes.infotext import make_fields, write
from lib_facefix.webui.passes.settings import PassSettings, read_passes

SCHEDULERS = [
    SimpleNamespace(name="automatic", label="Automatic", aliases=None),
    SimpleNamespace(name="karras", label="Karras", aliases=None),
    SimpleNamespace(name="sgm_uniform", label="SGM Uniform", aliases=["SGMUniform"]),
]
SAMPLERS = [
    SimpleNamespace(name="DPM++ 2M", options={"scheduler": "karras"}),
    SimpleNamespace(name="Euler", options={}),
]
KNOWN = {sampler.name: sampler for sampler in SAMPLERS}


def has(monkeypatch, module):
    """Let the host have this module of samplers."""
    monkeypatch.setattr(samplers, "import_module", lambda _: module)
    monkeypatch.setattr(choices, "import_module", lambda _: module)


@pytest.fixture
def host(request, monkeypatch):
    """A host's own function, over few samplers and schedule types."""
    schedulers = SimpleNamespace(schedulers=SCHEDULERS, schedulers_map={s.label: s for s in SCHEDULERS})
    modules = SimpleNamespace(
        sd_schedulers=schedulers,
        sd_samplers_kdiffusion=SimpleNamespace(samplers_data_k_diffusion=SAMPLERS),
        sd_samplers_timesteps=SimpleNamespace(samplers_data_timesteps=[]),
        sd_samplers_lcm=SimpleNamespace(samplers_data_lcm=[]),
    )
    module = load(request.param / "modules/sd_samplers.py")
    names = module.get_sampler_and_scheduler.__wrapped__.__globals__
    names |= {"sd_schedulers": modules.sd_schedulers, "all_samplers_map": KNOWN, "samplers": SAMPLERS}
    module.all_samplers_map, module.visible_sampler_names = KNOWN, lambda: list(KNOWN)
    has(monkeypatch, module)


@pytest.mark.parametrize("host", every_host.mark.args[1], indirect=True)
@pytest.mark.parametrize(
    ("old", "scheduler", "new"),
    [
        pytest.param("DPM++ 2M Karras", "", ("DPM++ 2M", "Automatic"), id="the sampler's own schedule type"),
        pytest.param("Euler Karras", "", ("Euler", "Karras"), id="another schedule type"),
        pytest.param("Euler SGMUniform", "", ("Euler", "SGM Uniform"), id="an alias"),
        pytest.param("Euler Karras", "Automatic", ("Euler", "Karras"), id="the name goes first"),
        pytest.param("Euler", "Karras", ("Euler", "Karras"), id="a name of today"),
        pytest.param("Nope Karras", "", ("Nope Karras", ""), id="an unknown sampler"),
        pytest.param("Nope", "Karras", ("Nope", "Karras"), id="an unknown name"),
        pytest.param("", "", ("", ""), id="blank"),
    ],
)
@pytest.mark.usefixtures("host")
def test_old_names_mean_what_the_host_itself_reads_in_them(old, scheduler, new):
    [one] = samplers.rename_samplers([PassSettings(sampler=old, scheduler=scheduler, steps=5)])
    assert (one.sampler, one.scheduler, one.steps) == (*new, 5)


@pytest.mark.parametrize("host", every_host.mark.args[1], indirect=True)
@pytest.mark.usefixtures("host")
def test_pasting_an_old_name_sets_both_controls():
    from passes_made import controls

    pasted = make_fields(controls(), adapt=samplers.rename_sampler)
    entries = write((PassSettings(sampler="Euler Karras"),))
    assert read_passes([value(entries) for _, value in pasted]) == (PassSettings(sampler="Euler", scheduler="Karras"),)


def test_a_host_without_schedule_types_has_such_names_itself(monkeypatch):
    has(monkeypatch, SimpleNamespace(visible_sampler_names=lambda: ["Euler"], all_samplers_map={}))
    one = PassSettings(sampler="DPM++ 2M Karras")
    assert samplers.rename_sampler(one) == one
