# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Files on many machines, by Ray Data [1]_.

Actors hold the pipeline, one per GPU, or one per CPU core where there is no GPU. All
machines read the recordings and write the results at the same paths, or at addresses. A
killed actor costs the file that it works on, which is diarized again.

References
----------
.. [1] P. Moritz et al., "Ray: A Distributed Framework for Emerging AI Applications",
   OSDI 2018.
"""

import os
import pickle
import socket
from collections.abc import Iterator, Mapping
from typing import Any

from pyannote_diarizen.errors import MissingPackagesError
from pyannote_diarizen.pipelines.batch import Outcome, make_folders
from pyannote_diarizen.pipelines.processes import Loader, Worker
from pyannote_diarizen.remote import AnyPath, parse_path

LOCAL = "local"
"""Address that starts Ray on this machine."""
TIMEOUT = 10
"""Seconds until a cluster must answer."""


def diarize_on_ray(
    load: Loader,
    address: str,
    files: Mapping[str, AnyPath],
    into: AnyPath | None = None,
    folders: Mapping[str, AnyPath] | None = None,
    **options: Any,
) -> Iterator[Outcome]:
    """Diarize files on a cluster.

    Parameters
    ----------
    load : callable
        Maps "cuda" or "cpu" to a pipeline, in each actor.
    address : str
        Address of a cluster, as in "ray://head:10001" or "auto", or `LOCAL`.
    files, into, folders, **options
        See `diarize_files`. All paths are absolute, and the same on all machines; or
        addresses.

    Yields
    ------
    outcome : Outcome
        Result, without `output`, or error, as soon as it is there.

    Raises
    ------
    MissingPackagesError
        If Ray is not installed.
    ValueError
        If there is no cluster at `address`.
    """
    if not files:  # Ray refuses an empty list
        return
    num_gpus, num_cpus = connect(address)
    ray = import_ray()
    make_folders(into, folders)
    # one core for Ray's own tasks: without it, they wait forever
    num_actors = num_gpus or max(1, num_cpus - 1)
    each = {"num_gpus": 1} if num_gpus else {"num_cpus": 1}
    names = [{"uri": uri, "path": str(path)} for uri, path in files.items()]
    # one file per block: only the file of a killed actor is repeated
    rows = ray.data.from_items(names, override_num_blocks=len(names))
    options |= {"into": into, "folders": folders}
    settings = pickle.dumps((load, "cuda" if num_gpus else "cpu", options))
    outcomes = rows.map(
        _Actor,
        fn_constructor_args=(settings,),
        concurrency=(1, min(num_actors, len(names))),
        **each,
    )
    for row in outcomes.iter_rows():
        yield pickle.loads(row["outcome"])


def import_ray() -> Any:
    """Return the module of Ray; `MissingPackagesError` if it is not installed."""
    try:
        import ray
    except ImportError as error:
        raise MissingPackagesError(
            "--ray needs packages that are not installed: pip install "
            "'pyannote-diarizen[ray]'"
        ) from error
    return ray


def connect(address: str) -> tuple[int, int]:
    """Connect to Ray, and return the numbers of GPUs and of CPU cores.

    See `diarize_on_ray`.
    """
    ray = import_ray()
    try:
        if address == LOCAL:
            ray.init(num_cpus=1 + (os.cpu_count() or 1), include_dashboard=False)
        else:
            _check_reachable(address)
            ray.init(address)
    except (OSError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"No Ray cluster can be reached at '{address}': give the address that `ray "
            f"start --head` prints, or '{LOCAL}' for this machine. {error}"
        ) from error
    resources = ray.cluster_resources()
    return int(resources.get("GPU", 0)), int(resources.get("CPU", 1))


def _check_reachable(address: str) -> None:
    """Raise an `OSError` if nothing listens: Ray would try for minutes."""
    host, _, port = address.removeprefix("ray://").partition(":")
    if port:
        socket.create_connection((host, int(port)), timeout=TIMEOUT).close()


class _Actor:
    """Worker of Ray, whose rows are dictionaries."""

    def __init__(self, settings: bytes) -> None:
        load, device, options = pickle.loads(settings)
        self._worker = Worker(load, device, 1, **options)

    def __call__(self, row: dict[str, str]) -> dict[str, bytes]:
        """Diarize the file of a row."""
        outcome = self._worker(row["uri"], parse_path(row["path"]))
        return {"outcome": pickle.dumps(outcome)}
