"""Choices that only the host knows (samplers, schedule types, checkpoints, VAEs), and model files on disk.

Hosts are recognised by their features, never by their name.
"""

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from ...errors import BadSetting


def host_list(name: str) -> list[str]:
    """Return the current choices for a name of `Option.host` or `Option.found`."""
    return LISTS[name]()


def is_known_choice(name: str, value: str) -> bool:
    """Return whether the host accepts a value: a listed or hidden one, or an alias."""
    if name not in OTHER_NAMES:
        return value in host_list(name)
    module, names = OTHER_NAMES[name]
    return value in host_list(name) or value in getattr(import_module(module), names, ())


def check_choices(settings: Any, offered: Iterable[tuple[Any, Any]]) -> None:
    """Raise `BadSetting` for a sampler, checkpoint or the like that the host does not have.

    settings: an object with the fields. offered: the fields, each with its `Option`.
    """
    for field, known in offered:
        value = getattr(settings, field.name)
        if known.host and value and not is_known_choice(known.host, value):
            choices = ", ".join(host_list(known.host)) or "none"
            raise BadSetting(f"{known.label} {value!r} is not available. Available: {choices}")


def refresh_host_lists() -> None:
    """Have the host read its folders of checkpoints and VAEs again. Model files are read each time."""
    if _takes_modules():
        import_module("modules_forge.main_entry").refresh_models()
        return
    import_module("modules.sd_models").list_models()
    import_module("modules.sd_vae").refresh_vae_list()


def _schedulers() -> list[str]:
    try:
        known = import_module("modules.sd_schedulers").schedulers
    except ModuleNotFoundError as error:
        if error.name != "modules.sd_schedulers":
            raise
        return []  # in older hosts, the schedule is part of the sampler
    return [scheduler.label for scheduler in known]


def _checkpoints() -> list[str]:
    """Return file names, without the hashes in the host's titles."""
    return [known.name for known in import_module("modules.sd_models").checkpoints_list.values()]


def _vaes() -> list[str]:
    if _takes_modules():
        return [*import_module("modules_forge.main_entry").module_list]
    return ["Automatic", "None", *import_module("modules.sd_vae").vae_dict]


def _detectors() -> list[str]:
    """Return the names of model files, quoted for expressions. Reads folders."""
    from ...models.yolo_files import yolo_files
    from ...settings.detector_expression import quote_name
    from .engine import find_model_paths

    return [quote_name(path.name) for path in yolo_files(find_model_paths())]


def _restorers() -> list[str]:
    """Return the names of the user's own restorers. Reads folders."""
    from ...models.restorer_files import list_restorer_files
    from .engine import find_model_paths

    return [path.name for path in list_restorer_files(find_model_paths())]


def _missing_restorers() -> list[str]:
    """Return the names of restorers that are not installed. Reads folders."""
    from ...models.variants import choose_variant, is_here
    from ...registry import RESTORERS
    from ...weights import find_record
    from .engine import find_model_paths

    paths = find_model_paths()
    known = [choose_variant(info, paths) for info in RESTORERS if info.weights_name]
    return [info.name for info in known if not is_here(find_record(info.weights_name), paths)]


def _takes_modules() -> bool:
    """Return whether the host loads VAEs among the modules beside a checkpoint."""
    return "forge_additional_modules" in import_module("modules.shared").opts.data_labels


LISTS: dict[str, Callable[[], list[str]]] = {
    "samplers": lambda: list(import_module("modules.sd_samplers").visible_sampler_names()),
    "schedulers": _schedulers,
    "checkpoints": _checkpoints,
    "vaes": _vaes,
    "detectors": _detectors,
    "restorers": _restorers,
    "missing restorers": _missing_restorers,
}
"""Functions that return a list, by the names of `Option.host` and `Option.found`."""
FROM_DISK = ("checkpoints", "vaes")
"""Names of the lists that `refresh_host_lists` can change."""
OTHER_NAMES = {
    "samplers": ("modules.sd_samplers", "all_samplers_map"),
    "checkpoints": ("modules.sd_models", "checkpoint_aliases"),
}
"""Modules and attributes with unlisted names: hidden samplers; titles and hashes of checkpoints."""
