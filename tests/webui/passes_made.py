"""Passes with any values of their settings, controls for them, and faces that they were done to."""

import hypothesis.strategies as st

from lib_facefix.planning.plan import FaceJob, Outcome
from lib_facefix.settings.treatment import Treatment
from lib_facefix.types import Box, Face, Pose
from lib_facefix.webui.passes.settings import OFFERED, SETTING_TYPES, PassSettings, page_args

BOUNDS = {
    field.name: (known.low, 2000 if known.high is None else known.high)
    for field, known in OFFERED
    if SETTING_TYPES[field.name] in (int, float)
}
TOGETHER = {"max_size": 0, "max_share": 1.0, "max_age": 0}
"""Settings that would have to suit others."""


def _numbers(name):
    low, high = BOUNDS[name]
    if SETTING_TYPES[name] is int:
        return st.integers(int(low), int(high))
    return st.floats(low, high, allow_subnormal=False)


def _values(field, known):
    if SETTING_TYPES[field.name] is bool:
        return st.booleans()
    if known.choices:
        return st.sampled_from(known.choices())
    if field.name in BOUNDS:
        return _numbers(field.name)
    if field.name == "faces":
        return st.sampled_from(["", "2", "1,3-4"])
    return st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")).map(
        lambda text: text.replace("[", "(")
    )  # no grammar of prompts


@st.composite
def passes(draw, *, active=True):
    """Return a pass of which some settings are not at their defaults."""
    chosen = draw(st.sets(st.sampled_from([field.name for field, _ in OFFERED])))
    drawn = {field.name: draw(_values(field, known)) for field, known in OFFERED if field.name in chosen}
    return PassSettings(**{**drawn, **TOGETHER, "active": active})


class Control:
    """A component, as far as pasting looks at it."""

    def __init__(self, value):
        self.value = value


def controls():
    """Return those of a page, as it starts: the tick box, and the text of the passes."""
    return [Control(value) for value in page_args(())]


def a_face(number=1, *, decision="restore", verdict="fixed", error=None, reason="chosen by you", **treatment):
    """Return what became of one face."""
    box = Box(10.4, 20.6, 110.5, 140.0)
    job = FaceJob(number, Face(box, 0.9), decision, reason, Treatment(**treatment), Pose(0, 0, 0), 0.2)
    return Outcome(job, verdict, error)
