"""Every name of a host's that we use is there, and takes what we pass: read from sources, nothing is started.

FACEFIX_HOSTS names the folders of WebUIs to look at, parted as PATH is.
"""

import os
from pathlib import Path

import pytest
from host_sources import Host
from own_sources import uses

import lib_facefix

TOP = Path(lib_facefix.__file__).parent.parent
FILES = sorted(
    path
    for pattern in ("lib_facefix/webui/**/*.py", "scripts/*.py", "preload.py", "install.py")
    for path in TOP.glob(pattern)
)
USES = [use for path in FILES for use in uses(path.read_text("utf-8"), path.relative_to(TOP).as_posix())]


def has(text):
    """Make a test for hosts in whose sources the text stands."""
    return lambda host: host.says(text)


def lacks(text):
    return lambda host: not host.says(text)


def nowhere(host):
    """Stand for a test that our code itself makes of the very name."""
    return False


RELOADED = "where there is no forge_model_reload"
CIRCULAR = "where there is no apply_circular_forge"
MODULES = "as the option forge_additional_modules says"
ON_UI = "as the model has get_prompt_lengths_on_ui, or not"
USED_ONLY_WHERE = {
    "modules.processing.apply_circular_forge": (nowhere, "host._settle asks for it"),
    "modules.sd_models.forge_model_reload": (nowhere, "host._settle asks for it"),
    "modules.sd_models.reload_model_weights": (lacks("def forge_model_reload"), RELOADED),
    "modules.sd_models.apply_token_merging": (lacks("apply_circular_forge"), CIRCULAR),
    "modules.sd_vae.reload_vae_weights": (lacks("def forge_model_reload"), RELOADED),
    "modules.sd_hijack.model_hijack.apply_circular": (lacks("apply_circular_forge"), CIRCULAR),
    "modules.shared.sd_model.cond_stage_model": (nowhere, "host._padded_length asks whether it is wanted"),
    "modules.sd_hijack.model_hijack.get_prompt_lengths": (lacks("get_prompt_lengths_on_ui"), ON_UI),
    "modules.sd_hijack.model_hijack": (lacks("get_prompt_lengths_on_ui"), ON_UI),
    "modules.shared.sd_model.get_prompt_lengths_on_ui": (has("get_prompt_lengths_on_ui"), ON_UI),
    "backend": (nowhere, "references.find_marks asks for it"),
    "modules_forge.main_entry": (has("forge_additional_modules"), MODULES),
    "modules.sd_schedulers": (nowhere, "lists asks for the module"),
}
"""Names that some hosts lack, or take other arguments for: in which hosts we use them, and how we tell."""


def hosts():
    folders = [Path(folder) for folder in os.environ.get("FACEFIX_HOSTS", "").split(os.pathsep) if folder]
    missing = pytest.mark.skip(reason="set FACEFIX_HOSTS to folders of WebUIs")
    found = [pytest.param(Host(folder), id=folder.name) for folder in folders]
    return found or [pytest.param(None, id="no host", marks=missing)]


def is_used(use, host):
    names = [name for name in USED_ONLY_WHERE if f"{use.name}.".startswith(f"{name}.")]
    return not names or USED_ONLY_WHERE[max(names, key=len)][0](host)


@pytest.mark.parametrize("host", hosts())
def test_the_host_has_what_we_use_and_takes_what_we_pass(host):
    complaints = [said for use in USES for said in use.complaints(host) if is_used(use, host)]
    assert not complaints, "\n".join(complaints)


def test_our_use_of_hosts_is_seen():
    assert len({use.name for use in USES}) > 20
    assert any(use.call for use in USES)
    assert any(use.override for use in USES)


def test_no_exception_is_made_for_what_we_do_not_use():
    used = {f"{use.name}." for use in USES}
    assert [name for name in USED_ONLY_WHERE if not any(one.startswith(f"{name}.") for one in used)] == []
