"""Try an installed wheel as a newcomer would: in an empty folder, without a network. Needs the extra `serve`.

    venv/bin/python try_wheel.py facefix-0.2.0-py3-none-any.whl photo.jpg

`make dist` runs this with the Python of a new environment, outside the repository.
"""

import importlib.metadata
import re
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import lib_facefix
from lib_facefix.cli.__main__ import main


def refuse_network(event, args):
    """Raise for connections to other machines; for `sys.addaudithook`."""
    host = {"socket.connect": lambda: args[1], "socket.getaddrinfo": lambda: args}.get(event, lambda: ("localhost",))()
    if not isinstance(host, tuple) or host[0] not in ("localhost", "127.0.0.1", "::1", None):
        raise AssertionError(f"{event} to {host}")


def check_files(wheel):
    """Check that all files of the wheel are installed, and the versions agree."""
    home = Path(lib_facefix.__file__).parent
    assert home.is_relative_to(sys.prefix), f"{home} is not the installed package"
    packed = [name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("lib_facefix/")]
    assert [name for name in packed if not (home.parent / name).is_file()] == []
    for kind in ("assets/*.tflite", "assets/*.onnx", "server/page/*.js", "server/page/*.css", "server/page/*.html"):
        assert any(Path(name).match(f"lib_facefix/{kind}") for name in packed), f"no {kind}"
    assert importlib.metadata.version("facefix") == lib_facefix.__version__
    assert f"facefix-{lib_facefix.__version__}-" in wheel


def check_fix(photo):
    """Check that a photo is fixed, and that the results of detection are told."""
    assert main(["fix", photo, "-o", "fixed.jpg", "--report", "report.json"]) == 0
    assert Path("fixed.jpg").read_bytes() != Path(photo).read_bytes()
    assert '"outcome": "fixed"' in Path("report.json").read_text("utf-8")
    assert main(["doctor"]) == 0


def check_page():
    """Check that `facefix serve` serves every file of its page, byte for byte."""
    command = [sys.executable, "-m", "lib_facefix", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            url = next(found[0] for line in server.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
            ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
            page = Path(lib_facefix.__file__).parent / "server" / "page"
            files = sorted(path for path in page.iterdir() if path.is_file())
            assert len(files) > 30
            for path in files:
                assert ask(f"{url}/{path.name}").read() == path.read_bytes(), path.name
        finally:
            server.terminate()


if __name__ == "__main__":
    sys.addaudithook(refuse_network)
    check_files(sys.argv[1])
    check_fix(sys.argv[2])
    check_page()
    print(f"facefix {lib_facefix.__version__} works on Python {sys.version.split()[0]}")
