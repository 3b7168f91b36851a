"""Train the restorer: stops after a given time, and goes on after an interruption.

    python -m training.train --minutes 55 --out build/training

Needs PyTorch; a processor is enough. The learning rate follows the clock: a slower machine takes fewer steps,
and two runs are alike but not equal to the last bit.
"""

from __future__ import annotations

import argparse
import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from training.beginning import begin
from training.embedding import FaceEmbedding, read_weights
from training.faces import Source, sources_in
from training.losses import closeness, face_weights, strangeness
from training.network import Lite
from training.pictures import BEGINNING, EMBEDDING, TRAINING, fetch, read_pictures
from training.samples import draw_place, draw_sample

WINDOW = 384
"""Side of the part of the crop that one step trains on; it always holds the face."""
LEFT, TOP = (56, 79), (104, 127)
"""Where the window may begin, so that the embedding's chip stays inside."""
WARM_UP = 100
"""Steps until the full learning rate."""
AVERAGING = 0.998
"""How much of the averaged weights stays at each step, once there have been enough of them."""
NEPER = 10 / math.log(10)
"""Decibels in one unit of a natural logarithm of power."""
CHECKPOINT = "checkpoint.pt"

log = logging.getLogger("train")


class Stream(IterableDataset[tuple[Any, Any, bool]]):
    """Endless samples: mostly faces, some places; each is (degraded, clean, whether it is a face)."""

    def __init__(self, faces: list[Source], photos: list[Any], seed: int, places: float) -> None:
        """places: share of samples from anywhere in the photos, 0..1."""
        self._faces, self._photos, self._seed, self._places = faces, photos, seed, places

    def __iter__(self) -> Iterator[tuple[Any, Any, bool]]:
        cv2.setNumThreads(0)
        worker = get_worker_info()
        random = np.random.default_rng((self._seed, worker.id if worker else 0))
        while True:
            is_face = bool(random.random() >= self._places)
            photo = self._photos[random.integers(len(self._photos))]
            source = self._faces[random.integers(len(self._faces))] if is_face else draw_place(photo, random)
            degraded, clean = draw_sample(source, random)
            yield degraded, clean, is_face


@dataclass
class Progress:
    """How far a run is; written to the checkpoint with the weights."""

    seconds: float = 0.0
    step: int = 0


class Trainer:
    """The network, its averaged weights and its optimiser, and how they are kept on disk."""

    def __init__(self, net: Lite, embed: FaceEmbedding, options: argparse.Namespace) -> None:
        self.net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.averaged = {name: value.clone() for name, value in net.state_dict().items()}
        self.optimiser = torch.optim.Adam(net.parameters(), lr=options.rate, betas=(0.9, 0.99))
        self.progress = Progress()
        self._embed, self._options, self._weights = embed, options, face_weights()
        self._windows = np.random.default_rng(options.seed)

    def set_rate(self) -> None:
        """Rise for a hundred steps, then fall along a cosine to 0 at the end of the time."""
        share = min(1.0, self.progress.seconds / (60 * self._options.minutes))
        rise = min(1.0, (self.progress.step + 1) / WARM_UP)
        for group in self.optimiser.param_groups:
            group["lr"] = self._options.rate * rise * (1 + math.cos(math.pi * share)) / 2

    def learn(self, degraded: Tensor, clean: Tensor, is_face: Tensor) -> tuple[float, float]:
        """One step on (N, 3, 512, 512) crops; returns the gain in decibels and the log identity distance."""
        left, top = (int(self._windows.integers(*bounds)) for bounds in (LEFT, TOP))
        window = (..., slice(top, top + WINDOW), slice(left, left + WINDOW))
        degraded = degraded[window].contiguous(memory_format=torch.channels_last)
        clean, weights = clean[window], self._weights[window]
        with torch.autocast("cpu", torch.bfloat16):
            residual = self.net(degraded)
        restored = degraded + residual.float()
        far = closeness(restored, clean, weights)
        strange = torch.zeros(1)
        if bool(is_face.any()):
            with torch.autocast("cpu", torch.bfloat16):
                strange = strangeness(restored[is_face], clean[is_face], self._embed, left, top).float()
        self.optimiser.zero_grad()
        (far.mean() + self._options.identity * strange.sum() / len(far)).backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        self._average()
        gain = NEPER * float((closeness(degraded, clean, weights) - far.detach()).mean())
        return gain, float(strange.detach().mean())

    @torch.no_grad()
    def _average(self) -> None:
        self.progress.step += 1
        keep = min(AVERAGING, (1 + self.progress.step) / (10 + self.progress.step))
        for name, value in self.net.state_dict().items():
            self.averaged[name].lerp_(value, 1 - keep)

    def save(self, folder: Path) -> None:
        """Write everything a resumed run needs; a kill at any moment leaves the old file or the new one."""
        state = {
            "net": self.net.state_dict(),
            "averaged": self.averaged,
            "optimiser": self.optimiser.state_dict(),
            "progress": vars(self.progress),
        }
        torch.save(state, folder / f"{CHECKPOINT}.part")
        (folder / f"{CHECKPOINT}.part").replace(folder / CHECKPOINT)

    def resume(self, folder: Path) -> None:
        """Go on from the folder's checkpoint."""
        state = torch.load(folder / CHECKPOINT, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.averaged = state["averaged"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.progress = Progress(**state["progress"])


def samples(cache: Path, options: argparse.Namespace, drawn: int) -> Iterator[list[Tensor]]:
    """Endless batches from the training pictures; `drawn` steps have been taken before."""
    photos = [picture for _, picture in read_pictures(TRAINING, cache)]
    faces = [source for picture in photos for source in sources_in(picture)]
    log.info("%d faces in %d photos", len(faces), len(photos))
    stream = Stream(faces, photos, options.seed + 1000 * drawn, options.places)
    return iter(DataLoader(stream, batch_size=options.batch, num_workers=1, prefetch_factor=4))


def train(trainer: Trainer, batches: Iterator[list[Tensor]], options: argparse.Namespace) -> None:
    """Learn until the time is up; says how it goes and saves once a minute."""
    before, begun, recent = trainer.progress.seconds, time.monotonic(), []
    saved = begun
    while trainer.progress.seconds < 60 * options.minutes:
        trainer.set_rate()
        recent.append(trainer.learn(*next(batches)))
        now = time.monotonic()
        trainer.progress.seconds = before + now - begun
        if now - saved > 60:
            gain, strange = np.mean(recent, axis=0)
            minutes, step = trainer.progress.seconds / 60, trainer.progress.step
            log.info("%.1f min, step %d: %+.2f dB, log identity %.3f", minutes, step, gain, strange)
            trainer.save(options.out)
            saved, recent = now, []
    trainer.save(options.out)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint and the log")
    parser.add_argument("--cache", type=Path, default=Path("build/pictures"), help="for fetched files")
    parser.add_argument("--minutes", type=float, default=55.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rate", type=float, default=4e-4, help="highest learning rate")
    parser.add_argument("--identity", type=float, default=0.1, help="weight of the identity loss")
    parser.add_argument("--places", type=float, default=0.2, help="share of samples that show no face, 0..1")
    return parser.parse_args(arguments)


def main() -> None:
    """Run from the command line."""
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    to_file = logging.FileHandler(options.out / "train.log")
    handlers: list[logging.Handler] = [logging.StreamHandler(), to_file]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", handlers=handlers)
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    weights, _ = (fetch(file, options.cache) for file in EMBEDDING)
    net = Lite()
    begin(net, fetch(BEGINNING, options.cache))
    trainer = Trainer(net, FaceEmbedding(read_weights(weights.with_suffix(""))), options)
    if options.resume:
        trainer.resume(options.out)
    log.info("%s", vars(options))
    train(trainer, samples(options.cache, options, trainer.progress.step), options)


if __name__ == "__main__":
    main()
