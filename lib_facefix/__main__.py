"""Runs the command line: `python -m lib_facefix` is the same as `facefix`."""

from .cli.__main__ import entry

if __name__ == "__main__":
    entry()
