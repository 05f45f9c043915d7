# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Finished files of a folder of results, one JSON object per line.

A file is finished if its results are there in all formats, neither the recording nor a
result has changed since, and the same weights, hyper-parameters and options were used.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from pyannote.audio import Pipeline
from pyannote.core import Annotation
from torch import Tensor, nn

from pyannote_diarizen.atomic import write_file
from pyannote_diarizen.remote import AnyPath, RemotePath

NAME = "finished.jsonl"
"""Name of the journal in a folder of this machine."""
ENTRIES = "finished"
"""Name of the folder of entries at an address."""


class Journal:
    """Record of finished files.

    At an address, where no file can be extended, each entry is a file of its own in the
    folder `finished`.

    Parameters
    ----------
    folder : Path or RemotePath
        Folder of results.
    settings : str
        Value of `fingerprint` for the pipeline and its options.
    suffixes : collection of str
        Suffixes of the results of each recording.
    folders : Mapping of Path, optional
        Folder of a suffix, if it is not `folder`.
    """

    def __init__(
        self,
        folder: AnyPath,
        settings: str,
        suffixes: Collection[str] = (".rttm",),
        folders: Mapping[str, AnyPath] | None = None,
    ) -> None:
        self.settings = settings
        self._folders = {**dict.fromkeys(suffixes, folder), **(folders or {})}
        self._path = folder / (ENTRIES if isinstance(folder, RemotePath) else NAME)
        self._last: dict[str, Mapping[str, Any]] = {}
        if isinstance(self._path, RemotePath):
            lines = self._path.read_folder()
        elif self._path.exists():
            lines = self._path.read_bytes().splitlines()
        else:
            lines = []
        for line in lines:
            self._read(line)

    def _read(self, line: bytes) -> None:
        """Keep the last line of each file; a line cut short by a crash is left out."""
        try:
            entry = json.loads(line)
            self._last[entry["uri"]] = entry
        except (ValueError, KeyError, TypeError):
            return

    def is_finished(self, uri: str, audio: AnyPath) -> bool:
        """Whether a recording needs no processing."""
        entry = self._last.get(uri)
        if entry is None:
            return False
        try:
            state = self._state(uri, audio)
        except OSError:  # no recording, or no result
            return False
        written = entry.get("results")
        if not isinstance(written, dict):
            return False
        state["results"] = {**written, **state["results"]}
        return all(entry.get(key) == value for key, value in state.items())

    def seconds(self, uri: str) -> float | None:
        """Return the processing time of a recording, None if it never was finished."""
        return self._last.get(uri, {}).get("seconds")

    def add(
        self, uri: str, audio: AnyPath, diarization: Annotation, seconds: float
    ) -> None:
        """Append the line of a file whose results are written.

        Parameters
        ----------
        uri : str
            Name of the file.
        audio : Path or RemotePath
            Its recording.
        diarization : Annotation
            Result.
        seconds : float
            Processing time.
        """
        entry = {
            **self._state(uri, audio),
            "seconds": round(seconds, 3),
            "num_speakers": len(diarization.labels()),
        }
        self._last[uri] = entry
        line = json.dumps(entry) + "\n"
        if isinstance(self._path, RemotePath):
            write_file(line, self._path / f"{uri}.json")
            return
        # one write: lines of several processes do not mix
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line)

    def _state(self, uri: str, audio: AnyPath) -> dict[str, Any]:
        return {
            "uri": uri,
            "audio": str(audio.absolute()),
            **_version(audio),
            "settings": self.settings,
            "results": {
                suffix: _digest(path) for suffix, path in self._results(uri).items()
            },
        }

    def _results(self, uri: str) -> dict[str, AnyPath]:
        """Paths by suffix."""
        folders = self._folders.items()
        return {suffix: folder / f"{uri}{suffix}" for suffix, folder in folders}


def _version(audio: AnyPath) -> dict[str, Any]:
    """Return what changes with a recording."""
    if isinstance(audio, RemotePath):
        return {"checksum": audio.checksum()}
    status = audio.stat()
    return {"bytes": status.st_size, "modified_ns": status.st_mtime_ns}


def _digest(path: AnyPath) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest()


def fingerprint(pipeline: Any, options: Mapping[str, Any]) -> str:
    """Compute a digest of all that a result depends on, besides the recording.

    Parameters
    ----------
    pipeline : Pipeline
        Weights, PLDA, hyper-parameters and version count; the device does not.
    options : Mapping
        Options of its call.

    Returns
    -------
    digest : str
        16 hexadecimal digits.
    """
    digest = hashlib.blake2b(digest_size=8)
    _update(digest, {"version": version("pyannote-diarizen"), **options}, set())
    _update(digest, pipeline, set())
    return digest.hexdigest()


_NOT_SETTINGS = {"device", "_device"}


def _update(digest: Any, value: Any, seen: set[int]) -> None:
    """Feed a value to a digest: arrays as bytes, objects by their attributes.

    `seen` holds the objects that were fed before, by identity.
    """
    if isinstance(value, Tensor):
        value = value.detach().cpu().float().numpy()
    if isinstance(value, np.ndarray):
        digest.update(str((value.shape, value.dtype)).encode())
        digest.update(np.ascontiguousarray(value).tobytes())
        return
    if isinstance(value, (str, bytes, int, float, bool, Path, type(None))):
        digest.update(repr(value).encode())
        return
    digest.update(type(value).__qualname__.encode())
    if id(value) in seen:
        return
    seen.add(id(value))
    for key, item in _items(value):
        if key not in _NOT_SETTINGS:
            digest.update(key.encode())
            _update(digest, item, seen)


def _items(value: Any) -> list[tuple[str, Any]]:
    """Return the parts of an object by name; none of objects of other packages."""
    if isinstance(value, (list, tuple)):
        return [("", item) for item in value]
    if isinstance(value, nn.Module):
        # Lightning adds attributes when a model runs: weights and their names only
        value = value.state_dict()
    elif not isinstance(value, Mapping):
        ours = type(value).__module__.startswith("pyannote")
        value = vars(value) if ours or isinstance(value, Pipeline) else {}
    return [(str(key), value[key]) for key in sorted(value, key=str)]
