# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Isolated utterances with speaker labels, the source of simulated conversations.

A speech folder lists its utterances in `utterances.tsv`, one per line under the header
of `COLUMNS` (others may follow): `file` is relative to the folder, samples are counted
at the rate of the file, and `split` (train, dev) keeps speakers apart.

Speech is decoded once, trimmed, and cached as 16-bit integers (ten hours take 1.2 GB),
which several processes map into memory at the same time.
"""

import csv
import hashlib
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from pyannote_diarizen.atomic import replacing
from pyannote_diarizen.audio.reader import read_audio, to_int16
from pyannote_diarizen.errors import AudioFileError, NoSpeechError
from pyannote_diarizen.resources import cache_folder
from pyannote_diarizen.simulation.energy_vad import detect_speech
from pyannote_diarizen.terminal import progress_bars

COLUMNS = ("source", "speaker", "split", "file", "start_sample", "num_samples")
CACHE_FORMAT = 5
"""Version of cache files; increment it if the same files give another pool."""


@dataclass(frozen=True)
class Row:
    """Line of `utterances.tsv`."""

    line: int
    source: str
    speaker: str
    file: str
    start: int
    num_samples: int


def read_rows(
    path: Path, split: str | None = None, sources: Iterable[str] | None = None
) -> list[Row]:
    """Read the lines of one split and some sources of an `utterances.tsv`.

    Parameters
    ----------
    path : Path
    split : str, optional
        Defaults to all.
    sources : iterable of str, optional
        Defaults to all.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    ValueError
        If a column is missing, a line is wrong, or no utterance remains; the message
        gives file and line number.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} does not exist: a speech folder holds `utterances.tsv`, with "
            f"tab-separated columns {', '.join(COLUMNS)}."
        )
    wanted = None if sources is None else set(sources)
    rows, known = [], set()
    with _naming(path), path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        missing = set(COLUMNS) - set(reader.fieldnames or ())
        if missing:
            raise ValueError(
                f"{path}:1: missing columns {', '.join(sorted(missing))}; the first "
                f"line should name {', '.join(COLUMNS)}, separated by tabs."
            )
        for fields in reader:
            row = _parse(fields, path, reader.line_num)
            known.add((fields["split"], row.source))
            if split in (None, fields["split"]):
                rows.append(row)
    absent = (wanted or set()) - {row.source for row in rows}
    if absent or not rows:
        raise ValueError(
            f"{path} has no utterance of split {split!r}"
            f"{f' and source {sorted(absent)}' if absent else ''}; (split, source) "
            f"known: {sorted(known)}."
        )
    return [row for row in rows if wanted is None or row.source in wanted]


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Add the path to errors of what is no text, or no table."""
    try:
        yield
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{path} is no table of utterances in UTF-8: {error}."
        ) from error


def _parse(fields: Mapping[str, str | None], path: Path, line: int) -> Row:
    texts = [fields[column] or "" for column in COLUMNS]
    source, speaker, _, file, start, num_samples = texts
    numbers = start.isdecimal() and num_samples.isdecimal() and int(num_samples) > 0
    if not (all(texts) and numbers):
        raise ValueError(
            f"{path}:{line}: expected {', '.join(COLUMNS)} (samples as integers, at "
            f"least one), got {texts}."
        )
    return Row(line, source, speaker, file, int(start), int(num_samples))


def decode(
    folder: Path,
    rows: Iterable[Row],
    sample_rate: int,
    hook: Callable[[], None] = lambda: None,
) -> Iterator[tuple[str, str, np.ndarray]]:
    """Decode each file once, in threads, and cut its utterances.

    Parameters
    ----------
    folder : Path
    rows : iterable of Row
    sample_rate : int
        Sample rate that files should have.
    hook : callable, optional
        Called for each utterance.

    Yields
    ------
    utterance : (source, speaker, (num_samples,) np.ndarray)
        int16; grouped by file, in the order of `rows`.

    Raises
    ------
    AudioFileError
        If a file cannot be read, or does not match the table.
    """
    table = folder / "utterances.tsv"
    by_file: dict[str, list[Row]] = {}
    for row in rows:
        by_file.setdefault(row.file, []).append(row)

    def read(file: str) -> np.ndarray:
        try:
            waveform, rate = read_audio(folder / file, sample_rate=None, channel=None)
        except AudioFileError as error:
            raise AudioFileError(
                f"{table}:{by_file[file][0].line}: cannot read {folder / file}: {error}"
            ) from error
        if rate != sample_rate or len(waveform) != 1:
            raise AudioFileError(
                f"{folder / file}: expected one channel at {sample_rate} Hz, got "
                f"{len(waveform)} at {rate} Hz: convert it first."
            )
        return to_int16(waveform[0].numpy())

    with ThreadPoolExecutor() as threads:
        decoded = threads.map(read, by_file)
        for (file, utterances), waveform in zip(by_file.items(), decoded, strict=True):
            for row in utterances:
                end = row.start + row.num_samples
                if end > len(waveform):
                    raise AudioFileError(
                        f"{table}:{row.line}: the utterance ends at sample {end}, but "
                        f"{folder / file} has {len(waveform)} samples."
                    )
                hook()
                yield row.source, row.speaker, waveform[row.start : end]


@dataclass(frozen=True, eq=False)
class SpeechPool:
    """Utterances of many speakers, trimmed, in memory, see `from_folder`.

    Parameters
    ----------
    samples : (num_samples,) np.ndarray
        All utterances one after the other, int16.
    bounds : (num_utterances, 2) np.ndarray
        First sample, and last sample + 1, of each utterance.
    segments : (num_segments, 2) np.ndarray
        First sample, and last sample + 1, of each segment of the energy VAD. Sorted; a
        segment is inside one utterance.
    labels : (num_utterances,) np.ndarray
        Index of the speaker of each utterance, in `speakers`.
    levels : (num_utterances,) np.ndarray
        Root mean square of the segments of each utterance; full scale is 1.
    speakers, sources : (num_speakers,) list of str
        Name and source of each speaker. Equal names in several sources are different
        speakers, called "source/name".
    sample_rate : int
    """

    samples: np.ndarray
    bounds: np.ndarray
    segments: np.ndarray
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

    def select(self, speakers: Sequence[int]) -> tuple["SpeechPool", Sequence[int]]:
        """Return this pool and `speakers`, see `LazySpeechPool.select`."""
        return self, speakers

    @cached_property
    def first_segment(self) -> np.ndarray:
        """(num_utterances + 1,) first segment of each utterance, then their number."""
        return np.searchsorted(
            self.segments[:, 0], np.append(self.bounds[:, 0], len(self.samples))
        )

    @cached_property
    def utterances_of(self) -> list[np.ndarray]:
        """Indices of the utterances of each speaker."""
        counts = np.bincount(self.labels, minlength=len(self.speakers))
        # utterances sorted by speaker, then split where the speaker changes
        order = np.argsort(self.labels, kind="stable")
        return np.split(order, np.cumsum(counts)[:-1])

    @cached_property
    def durations(self) -> np.ndarray:
        """(num_speakers,) seconds of speech of each speaker, without pauses."""
        lengths = np.diff(self.segments)[:, 0]  # (num_segments,)
        speaker = np.repeat(self.labels, np.diff(self.first_segment))
        return np.bincount(speaker, lengths, len(self.speakers)) / self.sample_rate

    @classmethod
    def from_utterances(
        cls,
        utterances: Iterable[tuple[str, str, np.ndarray]],
        sample_rate: int = 16000,
    ) -> "SpeechPool":
        """Trim and pool utterances; utterances without speech are left out.

        Parameters
        ----------
        utterances : iterable of (source, speaker, (num_samples,) int16 np.ndarray)
        sample_rate : int, optional
            Defaults to 16000.
        """
        samples, bounds, segments, labels, levels = [], [], [], [], []
        indices: dict[tuple[str, str], int] = {}  # of each source and speaker
        total = 0
        for source, speaker, waveform in utterances:
            found = detect_speech(waveform, sample_rate)
            if len(found) == 0:
                continue
            start, end = int(found[0, 0]), int(found[-1, 1])
            samples.append(waveform[start:end])
            bounds.append((total, total + end - start))
            segments.append(found + (total - start))
            levels.append(_level(waveform, found))
            labels.append(indices.setdefault((source, speaker), len(indices)))
            total += end - start
        if not samples:
            raise NoSpeechError("The energy VAD detects no speech in any utterance.")
        return cls(
            np.concatenate(samples),
            np.array(bounds),
            np.concatenate(segments),
            np.array(labels),
            np.array(levels),
            unique_names(indices),
            [source for source, _ in indices],
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
        """Decode the utterances listed in `utterances.tsv`.

        Parameters
        ----------
        folder : str or Path
            Folder of `utterances.tsv` and of the audio files listed there.
        split : str, optional
            Defaults to "train"; None for all splits.
        sources : iterable of str, optional
            Defaults to all.
        cache : str or Path, optional
            Folder to keep decoded speech in, see `cache_folder` for the default. Later
            runs, and other processes, map it into memory.
        sample_rate : int, optional
            Sample rate of the files. Defaults to 16000.

        Raises
        ------
        FileNotFoundError
            If the folder has no `utterances.tsv`.
        ValueError
            If a line is wrong, or no utterance is of that split and those sources.
        AudioFileError
            If an audio file cannot be read, or does not match the table.
        """
        folder = Path(folder)
        rows = read_rows(folder / "utterances.tsv", split, sources)
        with progress_bars() as progress:
            bar = progress.add_task("Decoding speech", total=len(rows))
            return cls.from_rows(
                folder, rows, cache, sample_rate, lambda: progress.advance(bar)
            )

    @classmethod
    def from_rows(
        cls,
        folder: Path,
        rows: Sequence[Row],
        cache: str | Path | None = None,
        sample_rate: int = 16000,
        hook: Callable[[], None] = lambda: None,
    ) -> "SpeechPool":
        """Decode utterances, or load them from the cache, see `from_folder`."""
        states = [_state(folder / file) for file in sorted({row.file for row in rows})]
        key = repr((CACHE_FORMAT, str(folder.resolve()), rows, states, sample_rate))
        name = f"speech-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
        path = (cache_folder() if cache is None else Path(cache)) / name
        if path.with_suffix(".npz").is_file():
            return cls.load(path)
        pool = cls.from_utterances(decode(folder, rows, sample_rate, hook), sample_rate)
        try:
            pool.save(path)
        except OSError as error:
            reason = f"Decoded speech is not cached in {path.parent}: {error.strerror}."
            warnings.warn(reason, stacklevel=2)  # once, as it is that of all speakers
            return pool
        return cls.load(path)

    def save(self, path: Path) -> None:
        """Write samples to `path`.npy, then the rest to `path`.npz."""
        with replacing(path.with_suffix(".npy")) as temporary:
            np.save(temporary, self.samples)
        rest = {name: getattr(self, name) for name in _ARRAYS + _OTHERS}
        with replacing(path.with_suffix(".npz")) as temporary:
            np.savez(temporary, **rest)

    @classmethod
    def load(cls, path: Path) -> "SpeechPool":
        """Map the files of `save` into memory."""
        # a plain view: slices of `np.memmap` are slow
        samples = np.asarray(np.load(path.with_suffix(".npy"), mmap_mode="r"))
        with np.load(path.with_suffix(".npz")) as rest:
            fields = {name: rest[name] for name in _ARRAYS}
            fields |= {name: rest[name].tolist() for name in _OTHERS}
        return cls(samples=samples, **fields)


_ARRAYS = ("bounds", "segments", "labels", "levels")
_OTHERS = ("speakers", "sources", "sample_rate")


def _state(file: Path) -> tuple[int, int] | None:
    """Time and size of a file, None if there is none."""
    try:
        state = file.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size


def unique_names(speakers: Iterable[tuple[str, str]]) -> list[str]:
    """Name speakers, given by source and name; sources distinguish equal names."""
    pairs = list(speakers)
    counts = Counter(name for _, name in pairs)
    return [name if counts[name] == 1 else f"{source}/{name}" for source, name in pairs]


def _level(waveform: np.ndarray, segments: np.ndarray) -> float:
    speech = np.concatenate([waveform[start:end] for start, end in segments])
    return float(np.sqrt(np.mean(np.square(speech, dtype=np.float32)))) / 2**15
