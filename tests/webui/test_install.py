"""install.py and preload.py, as a WebUI runs them: by path, with its own Python, before anything else."""

import argparse
import importlib.util
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from lib_facefix.webui.config.optional_packages import KEY, OPTIONAL

ROOT = Path(__file__).parents[2]
FAKE_PIP = """
import json, os, pathlib, sys
kept = sys.argv[sys.argv.index("-c") + 1]
asked = {"arguments": sys.argv[1:], "constraints": pathlib.Path(kept).read_text().splitlines()}
with open(os.environ["ASKED"], "a") as file:
    file.write(json.dumps(asked) + "\\n")
sys.stderr.write(os.environ.get("PIP_SAYS", ""))
sys.exit(1 if os.environ.get("PIP_SAYS") else 0)
"""


class Host:
    """A data folder with the extension linked in, and a Python that knows a pip of our own and few packages."""

    def __init__(self, folder):
        self.config = folder / "config.json"
        self.asked = folder / "asked"
        self.packages = folder / "packages"
        extensions = folder / "extensions"
        extensions.mkdir(parents=True)
        (extensions / "facefix").symlink_to(ROOT)
        self.installer = extensions / "facefix" / "install.py"
        (self.packages / "pip").mkdir(parents=True)
        (self.packages / "pip" / "__init__.py").touch()
        (self.packages / "pip" / "__main__.py").write_text(FAKE_PIP)

    def has(self, name, version, module=None):
        """Install a package."""
        facts = self.packages / f"{name.replace('-', '_')}-{version}.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (self.packages / f"{module or name}.py").touch()

    def starts(self, *choices, **environ):
        """Run the installer; return what it says."""
        if choices:
            self.config.write_text(json.dumps({KEY: list(choices), "samples_save": True}))
        at_home = {"ASKED": str(self.asked), "PYTHONPATH": str(self.packages), "PIP_NO_INDEX": "1", **environ}
        kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP") if name in os.environ}
        command = [sys.executable, "-S", "-B", str(self.installer)]
        done = subprocess.run(
            command, env=kept | at_home, cwd=self.packages, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    @property
    def runs(self):
        """What pip was asked, run by run."""
        return [json.loads(line) for line in self.asked.read_text().splitlines()] if self.asked.exists() else []


@pytest.fixture
def host(tmp_path):
    try:
        return Host(tmp_path)
    except OSError:
        pytest.skip("no links on this file system")


def freeze():
    return subprocess.run([sys.executable, "-m", "pip", "freeze"], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("config", [None, "{}", '{"facefix_optional": []}', '{"facefix_optional": ["requests"]}'])
def test_with_nothing_chosen_pip_is_not_run_and_nothing_is_said(host, config):
    if config:
        host.config.write_text(config)
    assert (host.starts(), host.runs) == ("", [])


@pytest.mark.skipif(not importlib.util.find_spec("pip"), reason="no pip here")
def test_installed_packages_are_the_same_before_and_after(tmp_path):
    before = freeze()
    config = tmp_path / "config.json"
    config.write_text(json.dumps({KEY: [], "samples_save": True}))
    subprocess.run([sys.executable, str(ROOT / "install.py"), "--ui-settings-file", str(config)], check=True)
    assert freeze() == before


def test_what_is_chosen_and_missing_is_installed(host):
    assert host.starts("openvino") == "FaceFix: onnx and openvino installed for 'openvino'.\n"
    [run] = host.runs
    assert run["arguments"][:3] == ["install", "--prefer-binary", "--disable-pip-version-check"]
    assert run["arguments"][-2:] == list(OPTIONAL["openvino"])


def test_pip_may_neither_upgrade_nor_remove(host):
    host.has("protobuf", "3.20.0")
    host.has("torch", "2.1.2+cu121")
    host.starts(*OPTIONAL)
    for run in host.runs:
        assert not {"-U", "--upgrade", "--force-reinstall", "-I", "--ignore-installed"} & set(run["arguments"])
        assert {"protobuf==3.20.0", "torch==2.1.2+cu121"} <= set(run["constraints"])


@pytest.mark.parametrize("there", ["opencv-python", "opencv-contrib-python-headless"])
def test_a_second_opencv_cannot_come(host, there):
    host.has(there, "4.11.0.86", "cv2")
    host.starts("openvino")
    about_opencv = {line for line in host.runs[0]["constraints"] if line.startswith("opencv")}
    assert len(about_opencv) == 4
    assert f"{there}==4.11.0.86" in about_opencv
    assert sum(line.endswith("<0") for line in about_opencv) == 3


def test_packages_numbered_as_pip_no_longer_takes_it_are_left_out(host):
    host.has("old", "0.0.0-dirty")
    host.has("new", "1.2.3rc1.post4")
    host.starts("openvino")
    assert {"old", "new"} & {line.split("=")[0] for line in host.runs[0]["constraints"]} == {"new"}


def test_only_what_is_missing_is_asked_for(host):
    host.has("onnx", "1.16.0")
    host.starts("onnxruntime")
    assert host.runs[0]["arguments"][-2].endswith("constraints.txt")
    assert host.runs[0]["arguments"][-1] == "onnxruntime>=1.17"


def test_another_package_that_brings_the_same_module_counts(host):
    host.has("onnx", "1.10.0")
    host.has("onnxruntime-gpu", "1.17.0", "onnxruntime")
    assert (host.starts("onnxruntime"), host.runs) == ("", [])


def test_a_folder_that_only_has_the_name_is_no_package(host):
    (host.packages / "onnx").mkdir()
    host.starts("openvino")
    assert host.runs[0]["arguments"][-2].startswith("onnx>")


def test_a_failure_is_one_sentence_and_the_next_choice_is_still_tried(host):
    told = "Collecting onnx\nERROR: No matching distribution found for onnx.\nERROR: more of that\n"
    said = host.starts(*OPTIONAL, PIP_SAYS=told).splitlines()
    assert (len(said), len(host.runs)) == (2, 2)
    assert said[0].startswith("FaceFix: onnx and onnxruntime for 'onnxruntime' could not be installed")
    assert "(No matching distribution found for onnx)" in said[0]
    assert "Settings > FaceFix" in said[0]


def test_of_a_conflict_what_is_installed_here_is_told(host):
    told = """ERROR: Cannot install onnx==1.15.0 and onnx==1.16.0 because these have conflicting dependencies.

The conflict is caused by:
    onnx 1.16.0 depends on protobuf>=3.20.2
    onnx 1.15.0 depends on protobuf>=3.20.2
    The user requested (constraint) protobuf==3.20.0

To fix this you could try to:
"""
    said = host.starts("openvino", PIP_SAYS=told)
    assert "(onnx 1.15.0 depends on protobuf>=3.20.2, but protobuf==3.20.0 is installed)" in said


@pytest.mark.parametrize("flags", ["--skip-install", "--api --skip-install --port 7860"])
def test_skip_install_is_heeded(host, flags):
    assert (host.starts("openvino", COMMANDLINE_ARGS=flags), host.runs) == ("", [])


@pytest.mark.parametrize("environ", [{"COMMANDLINE_ARGS": "--facefix-offline"}, {"FACEFIX_OFFLINE": "1"}])
def test_offline_nothing_is_downloaded(host, environ):
    said = host.starts("openvino", **environ)
    assert ("must not use the network" in said, host.runs) == (True, [])


def test_the_settings_file_named_by_the_hosts_flag_is_read(host, tmp_path):
    other = tmp_path / "other settings.json"
    other.write_text(json.dumps({KEY: ["openvino"]}))
    host.starts(COMMANDLINE_ARGS=f"--ui-settings-file '{other}'")
    assert len(host.runs) == 1


def test_the_hosts_index_is_used(host):
    host.starts("openvino", INDEX_URL="https://mirror.example/simple")
    arguments = host.runs[0]["arguments"]
    assert arguments[arguments.index("--index-url") + 1] == "https://mirror.example/simple"


@pytest.mark.parametrize("config", ["", "{", "[1]", '{"facefix_optional": "openvino"}', '{"facefix_optional": null}'])
def test_a_damaged_settings_file_does_not_stop_the_host(host, config):
    host.config.write_text(config)
    said = host.starts()
    assert said.count("\n") <= 1
    assert host.runs == []


def test_the_optional_packages_are_the_extras_of_the_project():
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    for name, requirements in OPTIONAL.items():
        [listed] = re.findall(rf"^{name} = \[(.*?)\]", project, re.MULTILINE)
        assert sorted(re.findall(r'"([^"]+)"', listed)) == sorted(requirements)


@pytest.fixture
def parser():
    made = argparse.ArgumentParser()
    runpy.run_path(str(ROOT / "preload.py"))["preload"](made)
    return made


def test_without_flags_the_defaults_hold(parser):
    assert vars(parser.parse_args([])) == {
        "facefix_models_dir": None,
        "facefix_offline": False,
        "facefix_device": "auto",
        "facefix_allowed_folders": (),
    }


def test_the_flags_are_read_and_the_folder_made_absolute(parser, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = parser.parse_args(["--facefix-models-dir", "mine", "--facefix-offline", "--facefix-device", "cpu"])
    assert (given.facefix_models_dir, given.facefix_offline, given.facefix_device) == (
        str(tmp_path / "mine"),
        True,
        "cpu",
    )


def test_a_device_may_have_a_number_and_is_read_by_the_library(parser):
    assert parser.parse_args(["--facefix-device", "cuda:1"]).facefix_device == "cuda:1"


def test_reading_the_flags_imports_no_package():
    code = f"import runpy, sys; runpy.run_path({str(ROOT / 'preload.py')!r}); print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "False"


def test_folders_for_the_api_are_named_one_after_another(parser, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named = parser.parse_args(["--facefix-allowed-folders", "in", "/srv/out"]).facefix_allowed_folders
    assert named == [str(tmp_path / "in"), "/srv/out"]
