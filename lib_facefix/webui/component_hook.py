"""One hook for all components of the host that FaceFix puts something beside, or reads."""

from collections.abc import Callable
from typing import Any

from .compare.slider import CompareHook
from .detection.panel import GalleryHook
from .extras.script import INFOTEXT_ID, add_slider


class ComponentHook:
    """The callback for `on_after_component`. The host calls it for over 1,000 components, so most cost one look-up."""

    def __init__(self) -> None:
        self._hooks: dict[str | None, list[Callable[..., None]]] = {}
        hooks = (
            (CompareHook(), CompareHook.WATCHED),
            (GalleryHook(), GalleryHook.WATCHED),
            (add_slider, (INFOTEXT_ID,)),
        )
        for hook, watched in hooks:
            for elem_id in watched:
                self._hooks.setdefault(elem_id, []).append(hook)

    def __call__(self, component: Any, elem_id: str | None = None, **_: Any) -> None:
        """Handle a component that was just made."""
        for hook in self._hooks.get(elem_id, ()):
            hook(component, elem_id)
