"""Chooses the judge of a face's identity. The guard itself is imported only if a face needs it."""

from ..models.store import ModelStore
from ..protocols import Judge
from ..registry import EMBEDDINGS
from ..settings.treatment import Treatment


def load_judge(store: ModelStore, treatment: Treatment) -> Judge | None:
    """Return the judge that a treatment asks for, None if its guard is off; raises `BadModel`."""
    if treatment.guard == "off":
        return None
    from .identity_guard import make_guard

    return make_guard(store.load(EMBEDDINGS, treatment.guard_model), treatment.guard_model)
