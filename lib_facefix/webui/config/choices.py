"""The names that a host offers to choose from: samplers, schedulers, checkpoints, VAEs; and model files that are found.

Hosts are told apart by what they have, never by their name.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from ...models.yolo_files import yolo_files
from ...settings.detector_expression import quote_name


def host_list(name: str) -> list[str]:
    """Return one of the host's lists, as the host knows it now, or of what is found: `Option.host`, `Option.found`."""
    return LISTS[name]()


def is_known_choice(name: str, value: str) -> bool:
    """Return whether a host takes a value, be it hidden in its list or another name of what is listed."""
    if name not in OTHER_NAMES:
        return value in host_list(name)
    module, names = OTHER_NAMES[name]
    return value in host_list(name) or value in getattr(import_module(module), names, ())


def refresh_host_lists() -> None:
    """Let the host look for checkpoints and VAEs again; model files are looked for anew each time.

    This reads folders.
    """
    if _takes_modules():
        import_module("modules_forge.main_entry").refresh_models()
        return
    import_module("modules.sd_models").list_models()
    import_module("modules.sd_vae").refresh_vae_list()


def _samplers() -> list[str]:
    return list(import_module("modules.sd_samplers").visible_sampler_names())


def _schedulers() -> list[str]:
    try:
        known = import_module("modules.sd_schedulers").schedulers
    except ModuleNotFoundError as error:
        if error.name != "modules.sd_schedulers":
            raise
        return []  # there the schedule is part of the sampler
    return [scheduler.label for scheduler in known]


def _checkpoints() -> list[str]:
    """Return file names, without the hashes that a host adds to the titles once it knows them."""
    return [known.name for known in import_module("modules.sd_models").checkpoints_list.values()]


def _vaes() -> list[str]:
    if _takes_modules():
        return [*import_module("modules_forge.main_entry").module_list]
    return ["Automatic", "None", *import_module("modules.sd_vae").vae_dict]


def _detectors() -> list[str]:
    """Return the model files that are found, as an expression names them. This reads folders."""
    from .engine import get_engine

    return [quote_name(path.name) for path in yolo_files(get_engine().models.paths)]


def _takes_modules() -> bool:
    """Tell a host where VAEs are among the modules that are loaded beside a checkpoint."""
    return "forge_additional_modules" in import_module("modules.shared").opts.data_labels


LISTS: dict[str, Callable[[], list[str]]] = {
    "samplers": _samplers,
    "schedulers": _schedulers,
    "checkpoints": _checkpoints,
    "vaes": _vaes,
    "detectors": _detectors,
}
"""By the names that `Option.host` and `Option.found` use."""
FROM_DISK = ("checkpoints", "vaes")
"""Those that `refresh` may change."""
OTHER_NAMES = {
    "samplers": ("modules.sd_samplers", "all_samplers_map"),
    "checkpoints": ("modules.sd_models", "checkpoint_aliases"),
}
"""Where a host keeps more names than it lists: samplers hidden in the settings; titles and hashes of checkpoints."""
