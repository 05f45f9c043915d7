# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Isolated utterances with speaker labels: what conversations are simulated from.

All speech is decoded once and kept as 16 bit integers (two bytes per sample: ten
hours take 1.2 GB), optionally in a cache folder that several processes map into
memory at the same time.

Utterances are trimmed to their speech, and their *phrases* are found: stretches of
speech without any pause above `MIN_PAUSE`. Labels of simulated conversations are
phrases, not utterances, so that a pause inside an utterance is labelled silence.
"""

import csv
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from rich.console import Console
from rich.progress import track
from scipy.ndimage import uniform_filter1d

from pyannote_diarizen.errors import AudioFileError

COLUMNS = ("source", "speaker", "split", "file", "start_sample", "num_samples")
MIN_PAUSE = 0.25
"""Shortest pause, in seconds, that ends a phrase."""


def find_phrases(
    waveform: np.ndarray,
    sample_rate: int = 16000,
    min_pause: float = MIN_PAUSE,
    dynamic_range: float = 35.0,
) -> np.ndarray:
    """Stretches of speech of a clean recording, by energy.

    A frame of 10 ms is speech when its level is within `dynamic_range` of the loud
    parts of the recording, and well above its background.

    Parameters
    ----------
    waveform : (num_samples,) np.ndarray
        One speaker, close to the microphone, any scale.
    sample_rate : int, optional
        Defaults to 16000.
    min_pause : float, optional
        Shorter pauses, in seconds, belong to the speech around them. Defaults to 0.25.
    dynamic_range : float, optional
        In dB. Defaults to 35.

    Returns
    -------
    phrases : (num_phrases, 2) np.ndarray
        First sample and one past the last, sorted, disjoint. Silence has none.

    Examples
    --------
    >>> tone = np.sin(np.arange(16000))
    >>> find_phrases(np.concatenate([0 * tone, tone, 0 * tone])).tolist()
    [[15840, 32160]]
    """
    hop = sample_rate // 100
    num_frames = len(waveform) // hop
    if num_frames == 0:
        return np.empty((0, 2), dtype=np.int64)
    frames = waveform[: num_frames * hop].reshape(num_frames, hop).astype(np.float32)
    energy = np.einsum("fs,fs->f", frames, frames) / hop
    loud = np.percentile(energy, 95)
    if loud <= 0:
        return np.empty((0, 2), dtype=np.int64)
    # 30 ms of smoothing widens speech by 10 ms on both sides: onsets are kept
    level = 10 * np.log10(uniform_filter1d(energy, 3, mode="nearest") / loud + 1e-10)
    background = np.percentile(level, 5) + 9.0
    threshold = max(-dynamic_range, min(background, -15.0))
    edges = np.diff(level > threshold, prepend=False, append=False).nonzero()[0]
    starts, ends = edges[::2], edges[1::2]
    keep = ends - starts > 5  # clicks
    starts, ends = starts[keep], ends[keep]
    if len(starts) == 0:
        return np.empty((0, 2), dtype=np.int64)
    split = (starts[1:] - ends[:-1]) * hop >= min_pause * sample_rate
    first = np.concatenate([[True], split])
    last = np.concatenate([split, [True]])
    return np.stack([starts[first], ends[last]], axis=1) * hop


@dataclass(frozen=True)
class Row:
    """One line of `utterances.tsv`."""

    line: int
    source: str
    speaker: str
    file: str
    start: int
    num_samples: int


def read_rows(
    path: Path, split: str | None = None, sources: Iterable[str] | None = None
) -> list[Row]:
    """Read the lines of `utterances.tsv`, of one split and some sources.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a column is missing, a line is broken, or nothing is left; the message
        gives file and line number.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} does not exist: a speech folder holds `utterances.tsv`, with "
            f"columns {', '.join(COLUMNS)}."
        )
    wanted = None if sources is None else set(sources)
    rows, known = [], set()
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        missing = set(COLUMNS) - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{path}:1: missing columns {sorted(missing)}.")
        for fields in reader:
            known.add((fields["split"], fields["source"]))
            row = _parse(fields, path, reader.line_num)
            if split in (None, fields["split"]) and (
                wanted is None or row.source in wanted
            ):
                rows.append(row)
    absent = (wanted or set()) - {source for _, source in known}
    if absent or not rows:
        raise ValueError(
            f"{path} has no utterance of split {split!r} and sources "
            f"{sorted(absent or wanted or [])}; (split, source) known: {sorted(known)}."
        )
    return rows


def _parse(fields: Mapping[str, str | None], path: Path, line: int) -> Row:
    values = [fields[column] for column in COLUMNS]
    source, speaker, _, file, start, num_samples = values
    numbers = all(value is not None and value.isdecimal() for value in values[-2:])
    if not (source and speaker and file and numbers and int(num_samples or 0) > 0):
        raise ValueError(
            f"{path}:{line}: expected {', '.join(COLUMNS)} (samples as integers), "
            f"got {dict(fields)}."
        )
    return Row(line, source, speaker, file, int(start or 0), int(num_samples or 0))


class SpeechPool:
    """Utterances of many speakers, trimmed, in memory.

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
    speakers, sources : list of str
        Names of speakers, and where each of them comes from.
    sample_rate : int, optional
        Defaults to 16000.
    """

    def __init__(
        self,
        samples: np.ndarray,
        bounds: np.ndarray,
        phrases: np.ndarray,
        labels: np.ndarray,
        speakers: list[str],
        sources: list[str],
        sample_rate: int = 16000,
    ) -> None:
        self.samples = samples
        self.bounds = bounds
        self.phrases = phrases
        self.labels = labels
        self.speakers = speakers
        self.sources = sources
        self.sample_rate = sample_rate

        # phrases first[i] to first[i + 1] are those of utterance i
        self.first_phrase = np.searchsorted(
            phrases[:, 0], np.append(bounds[:, 0], len(samples))
        )
        order = np.argsort(labels, kind="stable")
        counts = np.bincount(labels, minlength=len(speakers))
        self.utterances_of = np.split(order, np.cumsum(counts)[:-1])
        self.levels = np.array([self._level(i) for i in range(len(bounds))])

    def _level(self, utterance: int) -> float:
        first, last = self.first_phrase[utterance : utterance + 2]
        phrases = self.phrases[first:last]
        energy = sum(float(np.sum(self._float(s, e) ** 2)) for s, e in phrases)
        return float(np.sqrt(energy / (phrases[:, 1] - phrases[:, 0]).sum()))

    def _float(self, start: int, end: int) -> np.ndarray:
        return self.samples[start:end].astype(np.float32) * np.float32(2**-15)

    def __len__(self) -> int:
        """Return the number of utterances."""
        return len(self.bounds)

    def utterance(self, index: int) -> np.ndarray:
        """Return (num_samples,) float32 samples of an utterance, between -1 and 1."""
        return self._float(*self.bounds[index])

    def durations(self) -> np.ndarray:
        """Return (num_speakers,) seconds of speech, pauses left out, per speaker."""
        utterance = np.repeat(np.arange(len(self)), np.diff(self.first_phrase))
        lengths = self.phrases[:, 1] - self.phrases[:, 0]
        num_speakers = len(self.speakers)
        total = np.bincount(self.labels[utterance], lengths, minlength=num_speakers)
        return total / self.sample_rate

    @classmethod
    def from_utterances(
        cls,
        utterances: Iterable[tuple[str, str, np.ndarray]],
        sample_rate: int = 16000,
    ) -> "SpeechPool":
        """Trim utterances and pool them; those without speech are left out.

        Parameters
        ----------
        utterances : iterable of (source, speaker, (num_samples,) int16 array)
        sample_rate : int, optional
            Defaults to 16000.
        """
        samples, bounds, phrases, labels = [], [], [], []
        speakers: dict[str, int] = {}
        sources: list[str] = []
        total = 0
        for source, speaker, waveform in utterances:
            found = find_phrases(waveform, sample_rate)
            if len(found) == 0:
                continue
            if speaker not in speakers:
                speakers[speaker] = len(speakers)
                sources.append(source)
            start, end = found[0, 0], found[-1, 1]
            samples.append(waveform[start:end])
            bounds.append((total, total + end - start))
            phrases.append(found - start + total)
            labels.append(speakers[speaker])
            total += end - start
        if not samples:
            raise ValueError("No utterance holds any speech.")
        return cls(
            np.concatenate(samples),
            np.array(bounds),
            np.concatenate(phrases),
            np.array(labels),
            list(speakers),
            sources,
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
        """
        folder = Path(folder)
        rows = read_rows(folder / "utterances.tsv", split, sources)
        if cache is None:
            return cls.from_utterances(_decode(folder, rows, sample_rate), sample_rate)
        key = hashlib.sha256(repr((rows, sample_rate, MIN_PAUSE)).encode()).hexdigest()
        path = Path(cache) / f"speech-{key[:16]}"
        if not path.with_suffix(".npz").is_file():
            decoded = _decode(folder, rows, sample_rate)
            cls.from_utterances(decoded, sample_rate).save(path)
        return cls.load(path)

    def save(self, path: Path) -> None:
        """Write `path`.npy (samples), then `path`.npz (the rest), each at once."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        with temporary.open("wb") as file:
            np.save(file, self.samples)
        temporary.replace(path.with_suffix(".npy"))
        with temporary.open("wb") as file:
            np.savez(
                file,
                bounds=self.bounds,
                phrases=self.phrases,
                labels=self.labels,
                speakers=np.array(self.speakers),
                sources=np.array(self.sources),
                sample_rate=self.sample_rate,
            )
        temporary.replace(path.with_suffix(".npz"))

    @classmethod
    def load(cls, path: Path) -> "SpeechPool":
        """Map what `save` wrote into memory."""
        samples = np.load(path.with_suffix(".npy"), mmap_mode="r")
        with np.load(path.with_suffix(".npz")) as rest:
            return cls(
                samples,
                rest["bounds"],
                rest["phrases"],
                rest["labels"],
                rest["speakers"].tolist(),
                rest["sources"].tolist(),
                int(rest["sample_rate"]),
            )


def _decode(
    folder: Path, rows: list[Row], sample_rate: int
) -> Iterator[tuple[str, str, np.ndarray]]:
    """Decode each file once, several at a time, and cut its utterances."""
    by_file: dict[str, list[Row]] = {}
    for row in rows:
        by_file.setdefault(row.file, []).append(row)

    def read(file: str) -> np.ndarray:
        try:
            waveform, rate = soundfile.read(folder / file, dtype="int16")
        except (OSError, soundfile.SoundFileError) as error:
            line = by_file[file][0].line
            raise AudioFileError(
                f"{folder / 'utterances.tsv'}:{line}: cannot read "
                f"{folder / file}: {error}"
            ) from error
        if rate != sample_rate or waveform.ndim != 1:
            raise AudioFileError(
                f"{folder / file}: expected mono at {sample_rate} Hz, got shape "
                f"{waveform.shape} at {rate} Hz."
            )
        return waveform

    with ThreadPoolExecutor() as threads:
        decoded = track(
            threads.map(read, by_file),
            "Decoding speech",
            total=len(by_file),
            transient=True,
            console=Console(stderr=True),
        )
        for (file, utterances), waveform in zip(by_file.items(), decoded, strict=True):
            for row in utterances:
                end = row.start + row.num_samples
                if end > len(waveform):
                    raise ValueError(
                        f"{folder / 'utterances.tsv'}:{row.line}: utterance ends at "
                        f"sample {end}, but {file} has {len(waveform)} samples."
                    )
                yield row.source, row.speaker, waveform[row.start : end]
