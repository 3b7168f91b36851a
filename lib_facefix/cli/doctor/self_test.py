"""A short test: find the faces of the bundled photo, restore one, and check that all other pixels stay the same."""

import threading
import time
from pathlib import Path
from typing import Any

from .problems import Problem

PHOTO = Path(__file__).resolve().parents[2] / "server" / "page" / "example.jpg"
FACES = 5
"""Number of faces in the photo."""
LIMIT = 120.0
"""Longest time for the test, in seconds; a slow computer needs about 5."""


def run_self_test(problems: list[Problem], photo: Path = PHOTO, limit: float = LIMIT) -> dict[str, Any]:
    """Return the outcome of the test. It writes no file. problems: receives what failed.

    limit: longest time, in seconds. A test that takes longer is left behind in its thread.
    """
    outcome: dict[str, Any] = {"passed": False, "photo": photo.name}
    begun = time.perf_counter()
    thread = threading.Thread(target=_try_work, args=(outcome, photo), daemon=True)
    thread.start()
    thread.join(limit)
    outcome = {**outcome, "seconds": round(time.perf_counter() - begun, 2)}
    reason = f"it did not finish within {limit:g} s" if thread.is_alive() else outcome.get("error", "")
    if reason:
        todo = "Solve the other problems first. If the test still fails, install FaceFix again, or report this problem."
        problems.append(Problem("error", f"The self-test failed: {reason}.", todo))
        return {**outcome, "passed": False, "error": reason}
    return outcome


def _try_work(outcome: dict[str, Any], photo: Path) -> None:
    try:
        outcome.update(_restore_one_face(photo))
    except Exception as error:  # noqa: BLE001 a broken installation may raise anything, and is reported
        outcome["error"] = f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(".")


def _restore_one_face(photo: Path) -> dict[str, Any]:
    from ...facefix import FaceFix  # here, as a required package may be missing
    from ...pictures import read_picture
    from ...settings.face_settings import FaceSettings

    image = read_picture(photo).image
    engine = FaceFix()
    plan = engine.plan(image, FaceSettings(method="restore", restorer="lite", at_most=1))
    [result] = engine.run([image], [plan], keep_masks=True)
    fixed = [one for one in result.outcomes if one.verdict == "fixed"]
    done: dict[str, Any] = {"faces": len(plan.jobs), "restored": len(fixed)}
    if len(plan.jobs) != FACES:
        return {**done, "error": f"{len(plan.jobs)} faces were found instead of {FACES}"}
    if failed := [str(one.error) for one in result.outcomes if one.error]:
        return {**done, "error": f"a face was not restored ({failed[0]})"}
    changed = (result.image != image).any(axis=2)
    done["engine"] = fixed[0].engine if fixed else ""
    done["changed_pixels"], done["changed_outside"] = int(changed.sum()), int(changed[result.mask == 0].sum())
    if done["changed_outside"]:
        return {**done, "error": f"pixels outside the face have changed ({done['changed_outside']})"}
    if not done["changed_pixels"]:
        return {**done, "error": "the restorer changed no pixel"}
    return {**done, "passed": True}
