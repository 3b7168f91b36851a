"""What every command, engine and extra does to the system around it, as strace sees it: no socket, no stray file."""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import yolo_made
from PIL import Image

from lib_facefix.server.routes import PREFIX

ROOT = Path(__file__).parents[2]
TRACED = "socket,connect,bind,open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat"
MAKES_FILE = re.compile(r"O_CREAT|O_TRUNC|O_WRONLY|O_RDWR|O_TMPFILE|^(?:creat|mkdir|rename|link|symlink)")
CALL = re.compile(r"^\d+\s+(?:<\.\.\. )?(\w+)\((.*)\)\s+= (-?\d+)")
ALLOWED = ("/proc/", "/sys/", "/dev/")
BY_FILE, FACE = "./yolo.onnx", (60, 40, 180, 190)

pytestmark = [
    pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed, so nothing sees all system calls"),
    pytest.mark.filterwarnings("default"),
]


def engine(name, package=None):
    missing = not importlib.util.find_spec("torch") or not importlib.util.find_spec(package or "torch")
    mark = pytest.mark.skipif(missing, reason=f"needs torch and {package}")
    flags = ["fix", "photo.jpg", "-o", "out/", "--offline", "--upscale", "2", "--upscaler", "net.pth"]
    return pytest.param([*flags, *name.split()], id=f"engine {name}", marks=mark)


COMMANDS = [
    *(
        pytest.param(command.split(), id=command)
        for command in (
            "fix photo.jpg -o out/ --offline --method restore --compare out/sheet.png --report out/report.json",
            "fix photo.jpg -o out/ --offline --method restore --mask person --upscale 2",
            "detect photo.jpg --detector centerface --angles all",
            f"detect photo.jpg --detector {BY_FILE}",
            "fix photo.jpg -o out/ --person photo.jpg --method leave",
            "plan photo.jpg -o out/plan.json",
            "settings",
            "models --json",
            "models verify",
            "doctor",
            "compare photo.jpg photo.jpg",
        )
    ),
    engine("--engine auto"),
    engine("--engine torch"),
    engine("--engine winograd"),
    engine("--engine onnxruntime", "onnxruntime"),
    engine("--engine openvino", "openvino"),
    engine("--precision fast", "openvino"),
    pytest.param(
        f"fix photo.jpg -o out/ --method leave --precision fast --detector {BY_FILE}".split(), id="a YOLO net, fast"
    ),
    pytest.param(["models", "convert", "net.pth"], id="models convert"),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with a photo, a detector and an upscaler."""
    folder = tmp_path_factory.mktemp("files")
    with Image.open(ROOT / "tests" / "data" / "astronaut.jpg") as picture:
        picture.convert("RGB").resize((256, 256)).save(folder / "photo.jpg", quality=90)
    (folder / BY_FILE).write_bytes(yolo_made.yolo_onnx((256, 256), [FACE]))
    if importlib.util.find_spec("torch"):
        import nets_made
        import torch

        torch.save(nets_made.compact(upscale=2).state_dict(), folder / "net.pth")
    return folder


@pytest.fixture
def place(tmp_path, files):
    """A folder to work in, with a home of its own."""
    for name in ("home", "cache", "work"):
        (tmp_path / name).mkdir()
    for path in files.iterdir():
        shutil.copy(path, tmp_path / "work" / path.name)
    return tmp_path


def traced(place, command):
    """Start a command under strace; return the process, whose trace is in the file "trace"."""
    ours = ("FACEFIX_", "XDG_", "HF_", "TORCH", "MPL", "ORT_", "YOLO_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    path = [str(ROOT), *(one for one in sys.path if one.endswith("torchvision_stub")), environ.get("PYTHONPATH", "")]
    environ |= {
        "HOME": str(place / "home"),
        "FACEFIX_CACHE": str(place / "cache"),
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    }
    strace = ["strace", "-f", "-y", "-s", "300", "-e", f"trace={TRACED}", "-o", str(place / "trace")]
    return subprocess.Popen(
        [*strace, sys.executable, "-m", "lib_facefix.cli", *command],
        cwd=place / "work",
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def calls_in(place):
    """Yield name and arguments of each system call that succeeded."""
    for line in (place / "trace").read_text(errors="replace").splitlines():
        found = CALL.match(line)
        if found and int(found[3]) >= 0:
            yield found[1], found[2]


def inet(place):
    return [f"{name}({told})" for name, told in calls_in(place) if "AF_INET" in told or "inet_addr" in told]


def files_outside(place):
    """Return what was made or written outside the cache and the folder of the work."""
    found = []
    for name, told in calls_in(place):
        if not MAKES_FILE.search(f"{name}({told}"):
            continue
        named = re.findall(r'"([^"]*)"', told)
        within = [str((place / "work" / one).resolve()) for one in named]
        allowed = (*ALLOWED, str(place / "cache"), str(place / "work"))
        found += [one for one in within if not one.startswith(allowed)]
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_opens_no_inet_socket_and_writes_nothing_but_cache_and_outputs(place, command):
    process = traced(place, command)
    said, wrong = process.communicate(timeout=300)
    told = f"{said}\n{wrong}"

    assert process.returncode == 0, told
    assert inet(place) == []
    assert files_outside(place) == []
    assert list((place / "home").iterdir()) == []


def test_a_server_listens_on_the_loopback_and_connects_to_nothing(place):
    process = traced(place, ["serve", "--port", "0"])
    try:
        address = re.search(r"http://[\d.]+:\d+", process.stdout.readline())[0]
        photo = (place / "work" / "photo.jpg").read_bytes()
        asked = urllib.request.Request(
            f"{address}{PREFIX}/fix",
            b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n' + photo + b"\r\n--x--\r\n",
            {"Content-Type": "multipart/form-data; boundary=x", "Accept": "image/*"},
        )
        with urllib.request.urlopen(asked, timeout=120) as answer:
            assert answer.status == 200
        time.sleep(0.5)
    finally:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for child in children:  # a signal to strace would only make it let go
            os.kill(int(child), signal.SIGTERM)
        process.communicate(timeout=30)

    assert [one for one in inet(place) if not one.startswith("socket") and "127.0.0.1" not in one] == []
    assert [one for one in inet(place) if one.startswith("connect")] == []
    assert files_outside(place) == []
    assert list((place / "home").iterdir()) == []
