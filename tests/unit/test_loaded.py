import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib_facefix.errors import BadModel
from lib_facefix.loaded import Loaded, edition


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
    loaded = Loaded()
    assert loaded.get("a", maker("a")) is loaded.get("a", maker("a"))
    assert made == ["a"]


def test_beyond_the_limit_the_least_recently_used_one_makes_room(maker, made):
    loaded = Loaded(2)
    for name in "abacb":  # at c, b was used longest ago
        loaded.get(name, maker(name))
    assert made == ["a", "b", "c", "b"]
    loaded.get("c", maker("c"))
    assert made == ["a", "b", "c", "b"]


def test_room_is_made_before_the_next_one_is_loaded():
    loaded, alive = Loaded(1), []

    class Model:
        def __init__(self):
            alive.append(len(loaded._models))

    for name in "ab":
        loaded.get(name, Model)
    assert alive == [0, 0]


def test_without_a_limit_all_stay(maker, made):
    loaded = Loaded()
    for name in "abcdefabcdef":
        loaded.get(name, maker(name))
    assert made == list("abcdef")


def test_two_threads_get_the_same_model_made_once(made):
    loaded, start = Loaded(), threading.Barrier(4)
    slow = threading.Event()

    def make():
        slow.wait(0.05)
        made.append("a")
        return object()

    def ask(_):
        start.wait()
        return loaded.get("a", make)

    with ThreadPoolExecutor(4) as threads:
        models = set(threads.map(ask, range(4)))
    assert (len(models), made) == (1, ["a"])


def test_what_failed_to_load_is_tried_again(maker, made):
    loaded = Loaded(2)

    def fail():
        raise BadModel("broken")

    with pytest.raises(BadModel, match="broken"):
        loaded.get("a", fail)
    assert loaded.get("a", maker("a")) == ["a"]


def test_a_failure_in_one_thread_does_not_lock_the_others_out(maker):
    loaded = Loaded()

    def fail():
        raise BadModel("broken")

    def ask(_):
        with pytest.raises(BadModel):
            loaded.get("a", fail)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(ask, range(4)))
    assert loaded.get("a", maker("a")) == ["a"]


def test_one_model_may_load_another_while_it_is_made(maker):
    loaded = Loaded()
    assert loaded.get("a", lambda: loaded.get("b", maker("b"))) is loaded.get("b", maker("b"))


def test_clearing_lets_all_go(maker, made):
    loaded = Loaded()
    held = loaded.get("a", maker("a"))
    loaded.clear()
    assert loaded.get("a", maker("a")) is not held
    assert made == ["a", "a"]


def test_a_changed_file_has_another_edition_and_the_same_file_by_another_way_has_not(tmp_path):
    path = tmp_path / "net.pth"
    path.write_bytes(b"one")
    first = edition(path)
    assert edition(tmp_path / "." / "net.pth") == first
    path.write_bytes(b"two, longer")
    longer = edition(path)
    os.utime(path, ns=(1, 1))
    assert len({first, longer, edition(path)}) == 3


def test_a_link_has_the_edition_of_its_file(tmp_path):
    (tmp_path / "net.pth").write_bytes(b"one")
    try:
        (tmp_path / "link.pth").symlink_to(tmp_path / "net.pth")
    except OSError:
        pytest.skip("no links here")
    assert edition(tmp_path / "link.pth") == edition(tmp_path / "net.pth")


def test_a_file_that_is_not_there_is_told_in_a_sentence(tmp_path):
    with pytest.raises(BadModel, match=r"gone\.pth cannot be read: .+; give the path of a model file"):
        edition(tmp_path / "gone.pth")
