"""Find the faces in images, restore them, and save the results. Originals are kept unless you use --in-place."""

from argparse import ArgumentTypeError
from pathlib import Path

from .engines import add_remote
from .flags import add_inputs, add_overwrite, add_runtime, add_salvage, add_settings
from .model_folders import add_fetch_flags
from .parser import Parser

FORMATS = {
    "png": ".png",
    "jpeg": ".jpg",
    "jpg": ".jpg",
    "webp": ".webp",
    "tiff": ".tif",
    "avif": ".avif",
    "heic": ".heic",
    "jp2": ".jp2",
    "bmp": ".bmp",
    "gif": ".gif",
}
"""File suffix of each value of --format."""

MAX_JOBS = 256
"""Maximum number of processes."""
MAX_GPUS = 16
"""Maximum number of GPUs for one process."""


def add(parser: Parser) -> None:
    """Add the command to its parser."""
    parser.usage = "%(prog)s IMAGE... [FLAGS]"
    parser.examples = (
        "facefix old.jpg                  writes old.fixed.jpg beside it",
        "facefix album/ -o restored/      a folder, with its subfolders",
        "facefix old.jpg --method restore --fidelity 0.3 --compare sheet.jpg",
        "facefix old.jpg --dry-run        what would happen to each face, and why",
    )
    add_inputs(parser, "; - reads an image from standard input")
    _add_outputs(parser)
    add_settings(parser)
    add_remote(parser)
    add_fetch_flags(add_runtime(parser))
    parser.set_defaults(run=".fix_images", writes=True)


def _add_outputs(parser: Parser) -> None:
    output = parser.add_argument_group("output")
    text = "output file or folder (default: NAME.fixed.EXT beside each image); - writes the image to standard output"
    output.add_argument("-o", "--output", metavar="PATH", help=text)
    text = "file format of the results (default: that of each image)"
    output.add_argument("--format", choices=FORMATS, metavar="NAME", help=f"{text} [{' | '.join(FORMATS)}]")
    text = "quality of JPEG, WebP, AVIF and HEIC files [1 to 100; default: as good as the image]"
    output.add_argument("--quality", type=int, choices=range(1, 101), metavar="N", help=text)
    text = "text between the name and the extension of results [default: .fixed, and none with -o]"
    output.add_argument("--suffix", metavar="TEXT", help=text)
    output.add_argument("--in-place", action="store_true", help="overwrite the original images")
    add_overwrite(output)
    output.add_argument("--skip-existing", action="store_true", help="skip images whose result exists already")
    text = "fix images again that FaceFix has fixed before (default: leave them as they are)"
    output.add_argument("--again", action="store_true", help=text)
    output.add_argument("--compare", type=Path, metavar="FILE", help="write a before/after sheet of all faces")
    text = "write a report of all faces: JSON, JSON lines (.jsonl), or CSV (.csv)"
    output.add_argument("--report", type=Path, metavar="FILE", help=text)
    text = "write a web page with all images before and after, the most changed faces first"
    output.add_argument("--gallery", type=Path, metavar="FILE", help=text)
    output.add_argument("--dry-run", action="store_true", help="print the plan without writing any image")
    output.add_argument("-v", "--verbose", action="store_true", help="print engine, time, and reason of every face")
    output.add_argument("-q", "--quiet", action="store_true", help="print only errors")
    more = [
        output.add_argument("--plan", type=Path, metavar="FILE", help="run a plan from `facefix plan`, edited or not")
    ]
    text = "PNG compression, 0 to 9 for the smallest file [default 1]"
    more.append(output.add_argument("--png-level", type=int, choices=range(10), metavar="N", help=text))
    text = "give results the modification time of their inputs"
    more.append(output.add_argument("--keep-times", action="store_true", help=text))
    text = "do not write into the metadata of results (XMP) that, and how, FaceFix changed them"
    more.append(output.add_argument("--no-mark", action="store_true", help=text))
    text = "sign results with Content Credentials (C2PA): PEM file of your certificate and those of its issuers"
    more.append(output.add_argument("--sign", type=Path, metavar="FILE", help=text))
    text = "PEM file with the private key of the certificate"
    more.append(output.add_argument("--sign-key", type=Path, metavar="FILE", help=text))
    text = "kind of the report [json | jsonl | csv; default: by the name of the file]"
    more.append(output.add_argument("--report-format", choices=("json", "jsonl", "csv"), metavar="NAME", help=text))
    parser.hide(more)
    _add_bulk(parser)
    add_salvage(parser)


def _add_bulk(parser: Parser) -> None:
    section = parser.add_argument_group("many images")
    text = "number of processes that fix images at once, or auto for one per processor core [default: 1]"
    section.add_argument("--jobs", type=_read_jobs, default=1, metavar="N", help=text)
    text = "fix only part I of N of the images, so that several machines can share a folder"
    more = [section.add_argument("--shard", metavar="I/N", help=text)]
    text = "use a Ray cluster: local (a new one), auto (the one on this machine), or its address"
    more.append(section.add_argument("--ray", metavar="ADDRESS", help=text))
    text = "GPUs for each process of --ray, such as 0.25 [default: 0]"
    more.append(section.add_argument("--ray-gpus", type=_read_share, default=0.0, metavar="X", help=text))
    parser.hide(more)


def _read_jobs(text: str) -> int:
    """Return the number of processes, 0 for auto."""
    if text == "auto":
        return 0
    if not text.isdecimal() or not 1 <= int(text) <= MAX_JOBS:
        raise ArgumentTypeError(f"give a number from 1 to {MAX_JOBS}, or auto, not {text!r}")
    return int(text)


def _read_share(text: str) -> float:
    """Return a number of GPUs, also less than one."""
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= MAX_GPUS:
        raise ArgumentTypeError(f"give a number from 0 to {MAX_GPUS}, not {text!r}")
    return share
