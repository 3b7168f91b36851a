"""Names of images that Ray cannot read: they fail with a sentence, and are not lost."""

import os
from pathlib import Path

import pytest

from lib_facefix.batch.overlap import Job
from lib_facefix.batch.ray_runner import _refuse_name

FINE = ["/album/a.jpg", "/album/# 8 100%.jpg", "/album/a?b=c.jpg", "s3://bucket/scans/a.jpg", "s3://bucket/a #1;b.jpg"]
LOST = ["/album/line\nbreak.jpg", "/album/a\tb.jpg", "/album/a;b.jpg", "/album/really?"]


def refuse(name):
    told = []
    assert _refuse_name(Job(Path(name), Path("/out/a.jpg")), told.append) == bool(told)
    return [done.record["error"] for done in told]


@pytest.mark.parametrize("name", FINE)
def test_a_name_that_ray_reads_as_it_is_goes_on(name):
    assert refuse(name) == []


@pytest.mark.parametrize("name", LOST)
def test_a_name_of_which_ray_loses_a_part_fails_with_a_sentence(name):
    [error] = refuse(name)
    assert error.endswith("Ray cannot read a file of this name. Rename it, or run without --ray")


def test_a_name_that_is_not_utf_8_fails_with_a_sentence():
    [error] = refuse(os.fsdecode(b"/album/caf\xe9.jpg"))
    assert "the name is not valid UTF-8, as Ray needs it" in error
