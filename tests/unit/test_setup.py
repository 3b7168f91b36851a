"""Better restorers in one step. A script stands in for pip, and nothing here reaches the network."""

import io
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lib_facefix.cli.__main__ import main
from lib_facefix.errors import BadSetting, CannotFetch, MissingPackage, Offline, Stopped
from lib_facefix.models import environment, setup, variants
from lib_facefix.models.environment import CPU_INDEX, Environment, find_environment
from lib_facefix.models.setup import carry_out, find_offers, list_missing, list_offers
from lib_facefix.weights import PUBLISHED, ModelPaths
from lib_facefix.weights.licences import is_accepted

PACKAGE = "facefix_pretended"
TORCH = ["torch>=2.1", "spandrel>=0.3.4,<0.5"]


@pytest.fixture
def paths(tmp_path, away_from_home, monkeypatch):
    monkeypatch.setattr(variants, "find_installed", lambda record: None)
    monkeypatch.setattr(variants, "find_spec", lambda name: None)  # nothing is installed: PyTorch's files come first
    return ModelPaths(tmp_path / "models", (tmp_path / "models",), cache=tmp_path / "cache")


@pytest.fixture
def pip(tmp_path, monkeypatch):
    """The environment of a Python whose pip writes what it was given, and makes a package that is missing here."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(setup, "REQUIREMENTS", {PACKAGE: f"{PACKAGE}>=1"})
    monkeypatch.setattr(setup, "RESTORER_PACKAGES", (PACKAGE,))
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\ntouch {site}/{PACKAGE}.py\n')
    python.chmod(python.stat().st_mode | stat.S_IEXEC)
    yield Environment("venv", str(python))
    sys.modules.pop(PACKAGE, None)


@pytest.fixture
def downloads(monkeypatch):
    """Replace download and conversion; return what happened, in order."""
    done = []

    def fetch(record, paths, *, mirror, progress):
        progress(record.bytes // 2, record.bytes)
        done.append(f"download {record.name}")
        return paths.own / record.name

    monkeypatch.setattr(setup, "download", fetch)
    monkeypatch.setattr(setup, "convert", lambda path: done.append(f"convert {path.name}"))
    return done


def offers_of(paths, *names):
    return find_offers(names, list_offers(paths))


def test_offers_say_licence_size_packages_and_server(paths):
    offers = {offer.info.name: offer for offer in list_offers(paths)}
    assert list(offers) == [
        "gfpgan", "gfpgan-1.3", "codeformer", "restoreformer", "restoreformer++", "gpen-256", "gpen-512", "gpen-1024",
        "gpen-2048", "x4plus", "animevideo",
    ]  # fmt: skip
    codeformer = offers["codeformer"]
    assert (codeformer.record.licence, codeformer.record.bytes) == ("S-Lab 1.0, non-commercial", 376637898)
    assert codeformer.packages == ("torch", "spandrel", "spandrel_extra_arches")
    assert (codeformer.sources, codeformer.weights_here, codeformer.ready) == (("github.com",), False, False)
    assert offers["x4plus"].sources == ("github.com", "files.pythonhosted.org")
    assert all(offer.info.about for offer in offers.values())


def test_requirements_are_those_of_the_package_itself():
    declared = (Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8")
    torch = ", ".join(f'"{setup.REQUIREMENTS[one]}"' for one in setup.RESTORER_PACKAGES)
    assert f"torch = [{torch}]" in declared
    assert f'onnxruntime = ["{setup.REQUIREMENTS["onnxruntime"]}"' in declared


def test_packages_come_before_weights_and_both_are_reported(paths, pip, downloads, tmp_path):
    told = []
    wanted = offers_of(paths, "gfpgan", "codeformer", "gfpgan")
    assert list_missing(wanted) == (PACKAGE,)

    done = carry_out(wanted, paths, tell=lambda *step: told.append(step), environment=pip)

    assert (tmp_path / "asked").read_text() == f"-m pip install {PACKAGE}>=1\n"
    assert downloads == [
        "download GFPGANv1.4.pth", "convert GFPGANv1.4.pth",
        "download codeformer-v0.1.0.pth", "convert codeformer-v0.1.0.pth",
    ]  # fmt: skip
    assert (done.packages, done.models, done.restart) == ((PACKAGE,), ("gfpgan", "codeformer"), False)
    assert told[0] == (0, 0, f"installing {PACKAGE}")
    assert told[2] == (174316437, 348632874, "downloading GFPGANv1.4.pth (1 of 2)")
    assert told[-1] == (376637898, 376637898, "converting codeformer-v0.1.0.pth (2 of 2)")


def test_nothing_is_downloaded_if_the_packages_cannot_be_installed(paths, pip, downloads, tmp_path):
    Path(pip.python).write_text("#!/bin/sh\necho ERROR: no matching distribution\nexit 1\n")
    with pytest.raises(CannotFetch, match=r"could not install .* \(ERROR: no matching distribution\)\. No model"):
        carry_out(offers_of(paths, "gfpgan"), paths, tell=lambda *_: None, environment=pip)
    assert downloads == []


def test_a_pip_that_succeeds_without_the_package_is_a_failure(paths, pip, downloads):
    Path(pip.python).write_text("#!/bin/sh\nexit 0\n")
    with pytest.raises(CannotFetch, match="could not install"):
        carry_out(offers_of(paths, "gfpgan"), paths, tell=lambda *_: None, environment=pip)
    assert downloads == []


def test_a_stop_ends_pip_and_downloads_nothing(paths, pip, downloads):
    Path(pip.python).write_text("#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(Stopped, match="packages were being installed"):
        carry_out(offers_of(paths, "gfpgan"), paths, tell=lambda *_: None, should_stop=lambda: True, environment=pip)
    assert downloads == []


def test_a_stop_while_downloading_is_passed_on(paths, monkeypatch, downloads):
    monkeypatch.setattr(setup, "REQUIREMENTS", {})
    with pytest.raises(Stopped, match="the partial download is kept"):
        carry_out(offers_of(paths, "gfpgan"), paths, tell=lambda *_: None, should_stop=lambda: True)
    assert downloads == []


def test_what_is_here_is_not_fetched_again(paths, monkeypatch, downloads):
    monkeypatch.setattr(setup, "REQUIREMENTS", {})
    paths.own.mkdir()
    (paths.own / "GFPGANv1.4.pth").write_bytes(b"weights")
    [offer] = offers_of(paths, "gfpgan")
    assert offer.ready
    assert carry_out([offer], paths, tell=lambda *_: None).models == ("gfpgan",)
    assert downloads == []


def test_weights_that_cannot_be_converted_are_used_as_they_are(paths, monkeypatch, downloads):
    def fail(path):
        raise MissingPackage("reading", "torch")

    monkeypatch.setattr(setup, "REQUIREMENTS", {})
    monkeypatch.setattr(setup, "convert", fail)
    assert carry_out(offers_of(paths, "gfpgan"), paths, tell=lambda *_: None).models == ("gfpgan",)


def test_a_changed_package_in_use_asks_for_a_restart(paths, pip, downloads, monkeypatch):
    versions = iter([{"numpy": "1.26"}, {"numpy": "2.0"}])
    monkeypatch.setattr(setup, "_shared_versions", lambda: next(versions))
    assert carry_out(offers_of(paths, "gfpgan"), paths, tell=lambda *_: None, environment=pip).restart


@pytest.mark.parametrize("way", ["flag", "variable"])
def test_offline_installs_nothing(paths, pip, downloads, monkeypatch, tmp_path, way):
    if way == "variable":
        monkeypatch.setenv("FACEFIX_OFFLINE", "1")
    with pytest.raises(Offline):
        carry_out(offers_of(paths, "gfpgan"), paths, tell=lambda *_: None, offline=way == "flag", environment=pip)
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize(
    ("name", "says"),
    [("gfpgn", "Did you mean 'gfpgan'"), ("lite", "It is built in"), ("nonesuch", "Available: gfpgan,")],
)
def test_an_unknown_name_is_a_sentence(paths, name, says):
    with pytest.raises(BadSetting, match=says):
        offers_of(paths, name)


@pytest.mark.parametrize(
    ("environment", "command"),
    [
        pytest.param(
            Environment("venv", "/v/bin/python"),
            "/v/bin/python -m pip install 'torch>=2.1' 'spandrel>=0.3.4,<0.5'",
            id="venv",
        ),
        pytest.param(
            Environment("venv", "/my v/python", pip=False, tools=("uv",)),
            "uv pip install --python '/my v/python' 'torch>=2.1' 'spandrel>=0.3.4,<0.5'",
            id="venv of uv",
        ),
        pytest.param(
            Environment("uv tool", "/t/bin/python", pip=True, tools=("uv",), cpu_only=True),
            "uv pip install --python /t/bin/python 'torch>=2.1' 'spandrel>=0.3.4,<0.5' "
            f"--extra-index-url {CPU_INDEX} --index-strategy unsafe-best-match",
            id="uv tool without a GPU",
        ),
        pytest.param(
            Environment("pipx", "/x/bin/python", "facefix", tools=("pipx",), cpu_only=True),
            f"pipx inject facefix 'torch>=2.1' 'spandrel>=0.3.4,<0.5' --pip-args '--extra-index-url {CPU_INDEX}'",
            id="pipx",
        ),
        pytest.param(
            Environment("pipx", "/x/bin/python", "facefix"),
            "/x/bin/python -m pip install 'torch>=2.1' 'spandrel>=0.3.4,<0.5'",
            id="pipx without pipx",
        ),
        pytest.param(
            Environment("externally managed", "/usr/bin/python3"),
            "/usr/bin/python3 -m venv --system-site-packages ~/.facefix && ~/.facefix/bin/python -m pip install "
            "'torch>=2.1' 'spandrel>=0.3.4,<0.5'",
            id="Debian's own",
        ),
    ],
)
def test_the_command_fits_the_environment(environment, command):
    assert environment.describe(TORCH) == command
    assert environment.describe([]) == ""
    assert environment.can_install == (environment.kind != "externally managed")


def test_only_pytorch_comes_from_an_index_of_its_own():
    with_cpu = Environment("venv", "python", cpu_only=True)
    assert with_cpu.describe(["spandrel"]) == "python -m pip install spandrel"
    assert not Environment("venv", "python", pip=False).can_install


@pytest.mark.parametrize(
    ("files", "inside", "kind"),
    [
        (["pipx_metadata.json"], True, "pipx"),
        (["uv-receipt.toml"], True, "uv tool"),
        (["conda-meta/history"], False, "conda"),
        ([], True, "venv"),
        (["lib/EXTERNALLY-MANAGED"], False, "externally managed"),
        ([], False, "system"),
    ],
)
def test_the_environment_is_known_by_its_files(tmp_path, files, inside, kind):
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    base = tmp_path / "base" if inside else tmp_path
    found = find_environment(tmp_path, base, tmp_path / "lib", which=lambda name: name if name == "uv" else None)
    assert (found.kind, found.tools, found.python, found.name) == (kind, ("uv",), sys.executable, tmp_path.name)


@pytest.mark.parametrize(
    ("environ", "drivers", "cpu_only"),
    [({}, (), True), ({"PIP_INDEX_URL": "https://mirror"}, (), False), ({}, (__file__,), False)],
    ids=["no GPU", "an index of the user's", "a GPU"],
)
def test_builds_for_processors_are_for_linux_without_a_gpu(tmp_path, monkeypatch, environ, drivers, cpu_only):
    monkeypatch.setattr(environment, "_GPU_DRIVERS", drivers)
    monkeypatch.setattr(environment, "_names_index", lambda path: False)
    monkeypatch.setattr(environment.sys, "platform", "linux")
    assert environment._is_cpu_only({"HOME": str(tmp_path), **environ}) == cpu_only


# The command


@pytest.fixture
def command(paths, pip, downloads, monkeypatch):
    monkeypatch.setattr(environment, "find_environment", lambda: pip)
    return lambda *names: main(["setup", *names, "--models", str(paths.own)])


def test_without_a_name_everything_is_listed_within_80_columns(command, capsys, tmp_path, pip):
    assert command() == 0
    told = capsys.readouterr().out
    lines = told.splitlines()
    assert max(len(line) for line in lines if pip.python not in line) <= 80
    assert "gfpgan            GFPGAN 1.4 (349 MB, not installed)" in lines
    assert "    Licence: S-Lab 1.0, non-commercial. CodeFormer is under the S-Lab Licence" in lines
    assert f"  {pip.python} -m pip install '{PACKAGE}>=1'" in lines
    assert lines[-1] == "Install one: facefix setup gfpgan"
    assert not (tmp_path / "asked").exists()


def test_without_a_terminal_nothing_is_installed_and_the_command_is_printed(command, capsys, tmp_path, pip):
    assert command("gfpgan") == 2
    told = capsys.readouterr().err
    assert f"  {pip.python} -m pip install '{PACKAGE}>=1'\n" in told
    assert told.endswith("facefix: nothing was installed, as this needs your consent; add --yes, or use a terminal\n")
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize(("answer", "code", "steps"), [("y\n", 0, 2), ("n\n", 2, 0), ("\n", 2, 0), ("", 2, 0)])
def test_in_a_terminal_one_question_is_asked(command, capsys, monkeypatch, downloads, tmp_path, answer, code, steps):
    terminal = io.StringIO(answer)
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", terminal)
    assert command("gfpgan") == code
    out, err = capsys.readouterr()
    assert err.count("[y/N]") == 1
    assert (len(downloads), (tmp_path / "asked").exists()) == (steps, steps > 0)
    if code == 0:
        assert "gfpgan: installed. Use it with `--restorer gfpgan`" in out


def test_with_yes_nothing_is_asked_and_a_second_time_nothing_is_done(command, capsys, downloads, paths):
    assert command("gfpgan", "--yes") == 0
    assert "[y/N]" not in capsys.readouterr().err
    (paths.own / PUBLISHED["GFPGANv1.4.pth"].name).write_bytes(b"weights")
    assert command("gfpgan", "--yes") == 0
    assert capsys.readouterr().out == "gfpgan: already installed\n"
    assert len(downloads) == 2


def test_the_licence_of_a_file_that_is_here_is_shown_asked_and_remembered(
    command, capsys, monkeypatch, downloads, paths, tmp_path
):
    paths.own.mkdir()
    (paths.own / PUBLISHED["GFPGANv1.4.pth"].name).write_bytes(b"weights")
    monkeypatch.setattr(setup, "REQUIREMENTS", {})  # its packages are here, too
    assert command() == 0
    assert "gfpgan            GFPGAN 1.4 (installed, licence not accepted)" in capsys.readouterr().out.splitlines()
    assert command("gfpgan") == 2
    assert not is_accepted(PUBLISHED["GFPGANv1.4.pth"], paths)
    assert "    Licence: Apache-2.0, parts non-commercial. GFPGAN is under" in capsys.readouterr().err
    assert command("gfpgan", "--yes", "--offline") == 0
    assert is_accepted(PUBLISHED["GFPGANv1.4.pth"], paths)
    assert not is_accepted(PUBLISHED["codeformer-v0.1.0.pth"], paths)
    assert (downloads, (tmp_path / "asked").exists()) == ([], False)
    capsys.readouterr()
    assert command("gfpgan") == 0
    assert capsys.readouterr().out == "gfpgan: already installed\n"


def test_into_a_python_of_the_system_nothing_is_installed(command, capsys, monkeypatch, downloads, pip):
    managed = replace(pip, kind="externally managed")
    monkeypatch.setattr(environment, "find_environment", lambda: managed)
    assert command("gfpgan", "--yes") == 2
    told = capsys.readouterr().err
    assert "the system manages this Python, so FaceFix installs nothing into it. Run: " in told
    assert "-m venv --system-site-packages ~/.facefix && " in told
    assert downloads == []
