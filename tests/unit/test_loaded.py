import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib_facefix.errors import BadModel
from lib_facefix.models.lru_cache import ModelCache, file_version


@pytest.fixture
def made():
    return []


@pytest.fixture
def maker(made):
    def make(name):
        def work():
            made.append(name)
            return [name]

        return work

    return make


def test_a_model_is_made_once_and_then_handed_out(maker, made):
    loaded = ModelCache()
    assert loaded.get("nets", "a", maker("a")) is loaded.get("nets", "a", maker("a"))
    assert made == ["a"]


def test_beyond_the_limit_the_least_recently_used_one_makes_room(maker, made):
    loaded = ModelCache({"nets": 2})
    for name in "abacb":  # at c, b was used longest ago
        loaded.get("nets", name, maker(name))
    assert made == ["a", "b", "c", "b"]
    loaded.get("nets", "c", maker("c"))
    assert made == ["a", "b", "c", "b"]


def test_room_is_made_before_the_next_one_is_loaded():
    loaded, alive = ModelCache({"nets": 1}), []

    class Model:
        def __init__(self):
            alive.append(len(loaded._kept["nets"]))

    for name in "ab":
        loaded.get("nets", name, Model)
    assert alive == [0, 0]


def test_without_a_limit_all_stay(maker, made):
    loaded = ModelCache()
    for name in "abcdefabcdef":
        loaded.get("nets", name, maker(name))
    assert made == list("abcdef")


def test_each_group_has_a_limit_of_its_own(maker, made):
    loaded = ModelCache({"nets": 1})
    for group in ("nets", "small", "nets"):
        for name in "ab":
            loaded.get(group, name, maker(group + name))
    assert made == ["netsa", "netsb", "smalla", "smallb", "netsa", "netsb"]


def ask_at_once(threads, count, ask):
    """Call `ask` in so many threads, and wait until all of them run; return what each will answer."""
    start = threading.Barrier(count + 1)
    answers = [threads.submit(lambda: (start.wait(), ask())[1]) for _ in range(count)]
    start.wait()
    return answers


@pytest.mark.parametrize("limit", [1, None])
def test_eight_threads_get_the_same_model_made_once(limit, made):
    loaded, go_on = ModelCache({"nets": limit} if limit else None), threading.Event()

    def make():
        assert go_on.wait(60)
        made.append("a")
        return object()

    with ThreadPoolExecutor(8) as threads:
        answers = ask_at_once(threads, 8, lambda: loaded.get("nets", "a", make))
        loaded.get("nets", "b", object)  # is not held up
        go_on.set()
        models = {answer.result() for answer in answers}
    assert (len(models), made) == (1, ["a"])


def test_models_of_two_keys_load_at_the_same_time():
    loaded, both = ModelCache({"nets": 2}), threading.Barrier(2)

    def make():
        both.wait(60)  # passes once both are being made; else it is broken
        return object()

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda key: loaded.get("nets", key, make), "ab")
    assert first is loaded.get("nets", "a", make)
    assert second is loaded.get("nets", "b", make)


def test_a_model_that_is_loaded_is_handed_out_while_another_loads(maker, made):
    loaded, started, go_on = ModelCache({"nets": 2}), threading.Event(), threading.Event()
    first = loaded.get("nets", "a", maker("a"))

    def make():
        started.set()
        assert go_on.wait(60)
        return object()

    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(loaded.get, "nets", "b", make)
        assert started.wait(60)
        assert loaded.get("nets", "a", maker("a")) is first
        go_on.set()
        slow.result()
    assert made == ["a"]


def test_those_who_wait_for_a_load_that_fails_try_it_themselves(made):
    loaded, started, go_on = ModelCache(), threading.Event(), threading.Event()

    def fail_once():
        made.append("a")
        if len(made) == 1:
            started.set()
            assert go_on.wait(60)
            raise BadModel("broken")
        return object()

    with ThreadPoolExecutor(2) as threads:
        failing = threads.submit(loaded.get, "nets", "a", fail_once)
        assert started.wait(60)
        waiting = threads.submit(loaded.get, "nets", "a", fail_once)
        go_on.set()
        with pytest.raises(BadModel, match="broken"):
            failing.result()
        assert waiting.result() is loaded.get("nets", "a", fail_once)
    assert made == ["a", "a"]


def test_what_is_loading_while_all_is_let_go_is_not_kept(maker, made):
    loaded, started, go_on = ModelCache(), threading.Event(), threading.Event()

    def make():
        started.set()
        assert go_on.wait(60)
        return ["early"]

    with ThreadPoolExecutor(1) as threads:
        early = threads.submit(loaded.get, "nets", "a", make)
        assert started.wait(60)
        loaded.clear()
        assert loaded.get("nets", "a", maker("late")) == ["late"]
        go_on.set()
        assert early.result() == ["early"]
    assert loaded.get("nets", "a", maker("again")) == ["late"]


def test_what_failed_to_load_is_tried_again(maker, made):
    loaded = ModelCache({"nets": 2})

    def fail():
        raise BadModel("broken")

    with pytest.raises(BadModel, match="broken"):
        loaded.get("nets", "a", fail)
    assert loaded.get("nets", "a", maker("a")) == ["a"]


def test_a_failure_in_one_thread_does_not_lock_the_others_out(maker):
    loaded = ModelCache()

    def fail():
        raise BadModel("broken")

    def ask(_):
        with pytest.raises(BadModel):
            loaded.get("nets", "a", fail)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(ask, range(4)))
    assert loaded.get("nets", "a", maker("a")) == ["a"]


def test_one_model_may_load_another_while_it_is_made(maker):
    loaded = ModelCache()
    assert loaded.get("nets", "a", lambda: loaded.get("nets", "b", maker("b"))) is loaded.get("nets", "b", maker("b"))


def test_clearing_lets_all_go(maker, made):
    loaded = ModelCache()
    held = loaded.get("nets", "a", maker("a"))
    loaded.clear()
    assert loaded.get("nets", "a", maker("a")) is not held
    assert made == ["a", "a"]


def test_a_changed_file_has_another_version_and_the_same_file_by_another_way_has_not(tmp_path):
    path = tmp_path / "net.pth"
    path.write_bytes(b"one")
    first = file_version(path)
    assert file_version(tmp_path / "." / "net.pth") == first
    path.write_bytes(b"two, longer")
    longer = file_version(path)
    os.utime(path, ns=(1, 1))
    assert len({first, longer, file_version(path)}) == 3


def test_a_link_has_the_version_of_its_file(tmp_path):
    (tmp_path / "net.pth").write_bytes(b"one")
    try:
        (tmp_path / "link.pth").symlink_to(tmp_path / "net.pth")
    except OSError:
        pytest.skip("no links here")
    assert file_version(tmp_path / "link.pth") == file_version(tmp_path / "net.pth")


def test_a_file_that_is_not_there_is_told_in_a_sentence(tmp_path):
    with pytest.raises(BadModel, match=r"gone\.pth cannot be read: .+\. Give the path of a model file"):
        file_version(tmp_path / "gone.pth")
