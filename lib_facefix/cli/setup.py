"""Get better restorers in one step: show what there is, check the packages, install, and download.

Without a name, the command only shows what there is. Nothing is installed or downloaded without your consent.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..errors import BadSetting
from .model_folders import add_fetch_flags, add_path_flags, read_model_paths
from .parser import Parser
from .terminal import print_lines

if TYPE_CHECKING:
    from ..models.environment import Environment
    from ..models.setup import Offer

WIDTH = 78
"""Widest line of the list, in characters."""


def add(parser: Parser) -> None:
    """Add the command to its parser."""
    parser.usage = "%(prog)s [NAME...] [FLAGS]"
    parser.examples = (
        "facefix setup                        shows the restorers, with their licences",
        "facefix setup gfpgan                 installs GFPGAN with all that it needs",
        "facefix setup gfpgan codeformer -y   installs two without asking",
        "facefix old.jpg --restorer gfpgan    uses one",
    )
    parser.add_argument("inputs", nargs="*", metavar="NAME", help="restorer to install, such as gfpgan")
    add_path_flags(parser, default=[])
    add_fetch_flags(parser)
    parser.set_defaults(run=run, writes=True)


def run(arguments: argparse.Namespace) -> int:
    """Run the command. Return its exit code."""
    from ..models.environment import find_environment
    from ..models.setup import carry_out, find_offers, list_offers

    paths, environment = read_model_paths(arguments), find_environment()
    offers = list_offers(paths, arguments.mirror)
    if not arguments.inputs:
        print_lines(_describe_all(offers, environment))
        return 0
    wanted = find_offers(arguments.inputs, offers)
    missing = [offer for offer in wanted if not offer.done]
    print_lines(f"{offer.info.name}: already installed" for offer in wanted if offer.done)
    if not missing:
        return 0
    _ask_consent(missing, environment, yes=arguments.yes)
    bar = _Steps()
    done = carry_out(
        missing,
        paths,
        tell=bar.tell,
        show_output=True,
        offline=arguments.offline,
        mirror=arguments.mirror,
        environment=environment,
    )
    bar.close()
    print_lines(f"{name}: installed. Use it with `--restorer {name}`" for name in done.models)
    return 0


class _Steps:
    """Prints each step on a line of its own, and in a terminal the progress of downloads."""

    def __init__(self) -> None:
        self._step = ""

    def tell(self, done: int, total: int, doing: str) -> None:
        """Print the step if it is new, and how much of it is done."""
        if doing != self._step:
            self.close()
            self._step = doing
            print_lines([f"{doing} ..."], error=True)
        if total and sys.stderr.isatty():
            print(f"\r  {done / 1e6:.0f} of {total / 1e6:.0f} MB", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """End the line of the progress."""
        if self._step and sys.stderr.isatty():
            print(file=sys.stderr)


def _describe_all(offers: Sequence[Offer], environment: Environment) -> Iterator[str]:
    from ..models.setup import list_requirements

    yield "Restorers besides the built-in one:"
    for offer in offers:
        yield ""
        yield from _describe_offer(offer)
    yield ""
    for packages in dict.fromkeys(offer.missing_packages for offer in offers if offer.missing_packages):
        names = [offer.info.name for offer in offers if offer.missing_packages == packages]
        yield from textwrap.wrap(f"{_describe_packages(packages, names, environment)} `facefix setup NAME` installs "
                                 "them, after asking you, or you can run:", WIDTH)  # fmt: skip
        yield f"  {environment.describe(list_requirements(packages))}"
        yield ""
    yield f"Install one: facefix setup {next((offer.info.name for offer in offers if not offer.done), 'NAME')}"


def _describe_offer(offer: Offer) -> Iterator[str]:
    """Yield the lines of one restorer: name, state and size, what it is good at, and its licence."""
    size = f"{offer.record.bytes / 1e6:.0f} MB"
    state = "installed" if offer.ready else f"{size}, not installed"
    if offer.ready and not offer.accepted:
        state = "installed, licence not accepted"
    if offer.weights_here and not offer.ready:
        state = "weights installed, packages missing"
    yield f"{offer.info.name:<16}  {offer.info.label} ({state})"
    texts = (offer.info.about, f"Licence: {offer.record.licence}. {offer.record.notice}")
    for text in texts:
        yield from textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="    ")


def _describe_packages(packages: Sequence[str], names: Sequence[str], environment: Environment) -> str:
    """Return which restorers need these packages, and the size of the download. names: those of the restorers."""
    from ..models.setup import estimate_packages

    size = estimate_packages(packages, environment) / 1e6
    words = f"{size / 1000:.0f} GB" if size >= 1000 else f"{size:.0f} MB"
    who = f"{', '.join(names)} {'needs' if len(names) == 1 else 'need'}"
    if len(packages) == 1:
        return f"{who} the Python package {packages[0]}, which is not installed (about {words})."
    return f"{who} the Python packages {', '.join(packages)}, which are not installed (about {words})."


def _ask_consent(offers: Sequence[Offer], environment: Environment, *, yes: bool) -> None:
    """Show what would be installed, and ask. Raises `BadSetting` unless the answer is yes."""
    from ..models.setup import list_missing, list_requirements

    for offer in offers:
        print_lines(_describe_offer(offer), error=True)
    packages = list_missing(offers)
    command = environment.describe(list_requirements(packages))
    if packages:
        names = [offer.info.name for offer in offers if offer.missing_packages]
        print_lines(textwrap.wrap(_describe_packages(packages, names, environment), WIDTH), error=True)
        if not environment.can_install:
            raise BadSetting(f"the system manages this Python, so FaceFix installs nothing into it. Run: {command}")
        print_lines([f"  {command}"], error=True)
    if yes:
        return
    if not sys.stdin.isatty():
        raise BadSetting("nothing was installed, as this needs your consent; add --yes, or use a terminal")
    print("Install, and accept the licence? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise BadSetting("cancelled; nothing was installed")
