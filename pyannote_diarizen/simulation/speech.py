# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Isolated utterances with speaker labels: what conversations are simulated from.

All speech is decoded once, trimmed, and kept as 16 bit integers (two bytes per sample:
ten hours take 1.2 GB), optionally in a cache folder that several processes map into
memory at the same time.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from pyannote_diarizen.atomic import replacing
from pyannote_diarizen.simulation.energy_vad import find_phrases
from pyannote_diarizen.simulation.utterances import decode, read_rows

CACHE_FORMAT = 2
"""To be incremented when the same files give another pool."""


@dataclass(frozen=True, eq=False)
class SpeechPool:
    """Utterances of many speakers, trimmed, in memory.

    Made by `from_folder` or `from_utterances`.

    Parameters
    ----------
    samples : (num_samples,) np.ndarray
        All utterances one after the other, int16.
    bounds : (num_utterances, 2) np.ndarray
        First sample of each utterance, and one past its last.
    phrases : (num_phrases, 2) np.ndarray
        The same for phrases, sorted, none across two utterances.
    labels : (num_utterances,) np.ndarray
        Index in `speakers` of who speaks.
    levels : (num_utterances,) np.ndarray
        Root mean square of phrases, full scale being 1.
    speakers, sources : (num_speakers,) list of str
        Names of speakers, and where each of them comes from.
    sample_rate : int
    """

    samples: np.ndarray
    bounds: np.ndarray
    phrases: np.ndarray
    labels: np.ndarray
    levels: np.ndarray
    speakers: list[str]
    sources: list[str]
    sample_rate: int = 16000

    def __len__(self) -> int:
        """Return the number of utterances."""
        return len(self.bounds)

    def utterance(self, index: int) -> np.ndarray:
        """Return (num_samples,) float32 samples of an utterance, between -1 and 1."""
        start, end = self.bounds[index]
        return self.samples[start:end].astype(np.float32) * np.float32(2**-15)

    @cached_property
    def first_phrase(self) -> np.ndarray:
        """(num_utterances + 1,) bounds: utterance i has phrases [i] to [i + 1]."""
        return np.searchsorted(
            self.phrases[:, 0], np.append(self.bounds[:, 0], len(self.samples))
        )

    @cached_property
    def utterances_of(self) -> list[np.ndarray]:
        """Indices of the utterances of each speaker."""
        counts = np.bincount(self.labels, minlength=len(self.speakers))
        order = np.argsort(self.labels, kind="stable")
        return np.split(order, np.cumsum(counts)[:-1])

    @cached_property
    def durations(self) -> np.ndarray:
        """(num_speakers,) seconds of speech of each speaker, pauses left out."""
        lengths = np.diff(self.phrases)[:, 0]
        speaker = np.repeat(self.labels, np.diff(self.first_phrase))
        return np.bincount(speaker, lengths, len(self.speakers)) / self.sample_rate

    @classmethod
    def from_utterances(
        cls,
        utterances: Iterable[tuple[str, str, np.ndarray]],
        sample_rate: int = 16000,
    ) -> "SpeechPool":
        """Trim utterances and pool them; those without speech are left out.

        Parameters
        ----------
        utterances : iterable of (source, speaker, (num_samples,) int16 np.ndarray)
        sample_rate : int, optional
            Defaults to 16000.
        """
        samples, bounds, phrases, labels, levels = [], [], [], [], []
        sources: dict[str, str] = {}  # of speakers, in the order of their indices
        indices: dict[str, int] = {}
        total = 0
        for source, speaker, waveform in utterances:
            found = find_phrases(waveform, sample_rate)
            if len(found) == 0:
                continue
            start, end = int(found[0, 0]), int(found[-1, 1])
            samples.append(waveform[start:end])
            bounds.append((total, total + end - start))
            phrases.append(found + (total - start))
            levels.append(_level(waveform, found))
            sources.setdefault(speaker, source)
            labels.append(indices.setdefault(speaker, len(indices)))
            total += end - start
        if not samples:
            raise ValueError("No utterance holds any speech.")
        return cls(
            np.concatenate(samples),
            np.array(bounds),
            np.concatenate(phrases),
            np.array(labels),
            np.array(levels),
            list(sources),
            list(sources.values()),
            sample_rate,
        )

    @classmethod
    def from_folder(
        cls,
        folder: str | Path,
        split: str | None = "train",
        sources: Iterable[str] | None = None,
        cache: str | Path | None = None,
        sample_rate: int = 16000,
    ) -> "SpeechPool":
        """Decode the utterances that `utterances.tsv` lists.

        Parameters
        ----------
        folder : str or Path
            Holds `utterances.tsv` and the audio files that it names.
        split : str, optional
            Defaults to "train". None takes every split.
        sources : iterable of str, optional
            Defaults to all of them.
        cache : str or Path, optional
            Folder that keeps decoded speech for the next time, and for other processes,
            which map it into memory rather than read it.
        sample_rate : int, optional
            That of the files. Defaults to 16000.

        Raises
        ------
        FileNotFoundError
            If the folder has no `utterances.tsv`.
        ValueError
            If a line of it is broken, or none is of that split and those sources.
        AudioFileError
            If an audio file cannot be read, or is not what the table says.
        """
        folder = Path(folder)
        rows = read_rows(folder / "utterances.tsv", split, sources)
        if cache is None:
            return cls.from_utterances(decode(folder, rows, sample_rate), sample_rate)
        key = repr((CACHE_FORMAT, rows, sample_rate))
        path = Path(cache) / f"speech-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
        if not path.with_suffix(".npz").is_file():
            decoded = decode(folder, rows, sample_rate)
            cls.from_utterances(decoded, sample_rate).save(path)
        return cls.load(path)

    def save(self, path: Path) -> None:
        """Write `path`.npy (samples), then `path`.npz (the rest)."""
        with replacing(path.with_suffix(".npy")) as temporary:
            np.save(temporary, self.samples)
        rest = {name: getattr(self, name) for name in _ARRAYS + _OTHERS}
        with replacing(path.with_suffix(".npz")) as temporary:
            np.savez(temporary, **rest)

    @classmethod
    def load(cls, path: Path) -> "SpeechPool":
        """Map what `save` wrote into memory."""
        # a plain view: slices of `np.memmap` are slow
        samples = np.asarray(np.load(path.with_suffix(".npy"), mmap_mode="r"))
        with np.load(path.with_suffix(".npz")) as rest:
            fields = {name: rest[name] for name in _ARRAYS}
            fields |= {name: rest[name].tolist() for name in _OTHERS}
        return cls(samples=samples, **fields)


_ARRAYS = ("bounds", "phrases", "labels", "levels")
_OTHERS = ("speakers", "sources", "sample_rate")


def _level(waveform: np.ndarray, phrases: np.ndarray) -> float:
    speech = np.concatenate([waveform[start:end] for start, end in phrases])
    return float(np.sqrt(np.mean(np.square(speech, dtype=np.float32)))) / 2**15
