"""The waiting line."""

import threading

import pytest

from lib_facefix.errors import BadSetting, Stopped
from lib_facefix.server.errors import Refusal
from lib_facefix.server.job import Answer, Job
from lib_facefix.server.job_queue import JobQueue

PATIENCE = 10


def answering(name, picture=b""):
    return lambda _: Answer({"name": name}, picture)


def failing(error):
    def do(_):
        raise error

    return do


def refused(call):
    with pytest.raises(Refusal) as refusal:
        call()
    return refusal.value


@pytest.fixture
def held(gate):
    """Return work that begins, says so, and waits at the gate."""
    begun = threading.Event()

    def do(progress):
        progress.step(0, 3, "waiting at the gate")
        begun.set()
        assert gate.wait(PATIENCE)
        if progress.should_stop():
            raise Stopped("stopped in the middle")
        return Answer({"name": "held"})

    do.begun = begun
    return do


def test_work_is_done_in_the_order_it_came_and_one_at_a_time(gate, held):
    line = JobQueue(9, 1000)
    first = line.add(held, 0, keep=True)
    assert held.begun.wait(PATIENCE)
    order = []
    others = [line.add(lambda _, n=n: order.append(n) or Answer({}), 0, keep=False) for n in range(3)]
    assert [job.state for job in (first, *others)] == ["running", "waiting", "waiting", "waiting"]
    assert (first.done, first.total, first.doing) == (0, 3, "waiting at the gate")
    gate.set()
    for job in others:
        job.future.result(PATIENCE)
    assert order == [0, 1, 2]
    assert line.find(first.id).answer.report == {"name": "held"}


def test_two_at_a_time_and_one_folder_job(gate):
    line, begun, running, most = JobQueue(9, 1000, 2), threading.Semaphore(0), [], []

    def work(job):
        running.append(job)
        most.append((len(running), sum(one.alone for one in running)))
        begun.release()
        assert gate.wait(PATIENCE)
        running.remove(job)
        return Answer({"name": job.kind})

    jobs = [line.enter(Job(work, 0, str(n), alone=n < 3), keep=False) for n in range(5)]
    for _ in range(2):
        assert begun.acquire(timeout=PATIENCE)
    assert [job.state for job in jobs] == ["running", "waiting", "waiting", "running", "waiting"]
    assert (line.load.running, line.load.waiting) == (2, 3)
    gate.set()
    assert [job.future.result(PATIENCE).report["name"] for job in jobs] == ["0", "1", "2", "3", "4"]
    assert (max(number for number, _ in most), max(alone for _, alone in most)) == (2, 1)
    assert line.end()


def test_all_running_jobs_are_asked_to_stop(gate, held):
    line = JobQueue(9, 1000, 3)
    jobs = [line.add(held, 0, keep=False) for _ in range(3)]
    while line.load.running < 3:
        assert held.begun.wait(PATIENCE)
    line.close()
    assert all(job.should_stop() for job in jobs)
    gate.set()
    assert line.end()
    assert [job.state for job in jobs] == ["stopped"] * 3


def test_what_finds_no_place_is_refused_and_may_come_again(gate, held):
    line = JobQueue(2, 1000)
    line.add(held, 0, keep=False)
    assert held.begun.wait(PATIENCE)
    waiting = [line.add(answering(n), 0, keep=False) for n in "ab"]
    refusal = refused(lambda: line.add(answering("c"), 0, keep=False))
    assert (refusal.status, refusal.headers) == (503, {"Retry-After": "5"})
    gate.set()
    assert [job.future.result(PATIENCE).report["name"] for job in waiting] == ["a", "b"]
    assert line.add(answering("c"), 0, keep=False).future.result(PATIENCE).report == {"name": "c"}


def test_bytes_that_wait_are_counted_and_given_back():
    line = JobQueue(9, 100)
    upload = line.room.begin()
    upload.grow(90)
    assert refused(lambda: line.room.begin().grow(101)).status == 503
    line.add(answering("a"), upload.hand_over(), keep=False).future.result(PATIENCE)
    for _ in range(1000):  # the line frees them after it has told the answer
        try:
            line.room.begin().grow(100)
        except Refusal:
            threading.Event().wait(0.01)
        else:
            break
    else:
        pytest.fail("the bytes were never given back")


def test_what_fails_is_told_and_the_next_has_its_turn(caplog):
    line = JobQueue(9, 1000)
    wrong = line.add(failing(BadSetting("this is wrong")), 0, keep=True)
    odd = line.add(failing(ZeroDivisionError("odd")), 0, keep=True)
    right = line.add(answering("right"), 0, keep=True)
    assert right.future.result(PATIENCE).report == {"name": "right"}
    assert [(job.state, job.refusal.status) for job in (wrong, odd)] == [("failed", 422), ("failed", 500)]
    assert "unexpected error" in caplog.text
    assert right.state == "done"


def test_what_is_stopped_before_its_turn_is_not_begun(gate, held):
    line = JobQueue(9, 1000)
    first = line.add(held, 0, keep=True)
    assert held.begun.wait(PATIENCE)
    second = line.add(failing(AssertionError("it was begun")), 0, keep=True)
    second.stop()
    first.stop()
    gate.set()
    assert isinstance(second.future.exception(PATIENCE), Refusal)
    assert [first.state, second.state] == ["stopped", "stopped"]


def test_an_unknown_job_is_told_of():
    assert refused(lambda: JobQueue(1, 1).find("x")).status == 404


@pytest.mark.parametrize(("most", "most_bytes"), [(2, 10**9), (100, 70_000)], ids=["by number", "by weight"])
def test_old_results_are_forgotten(most, most_bytes):
    line = JobQueue(most, most_bytes)
    jobs = []
    for n in range(4):
        jobs.append(line.add(answering(n, bytes(30_000)), 0, keep=True))
        jobs[-1].future.result(PATIENCE)
    assert refused(lambda: line.find(jobs[0].id)).status == 404
    assert line.find(jobs[-1].id).answer.report == {"name": 3}


def test_a_large_or_old_upload_is_cut_off_for_one_that_is_smaller(monkeypatch):
    room = JobQueue(9, 100).room
    large, small, other = (room.begin() for _ in range(3))
    large.grow(60)
    small.grow(30)
    other.grow(20)
    assert (large.cut, small.cut, other.cut) == (True, False, False)
    assert refused(lambda: large.grow(1)).status == 503
    assert refused(large.hand_over).status == 503
    assert refused(lambda: room.begin().grow(80)).status == 503  # both are smaller, and have just begun
    monkeypatch.setattr("lib_facefix.server.room.YOUNG", -1.0)
    room.begin().grow(80)
    assert small.cut
    assert not other.cut


def test_room_that_queued_work_holds_is_taken_from_nobody():
    room = JobQueue(9, 100).room
    queued = room.begin()
    queued.grow(90)
    size = queued.hand_over()
    assert refused(lambda: room.begin().grow(20)).status == 503
    room.free(size)
    room.begin().grow(100)


def test_a_queue_that_closes_refuses_what_waits_and_stops_what_is_done(gate, held, monkeypatch):
    monkeypatch.setattr("lib_facefix.server.job_queue.GRACE", 0.1)
    line = JobQueue(9, 1000)
    running = line.add(held, 0, keep=False)
    assert held.begun.wait(PATIENCE)
    waiting = [line.add(answering(n), 0, keep=False) for n in range(3)]
    line.close()
    assert [job.future.exception(0).status for job in waiting] == [503] * 3
    assert running.should_stop()
    assert running.future.exception(PATIENCE).status == 503  # though it has not ended yet
    assert refused(lambda: line.add(answering("late"), 0, keep=False)).status == 503
    gate.set()
    assert line.end()
