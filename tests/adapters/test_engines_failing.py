"""An engine that is dead, a folder that cannot be written, an export that broke: told, and `auto` does without."""

import os
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("spandrel")
pytest.importorskip("spandrel_extra_arches")

import engines_made  # noqa: E402
import nets_made  # noqa: E402
from engines_made import ENGINES, EXACT, EXPORTING, HERE, difference  # noqa: E402

from lib_facefix import optional_imports  # noqa: E402
from lib_facefix.engines import Machine, Runner, runners, this_machine  # noqa: E402
from lib_facefix.engines import onnx_export as exporting_module  # noqa: E402
from lib_facefix.errors import BadModel, CannotWrite  # noqa: E402

exporting = pytest.mark.parametrize("engine", EXPORTING)


@pytest.fixture(autouse=True)
def _quiet():
    with nets_made.quiet():
        yield


@pytest.fixture(scope="module")
def net():
    return engines_made.made("Compact")


@pytest.fixture
def broken_import(monkeypatch):
    """Let the import of a package fail, though it is installed."""

    def breaks(package):
        real = optional_imports.import_module

        def fails(name):
            if name == package:
                raise ImportError("libstdc++.so.6: version not found")
            return real(name)

        monkeypatch.setattr(optional_imports, "import_module", fails)

    return breaks


@pytest.fixture
def counted(monkeypatch):
    """Count the exports."""
    done, real = [], torch.onnx.export

    def export(*arguments, **more):
        done.append(arguments[0])
        return real(*arguments, **more)

    monkeypatch.setattr(torch.onnx, "export", export)
    return done


def run(net, folder, engine, picture=None):
    return Runner(net, folder, engine, "exact", HERE)(engines_made.pictures(net.spec) if picture is None else picture)[
        0
    ]


@exporting
def test_a_net_is_exported_once_and_kept_under_its_hash(net, tmp_path, counted, engine):
    first = run(net, tmp_path, engine)
    assert np.array_equal(run(net, tmp_path, engine), first)
    assert len(counted) == 1
    assert [path.name for path in (tmp_path / "networks").iterdir()] == ["compact-whole-1.onnx"]


@exporting
def test_what_a_crash_left_of_an_export_is_not_used(net, tmp_path, monkeypatch, engine):
    (tmp_path / "networks").mkdir()
    (tmp_path / "networks" / "tmpabc.part").write_bytes(b"half")

    def dies(stage, examples, path, **_):
        Path(path).write_bytes(b"half of an export")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(torch.onnx, "export", dies)
        with pytest.raises(KeyboardInterrupt):
            run(net, tmp_path, engine)
    assert [path.name for path in (tmp_path / "networks").iterdir()] == ["tmpabc.part"]
    assert difference(run(net, tmp_path, engine), run(net, tmp_path, "torch")) <= EXACT


@exporting
def test_a_net_that_cannot_be_exported_is_told_in_a_sentence(net, tmp_path, monkeypatch, engine):
    def refuses(*_, **__):
        raise RuntimeError("Unsupported operator\nand a long trace")

    monkeypatch.setattr(torch.onnx, "export", refuses)
    with pytest.raises(
        BadModel, match=r"cannot be exported \(Unsupported operator and a long trace\)\. Choose the engine 'torch'"
    ):
        run(net, tmp_path, engine)


@pytest.fixture
def only(monkeypatch):
    """Let `auto` think that an engine is the fastest, and that nothing but PyTorch is behind it."""

    def engine(name):
        return Machine(packages=frozenset({name}))

    return engine


@exporting
def test_a_damaged_export_is_made_anew(net, tmp_path, engine):
    right = run(net, tmp_path, engine)
    [path] = (tmp_path / "networks").iterdir()
    whole = path.stat().st_size
    path.write_bytes(path.read_bytes()[:200])
    assert np.array_equal(run(net, tmp_path, engine), right)
    assert path.stat().st_size == whole


@exporting
def test_an_export_that_stays_unreadable_is_told_and_auto_does_without_it(net, tmp_path, only, monkeypatch, engine):
    monkeypatch.setattr(exporting_module, "_export", lambda stage, examples, path: Path(path).write_text("no net"))
    with pytest.raises(BadModel, match=r"cannot run .*compact-whole-1\.onnx .+\. Delete it to export it again"):
        run(net, tmp_path, engine)
    auto = Runner(net, tmp_path, "auto", "exact", only(engine))
    _, ran = auto(engines_made.pictures(auto.spec))
    assert "PyTorch" in ran


def test_what_a_crash_left_half_written_is_swept_up_later(net, tmp_path):
    folder = tmp_path / "networks"
    folder.mkdir()
    old, new = folder / ".0123456789abcdef.part", folder / ".fedcba9876543210.part"
    for path in (old, new):
        path.write_text("half")
    os.utime(old, (0, 0))
    run(net, tmp_path, "onnxruntime")
    assert (old.exists(), new.exists()) == (False, True)


def test_a_net_that_is_let_go_is_read_again_when_it_is_needed(net, tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(runners, "load_net", lambda path: read.append(path) or net)
    runner = Runner(net, tmp_path, "winograd", "exact", this_machine("cpu"), tmp_path / "net.pth")
    picture = engines_made.pictures(runner.spec)
    first, _ = runner(picture)
    assert runner._net is None
    assert runner._on_processor(picture[0], 0.0)[0].shape == first.shape[1:]
    assert read == [tmp_path / "net.pth"]


@exporting
def test_a_cache_folder_that_cannot_be_written_is_told_and_auto_does_without_it(net, tmp_path, only, engine):
    (tmp_path / "cache").write_text("a file in the way")
    with pytest.raises(CannotWrite, match=r"compact-whole-1\.onnx cannot be written"):
        run(net, tmp_path / "cache", engine)
    auto = Runner(net, tmp_path / "cache", "auto", "exact", only(engine))
    _, ran = auto(engines_made.pictures(auto.spec))
    assert "PyTorch" in ran


@exporting
def test_an_engine_that_is_installed_but_dead_is_not_asked_for(net, tmp_path, only, counted, broken_import, engine):
    broken_import(engine)
    with pytest.raises(BadModel, match=rf"{engine} cannot be imported \(libstdc.+\)\. Install it again"):
        run(net, tmp_path, engine)
    auto = Runner(net, tmp_path, "auto", "exact", only(engine))
    _, ran = auto(engines_made.pictures(auto.spec))
    assert "PyTorch" in ran
    assert counted == [], "exported for nobody"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_net_that_fails_at_work_is_told_in_a_sentence(net, tmp_path, engine):
    wrong = np.zeros((1, 4, 16, 16), np.float32)  # 4 channels
    runner = Runner(net, tmp_path, engine, "exact", HERE)
    runner(engines_made.pictures(runner.spec))
    with pytest.raises(BadModel):
        runner(wrong)
    runner(engines_made.pictures(runner.spec))  # and it is still good for others
