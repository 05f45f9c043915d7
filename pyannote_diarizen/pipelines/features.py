# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Features of a file: the outputs of the networks, in memory or in a file.

With them, a file is clustered again without running a network. Segmentations of
powerset models are kept as bits, embeddings for active speakers only: some 10 MB per
hour of audio, half of the arrays that the pipeline computes with.

A file of features is an npz archive that NumPy reads without running code: `header`
(JSON), `activity` (bits, or scores as float32), `embedded` (num_chunks, num_speakers)
and `embeddings` (num_embeddings, dimension). It holds no audio and no paths. The header
has the settings and the fingerprints of the networks, because other networks make
features that cannot be clustered together with a PLDA of these.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput
from pyannote.core import SlidingWindow, SlidingWindowFeature

from pyannote_diarizen.arrays import UNREADABLE, array_bytes, read_arrays
from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.clustering.num_speakers import NumSpeakersEvidence
from pyannote_diarizen.pipelines.files import LoadedFile
from pyannote_diarizen.pipelines.segmentation import binarize_scores

SUFFIX = ".features.npz"
"""Suffix of files of features."""
FORMAT = "pyannote-diarizen features"
"""Value of the key `format` of the header."""
VERSION = 1
"""Value of the key `version` of the header."""
_ARRAYS = ("activity", "embedded", "embeddings")
_SAVED_KEYS = ("uri", "duration", "expected_speakers")
_KEPT_KEYS = (*_SAVED_KEYS, "annotation")


@dataclass(frozen=True, eq=False)
class Features:
    """Segmentations and embeddings of a file, without its audio.

    Parameters
    ----------
    file : dict
        "uri" and "duration" of the file, and what the clustering needs of it.
    settings : dict
        Options of the pipeline on which features depend.
    chunks, frames : SlidingWindow
        Chunks, and receptive field of the segmentation model.
    shape : tuple of int
        Numbers of chunks, of frames and of speakers.
    activity : (num_bytes,) np.ndarray of uint8, or of `shape` and float32
        Bits of segmentations by a powerset model; scores of other models.
    embedded : (num_chunks, num_speakers) np.ndarray of bool
        Whether a speaker has an embedding.
    embedding : (num_embeddings, dimension) np.ndarray
        Embeddings of these speakers.
    models : Mapping of str, optional
        Fingerprints of the networks by role, of features from a file.
    """

    file: dict[str, Any]
    settings: dict[str, Any]
    chunks: SlidingWindow
    frames: SlidingWindow
    shape: tuple[int, int, int]
    activity: np.ndarray
    embedded: np.ndarray
    embedding: np.ndarray
    models: Mapping[str, str] | None = None

    @classmethod
    def from_file(
        cls, file: LoadedFile, settings: Mapping[str, Any], frames: SlidingWindow
    ) -> "Features":
        """Keep the features of a file that a pipeline has processed."""
        if file.segmentations is None:
            raise ValueError(f"'{file['uri']}' was not processed.")
        kept = {key: file[key] for key in _KEPT_KEYS if key in file}
        if "duration" not in kept:
            kept["duration"] = file.duration
        data, embeddings = file.segmentations.data, file.embeddings
        if embeddings is None:  # no speech
            embeddings = np.empty((len(data), data.shape[2], 0), np.float32)
        embedded = ~np.isnan(embeddings).all(axis=2)
        return cls(
            file=kept,
            settings=dict(settings),
            chunks=file.segmentations.sliding_window,
            frames=frames,
            shape=data.shape,
            # 0 or 1 becomes one bit; models that are not powerset give scores
            activity=np.packbits(data) if data.dtype == np.uint8 else data,
            embedded=embedded,
            embedding=embeddings[embedded],
        )

    @property
    def segmentations(self) -> SlidingWindowFeature:
        """(num_chunks, num_frames, num_speakers) activity or scores."""
        data = self.activity
        if data.dtype == np.uint8:
            # without the padding of the last byte
            bits = np.unpackbits(data, count=math.prod(self.shape))
            data = bits.reshape(self.shape)
        return SlidingWindowFeature(data, self.chunks)

    @property
    def binary_segmentations(self) -> SlidingWindowFeature:
        """(num_chunks, num_frames, num_speakers) activity, 0 or 1."""
        threshold = self.settings["segmentation.threshold"]
        return binarize_scores(self.segmentations, threshold)

    @property
    def embeddings(self) -> np.ndarray:
        """(num_chunks, num_speakers, dimension) embeddings, NaN where there is none."""
        shape = (*self.embedded.shape, self.embedding.shape[1])
        embeddings = np.full(shape, np.nan, self.embedding.dtype)
        embeddings[self.embedded] = self.embedding
        return embeddings

    def evidence(
        self, clustering: Any, num_speakers: Iterable[int] | None
    ) -> NumSpeakersEvidence:
        """Compute the evidence for numbers of speakers, by a clustering that can."""
        return clustering.evidence(
            self.embeddings,
            self.binary_segmentations,
            num_speakers,
            self.file.get("expected_speakers"),
        )

    def load(self, audio: AudioReader) -> LoadedFile:
        """Return a file for which no network needs to run."""
        file = LoadedFile(dict(self.file), audio)
        file.segmentations, file.embeddings = self.segmentations, self.embeddings
        file.threshold = self.settings["segmentation.threshold"]
        return file

    def check_settings(self, settings: Mapping[str, Any]) -> None:
        """Raise a `ValueError` if a pipeline of `settings` computes other features."""
        for name, value in settings.items():
            if (made_with := self.settings.get(name)) != value:
                raise ValueError(
                    f"'{self.file['uri']}' was processed with {name} {made_with}, "
                    f"and this pipeline has {name} {value}: process it anew, or use "
                    "the pipeline that processed it."
                )

    def check_models(self, models: Mapping[str, str]) -> None:
        """Raise a `ValueError` if other networks made these features.

        Parameters
        ----------
        models : Mapping of str
            Fingerprints of the networks of a pipeline, by role.
        """
        made_by = self.models or models
        for role, digest in models.items():
            if (other := made_by.get(role)) != digest:
                raise ValueError(
                    f"'{self.file['uri']}' was processed by the {role} model "
                    f"{str(other)[:12]}, and this pipeline has {digest[:12]}: process "
                    "it anew, or use the pipeline that processed it."
                )

    def to_bytes(self, models: Mapping[str, str]) -> bytes:
        """Return the content of a file.

        Parameters
        ----------
        models : Mapping of str
            Fingerprints of the networks, by role.
        """
        header = {
            "format": FORMAT,
            "version": VERSION,
            "pyannote-diarizen": version("pyannote-diarizen"),
            **{key: self.file[key] for key in _SAVED_KEYS if key in self.file},
            "settings": self.settings,
            "models": dict(models),
            "shape": self.shape,
            "chunks": _window_values(self.chunks),
            "frames": _window_values(self.frames),
        }
        arrays = {"header": json.dumps(header), "activity": self.activity}
        arrays |= {"embedded": self.embedded}
        arrays |= {"embeddings": self.embedding.astype(np.float32)}
        return array_bytes(arrays)

    @classmethod
    def read(cls, path: Path | str) -> "Features":
        """Read a file, without running code.

        Raises
        ------
        FileNotFoundError
            If it does not exist.
        ValueError
            If it is damaged, of another kind, or of another version.
        """
        if not Path(path).is_file():
            raise FileNotFoundError(f"No file of features at '{path}'.")
        try:
            return cls._from_arrays(read_arrays(path, ("header",)))
        except (*UNREADABLE, KeyError, OverflowError) as error:
            reason = f"lacks {error}" if isinstance(error, KeyError) else error
            raise ValueError(
                f"'{path}' is not a file of features of this version: {reason}. Write "
                "it again by `pyannote-diarizen apply --keep`."
            ) from error

    @classmethod
    def _from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Features":
        """Check and convert the content of a file."""
        header = json.loads(str(arrays["header"]))
        found = (header["format"], header["version"])
        if found != (FORMAT, VERSION):
            raise ValueError(f"expected {FORMAT} {VERSION}, got {found[0]} {found[1]}")
        if not isinstance(header["uri"], str):
            raise TypeError(f"expected the name of a recording, got {header['uri']!r}")
        if not 0 <= header["duration"] < math.inf:
            raise ValueError(f"expected a duration, got {header['duration']}")
        num_chunks, num_frames, num_speakers = map(int, header["shape"])
        shape = num_chunks, num_frames, num_speakers
        activity, embedded, embedding = (arrays[name] for name in _ARRAYS)
        scores = header["settings"]["segmentation.threshold"] is not None
        num_bytes = -(-math.prod(shape) // 8)
        expected = [
            ("float32", shape) if scores else ("uint8", (num_bytes,)),
            ("bool", (num_chunks, num_speakers)),
            ("float32", (int(np.sum(embedded)), *embedding.shape[-1:])),
        ]
        for name, (dtype, wanted) in zip(_ARRAYS, expected, strict=True):
            array = arrays[name]
            if array.dtype != dtype or array.shape != wanted:
                raise ValueError(
                    f"expected {name} of shape {wanted} and {dtype}, got "
                    f"{array.shape} and {array.dtype}"
                )
        return cls(
            file={key: header[key] for key in _SAVED_KEYS if key in header},
            settings=dict(header["settings"]),
            chunks=_window(header["chunks"]),
            frames=_window(header["frames"]),
            shape=shape,
            activity=activity,
            embedded=embedded,
            embedding=embedding,
            models=dict(header["models"]),
        )


def _window(values: Mapping[str, Any]) -> SlidingWindow:
    """Return the sliding window of `_window_values`."""
    if not all(1e-6 <= values[name] <= 1e6 for name in ("duration", "step")):
        raise ValueError(f"expected a sliding window in seconds, got {values}")
    return SlidingWindow(**values)


def _window_values(window: SlidingWindow) -> dict[str, float]:
    return {name: getattr(window, name) for name in ("start", "duration", "step")}


@dataclass
class DiariZenOutput(DiarizeOutput):
    """Output of pyannote.audio, with the features that `DiariZen.recluster` needs.

    Parameters
    ----------
    features : Features, optional
        Outputs of the networks. Set it to None to free its memory.
    """

    features: Features | None = field(default=None, repr=False, compare=False)


def features_of(output: DiarizeOutput | Features | Path | str) -> Features:
    """Return the features of an output, or read them from a file.

    Raises
    ------
    TypeError
        If `output` carries no features.
    FileNotFoundError, ValueError
        See `Features.read`.
    """
    if isinstance(output, Features):
        return output
    if isinstance(output, (str, Path)):
        return Features.read(output)
    features = getattr(output, "features", None)
    if features is None:
        raise TypeError(
            "`output` should be a DiariZenOutput with features, which a pipeline "
            "returns unless `legacy`, or the path of a file of features, got "
            f"{type(output).__name__} without."
        )
    return features


@dataclass(frozen=True)
class FeatureWriter:
    """Writer of the features of an output, for `pipelines.batch`.

    Parameters
    ----------
    models : Mapping of str
        Fingerprints of the networks, by role.
    """

    models: Mapping[str, str]

    def __call__(self, output: Any, audio: Any) -> bytes:
        """Return the content of the file of features."""
        content: bytes = output.features.to_bytes(self.models)
        return content
