"""What the console says about the restorer "auto": once, and again only if it stands for another one."""

from functools import lru_cache

from ...models.restorer_choice import RestorerChoice
from ...registry import RESTORERS


@lru_cache(maxsize=1)  # it speaks only when the choice changes
def tell_choice(chosen: RestorerChoice) -> None:
    """Print the restorer that auto stands for, and how to get a better one than the built-in."""
    print(f"FaceFix: {explain_choice(chosen)}")  # noqa: T201 the host's own restorers use the console


def explain_choice(chosen: RestorerChoice) -> str:
    """Return the restorer that auto stands for, and how to get a better one in a WebUI, as a sentence."""
    if not chosen.advice:
        return f"auto stands for {chosen.label}, the best restorer that is installed and that you may use."
    if chosen.obstacle == "licence":
        label = RESTORERS.label(chosen.blocked)
        return f"{label} is here, but auto may not use it. Settings > FaceFix > Accepted licences changes that."
    if chosen.obstacle == "file":
        return f"{chosen.advice}."
    return (
        "auto uses the built-in restorer. Copy the file of a better one, such as RestoreFormer++.ckpt, into the "
        "WebUI's folder models/facefix."
    )
