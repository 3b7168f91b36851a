"""The habits of the command line: help, errors, streams, names of results, completion."""

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil
from test_cli import engine, is_painted, photo, pixels, run  # noqa: F401 fixtures

from lib_facefix import __version__
from lib_facefix.cli import __main__ as command
from lib_facefix.cli.fix import FORMATS
from lib_facefix.pictures import format_for, is_drawing, read_picture, save_drawing

HELP = Path(__file__).parents[1] / "data" / "help"
"""Help texts, 80 columns wide. To renew one: COLUMNS=80 facefix fix --help > tests/data/help/fix.txt"""
needs = {
    shell: pytest.mark.skipif(not shutil.which(shell), reason=f"needs {shell}") for shell in ("bash", "zsh", "fish")
}
every_command = pytest.mark.parametrize("name", command.COMMANDS)


@pytest.fixture
def streams(monkeypatch):
    """Put bytes into standard input, and return what standard output got."""

    class Stream(io.TextIOWrapper):
        def isatty(self):
            return False

    def fill(content=b""):
        monkeypatch.setattr("sys.stdin", Stream(io.BytesIO(content)))
        output = io.BytesIO()
        monkeypatch.setattr("sys.stdout", Stream(output, write_through=True))
        return output

    return fill


# Help and errors


@every_command
@pytest.mark.parametrize("flag", ["--help", "--help-all"])
def test_the_help_is_the_same_on_every_python(monkeypatch, capsys, name, flag):
    golden = HELP / f"{name}{'-all' if flag == '--help-all' else ''}.txt"
    if not golden.exists():
        pytest.skip("one text is enough for the flags of all commands")
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit, match="0"):
        run(name, flag)
    assert capsys.readouterr().out == golden.read_text("utf-8")


def test_the_overview_fits_80_columns_and_names_every_command(capsys):
    assert run("--help") == 0
    told = capsys.readouterr().out
    assert told == (HELP / "facefix.txt").read_text("utf-8")
    assert max(map(len, told.splitlines())) <= 80
    assert all(f"  {name:<10}  {text}\n" in told for name, text in command.COMMANDS.items())


def test_everyday_flags_come_before_those_of_the_sampler():
    everyday, everything = ((HELP / name).read_text("utf-8") for name in ("fix.txt", "fix-all.txt"))
    assert everyday.index("examples:") < everyday.index("--output") < everyday.index("--fidelity X")
    assert everyday[everyday.index("examples:") :].split("\n\n")[0].count("\n  facefix ") == 4
    for flag in ("--denoising-strength", "--cfg-scale", "--engine", "--keep ", "--salvage"):
        assert flag not in everyday
        assert everything.index(flag) > everything.index("--mirror")


def test_version_and_overview_import_almost_nothing():
    code = "import sys; sys.argv = ['facefix', sys.argv[1]]; from lib_facefix.cli.__main__ import entry; entry(); "
    code += "print(*sorted(name for name in sys.modules if 'lib_facefix' in name), file=sys.stderr)"
    for flag, starts in (("--version", f"facefix {__version__}\n"), ("--help", "FaceFix finds")):
        done = subprocess.run([sys.executable, "-S", "-c", code, flag], capture_output=True, text=True, check=True,
                              cwd=Path(command.__file__).parents[2])  # fmt: skip
        assert done.stdout.startswith(starts)
        assert done.stderr.split() == ["lib_facefix", "lib_facefix.cli", "lib_facefix.cli.__main__"]


def test_the_help_of_fix_needs_neither_numpy_nor_opencv():
    code = "import sys; from lib_facefix.cli.__main__ import make_parser; make_parser('fix').format_help(); "
    code += "print(*{'numpy', 'cv2', 'PIL', 'lib_facefix.facefix'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_python_m_runs_the_command_line():
    done = subprocess.run(
        [sys.executable, "-m", "lib_facefix", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"facefix {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fix", "--fidelty", "1", "a.png"],
         "facefix fix: unknown flag --fidelty. Did you mean '--fidelity'? See `facefix fix --help`"),
        (["fix", "--formt=png", "a.png"],
         "facefix fix: unknown flag --formt=png. Did you mean '--format'? See `facefix fix --help`"),
        (["fix", "--xyzzy", "a.png"], "facefix fix: unknown flag --xyzzy. See `facefix fix --help`"),
        (["fix", "a.png", "--format", "pgn"],
         "facefix fix: argument --format: 'pgn' is not one of png, jpeg, jpg, webp, tiff, avif, heic, jp2, bmp, gif. "
         "Did you mean 'png'? See `facefix fix --help`"),
        (["models", "gte", "gfpgan"],
         "facefix models: argument ACTION: 'gte' is not one of get, verify, convert. Did you mean 'get'? "
         "See `facefix models --help`"),
        (["models", "get", "--al-free"],
         "facefix models get: unknown flag --al-free. Did you mean '--all-free'? See `facefix models get --help`"),
        (["settings", "more"], "facefix settings: unexpected argument 'more'. See `facefix settings --help`"),
    ],
)  # fmt: skip
def test_a_wrong_flag_is_one_line_with_a_suggestion(capsys, arguments, says):
    with pytest.raises(SystemExit, match="2"):
        run(*arguments)
    assert capsys.readouterr().err == f"{says}\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fxi"], "facefix: 'fxi' is neither a command nor an existing file. Did you mean 'fix'? See `facefix --help`"),
        (["a.png", "--restorer", "gpfgan"], "not 'gpfgan'. Did you mean 'gfpgan'?"),
        (["a.png", "--detector", "blazefce"], "not 'blazefce'. Did you mean 'blazeface'?"),
        (["a.png", "--method", "restor"], "Method must be one of auto, re-diffuse, restore, leave; not 'restor'. "
         "Did you mean 'restore'?"),
        (["a.png", "--face", "2:fidelty=1"], "unknown setting 'fidelty'. Did you mean 'fidelity'?"),
        (["models", "get", "gfpgn"], "unknown weights 'gfpgn'. Did you mean 'gfpgan'?"),
    ],
)  # fmt: skip
def test_a_wrong_word_is_answered_with_the_nearest_one(capsys, arguments, says):
    assert run(*arguments) == 2
    told = capsys.readouterr().err
    assert says in told
    assert told.count("\n") == 1


def test_without_arguments_the_overview_is_printed_and_the_code_is_2(capsys):
    assert run() == 2
    assert capsys.readouterr().err == command.HELP


# What is fixed, and what the results are called


def test_a_file_alone_is_fixed(photo):  # noqa: F811
    assert run(photo, "--no-match-colour") == 0
    assert is_painted(photo.with_name("photo.fixed.png"), 60, 60)


def test_flags_may_stand_before_and_between_files(photo, tmp_path):  # noqa: F811
    second = photo.with_name("second.png")
    second.write_bytes(photo.read_bytes())
    assert run("-q", photo, "-o", tmp_path / "out", second) == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*")) == ["photo.png", "second.png"]


@pytest.mark.parametrize(
    ("flags", "kind"), [([], "PNG"), (["--format", "jpeg"], "JPEG"), (["--format", "webp"], "WEBP")]
)
def test_a_picture_goes_from_standard_input_to_standard_output(photo, streams, capsys, flags, kind):  # noqa: F811
    output = streams(photo.read_bytes())
    assert run("fix", "-", "-o", "-", "--no-match-colour", *flags) == 0
    with Pil.open(io.BytesIO(output.getvalue())) as made:
        assert (made.format, made.size) == (kind, (300, 140))
        assert np.asarray(made.convert("RGB"))[60, 60].astype(int) == pytest.approx((255, 0, 255), abs=8)
    assert sorted(path.name for path in photo.parent.iterdir()) == ["photo.png"]


def test_standard_output_gets_the_bytes_that_a_file_would_get(photo, streams, tmp_path, capsys):  # noqa: F811
    assert run("fix", photo, "-o", tmp_path / "out.png") == 0
    for arguments in (["fix", "-"], ["fix", "-", "-o", "-"], ["fix", photo, "-o", "-"]):
        output = streams(photo.read_bytes())
        assert run(*arguments) == 0
        assert output.getvalue() == (tmp_path / "out.png").read_bytes()
    streams(photo.read_bytes())
    assert run("fix", "-", "-o", tmp_path / "in.png") == 0
    assert (tmp_path / "in.png").read_bytes() == (tmp_path / "out.png").read_bytes()
    assert "standard input: 2 faces: 2 fixed -> standard output" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fix", "-", "PHOTO"], "- reads one image from standard input; remove the other inputs"),
        (["fix", "-", "-o", "folder/"], "an image from standard input has no name; give a file to -o"),
        (["fix", "-", "--in-place"], "--in-place needs image files"),
        (["fix", "-", "-o", "-", "--suffix", "-new"], "--suffix has no effect on standard output"),
        (["fix", "PHOTO", "PHOTO2", "-o", "-"], "standard output cannot hold 2 images"),
        (["fix", "-"], "standard input is empty; redirect an image to it"),
    ],
)
def test_streams_that_make_no_sense_are_refused(photo, streams, capsys, arguments, says):  # noqa: F811
    second = photo.with_name("second.png")
    second.write_bytes(photo.read_bytes())
    output = streams()
    assert run(*({"PHOTO": photo, "PHOTO2": second}.get(one, one) for one in arguments)) == 2
    assert says in capsys.readouterr().err
    assert output.getvalue() == b""


def test_a_terminal_gets_no_picture(photo, streams, monkeypatch, capsys):  # noqa: F811
    streams(photo.read_bytes())
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert run("fix", "-") == 2
    assert "-o - writes an image, which a terminal cannot show" in capsys.readouterr().err


def test_something_else_on_standard_input_fails_with_a_sentence(streams, capsys):
    output = streams(b"no picture at all")
    assert run("fix", "-") == 1
    assert (
        "standard input: failed: standard input cannot be used: its format is not supported" in capsys.readouterr().err
    )
    assert output.getvalue() == b""


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_can_be_written_and_gives_its_suffix(photo, tmp_path, name):  # noqa: F811
    if name == "heic":
        pytest.importorskip("pillow_heif")
    assert run("fix", photo, "-o", tmp_path / "out", "--format", name) == 0
    made = read_picture(tmp_path / "out" / f"photo{FORMATS[name]}")
    assert made.format == format_for(made.path).name
    assert made.image.shape == (140, 300, 3)


def test_two_inputs_never_become_one_result(photo, tmp_path):  # noqa: F811
    with Pil.open(photo) as opened:
        opened.save(photo.with_suffix(".bmp"))
    assert run("fix", photo.parent, "--format", "webp") == 0
    assert run("fix", photo.parent, "--format", "webp", "-o", tmp_path / "out", "--suffix", "_x") == 0
    assert sorted(path.name for path in photo.parent.glob("*.webp")) == ["photo.fixed-2.webp", "photo.fixed.webp"]
    assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*")) == ["photo_x-2.webp", "photo_x.webp"]


def test_quality_makes_files_smaller_and_is_what_their_tables_say(photo, tmp_path):  # noqa: F811
    sizes, tables = {}, {}
    for quality in (20, 60, 95):
        out = tmp_path / f"{quality}.jpg"
        assert run("fix", photo, "-o", out, "--quality", quality) == 0
        with Pil.open(out) as opened:
            tables[quality] = opened.quantization
        sizes[quality] = out.stat().st_size
        Pil.new("RGB", (16, 16)).save(tmp_path / "like.jpg", quality=quality)
        with Pil.open(tmp_path / "like.jpg") as like:
            assert tables[quality] == like.quantization
    assert sizes[20] < sizes[60] < sizes[95]
    assert run("fix", tmp_path / "95.jpg", "-o", tmp_path / "again.jpg", "--quality", 20, "--again") == 0
    with Pil.open(tmp_path / "again.jpg") as opened:
        assert opened.quantization == tables[20]


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--suffix", "a/b"], "--suffix must be part of a file name"),
        (["--suffix", ""], "--suffix must be part of a file name"),
        (["--in-place", "--format", "png"], "--in-place keeps the names of the files"),
        (["-o", "x.png", "--format", "jpeg"], "--format and the name x.png disagree"),
        (["-o", "x.png", "--suffix", "y"], "--suffix has no effect on x.png"),
        (["--skip-existing", "--overwrite"], "--skip-existing keeps existing results and --overwrite replaces them"),
        (["--skip-existing", "--in-place"], "--skip-existing keeps existing results and --in-place replaces them"),
        (["-v", "-q"], "--quiet and --verbose exclude each other"),
    ],
)
def test_names_that_contradict_each_other_are_refused(photo, tmp_path, monkeypatch, capsys, flags, says):  # noqa: F811
    monkeypatch.chdir(tmp_path)
    assert run("fix", photo, *flags) == 2
    assert says in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_existing_results_are_skipped_and_the_rest_is_done(photo, tmp_path, capsys):  # noqa: F811
    second, out = photo.with_name("second.png"), tmp_path / "out"
    assert run("fix", photo.parent, "-o", out) == 0
    (out / "photo.png").write_bytes(b"somebody's own file")
    second.write_bytes(photo.read_bytes())
    report = tmp_path / "r.json"
    assert run("fix", photo.parent, "-o", out, "--skip-existing", "--report", report) == 0
    assert "1 of 2 images skipped: their results exist\n" in capsys.readouterr().out
    assert (out / "photo.png").read_bytes() == b"somebody's own file"
    assert is_painted(out / "second.png", 120, 0) is False
    records = {Path(one["path"]).name: one for one in json.loads(report.read_text())["pictures"]}
    assert records["photo.png"]["skipped"] == f"its result {out / 'photo.png'} exists"
    assert records["second.png"]["output"] == str(out / "second.png")
    assert run("fix", photo.parent, "-o", out, "--skip-existing") == 0  # nothing left is no failure


def test_verbose_tells_engine_time_and_reason_of_every_face(photo, capsys):  # noqa: F811
    assert run("fix", photo, "-v", "--method", "restore", "--face", "2:method=leave") == 0
    first, second = capsys.readouterr().out.splitlines()[1:]
    assert first.startswith("  face 1, 60 px: restored with the built-in restorer, fidelity 0.6, a brush, ")
    assert first.endswith(
        " s (chosen by you; an ellipse instead of hull, as the mesh is unsure of this face; "
        "identity unmeasured: too blurred)"
    )
    assert second == "  face 2, 80 px: unchanged (your choice)"


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--faces", "7"], ["7"]),
        (["--faces", "1,5-9,12"], ["5-9", "12"]),
        (["--faces", "1-9"], []),
        (["--face", "3:method=leave"], ["3"]),
        (["--face", "2:method=leave"], []),
    ],
)
@pytest.mark.parametrize("more", [[], ["--dry-run"]], ids=["fixed", "planned"])
def test_faces_that_do_not_exist_are_named(photo, capsys, flags, says, more):  # noqa: F811
    assert run("fix", photo, *flags, *more) == 0
    told = capsys.readouterr().err
    named = "".join(f"facefix: {photo}: there is no face {text}: 2 faces found\n" for text in says)
    advice = "facefix: only the built-in restorer is installed; `facefix setup` shows better ones\n"
    assert told == named + (advice if "7" not in flags else "")  # no face is restored with that one


# What FaceFix made of others is not taken for a photo


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".gif", ".avif"])
def test_a_drawing_is_known_by_its_mark_wherever_it_goes(tmp_path, suffix):
    drawn, plain = tmp_path / f"drawn{suffix}", tmp_path / f"plain{suffix}"
    form = format_for(drawn).name
    with drawn.open("wb") as file:
        save_drawing(np.full((20, 30, 3), 77, np.uint8), form, file)
    Pil.new("RGB", (30, 20)).save(plain, form)
    assert is_drawing(drawn)
    assert not is_drawing(plain)
    assert not is_drawing(tmp_path / "gone.png")
    plain.write_bytes(drawn.read_bytes()[:20])
    assert not is_drawing(plain)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp"])
def test_sheets_and_boxes_in_the_folder_are_no_photos(photo, suffix, capsys):  # noqa: F811
    sheet, boxes = (photo.with_name(f"{name}{suffix}") for name in ("sheet", "boxes"))
    assert run("fix", photo, "-o", photo.with_name("new.fixed.png"), "--compare", sheet) == 0
    assert run("detect", photo, "--draw", boxes) == 0
    capsys.readouterr()
    assert run("detect", photo.parent) == 0
    assert [one["path"] for one in json.loads(capsys.readouterr().out)["pictures"]] == [str(photo)]
    assert run("detect", sheet) == 0  # named in full
    assert [one["path"] for one in json.loads(capsys.readouterr().out)["pictures"]] == [str(sheet)]


def test_results_of_any_name_beside_their_input_are_not_fixed_again(photo, tmp_path):  # noqa: F811
    for _ in range(2):
        assert run("fix", photo.parent, "--suffix", "-new") == 0
    assert sorted(path.name for path in photo.parent.glob("[!.]*")) == ["photo-new.png", "photo.png"]
    assert run("fix", photo.parent, "-o", tmp_path / "out") == 0
    assert [path.name for path in (tmp_path / "out").glob("[!.]*")] == ["photo.png"]


def test_photos_that_were_fixed_in_place_or_into_a_folder_stay_photos(photo, tmp_path):  # noqa: F811
    photo.with_name("photo-2.png").write_bytes(photo.read_bytes())
    assert run("fix", photo.parent, "--in-place") == 0
    assert run("fix", photo.parent, "-o", tmp_path / "out") == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*")) == ["photo-2.png", "photo.png"]
    assert run("fix", tmp_path / "out", "-o", tmp_path / "more") == 0
    assert sorted(path.name for path in (tmp_path / "more").glob("[!.]*")) == ["photo-2.png", "photo.png"]


# Set-up errors


@pytest.mark.parametrize("name", [["detect"], ["plan"], ["fix"], ["fix", "--dry-run"]], ids=" ".join)
@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--detector", "mediapipe_face_full"], "needs the Python package 'mediapipe'"),
        (["--detector", "gone.onnx"], "gone.onnx is not installed"),
        (["--landmarker", "2d106"], "needs 2d106det.onnx"),
        (["--gender", "female"], "needs genderage.onnx"),
        (["--person", "gone.jpg"], "the reference photo gone.jpg does not exist"),
    ],
)
def test_a_set_up_error_is_said_once_for_all_photos(photo, away_from_home, monkeypatch, capsys, name, flags, says):  # noqa: F811
    real = __import__("importlib.util").util.find_spec
    monkeypatch.setattr(
        "lib_facefix.registry.model_info.find_spec", lambda one: None if one == "mediapipe" else real(one)
    )
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    photo.with_name("second.png").write_bytes(photo.read_bytes())
    command_name, *more = name
    if command_name == "detect" and flags[0] in ("--gender", "--person"):
        pytest.skip("detect has no such flag")
    assert run(command_name, photo.parent, *flags, *more) == 2
    out, err = capsys.readouterr()
    assert (out, err.count(says)) == ("", 1)
    assert err.count("\n") == 1
    assert sorted(path.name for path in photo.parent.iterdir()) == ["photo.png", "second.png"]


# Completion

BASH = """
source {script}
COMP_WORDS=({words}) COMP_CWORD={at}
_facefix
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("completion")
    for shell in ("bash", "zsh", "fish"):
        done = subprocess.run(
            [sys.executable, "-m", "lib_facefix", "completion", shell], capture_output=True, check=True
        )
        (folder / shell).write_bytes(done.stdout)
    return folder


@needs["bash"]
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("facefix se", ["setup", "settings", "serve"]),
        ("facefix fix --fid", ["--fidelity"]),
        ("facefix --fid", ["--fidelity"]),
        ("facefix fix --method re", ["re-diffuse", "restore"]),
        ("facefix old.jpg --restorer gf", ["gfpgan", "gfpgan-1.3"]),
        ("facefix models ge", ["get"]),
        ("facefix models get gf", ["gfpgan", "gfpgan-1.3"]),
        ("facefix models get --all", ["--all-free"]),
        ("facefix setup code", ["codeformer"]),
        ("facefix completion z", ["zsh"]),
        ("facefix serve --op", ["--open"]),
        ("facefix fix --report ph", ["photo.json", "photos"]),
        ("facefix fix --fidelity ph", []),
        ("facefix fix ph", ["photo.json", "photos"]),
        ("facefix ph", ["photo.json", "photos"]),
    ],
)
def test_bash_completes_commands_flags_values_and_files(scripts, tmp_path, words, offered):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photo.json").touch()
    script = BASH.format(script=scripts / "bash", words=words, at=words.count(" "))
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert sorted(done.stdout.split()) == sorted(offered)


@needs["fish"]
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("facefix se", {"serve", "settings", "setup"}),
        ("facefix fix --fid", {"--fidelity"}),
        ("facefix fix --method re", {"re-diffuse", "restore"}),
        ("facefix models get gf", {"gfpgan", "gfpgan-1.3"}),
        ("facefix completion z", {"zsh"}),
    ],
)
def test_fish_completes_commands_flags_and_values(scripts, tmp_path, words, offered):
    line = f"source {scripts}/fish; complete -C '{words}'"
    away = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        ["fish", "-N", "-c", line], cwd=tmp_path, env=away, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert {one.split("\t")[0] for one in done.stdout.splitlines()} == offered


ZSH = """
autoload -Uz compinit; compinit -u -d {folder}/dump
source {script}
_describe() {{ print -l ${{(P)2}}; }}
_files() {{ print files; }}
_arguments() {{ print -l -- "$@"; }}
words=({words}) CURRENT={at}
_facefix
"""


@needs["zsh"]
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("facefix ''", ["serve:serve a web page and the HTTP API", "files"]),
        ("facefix fix --fid", ["*--fidelity[Fidelity]:value: ", "*:file:_files"]),
        ("facefix old.jpg --method", ["*--method[Method]:value:(auto re-diffuse restore leave)"]),
        ("facefix models get gf", ["*--all-free[download all models whose licence allows any use]"]),
        ("facefix models ''", ["*:value:(get verify convert)"]),
        ("facefix completion z", ["*:value:(bash zsh fish)"]),
    ],
)
def test_zsh_gets_the_arguments_of_the_command(scripts, tmp_path, words, offered):
    script = ZSH.format(script=scripts / "zsh", folder=tmp_path, words=words, at=words.count(" ") + 1)
    done = subprocess.run(["zsh", "-f", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert set(offered) <= set(done.stdout.splitlines())
