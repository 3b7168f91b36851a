"""The commands that README and docs show are commands of this version, with flags that exist."""

import re
import shlex
from pathlib import Path

import pytest

import lib_facefix
from lib_facefix.cli import __main__ as main

ROOT = Path(lib_facefix.__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
IN_TABLE = re.compile(r"^\| `(facefix [^`]*)`", re.MULTILINE)


def commands_of(text):
    """Return the lines that call facefix, in blocks and in the first column of tables, without the rest of a pipe."""
    blocks = "\n".join(BLOCK.findall(text)).replace("\\\n", " ")
    lines = [line for line in blocks.splitlines() if line.startswith("facefix ")]
    return [*lines, *IN_TABLE.findall(text)]


def exit_code(line):
    """Return 0 if the command line accepts a line, or its exit code."""
    words = shlex.split(line.partition(" | ")[0].partition(" > ")[0], comments=True)[1:]
    if not main.answer_at_once(words):
        command, rest = (words[0], words[1:]) if words[0] in main.COMMANDS else ("fix", words)
        try:
            main.make_parser(command).parse_args(rest)
        except SystemExit as stopped:
            return stopped.code
    return 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_is_accepted(page):
    assert [line for line in commands_of(page.read_text("utf-8")) if exit_code(line) != 0] == []


def test_the_readme_shows_every_command():
    shown = {shlex.split(line)[1] for line in commands_of(PAGES[0].read_text("utf-8"))}
    assert set(main.COMMANDS) <= shown


@pytest.mark.parametrize(
    "line", ["facefix fix a.jpg --fidelty 1", "facefix models gett", "facefix plan a.jpg --nothing"]
)
def test_a_wrong_command_is_seen(line):
    assert exit_code(line) == 2
