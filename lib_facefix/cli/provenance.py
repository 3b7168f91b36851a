"""Show or remove what files say of how they were made: FaceFix's mark (XMP), infotext, Content Credentials (C2PA)."""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import BadSetting, FaceFixError
from .files import tell_notes, write_json
from .parser import Parser
from .terminal import print_lines

STATES = {
    "Valid": "valid, but signed by nobody that this machine knows",
    "Trusted": "valid",
    "Invalid": "not valid: the file was changed after it was signed, or the signature is damaged",
    "Remote": "kept on a server, which FaceFix does not ask",
    "Unread": "there, but cannot be read here",
}
"""Words for the state of Content Credentials."""


def add(parser: Parser) -> None:
    """Add the command and its actions to its parser."""
    parser.usage = "%(prog)s ACTION FILE..."
    parser.examples = (
        "facefix provenance show new.jpg",
        "facefix provenance strip new.jpg -o clean.jpg",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", prog=parser.prog, required=True)
    show = actions.add_parser("show", help="show the record in files")
    show.add_argument("inputs", nargs="+", type=Path, metavar="FILE", help="image")
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(run=run_show)
    strip = actions.add_parser("strip", help="write a file without its record; its pixels stay as they are stored")
    strip.add_argument("input", type=Path, metavar="FILE", help="JPEG, PNG, WebP, or TIFF image")
    strip.add_argument("-o", "--output", type=Path, metavar="PATH", help="new file")
    strip.add_argument("--in-place", action="store_true", help="replace the file")
    strip.add_argument("--overwrite", action="store_true", help="replace the new file if it exists")
    strip.add_argument("--json", action="store_true", help="print JSON")
    strip.set_defaults(run=run_strip, writes=True)


def run_show(arguments: argparse.Namespace) -> int:
    """Show the record of each file. Return the exit code."""
    from ..provenance.files import VERSION, show_record

    shown, failed = [], False
    for path in arguments.inputs:
        try:
            shown.append(show_record(path))
        except FaceFixError as error:
            failed = True
            print_lines([f"facefix: {error}"], error=True)
            continue
        if not arguments.json:
            print_lines(_describe(shown[-1]))
    if arguments.json:
        write_json({"version": VERSION, "files": shown}, None)
    return 1 if failed else 0


def run_strip(arguments: argparse.Namespace) -> int:
    """Write a file without its record. Return the exit code."""
    from ..fsio import atomic_write, check_place
    from ..provenance.files import VERSION, strip_record

    path, output = arguments.input, arguments.output
    if (output is None) != arguments.in_place:
        raise BadSetting("give either -o, the new file, or --in-place, which replaces the file")
    target = path if arguments.in_place else output
    check_place(target)
    if not arguments.in_place:
        if target.exists() and path.exists() and target.samefile(path):
            raise BadSetting(f"the result would overwrite the input {path}. Choose another output, or use --in-place")
        if target.exists() and not arguments.overwrite:
            raise BadSetting(f"{target} exists. Choose another output, or add --overwrite")
    stripped = strip_record(path)
    found = stripped != path.read_bytes()
    tell_notes(atomic_write(target, lambda file: file.write(stripped)), target)
    if arguments.json:
        write_json({"version": VERSION, "path": str(path), "output": str(target), "had_record": found}, None)
    else:
        print_lines([f"{path}: {'record removed' if found else 'it has no record'} -> {target}"])
    return 0


def _describe(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines that show a record to people."""
    yield f"{record['path']}:"
    lines = [
        ("source type (IPTC)", record["source_type"]),
        ("AI system (IPTC)", ", ".join(filter(None, (record["ai_system"], record["ai_system_version"])))),
        ("mark", record["fixed_before"]),
        ("infotext", "generation parameters" if record["parameters"] else None),
    ]
    found = [(name, text) for name, text in lines if text]
    if record["infotext"]:
        found.append(("infotext", f"FaceFix, passes: {_count_passes(record['infotext'])}"))
    for name, text in [*found, *_describe_credentials(record["credentials"])]:
        yield f"  {name}: {text}"
    for edit in record["edits"]:
        if edit["face"]:
            yield f"    face {edit['face']}, box {edit['box']}: {edit['action']} {edit['model']}".rstrip()
    if not found and not record["credentials"]:
        yield "  no record"


def _count_passes(entries: Mapping[str, Any]) -> int | str:
    """Return the number of passes in the infotext; versions before 4 wrote lists."""
    faces = entries.get("faces")
    return len(faces) if isinstance(faces, list) else entries.get("FaceFix passes", "1")


def _describe_credentials(found: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Yield names and texts for what the Content Credentials of a file say."""
    if found is None:
        return
    yield "Content Credentials", STATES.get(found["state"], found["state"])
    if found["state"] in ("Invalid", "Unread") and found["codes"]:
        yield "reason", ", ".join(found["codes"])
    for name, key in (("made by", "generator"), ("signed by", "signed_by")):
        if found.get(key):
            yield name, found[key]
    for action in found.get("actions", ()):
        yield "action", f"{action.get('action', '')} {action.get('description', '')}".rstrip()
    for one in found.get("ingredients", ()):
        signed = "signed" if one["signed"] else "not signed"
        yield "made from", f"{one['title']} ({one['relationship']}, {signed})"
