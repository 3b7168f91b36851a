"""Adds FaceFix's flags to the WebUI's command line. Only imports the standard library."""

from __future__ import annotations

import argparse
from pathlib import Path


def preload(parser: argparse.ArgumentParser) -> None:
    """Add the flags; the WebUI calls this before it parses its command line."""
    parser.add_argument(
        "--facefix-models-dir",
        type=_absolute,
        metavar="PATH",
        help="first folder for weights, also for downloads (default: 'facefix' in the models folder)",
    )
    parser.add_argument("--facefix-offline", action="store_true", help="never use the network for FaceFix")
    parser.add_argument(
        "--facefix-device",
        metavar="NAME",
        default="auto",
        help="device for FaceFix's models, such as cpu, cuda:1, directml; auto: as the WebUI's (default: auto)",
    )
    parser.add_argument(
        "--facefix-allowed-folders",
        type=_absolute,
        nargs="+",
        default=(),
        metavar="PATH",
        help="folders in which FaceFix's API may read images and write results (default: none)",
    )


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())
