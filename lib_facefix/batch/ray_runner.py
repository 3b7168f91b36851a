"""Fixing many images on the machines of a Ray cluster, with Ray Data. Only this file and `ray_ledger` use ray.

Ray reads the files as bytes, with their paths: its own reader of images would lose EXIF, profiles, and 16 bits. Actors
that keep their models turn rows of bytes into rows of results. An image that fails is a row with its error. This
process takes the rows as they come, and is the only one that writes the journal. Results in a folder are written here,
as without Ray; results in an object store are written by the actors.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from ..errors import BadSetting, FaceFixError, MissingPackage
from ..fsio import Handover, atomic_write
from ..optional_imports import disable_telemetry
from ..pictures import copy_sidecars
from ..pictures.objects import as_url, is_remote, store_of, write_object
from .batch_runner import Batch
from .item import Item
from .journal import Journal
from .journal_lines import Stamp
from .one_file import Silent
from .overlap import Done, Job
from .preview import Preview
from .ray_ledger import Ledger
from .report import new_record
from .report_file import status_of
from .worker_pool import WorkerFailed

NETWORK_USE = {
    "what": "runs on a Ray cluster, whose machines send each other images and results",
    "when": "you give --ray",
    "with": "this cluster; usage statistics of Ray are switched off",
    "files": ("batch/ray_runner.py",),
}
"""What this code uses the network for, for `facefix doctor`."""
ROWS = 2
"""Images that an actor is given at once: what is lost with it is done again."""
COLUMNS = (
    *("path", "status", "record", "lines", "result", "copied", "changed", "written", "digest"),
    *("before", "after", "size"),
)
"""Columns of the rows of results."""
READER_CPUS = 0.1
"""Share of a processor that reading the files takes; the actor beside it has the rest, so that all are in use."""


@dataclass(frozen=True, slots=True)
class RaySettings:
    """How a cluster is used."""

    address: str
    """"local" for a new one on this machine, "auto" for the one that runs here, or the address of one."""
    actors: int = 0
    """Number of actors, each with its own models; 0: one for each processor, or for each share of a GPU."""
    gpus: float = 0.0
    """GPUs of each actor, also less than 1; 0: none."""


class _Fixer:
    """An actor. Its models stay loaded."""

    def __init__(
        self,
        make_batch: Callable[..., Batch],
        given: tuple[Any, ...],
        places: dict[str, tuple[str, str]],
        ledger: Ledger,
    ) -> None:
        """places: source and target of each image, by its plain name."""
        ledger.start()
        self._batch, self._places, self._ledger = make_batch(*given), places, ledger
        self._batch.keeps_content = True
        self._batch.log = None  # it is of another machine

    def __call__(self, rows: dict[str, Any]) -> dict[str, list[Any]]:
        """Return a row of results for each row of "path" and "bytes"."""
        done = [self._fix(str(path), bytes(content)) for path, content in zip(rows["path"], rows["bytes"], strict=True)]
        return {name: [row[name] for row in done] for name in COLUMNS}

    def _fix(self, name: str, content: bytes) -> dict[str, Any]:
        """Return what has become of an image, as a row."""
        source, target = (Path(path) for path in self._places[_plain(name)])
        batch = self._batch
        item = Item(source, target, new_record(source), content=content)
        if self._ledger.begin(name):
            lines = batch.finish(batch.make(batch.open(item), Silent()))
            self._ledger.finish(name)
        else:
            item.record["error"] = f"{as_url(source)}: the process that worked on this image was ended, twice"
            lines = [f"{as_url(source)}: failed: {item.record['error']}"]
        written: Stamp | None = None
        result = b"" if item.record["error"] else item.content
        if result and is_remote(target):
            try:
                written = Stamp(*write_object(target, result))
            except FaceFixError as error:
                item.record["error"] = str(error)
                lines = [f"{as_url(source)}: failed: {error}"]
        return {
            "path": name,
            "status": status_of(item.record),
            "record": json.dumps(item.record),
            "lines": json.dumps(lines),
            "result": b"" if is_remote(target) else result,
            "copied": result == content,
            "changed": item.changed,
            "written": json.dumps(written),
            "digest": hashlib.blake2b(result, digest_size=16).hexdigest(),
            "before": item.preview.before if item.preview else b"",
            "after": item.preview.after if item.preview else b"",
            "size": json.dumps(item.preview.size if item.preview else None),
        }


def fix_on_ray(
    settings: RaySettings,
    jobs: Sequence[Job],
    put: Callable[[Done], None],
    make_batch: Callable[..., Batch],
    *given: Any,
    journal: Journal | None = None,
    keep_times: bool = False,
) -> None:
    """Fix images on a cluster, and call `put` for each when it is finished, in no certain order.

    make_batch: called with `given` in each actor; a function of a module that is installed on all machines. keep_times:
    results get the times of their images. An image that ends its process twice fails, and the others go on. Raises
    `BadSetting` if there is no cluster, `WorkerFailed` if no process can work, and `MissingPackage`.
    """
    stamps = {job.source: stamp for job in jobs if (stamp := Stamp.of(job.source))}
    ray = _start(settings)
    try:
        jobs = [job for job in jobs if not _refuse_name(job, put)]
        waiting = {_plain(_address(job.source)): job for job in jobs}
        places = {name: (str(job.source), str(job.target)) for name, job in waiting.items()}
        for row in _run(ray, settings, jobs, (make_batch, given, places)) if jobs else ():
            job = waiting.pop(_plain(row["path"]), None)
            if job:  # otherwise an actor sent it twice
                put(_take(job, row, stamps, journal, keep_times=keep_times))
        for job in waiting.values():
            record = new_record(job.source)
            record["error"] = f"{as_url(job.source)} is gone, or the processes that worked on it have ended"
            put(Done([f"{as_url(job.source)}: failed: {record['error']}"], record))
    except ray.exceptions.RayError as error:
        reason = str(error).strip().splitlines()[-1]
        raise WorkerFailed(f"The processes of the Ray cluster cannot work: {reason}") from error
    finally:
        ray.shutdown()


def _take(
    job: Job, row: Mapping[str, Any], stamps: Mapping[Path, Stamp], journal: Journal | None, *, keep_times: bool
) -> Done:
    """Write the result that an actor has returned, or note the one that it has written."""
    record, lines = json.loads(row["record"]), json.loads(row["lines"])
    size = json.loads(row["size"])
    preview = Preview(bytes(row["before"]), bytes(row["after"]), (size[0], size[1])) if size else None
    read, written, content = stamps.get(job.source, Stamp(0, 0)), json.loads(row["written"]), bytes(row["result"])
    if written and journal:
        journal.add(job.source, read[:2], job.target, Stamp(*written), row["digest"], changed=bool(row["changed"]))
    if record["error"] or written:
        return Done(lines, record, (), preview)

    def ready(part: Path) -> None:
        if keep_times or row["copied"]:
            with contextlib.suppress(OSError):  # some network drives refuse it
                os.utime(part, ns=(read.time, read.time))
        if journal:
            journal.expect(job.source, read[:2], job.target, part, changed=bool(row["changed"]))

    try:
        handover = Handover(ready, journal.run if journal else "")
        record["notes"] += atomic_write(job.target, lambda file: file.write(content), handover)
        record["notes"] += copy_sidecars(job.source, job.target)
    except FaceFixError as error:
        record.update(error=str(error), output=None)
        lines = [f"{as_url(job.source)}: failed: {error}"]
    return Done(lines, record, (), preview)


def _start(settings: RaySettings) -> Any:
    disable_telemetry("ray")  # sets RAY_USAGE_STATS_ENABLED=0, before the import
    try:
        import ray
        import ray.data
    except ModuleNotFoundError as error:
        raise MissingPackage("--ray", "ray", "Install it with `pip install 'facefix[ray]'`.") from error
    how: dict[str, Any] = {"address": settings.address, "log_to_driver": False, "logging_level": "ERROR"}
    if settings.address == "local":
        how["include_dashboard"] = False
    try:
        ray.init(**how, ignore_reinit_error=True)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise BadSetting(
            f"there is no Ray cluster at {settings.address!r} ({error}). Start one with `ray start --head`, or use "
            "--ray local"
        ) from error
    return ray


def _run(ray: Any, settings: RaySettings, jobs: Sequence[Job], given: tuple[Any, ...]) -> Iterator[Mapping[str, Any]]:
    """Yield a row of `COLUMNS` for each image."""
    logging.getLogger("ray.data").setLevel(logging.ERROR)  # it tells its plan otherwise
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.max_errored_blocks = -1  # the images of a block that fails are missed, and told, in the end
    store = store_of(jobs[0].source)[0] if is_remote(jobs[0].source) else None
    rows = ray.data.read_binary_files(
        [_address(job.source) for job in jobs],
        include_paths=True,
        filesystem=store,
        ignore_missing_paths=True,
        override_num_blocks=max(1, -(-len(jobs) // ROWS)) if len(jobs) < 10_000 else None,
        num_cpus=READER_CPUS,
    )
    actors = settings.actors or _count_actors(ray, settings)
    ledger = Ledger(actors)
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), "1")
    done = rows.map_batches(
        _Fixer,
        fn_constructor_args=(*given, ledger),
        batch_size=ROWS,
        batch_format="numpy",
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=actors),
        num_cpus=1 - READER_CPUS,
        num_gpus=settings.gpus or None,
        runtime_env={"env_vars": threads},
    )
    yield from done.iter_rows()


def _count_actors(ray: Any, settings: RaySettings) -> int:
    """Return how many actors the cluster has room for."""
    has = ray.cluster_resources()
    room = has.get("GPU", 0) / settings.gpus if settings.gpus else has.get("CPU", 1)
    return max(1, int(room))


def _address(path: Path) -> str:
    """Return what Ray reads an image by."""
    return as_url(path) if is_remote(path) else os.path.abspath(path)  # noqa: PTH100 - links stay


def _refuse_name(job: Job, put: Callable[[Done], None]) -> bool:
    """Put an image as failed, and return True, if its name cannot be sent to other machines."""
    why = _explain_name(job.source)
    if why:
        record = new_record(job.source)
        record["error"] = f"{as_url(job.source)}: {why}. Rename it, or run without --ray"
        put(Done([f"{as_url(job.source)}: failed: {record['error']}"], record))
    return bool(why)


def _explain_name(source: Path) -> str:
    """Return why Ray cannot read an image of this name; blank if it can.

    Ray takes each path for a URL, and so loses line breaks, tabs, and what is behind a semicolon in the last part
    (`_unwrap_protocol` in ray/data/datasource/path_util.py).
    """
    try:
        str(source).encode()
    except UnicodeEncodeError:
        return "the name is not valid UTF-8, as Ray needs it"
    address = _address(source)
    taken = urlparse(address, allow_fragments=False)
    read = taken.netloc + taken.path + (f"?{taken.query}" if taken.query else "")
    return "" if read == _plain(address) else "Ray cannot read a file of this name"


def _plain(name: str) -> str:
    """Return the path of an image without its scheme, which Ray may leave out."""
    return name.partition("://")[2] if "://" in name else name
