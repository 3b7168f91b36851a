from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_facefix.errors import CannotWrite
from lib_facefix.fsio import ABANDONED_AFTER, atomic_write, check_place, sweep_temp
from lib_facefix.pictures import read_picture, write_picture


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def failing(error):
    def write(file):
        file.write(b"half")
        raise error

    return write


def test_a_new_file_gets_what_was_written_and_its_folders_are_made(tmp_path):
    target = tmp_path / "new folder" / "größe" / "猫 1.bin"
    atomic_write(target, lambda file: file.write(b"all"))
    assert target.read_bytes() == b"all"
    assert names(target.parent) == ["猫 1.bin"]


def test_a_new_file_gets_the_usual_permissions(tmp_path):
    before = os.umask(0o027)
    try:
        atomic_write(tmp_path / "a", lambda file: None)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_an_existing_file_keeps_its_permissions(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "a").chmod(0o604)
    atomic_write(tmp_path / "a", lambda file: file.write(b"new"))
    assert (tmp_path / "a").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o604


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    atomic_write(tmp_path / "link", lambda file: file.write(b"new"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        pytest.param(OSError(errno.ENOSPC, "No space left on device"), "the disk is full", id="disk full"),
        pytest.param(OSError(errno.EROFS, "Read-only file system"), "read-only", id="read-only disk"),
        pytest.param(PermissionError(errno.EACCES, "Permission denied"), "permission denied", id="permission denied"),
        pytest.param(OSError(errno.EIO, "Input/output error"), "Input/output error", id="broken disk"),
        pytest.param(CannotWrite("as it was."), "as it was", id="our own sentence"),
    ],
)
def test_a_failure_is_a_sentence_and_leaves_everything_as_it_was(tmp_path, error, sentence):
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(CannotWrite, match=sentence):
        atomic_write(tmp_path / "a", failing(error))
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ZeroDivisionError, SystemExit])
def test_whatever_stops_the_writing_leaves_no_part(tmp_path, stop):
    with pytest.raises(stop):
        atomic_write(tmp_path / "a", failing(stop()))
    assert names(tmp_path) == []


def test_while_writing_the_file_is_hidden_and_called_a_part(tmp_path):
    seen = []
    atomic_write(tmp_path / "a", lambda file: seen.extend(names(tmp_path)))
    [part] = seen
    assert part.startswith(".")
    assert part.endswith(".part")


def test_a_folder_in_the_way_is_said(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(CannotWrite, match="it is a folder"):
        atomic_write(tmp_path / "a", lambda file: None)


def test_a_file_in_the_place_of_the_folder_is_said(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(CannotWrite, match="its folder is a file"):
        atomic_write(tmp_path / "a" / "b", lambda file: None)
    with pytest.raises(CannotWrite, match="its folder is a file"):
        atomic_write(tmp_path / "a" / "b" / "c", lambda file: None)
    assert (tmp_path / "a").read_bytes() == b"old"


def test_a_name_that_is_too_long_is_said(tmp_path):
    with pytest.raises(CannotWrite, match="the name is too long"):
        atomic_write(tmp_path / ("x" * 300), lambda file: None)
    assert names(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is denied to root")
def test_a_read_only_folder_is_said(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(CannotWrite, match="permission denied"):
        atomic_write(tmp_path / "a", lambda file: None)


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of this kind there")
@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp", ".bmp", ".jp2"])
def test_a_disk_that_fills_up_midway_costs_nothing_but_the_new_file(tmp_path, suffix):
    pixels = np.random.default_rng(1).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "in.png")
    (tmp_path / f"out{suffix}").write_bytes(b"old")
    script = f"""
        import resource, signal, sys
        from pathlib import Path
        from lib_facefix.errors import CannotWrite
        from lib_facefix.pictures import read_picture, write_picture
        picture = read_picture(Path("in.png"))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
        try:
            write_picture(picture, 255 - picture.image, Path("out{suffix}"))
        except CannotWrite as error:
            sys.exit("too large for this file system" not in str(error))
        sys.exit(2)
    """
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
        timeout=60,
    )
    assert done.returncode == 0
    assert (tmp_path / f"out{suffix}").read_bytes() == b"old"
    assert names(tmp_path) == ["in.png", f"out{suffix}"]


def test_a_picture_can_be_written_over_itself(tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "in.png")
    picture = read_picture(tmp_path / "in.png")
    write_picture(picture, picture.image, picture.path)
    write_picture(picture, 255 - picture.image, picture.path)
    assert (read_picture(picture.path).image == 255).all()


def test_a_picture_too_large_for_its_kind_of_file_is_a_sentence(tmp_path):
    Image.new("RGB", (20000, 1)).save(tmp_path / "in.png")
    picture = read_picture(tmp_path / "in.png")
    with pytest.raises(CannotWrite, match=r"out\.webp.*Choose \.png"):
        write_picture(picture, 255 - picture.image, tmp_path / "out.webp")
    assert names(tmp_path) == ["in.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names there")
def test_a_pipe_is_written_into_and_stays_a_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        deadline = time.monotonic() + 20
        while True:
            try:
                atomic_write(pipe, lambda file: file.write(b"all" * 40000))  # more than a pipe holds at once
                break
            except CannotWrite:  # the reader has not come yet
                assert time.monotonic() < deadline
                time.sleep(0.02)
        assert reader.stdout.read() == b"all" * 40000
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert names(tmp_path) == ["pipe"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names there")
def test_a_pipe_without_a_reader_is_said_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CannotWrite, match="nothing reads from it"):
        atomic_write(tmp_path / "pipe", lambda file: file.write(b"all"))
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@pytest.mark.skipif(sys.platform == "win32", reason="no such devices there")
@pytest.mark.parametrize("name", ["/dev/null", "link"])
def test_a_device_is_written_into_and_stays_a_device(tmp_path, name):
    (tmp_path / "link").symlink_to("/dev/null")
    before = Path("/dev/null").stat()
    atomic_write(tmp_path / name, lambda file: file.write(b"all"))
    after = Path("/dev/null").stat()
    assert (after.st_ino, after.st_rdev) == (before.st_ino, before.st_rdev)
    assert stat.S_ISCHR(after.st_mode)


@pytest.mark.skipif(sys.platform == "win32", reason="no sockets with names there")
def test_a_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        with pytest.raises(CannotWrite, match="it is a socket"):
            atomic_write(tmp_path / "socket", lambda file: file.write(b"all"))
    assert stat.S_ISSOCK((tmp_path / "socket").stat().st_mode)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files have no names there")
@pytest.mark.parametrize("redirected", [False, True], ids=["pipe", "file"])
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
def test_standard_output_is_written_into_after_what_is_there(tmp_path, name, redirected):
    (tmp_path / "link").symlink_to("/dev/stdout")
    script = f"""
        from pathlib import Path
        from lib_facefix.fsio import atomic_write
        print("before", flush=True)
        atomic_write(Path("{name}"), lambda file: file.write(b"all\\n"))
        print("after", flush=True)
    """
    with (tmp_path / "told").open("wb") as told:
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=told if redirected else subprocess.PIPE,
            check=True,
            timeout=60,
        )
    assert ((tmp_path / "told").read_bytes() if redirected else done.stdout) == b"before\nall\nafter\n"
    assert names(tmp_path) == ["link", "told"]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EPERM, errno.EACCES, errno.ENOSYS])
def test_a_drive_that_can_neither_sync_nor_change_permissions_is_written_to_with_a_note(tmp_path, monkeypatch, number):
    Image.new("RGB", (9, 9)).save(tmp_path / "in.png")
    (tmp_path / "out.png").write_bytes(b"old")

    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    monkeypatch.setattr(Path, "chmod", refuse)
    picture = read_picture(tmp_path / "in.png")
    notes = write_picture(picture, 255 - picture.image, tmp_path / "out.png")
    assert [note.partition(" could")[0].partition(" does")[0] for note in notes] == [
        "The drive",
        "The permissions of the old file",
    ]
    assert (read_picture(tmp_path / "out.png").image == 255).all()
    assert names(tmp_path) == ["in.png", "out.png"]


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_a_sync_that_fails_costs_nothing_but_the_new_file(tmp_path, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    (tmp_path / "a").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(CannotWrite):
        atomic_write(tmp_path / "a", lambda file: file.write(b"new"))
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def age(path, seconds):
    os.utime(path, (time.time() - seconds, time.time() - seconds), follow_symlinks=False)


def test_what_killed_runs_left_is_swept_and_nothing_else(tmp_path):
    left, fresh = tmp_path / f".{'0a' * 8}.part", tmp_path / f".{'0b' * 8}.part"
    others = ["a.part", ".hidden.part", f"{'0a' * 8}.part", f".{'0A' * 8}.part", "photo.png", f".{'0a' * 8}.part.png"]
    for name in (left.name, fresh.name, *others):
        (tmp_path / name).write_bytes(b"half a picture")
        age(tmp_path / name, ABANDONED_AFTER + 60)
    age(fresh, ABANDONED_AFTER - 60)
    (tmp_path / f".{'0c' * 8}.part").symlink_to("photo.png")
    age(tmp_path / f".{'0c' * 8}.part", ABANDONED_AFTER + 60)
    (tmp_path / f".{'0d' * 8}.part").mkdir()
    age(tmp_path / f".{'0d' * 8}.part", ABANDONED_AFTER + 60)

    atomic_write(tmp_path / "new", lambda file: file.write(b"all"))

    kept = [fresh.name, f".{'0c' * 8}.part", f".{'0d' * 8}.part", *others, "new"]
    assert names(tmp_path) == sorted(kept)


@pytest.mark.skipif(sys.platform == "win32", reason="no permissions of this kind there")
def test_temporary_folders_of_killed_runs_are_swept_and_no_others(tmp_path):
    old, fresh, busy, opened = (Path(tempfile.mkdtemp(prefix="facefix-", dir=tmp_path)) for _ in range(4))
    for folder in (old, fresh, busy, opened):
        (folder / "deep").mkdir()
        (folder / "deep" / "person.png").write_bytes(b"a picture")
    named = tmp_path / "facefix-pictures-of-mine"
    named.mkdir(mode=0o700)
    (tmp_path / "facefix-settings").mkdir(mode=0o755)  # eight letters, but open to others
    (tmp_path / "facefix-linked_1").symlink_to(named, target_is_directory=True)
    opened.chmod(0o755)
    for path in tmp_path.rglob("*"):
        age(path, ABANDONED_AFTER + 60)
    age(fresh, 60)
    age(busy / "deep" / "person.png", 60)

    sweep_temp(tmp_path)

    assert names(tmp_path) == sorted(
        [fresh.name, busy.name, opened.name, named.name, "facefix-settings", "facefix-linked_1"]
    )
    sweep_temp(tmp_path / "nowhere")


@pytest.mark.skipif(sys.platform == "win32", reason="no permissions of this kind there")
def test_a_folder_that_may_not_be_written_is_told_and_a_device_in_it_may_be_written():
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as name:  # `tmp_path` is closed to others
        folder = Path(name)
        (folder / "mine").touch()
        os.mkfifo(folder / "pipe")
        check_place(folder / "new" / "page.html")
        folder.chmod(0o555)
        try:
            if user == 0:
                os.seteuid(65534)
            for path in (folder / "page.html", folder / "new" / "page.html", folder / "mine"):
                with pytest.raises(CannotWrite, match="permission denied"):
                    check_place(path)
            for special in (folder / "pipe", Path("/dev/null"), Path("/dev/stdout"), Path("/dev/fd/1")):
                check_place(special)
        finally:
            os.seteuid(user)
            folder.chmod(0o700)
