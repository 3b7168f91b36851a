"""A real Ray cluster of two nodes on the loopback, an S3 server, and an actor that is killed in the middle."""

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

PHOTOS = sorted((Path(__file__).parents[2] / "data").glob("*.jpg"))
QUICK = ["--detector", "blazeface", "--angles", "off", "--method", "restore"]
HOST = "127.0.0.2"  # Ray replaces 127.0.0.1 with the address of the network card
pytestmark = pytest.mark.filterwarnings("default")  # of ray, which warns of itself


@pytest.fixture(scope="module")
def cluster():
    memory = 200 << 20
    made = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 1, "include_dashboard": False, "node_ip_address": HOST, "object_store_memory": memory
        },
    )  # fmt: skip
    made.add_node(num_cpus=1, node_ip_address=HOST, object_store_memory=memory)
    yield made.address
    made.shutdown()


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


def kill_an_actor(when):
    """Kill one actor as soon as `when` is true; return the thread and the list of what was killed."""
    killed = []

    def watch():
        until = time.monotonic() + 120
        while not killed and time.monotonic() < until:
            time.sleep(0.05)
            for path in Path("/proc").glob("[0-9]*/cmdline") if when() else ():
                try:
                    if b"ray::MapWorker(MapBatches(_Fixer)" in path.read_bytes():
                        os.kill(int(path.parent.name), signal.SIGKILL)
                        killed.append(path.parent.name)
                        return
                except OSError:
                    continue

    thread = threading.Thread(target=watch)
    thread.start()
    return thread, killed


def test_a_cluster_writes_the_same_bytes_although_an_actor_is_killed(album, tmp_path, cluster, capsys):
    out = tmp_path / "out"
    thread, killed = kill_an_actor(lambda: any(out.glob("*.jpg")))
    assert run("fix", album, "-o", out, "--ray", cluster, "--report", tmp_path / "r.csv") == 0
    thread.join()
    assert killed
    assert run("fix", album, "-o", tmp_path / "alone") == 0
    names = [path.name for path in sorted(album.iterdir())]
    assert [path.name for path in sorted(out.glob("*.jpg"))] == names
    assert all((out / name).read_bytes() == (tmp_path / "alone" / name).read_bytes() for name in names)
    assert len((tmp_path / "r.csv").read_text().splitlines()) == 13
    capsys.readouterr()
    assert run("fix", album, "-o", out) == 0  # without Ray, but with its journal
    assert "12 of 12 images were done by an earlier run" in capsys.readouterr().out


def test_a_bad_file_is_a_row_with_its_error(album, tmp_path, cluster, capsys):
    (album / "05.jpg").write_bytes(b"\xff\xd8 no more")
    assert run("fix", album, "-o", tmp_path / "out", "--ray", cluster) == 1
    assert len(list((tmp_path / "out").glob("*.jpg"))) == 11
    assert "05.jpg" in capsys.readouterr().err


def test_from_s3_to_s3_with_an_actor_killed(album, tmp_path, cluster, s3, capsys):
    for path in album.iterdir():
        s3.put_file(str(path), f"album/in/{path.name}")

    def has_results():
        s3.invalidate_cache()
        return any(name.endswith(".jpg") for name in s3.find("album/out"))

    thread, killed = kill_an_actor(has_results)
    assert run("fix", "s3://album/in", "-o", "s3://album/out", "--ray", cluster) == 0
    thread.join()
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
