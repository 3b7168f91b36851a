"""The maskers of the setting `mask`, with the networks that they need."""

from ..maskers.combined import Combined
from ..protocols import Masker
from ..registry import MASKERS, Registry
from ..settings.mask_expression import Area, BinaryOp, mask_terms, parse_mask
from ..settings.treatment import Treatment
from .store import ModelStore


def load_masker(store: ModelStore, area: Area, treatment: Treatment) -> Masker:
    """Load and return the masker of an area, such as all of a treatment's mask, with the treatment's networks.

    Raises a `FaceFixError` if a model is missing.
    """
    if isinstance(area, BinaryOp):
        parts = (load_masker(store, part, treatment) for part in (area.first, area.second))
        return Combined(next(parts), area.sign, next(parts))
    if needed := store.mask_network(area, treatment):
        network = store.load(*needed)
        return MASKERS[area.name].load()(network, *([area.classes] if area.classes else []))
    return store.load(MASKERS, area.name)


def list_mask_networks(store: ModelStore, treatment: Treatment) -> list[tuple[Registry[object], str]]:
    """Return registry and name of all networks that the treatment's mask needs."""
    needed = (store.mask_network(part, treatment) for part in mask_terms(parse_mask(treatment.mask)))
    return [network for network in needed if network]
