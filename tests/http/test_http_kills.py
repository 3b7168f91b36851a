"""A server that is killed at random moments, again and again. `python -m benchmarks.serve_kills` does it more often."""

import pytest

from benchmarks.serve_kills import Failed, Trial, measure_kills


def test_folder_jobs_survive_three_kills(tmp_path):
    trial = measure_kills(tmp_path, images=60, kills=3, seed=3)
    assert len(trial.seen) == 60 * len(trial.jobs)


def test_the_check_sees_what_is_wrong(tmp_path):
    trial = Trial(tmp_path, {"a.png": b"right"}, {"job": "new"})
    path = tmp_path / "new" / "a.png"
    path.parent.mkdir()
    path.write_bytes(b"right")
    assert trial.check() == 1
    path.unlink()
    path.write_bytes(b"right")
    with pytest.raises(Failed, match="was written twice"):
        trial.check()
    path.write_bytes(b"rig")
    with pytest.raises(Failed, match="not what an undisturbed run writes"):
        trial.check()
