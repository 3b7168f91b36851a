"""Judge a restorer's ONNX file on people whom no training shows.

    python -m training.evaluate lib_facefix/assets/lite.onnx --out build/evaluation
    python -m training.evaluate new.onnx --against old.onnx --kinds hard,mild --people 16 --out build/evaluation

Crops are aligned by the landmarks of the clean picture. Prints a line for each degradation and end of the fidelity, and
writes tables.md and figures.json. Crops and figures are kept in the cache folder, so that only a new file takes time.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import torch

from lib_facefix.analysis.embedding import Embedder
from lib_facefix.fsio import atomic_write
from training.judging.blind import save_blind_pairs
from training.judging.held_out import SETS, HeldOutFace, choose_people, read_held_out
from training.judging.measures import Figures, Truth
from training.judging.perception import ALEX, PerceptualDistance
from training.judging.restorers import DEFAULT, OnnxRestorer, Restorer, UnsharpMask, Untouched
from training.judging.tables import Result, average_by_method, compare_extremes, compare_groups, compare_kinds
from training.judging.trials import KINDS, VERSION
from training.people.roster import Person, read_people
from training.pictures import fetch


class Notes:
    """Figures measured earlier, in one file for each restorer and version of the degradations."""

    def __init__(self, folder: Path, restorer: Restorer) -> None:
        self._path = folder / f"figures-{VERSION}-{restorer.key}.json"
        self._known: dict[str, dict[str, float]] = {}
        if self._path.exists():
            self._known = json.loads(self._path.read_text(encoding="utf-8"))

    def find(self, person: str, kind: str, end: str) -> Figures | None:
        """Return the figures, if they are known."""
        known = self._known.get(f"{person}|{kind}|{end}")
        return None if known is None else Figures(**known)

    def add(self, person: str, kind: str, end: str, figures: Figures) -> None:
        """Keep the figures; `save` writes them."""
        self._known[f"{person}|{kind}|{end}"] = asdict(figures)

    def save(self) -> None:
        """Write the file."""
        content = json.dumps(self._known).encode()
        atomic_write(self._path, lambda out: out.write(content))


class Judge:
    """Measures restorers on one person after another."""

    def __init__(self, restorers: Sequence[Restorer], cache: Path) -> None:
        self._restorers = [(restorer, Notes(cache, restorer)) for restorer in restorers]
        self._perception = PerceptualDistance(fetch(ALEX, cache))
        self._embedder = Embedder()

    def judge(self, face: HeldOutFace) -> Iterator[Result]:
        """Yield the figures of all restorers under all degradations of this person."""
        name, truth = face.person.name, None
        for kind, crop in face.degraded.items():
            for restorer, notes in self._restorers:
                known = {end: notes.find(name, kind, end) for end in restorer.ends}
                if None in known.values():
                    truth = truth or Truth(face.truth, self._perception, self._embedder)
                    known = {end: truth.compare(result) for end, result in restorer.restore(crop).items()}
                for end, figures in known.items():
                    assert figures is not None
                    notes.add(name, kind, end, figures)
                    yield Result(name, kind, describe(restorer, end), figures)
        if truth is not None:
            for _, notes in self._restorers:
                notes.save()


def describe(restorer: Restorer, end: str) -> str:
    """Return the name of a method for tables."""
    return restorer.name if len(restorer.ends) == 1 else f"{restorer.name}, {end}"


def name_groups(person: Person) -> list[str]:
    """Return all groups of a person, such as "sex: female"."""
    return [f"{trait}: {value}" for trait, value in person.traits.items() if value]


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("onnx", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder for the tables")
    parser.add_argument("--against", type=Path, help="another ONNX file to compare with")
    parser.add_argument("--kinds", default=",".join(KINDS), help="degradations, separated by commas")
    parser.add_argument("--people", type=int, help="number of people; all by default")
    parser.add_argument("--sets", default=",".join(SETS), help="sets of people, separated by commas")
    parser.add_argument("--unsharp", action="store_true", help="judge an unsharp mask, too")
    parser.add_argument("--blind", type=int, metavar="SEED", help="also write 40 blind pairs of input and default")
    parser.add_argument("--cache", type=Path, default=Path("build/pictures"), help="folder for fetched files")
    parser.add_argument("--local", type=Path, action="append", default=[], help="folder with copies of the pictures")
    options = parser.parse_args()
    options.kinds, options.sets = options.kinds.split(","), options.sets.split(",")
    unknown = set(options.kinds) - set(KINDS)
    if unknown:
        parser.error(f"unknown degradations: {', '.join(sorted(unknown))}; known: {', '.join(KINDS)}")
    return options


def make_report(results: Sequence[Result], method: str, baseline: str | None) -> str:
    """Return the tables of means and of groups."""
    groups = {person.name: name_groups(person) for person in read_people()}
    compared = (results, groups.__getitem__, method, Untouched.name)
    parts = [
        compare_kinds(results, Untouched.name, baseline),
        f"Groups: {method} against the input.",
        compare_groups(*compared),
        "ST-LPIPS gain of groups:",
        compare_extremes(*compared),
    ]
    return "\n\n".join(parts)


def print_means(results: Iterable[Result], kinds: Iterable[str]) -> None:
    """Print a line for each degradation and method."""
    listed = list(results)
    for kind in kinds:
        for method, mean in average_by_method(result for result in listed if result.kind == kind).items():
            figures = f"PSNR {mean.psnr:6.2f}  LP {mean.perceptual:.3f}  id {mean.identity:.3f}"
            print(f"{kind:10s} {method:22s} {figures}  fine {mean.fine:.2f}  middle {mean.middle:.2f}")  # noqa: T201


def main() -> None:
    """Run from the command line."""
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    options.cache.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    net = OnnxRestorer(options.onnx)
    restorers: list[Restorer] = [Untouched(), *([UnsharpMask()] if options.unsharp else [])]
    if options.against:
        restorers.append(OnnxRestorer(options.against))
        restorers[-1].name += " before" if restorers[-1].name == net.name else ""
    judge = Judge([*restorers, net], options.cache)
    people = choose_people(options.people, options.sets)
    faces = read_held_out(people, options.kinds, [options.cache, *options.local], options.cache)
    results = [result for face in faces for result in judge.judge(face)]
    baseline = describe(restorers[-1], DEFAULT) if options.against else None
    report = make_report(results, describe(net, DEFAULT), baseline)
    (options.out / "tables.md").write_text(report + "\n", encoding="utf-8")
    seconds = float(np.median(net.seconds)) if net.seconds else None
    record = {
        "opencv": cv2.__version__,
        "cpu_seconds_per_face": seconds,
        "results": [asdict(result) for result in results],
    }
    (options.out / "figures.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    print_means(results, options.kinds)
    speed = "all figures known" if seconds is None else f"{seconds:.3f} CPU seconds a face in OpenCV {cv2.__version__}"
    print(f"{len(people)} people; {speed}")  # noqa: T201
    if options.blind is not None:
        again = read_held_out(people, options.kinds, [options.cache, *options.local], options.cache)
        save_blind_pairs(again, net, options.blind, options.out)


if __name__ == "__main__":
    main()
