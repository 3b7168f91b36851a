"""The flags that FaceFix adds to the WebUI's command line. Imports nothing but the standard library."""

from __future__ import annotations

import argparse
from pathlib import Path


def preload(parser: argparse.ArgumentParser) -> None:
    """Add the flags; the WebUI calls this before it reads its command line."""
    parser.add_argument(
        "--facefix-models-dir",
        type=_absolute,
        metavar="PATH",
        help="where FaceFix looks for weights first, and keeps its own (default: 'facefix' in the models folder)",
    )
    parser.add_argument("--facefix-offline", action="store_true", help="FaceFix never uses the network")
    parser.add_argument(
        "--facefix-device",
        choices=("auto", "cpu"),
        default="auto",
        help="what FaceFix runs restorers on; auto: the graphics processor, where the WebUI may use it",
    )
    parser.add_argument(
        "--facefix-allowed-folders",
        type=_absolute,
        nargs="+",
        default=(),
        metavar="PATH",
        help="folders that clients of FaceFix's API may name, to read pictures there and write results (default: none)",
    )


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())
