# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What the networks said of a file, kept to cluster it again without running them.

Segmentations of powerset models are kept as bits, embeddings only of the speakers who
have one: some 10 MB per hour of audio, half of what the pipeline works on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput
from pyannote.core import SlidingWindowFeature

from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.pipelines.files import LoadedFile

_KEPT = ("uri", "annotation", "duration", "expected_speakers")


class Features:
    """Segmentations and embeddings of a file.

    Parameters
    ----------
    file : LoadedFile
        A file that a pipeline has processed. Its audio is not kept.
    settings : Mapping
        Options of that pipeline which the embeddings depend on.
    """

    def __init__(self, file: LoadedFile, settings: Mapping[str, Any]) -> None:
        if file.segmentations is None:
            raise ValueError(f"'{file['uri']}' was not processed.")
        self.settings = dict(settings)
        self.file = {key: file[key] for key in _KEPT if key in file}
        if "duration" not in file:
            self.file["duration"] = file.duration
        data, embeddings = file.segmentations.data, file.embeddings
        if embeddings is None:  # nobody speaks
            embeddings = np.empty((len(data), data.shape[2], 0), np.float32)
        self._chunks, self._shape = file.segmentations.sliding_window, data.shape
        self._activity = np.packbits(data) if data.dtype == np.uint8 else data
        self._embedded = ~np.isnan(embeddings).all(axis=2)
        self._embeddings = embeddings[self._embedded]

    @property
    def segmentations(self) -> SlidingWindowFeature:
        """(num_chunks, num_frames, num_speakers) activity or scores, as they came."""
        data = self._activity
        if data.dtype == np.uint8:
            bits = np.unpackbits(data, count=int(np.prod(self._shape)))
            data = bits.reshape(self._shape)
        return SlidingWindowFeature(data, self._chunks)

    @property
    def embeddings(self) -> np.ndarray:
        """(num_chunks, num_speakers, dimension) embeddings, NaN where there is none."""
        shape = (*self._embedded.shape, self._embeddings.shape[1])
        embeddings = np.full(shape, np.nan, self._embeddings.dtype)
        embeddings[self._embedded] = self._embeddings
        return embeddings

    def load(self, audio: AudioReader) -> LoadedFile:
        """File for which no network needs to run."""
        file = LoadedFile(dict(self.file), audio)
        file.segmentations, file.embeddings = self.segmentations, self.embeddings
        return file

    @property
    def num_bytes(self) -> int:
        """Memory that they take."""
        arrays = (self._activity, self._embedded, self._embeddings)
        return sum(array.nbytes for array in arrays)

    def check(self, settings: Mapping[str, Any]) -> None:
        """Raise a `ValueError` unless a pipeline of these `settings` gives the same."""
        for name, value in settings.items():
            if (made_with := self.settings[name]) != value:
                raise ValueError(
                    f"'{self.file['uri']}' was processed with {name} {made_with}, and "
                    f"this pipeline has {name} {value}: process it anew."
                )


@dataclass
class DiariZenOutput(DiarizeOutput):
    """Output of pyannote.audio, with what `DiariZen.recluster` needs.

    Parameters
    ----------
    features : Features, optional
        What the networks said. Set it to None to free its memory.
    """

    features: Features | None = field(default=None, repr=False, compare=False)
