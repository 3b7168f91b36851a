"""Train the restorer: stops after a given time, and goes on after an interruption.

    python -m training.train --minutes 100 --out build/training
    python -m training.train --minutes 200 --out build/training --resume

Needs PyTorch; a processor is enough. The learning rate follows the clock: a slower machine takes fewer steps, and two
runs are alike but not equal to the last bit. Most steps look at windows of the face, where the vivid head learns
texture; every fourth sees whole faces, where both heads learn to keep the person.
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

from training import losses
from training.beginning import begin
from training.critic import Critic, fool, tell_apart
from training.embedding import FaceEmbedding, read_weights
from training.faces import Source, sources_in
from training.judging.perception import ALEXNET, PerceptualDistance
from training.network import TwoHeads
from training.people.load import TrainingFace, load_training_faces
from training.pictures import EMBEDDING, TRAINING, fetch, read_pictures
from training.samples import CROP, draw_place, draw_sample, face_width

FACE = (64, 112, 384)
"""Left, top, and side of the window that holds the face and the embedding's chip."""
PART = 224
"""Side of the windows of most steps, and their number a crop."""
WINDOWS = 2
LOOKED_AT = 176
"""Side of the part of a window that is compared by its features."""
EYES = ((192, 240), (320, 240))
CENTRES = (*EYES, *EYES, (256, 372), (256, 300), (256, 150), (170, 340), (342, 340), (256, 440))
"""What windows lie around: eyes (twice, since errors are seen there first), mouth, nose, forehead, cheeks, chin."""
WHOLE_FACE_EVERY = 4
"""Every how many steps one sees whole faces."""
WARM_UP = 100
"""Steps until the full learning rate."""
CRITIC_WAITS, CRITIC_RISES = 150, 300
"""Steps before the critic is heeded, and until it is in full."""
AVERAGING = 0.998
"""How much of the averaged weights stays at each step, once there have been enough of them."""
SHARP = 256.0
"""Width in pixels from which a face is as sharp as those it is compared with; narrower ones are drawn less often."""
SHIPPED = Path("lib_facefix/assets/lite.onnx")
CHECKPOINT = "checkpoint.pt"

log = logging.getLogger("train")
Loss = dict[str, Tensor]


@dataclass(frozen=True)
class Weights:
    """What each loss counts."""

    close: float = 3.5
    person: float = 0.1
    plain: float = 5.0
    tone: float = 5.0
    look: float = 3.0
    texture: float = 0.2
    grid: float = 40.0
    critic: float = 0.08
    damage: float = 0.05


class Stream(IterableDataset[tuple[Any, Any, bool]]):
    """Endless samples: mostly faces, some places; each is (degraded, clean, whether it is a face)."""

    def __init__(self, faces: list[Source], shares: list[float], photos: list[Any], seed: int, places: float) -> None:
        """shares: how often each face is drawn; places: share of samples from anywhere in the photos, 0..1."""
        self._faces, self._photos, self._seed, self._places = faces, photos, seed, places
        self._shares = np.asarray(shares) / np.sum(shares)

    def __iter__(self) -> Iterator[tuple[Any, Any, bool]]:
        cv2.setNumThreads(0)
        worker = get_worker_info()
        random = np.random.default_rng((self._seed, worker.id if worker else 0))
        while True:
            is_face = bool(random.random() >= self._places)
            photo = self._photos[random.integers(len(self._photos))]
            face = self._faces[random.choice(len(self._faces), p=self._shares)]
            degraded, clean = draw_sample(face if is_face else draw_place(photo, random), random)
            yield degraded, clean, is_face


@dataclass
class Progress:
    """How far a run is; written to the checkpoint with the weights."""

    seconds: float = 0.0
    step: int = 0


def cut_windows(crops: Tensor, corners: list[tuple[int, int]], side: int) -> Tensor:
    """Cut a square of each crop, (N, 3, side, side)."""
    parts = [crop[:, top : top + side, left : left + side] for crop, (left, top) in zip(crops, corners, strict=True)]
    return torch.stack(parts).contiguous(memory_format=torch.channels_last)


class Trainer:
    """The network, its averaged weights, its critic and their optimisers, and how they are kept on disk."""

    def __init__(
        self, net: TwoHeads, embed: FaceEmbedding, look: PerceptualDistance, options: argparse.Namespace
    ) -> None:
        self.net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.critic = Critic().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.averaged = {name: value.clone() for name, value in net.state_dict().items()}
        self.optimiser = torch.optim.Adam(net.parameters(), lr=options.rate, betas=(0.9, 0.99))
        self.critic_optimiser = torch.optim.Adam(self.critic.parameters(), lr=2e-4, betas=(0.5, 0.99))
        self.progress = Progress()
        self.counts = Weights()
        self._embed, self._look, self._options, self._weights = embed, look, options, losses.face_weights()
        self._random = np.random.default_rng(options.seed)
        self._judged: tuple[Tensor, Tensor] | None = None

    def set_rate(self) -> None:
        """Rise for a hundred steps, then fall along a cosine to 0 at the end of the time."""
        share = min(1.0, self.progress.seconds / (60 * self._options.minutes))
        rise = min(1.0, (self.progress.step + 1) / WARM_UP)
        for group in self.optimiser.param_groups:
            group["lr"] = self._options.rate * rise * (1 + math.cos(math.pi * share)) / 2

    def learn(self, degraded: Tensor, clean: Tensor, is_face: Tensor) -> dict[str, float]:
        """One step on (N, 3, 512, 512) crops; returns each loss."""
        whole = self.progress.step % WHOLE_FACE_EVERY == 0 and bool(is_face.all())
        found = self._see_faces(degraded, clean) if whole else self._see_parts(degraded, clean)
        self.optimiser.zero_grad()
        loss = torch.stack([getattr(self.counts, name.split()[-1]) * value for name, value in found.items()]).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        self._teach_critic()
        self._average()
        return {name: float(value.detach()) for name, value in found.items()}

    def _restore(self, degraded: Tensor, left: int, top: int) -> tuple[Tensor, Tensor, Tensor]:
        with torch.autocast("cpu", torch.bfloat16):
            found = self.net(degraded, left, top)
        return degraded + found.faithful.float(), degraded + found.vivid.float(), found.damage.float()

    def _compare(
        self, pictures: tuple[Tensor, Tensor, Tensor], degraded: Tensor, clean: Tensor, weights: Tensor
    ) -> Loss:
        """The losses of any step."""
        faithful, vivid, damage = pictures
        off = ((vivid - clean).abs().mean(1, keepdim=True) * weights).mean((1, 2, 3)) / weights.mean()
        return {
            "close": losses.closeness(faithful, clean, weights).mean(),
            "plain": off.mean(),
            "tone": losses.shift_of_tone(vivid, clean).mean(),
            "damage": (damage - losses.measure_damage(degraded, clean)).abs().mean(),
        }

    def _see_faces(self, degraded: Tensor, clean: Tensor) -> Loss:
        left, top, side = FACE
        corners = [(left, top)] * len(clean)
        degraded, clean = cut_windows(degraded, corners, side), cut_windows(clean, corners, side)
        pictures = self._restore(degraded, left, top)
        found = self._compare(pictures, degraded, clean, self._weights[..., top : top + side, left : left + side])
        with torch.autocast("cpu", torch.bfloat16):
            for name, picture in zip(("faithful", "vivid"), pictures[:2], strict=True):
                far = losses.strangeness(picture, clean, self._embed, left, top)
                found[f"{name} person"] = far.float().mean()
        return found

    def _see_parts(self, degraded: Tensor, clean: Tensor) -> Loss:
        """The windows of one step lie at one place, since the network is told where they are."""
        x, y = CENTRES[self._random.integers(len(CENTRES))]
        left, top = (self._place(centre) for centre in (x, y))
        corners = [(left, top)] * len(clean)
        degraded, clean = cut_windows(degraded, corners, PART), cut_windows(clean, corners, PART)
        pictures = self._restore(degraded, left, top)
        weights = self._weights[..., top : top + PART, left : left + PART]
        found = self._compare(pictures, degraded, clean, weights)
        inner = [tuple(int(at) for at in self._random.integers(0, PART - LOOKED_AT + 1, 2)) for _ in clean]
        seen, wanted = (cut_windows(crops, inner, LOOKED_AT) for crops in (pictures[1], clean))  # type: ignore[arg-type]
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                features = self._look.extract(wanted)
            found["look"] = self._look.compare(self._look.extract(seen), features).mean()
            heeded = min(1.0, max(0.0, (self.progress.step - CRITIC_WAITS) / CRITIC_RISES))
            if heeded > 0:
                found["critic"] = heeded * fool(seen, wanted, self.critic)
        found["texture"] = losses.missing_texture(seen, wanted).mean()
        found["grid"] = losses.pattern_of_grid(seen, wanted).mean()
        self._judged = seen.detach(), wanted
        return found

    def _teach_critic(self) -> None:
        """One step of the critic on the windows that the network was judged by."""
        if self._judged is None:
            return
        with torch.autocast("cpu", torch.bfloat16):
            loss = tell_apart(*self._judged, self.critic)
        self.critic_optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.critic_optimiser.step()
        self._judged = None

    def _place(self, centre: int) -> int:
        """Where a window around `centre` begins, moved a little; a multiple of 16."""
        at = centre - PART // 2 + int(self._random.integers(-40, 41))
        return min(max(0, at), CROP - PART) // 16 * 16

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
            "critic": self.critic.state_dict(),
            "critic_optimiser": self.critic_optimiser.state_dict(),
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
        self.critic.load_state_dict(state["critic"])
        self.critic_optimiser.load_state_dict(state["critic_optimiser"])
        self.progress = Progress(**state["progress"])


def train(trainer: Trainer, batches: Iterator[list[Tensor]], options: argparse.Namespace) -> None:
    """Learn until the time is up; says how it goes and saves once a minute."""
    before, begun = trainer.progress.seconds, time.monotonic()
    recent: dict[str, list[float]] = {}
    saved = begun
    while trainer.progress.seconds < 60 * options.minutes:
        trainer.set_rate()
        for name, value in trainer.learn(*next(batches)).items():
            recent.setdefault(name, []).append(value)
        now = time.monotonic()
        trainer.progress.seconds = before + now - begun
        if now - saved > 60:
            means = "  ".join(f"{name} {np.mean(values):.3f}" for name, values in sorted(recent.items()))
            log.info("%.1f min, step %d: %s", trainer.progress.seconds / 60, trainer.progress.step, means)
            trainer.save(options.out)
            saved, recent = now, {}
    trainer.save(options.out)


def rate_sharpness(face: TrainingFace) -> float:
    """How much a face counts for its size in pixels, 0..1: as a truth, a small one is blurred."""
    return float(min(1.0, (face_width(face.source.landmarks) / SHARP) ** 4))


def draw_batches(options: argparse.Namespace, drawn: int) -> Iterator[list[Tensor]]:
    """Endless batches from the training pictures; `drawn` steps have been taken before."""
    people = load_training_faces([options.cache, *options.local])
    photos = [picture for _, picture in read_pictures(TRAINING, options.cache)]
    groups = [source for picture in photos for source in sources_in(picture)]
    faces = [*(face.source for face in people), *groups]
    shares = [*(face.weight * rate_sharpness(face) for face in people), *([1.0] * len(groups))]
    log.info("%d faces", len(faces))
    stream = Stream(faces, shares, photos, options.seed + 1000 * drawn, options.places)
    return iter(DataLoader(stream, batch_size=options.batch, num_workers=1, prefetch_factor=3))


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, required=True, help="of the whole run, resumed or not")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    parser.add_argument("--begin", type=Path, default=SHIPPED, help="ONNX file whose weights are the beginning")
    parser.add_argument("--cache", type=Path, default=Path("build/pictures"), help="folder for fetched files")
    parser.add_argument("--local", type=Path, action="append", default=[], help="folder with copies of the pictures")
    parser.add_argument("--rate", type=float, default=4e-4, help="highest learning rate")
    parser.add_argument("--batch", type=int, default=4, help="crops a step")
    parser.add_argument("--places", type=float, default=0.06, help="share of samples without a face, 0..1")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1, help="of the processor; on a busy machine, one is best")
    return parser.parse_args(arguments)


def main() -> None:
    """Run from the command line."""
    options = parse()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    options.cache.mkdir(parents=True, exist_ok=True)
    weights, _ = (fetch(file, options.cache) for file in EMBEDDING)
    look = PerceptualDistance(fetch(ALEXNET, options.cache))
    net = TwoHeads()
    begin(net, options.begin)
    trainer = Trainer(net, FaceEmbedding(read_weights(weights.with_suffix(""))), look, options)
    if options.resume:
        trainer.resume(options.out)
    train(trainer, draw_batches(options, trainer.progress.step), options)


if __name__ == "__main__":
    main()
