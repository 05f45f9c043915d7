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

NAME = "finished.jsonl"


class Journal:
    """Record of finished files.

    Parameters
    ----------
    folder : Path
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
        folder: Path,
        settings: str,
        suffixes: Collection[str] = (".rttm",),
        folders: Mapping[str, Path] | None = None,
    ) -> None:
        self.settings = settings
        self._folders = {**dict.fromkeys(suffixes, folder), **(folders or {})}
        self._path = folder / NAME
        self._last: dict[str, Mapping[str, Any]] = {}
        if self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                self._read(line)

    def _read(self, line: str) -> None:
        """Keep the last line of each file; a line cut short by a crash is left out."""
        try:
            entry = json.loads(line)
            self._last[entry["uri"]] = entry
        except (ValueError, KeyError, TypeError):
            return

    def is_finished(self, uri: str, audio: Path) -> bool:
        """Whether a recording needs no processing."""
        entry = self._last.get(uri)
        results = self._results(uri).values()
        if entry is None or not all(path.is_file() for path in (audio, *results)):
            return False
        state = self._state(uri, audio)
        written = entry.get("results")
        if not isinstance(written, dict):
            return False
        state["results"] = {**written, **state["results"]}
        return all(entry.get(key) == value for key, value in state.items())

    def seconds(self, uri: str) -> float | None:
        """Return the processing time of a recording, None if it never was finished."""
        return self._last.get(uri, {}).get("seconds")

    def add(
        self, uri: str, audio: Path, diarization: Annotation, seconds: float
    ) -> None:
        """Append the line of a file whose results are written.

        Parameters
        ----------
        uri : str
            Name of the file.
        audio : Path
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
        # one write: lines of several processes do not mix
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def _state(self, uri: str, audio: Path) -> dict[str, Any]:
        status = audio.stat()
        return {
            "uri": uri,
            "audio": str(audio.absolute()),
            "bytes": status.st_size,
            "modified_ns": status.st_mtime_ns,
            "settings": self.settings,
            "results": {
                suffix: _digest(path) for suffix, path in self._results(uri).items()
            },
        }

    def _results(self, uri: str) -> dict[str, Path]:
        """Paths by suffix."""
        folders = self._folders.items()
        return {suffix: folder / f"{uri}{suffix}" for suffix, folder in folders}


def _digest(path: Path) -> str:
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
