"""A real Ray cluster of two nodes on the loopback, an S3 server, and an actor that is killed in the middle."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from PIL import Image as Pil

pytest.importorskip("ray.data")  # this folder is called ray, too
pytest.importorskip("s3fs")
pytest.importorskip("moto")
if not Path("/proc/self").exists():
    pytest.skip("the actors are found by /proc", allow_module_level=True)
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

from ray.cluster_utils import Cluster

from lib_facefix.cli import __main__ as command
from lib_facefix.cli import fix_images

PHOTOS = sorted((Path(__file__).parents[2] / "data").glob("*.jpg"))
QUICK = ["--detector", "blazeface", "--angles", "off", "--method", "restore"]
HOST = "127.0.0.2"  # Ray replaces 127.0.0.1 with the address of the network card
pytestmark = pytest.mark.filterwarnings("default")  # of ray, which warns of itself


@pytest.fixture(scope="module")
def made_cluster():
    memory = 200 << 20
    made = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 1, "include_dashboard": False, "node_ip_address": HOST, "object_store_memory": memory
        },
    )  # fmt: skip
    made.add_node(num_cpus=1, node_ip_address=HOST, object_store_memory=memory)
    yield made
    made.shutdown()


@pytest.fixture
def cluster(made_cluster):
    """The address of the cluster."""
    return made_cluster.address


@pytest.fixture(scope="module")
def s3():
    """An S3 server with an empty bucket; the keys are in the environment of this process and of all actors."""
    port = 5000 + os.getpid() % 1000
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for _ in range(200):
        try:
            urllib.request.urlopen(address, timeout=5).close()
            break
        except OSError:
            time.sleep(0.1)
    import fsspec

    files = fsspec.filesystem("s3")
    files.mkdir("album")
    yield files
    server.kill()
    server.wait()


@pytest.fixture(scope="module", autouse=True)
def _environment(tmp_path_factory):
    """Set before the cluster starts, whose actors inherit it."""
    before = dict(os.environ)
    port = 5000 + os.getpid() % 1000
    os.environ.update(
        AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="y", AWS_DEFAULT_REGION="us-east-1",
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}", PYTHONPATH=os.pathsep.join(filter(None, sys.path)),
        FACEFIX_CACHE=str(tmp_path_factory.mktemp("cache")),
    )  # fmt: skip
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def album(tmp_path):
    folder = tmp_path / "album"
    folder.mkdir()
    for number in range(12):
        with Pil.open(PHOTOS[number % len(PHOTOS)]) as opened:
            opened.convert("RGB").resize((320 + number, 240)).save(folder / f"{number:02}.jpg")
    return folder


def run(*arguments):
    return command.main([*map(str, arguments), *QUICK])


@contextlib.contextmanager
def watching(act):
    """Call `act` every now and then until it returns True, or the work is over; yields a list of its successes."""
    done, over = [], threading.Event()

    def watch():
        while not over.wait(0.05):
            if act():
                done.append(True)
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield done
    finally:
        over.set()
        thread.join()


def kill_an_actor():
    """Kill one actor, if there is one."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if b"ray::MapWorker(MapBatches(_Fixer)" in path.read_bytes():
                os.kill(int(path.parent.name), signal.SIGKILL)
                return True
    return False


def test_a_cluster_writes_the_same_bytes_although_an_actor_is_killed(album, tmp_path, cluster, capsys):
    out = tmp_path / "out"
    with watching(lambda: any(out.glob("*.jpg")) and kill_an_actor()) as killed:
        assert run("fix", album, "-o", out, "--ray", cluster, "--report", tmp_path / "r.csv") == 0
    assert killed
    assert run("fix", album, "-o", tmp_path / "alone") == 0
    names = [path.name for path in sorted(album.iterdir())]
    assert [path.name for path in sorted(out.glob("*.jpg"))] == names
    assert all((out / name).read_bytes() == (tmp_path / "alone" / name).read_bytes() for name in names)
    assert len((tmp_path / "r.csv").read_text().splitlines()) == 13
    capsys.readouterr()
    assert run("fix", album, "-o", out) == 0  # without Ray, but with its journal
    assert "12 of 12 images were done by an earlier run" in capsys.readouterr().out


def ending_batch(deaths):
    """Return a function that makes the batch of an actor, which is killed by each image named as a file in a folder.

    It is sent to the actors as code, for it is inside of another one. The files get a letter for each death.
    """

    def make(*given):
        from lib_facefix.batch import Batch
        from lib_facefix.cli.fix_work import make_worker_batch

        opened = Batch.open

        def open_or_die(self, item):
            if (deaths / item.path.name).exists():
                with (deaths / item.path.name).open("a") as file:
                    file.write("x")
                os.kill(os.getpid(), signal.SIGKILL)
            return opened(self, item)

        Batch.open = open_or_die
        return make_worker_batch(*given)

    return make


@pytest.mark.parametrize("place", ["folder", "s3"])
def test_an_image_that_ends_its_process_twice_has_failed_and_the_others_are_done(
    album, tmp_path, cluster, s3, monkeypatch, capsys, place
):
    names, deaths = ["04.jpg", "05.jpg", "09.jpg"], tmp_path / "deaths"  # two of them are in one block
    deaths.mkdir()
    for name in names:
        (deaths / name).touch()
    monkeypatch.setattr(fix_images, "make_worker_batch", ending_batch(deaths))
    source, out = (album, tmp_path / "out") if place == "folder" else ("s3://album/deadly", "s3://album/died")
    if place == "s3":
        s3.put(f"{album}/", "album/deadly/", recursive=True)
    assert run("fix", source, "-o", out, "--ray", cluster, "--report", tmp_path / "r.csv") == 1
    assert {name: (deaths / name).read_text() for name in names} == dict.fromkeys(names, "xx")
    assert capsys.readouterr().err.count("the process that worked on this image was ended, twice") == 3
    assert (tmp_path / "r.csv").read_text().count(",,failed,") == 3

    monkeypatch.undo()  # the next run has no such images, and does what is left
    assert run("fix", source, "-o", out) == 0
    assert "9 of 12 images were done by an earlier run; 3 to do" in capsys.readouterr().out


def test_processes_that_end_at_once_are_told(album, tmp_path, cluster, monkeypatch, capsys):
    def make(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(fix_images, "make_worker_batch", make)
    assert run("fix", album, "-o", tmp_path / "out", "--ray", cluster) == 2
    assert "The processes that fix images end at once" in capsys.readouterr().err


def test_a_machine_that_fails_in_the_middle_loses_nothing(album, tmp_path, made_cluster, s3):
    """Images and results are in a store; all that the second machine held is gone."""
    s3.put(f"{album}/", "album/failing/", recursive=True)
    machine = made_cluster.add_node(num_cpus=2, node_ip_address=HOST, object_store_memory=200 << 20)

    def end():
        s3.invalidate_cache()
        if len([name for name in s3.find("album/rest") if name.endswith(".jpg")]) < 2:
            return False
        made_cluster.remove_node(machine, allow_graceful=False)
        return True

    with watching(end) as ended:
        assert run("fix", "s3://album/failing", "-o", "s3://album/rest", "--ray", made_cluster.address) == 0
    assert ended
    assert run("fix", album, "-o", tmp_path / "alone") == 0
    for path in (tmp_path / "alone").glob("*.jpg"):
        assert s3.cat_file(f"album/rest/{path.name}") == path.read_bytes()


def test_a_bad_file_is_a_row_with_its_error(album, tmp_path, cluster, capsys):
    (album / "05.jpg").write_bytes(b"\xff\xd8 no more")
    (album / "06.jpg").rename(album / os.fsdecode(b"caf\xe9.jpg"))
    (album / "07.jpg").rename(album / "line\nbreak.jpg")
    (album / "08.jpg").rename(album / "# 8 100%?.jpg")
    assert run("fix", album, "-o", tmp_path / "out", "--ray", cluster) == 1
    assert len(list((tmp_path / "out").glob("*.jpg"))) == 9
    assert (tmp_path / "out" / "# 8 100%?.jpg").exists()
    told = capsys.readouterr().err
    assert "Ray cannot read a file of this name" in told
    assert "05.jpg" in told
    assert "the name is not valid UTF-8" in told


def test_from_s3_to_s3_with_an_actor_killed(album, tmp_path, cluster, s3, capsys):
    for path in album.iterdir():
        s3.put_file(str(path), f"album/in/{path.name}")

    def has_results():
        s3.invalidate_cache()
        return any(name.endswith(".jpg") for name in s3.find("album/out"))

    with watching(lambda: has_results() and kill_an_actor()) as killed:
        assert run("fix", "s3://album/in", "-o", "s3://album/out", "--ray", cluster) == 0
    assert killed
    assert run("fix", album, "-o", tmp_path / "alone") == 0
    for path in (tmp_path / "alone").glob("*.jpg"):
        assert s3.cat_file(f"album/out/{path.name}") == path.read_bytes()
    capsys.readouterr()
    assert run("fix", "s3://album/in", "-o", "s3://album/out") == 0
    assert "12 of 12 images were done by an earlier run" in capsys.readouterr().out


def test_an_address_without_a_cluster_is_explained(album, tmp_path, capsys):
    assert run("fix", album, "-o", tmp_path / "out", "--ray", "no address") == 2
    assert "no Ray cluster" in capsys.readouterr().err
