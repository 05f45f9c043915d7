# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Pools of speech of which only the speakers that are drawn get decoded.

A few conversations need a few speakers, not the hours of all others. The probability of
a speaker then follows the durations in `utterances.tsv`, with pauses, because speech
without pauses is known only after decoding.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from pyannote_diarizen.errors import NoSpeechError
from pyannote_diarizen.simulation.speech import (
    Row,
    SpeechPool,
    read_rows,
    unique_names,
)
from pyannote_diarizen.terminal import progress_bars


class LazySpeechPool:
    """Utterances of many speakers, decoded for the speakers that are selected.

    Parameters
    ----------
    folder, split, sources, cache, sample_rate
        See `SpeechPool.from_folder`. The cache has one pair of files per speaker.

    Attributes
    ----------
    speakers, sources : (num_speakers,) list of str
        See `SpeechPool`.
    durations : (num_speakers,) np.ndarray
        Seconds of utterances of each speaker, with pauses.

    Raises
    ------
    FileNotFoundError, ValueError
        See `read_rows`.
    """

    def __init__(
        self,
        folder: str | Path,
        split: str | None = "train",
        sources: Iterable[str] | None = None,
        cache: str | Path | None = None,
        sample_rate: int = 16000,
    ) -> None:
        self.folder = Path(folder)
        self.cache = cache
        self.sample_rate = sample_rate
        rows = read_rows(self.folder / "utterances.tsv", split, sources)
        self._num_utterances = len(rows)
        by_speaker: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in rows:
            by_speaker[row.source, row.speaker].append(row)
        self._rows = list(by_speaker.values())
        self._decoded: dict[int, SpeechPool] = {}
        self.speakers = unique_names(by_speaker)
        self.sources = [source for source, _ in by_speaker]
        samples = [sum(row.num_samples for row in rows) for rows in self._rows]
        self.durations = np.array(samples) / sample_rate

    def __len__(self) -> int:
        """Return the number of utterances in the list."""
        return self._num_utterances

    def select(self, speakers: Sequence[int]) -> tuple[SpeechPool, Sequence[int]]:
        """Decode speakers, in threads, unless they are in memory or in the cache.

        Parameters
        ----------
        speakers : (num_speakers,) sequence of int
            Indices in `speakers`.

        Returns
        -------
        pool : SpeechPool
            These speakers, in this order.
        indices : list of int
            Those in whose utterances speech is detected, in `pool.speakers`.

        Raises
        ------
        AudioFileError
            If an audio file cannot be read, or does not match the table.
        NoSpeechError
            If no speaker of the list has speech.
        """
        self._decode_all(speakers)
        if len(self._decoded) == len(self._rows) and not any(self._decoded.values()):
            raise NoSpeechError(f"No speech is detected in the audio of {self.folder}.")
        pools = [self._decoded[speaker] for speaker in speakers]
        return _join(pools), [index for index, pool in enumerate(pools) if len(pool)]

    def prepare(self, speakers: Sequence[int]) -> None:
        """Decode speakers, with a progress bar: `select` then finds them.

        Parameters
        ----------
        speakers : (num_speakers,) sequence of int
            Indices in `speakers`.

        Raises
        ------
        AudioFileError
            See `select`.
        """
        with progress_bars() as progress:
            bar = progress.add_task("Decoding speech", total=len(speakers))
            self._decode_all(speakers, lambda: progress.advance(bar))

    def _decode_all(
        self, speakers: Sequence[int], hook: Callable[[], None] = lambda: None
    ) -> None:
        missing = [speaker for speaker in speakers if speaker not in self._decoded]
        with ThreadPoolExecutor() as threads:
            decoded = threads.map(self._decode, missing)
            for speaker, pool in zip(missing, decoded, strict=True):
                self._decoded[speaker] = pool
                hook()

    def __getstate__(self) -> dict[str, Any]:
        """Attributes without decoded speech: other processes read the cache."""
        return vars(self) | {"_decoded": {}}

    def _decode(self, speaker: int) -> SpeechPool:
        """Pool of one speaker, empty if no speech is detected."""
        try:
            pool = SpeechPool.from_rows(
                self.folder, self._rows[speaker], self.cache, self.sample_rate
            )
        except NoSpeechError:
            pool = _EMPTY
        return replace(
            pool, speakers=[self.speakers[speaker]], sources=[self.sources[speaker]]
        )


_EMPTY = SpeechPool(
    samples=np.empty(0, dtype=np.int16),
    bounds=np.empty((0, 2), dtype=np.int64),
    segments=np.empty((0, 2), dtype=np.int64),
    labels=np.empty(0, dtype=np.int64),
    levels=np.empty(0),
    speakers=[],
    sources=[],
)


class _JoinedSamples:
    """Samples of pools one after the other, without a copy.

    Parameters
    ----------
    pools : (num_pools,) sequence of SpeechPool
    starts : (num_pools + 1,) np.ndarray
        First sample of each pool, then the number of samples.
    """

    def __init__(self, pools: Sequence[SpeechPool], starts: np.ndarray) -> None:
        self._pools = pools
        self._starts = starts

    def __len__(self) -> int:
        """Return the number of samples."""
        return int(self._starts[-1])

    def __getitem__(self, part: slice) -> np.ndarray:
        """Return samples of one pool, int16."""
        index = int(np.searchsorted(self._starts, part.start, side="right")) - 1
        start = int(self._starts[index])
        return self._pools[index].samples[part.start - start : part.stop - start]


def _join(pools: Sequence[SpeechPool]) -> SpeechPool:
    """Join pools of one speaker each."""
    # first sample of each pool in the joined one
    starts = np.cumsum([0, *(len(pool.samples) for pool in pools)])
    placed = list(zip(pools, starts, strict=False))
    return SpeechPool(
        # no array, but its slices are
        samples=cast(np.ndarray, _JoinedSamples(pools, starts)),
        bounds=np.concatenate([pool.bounds + start for pool, start in placed]),
        segments=np.concatenate([pool.segments + start for pool, start in placed]),
        labels=np.repeat(np.arange(len(pools)), [len(pool) for pool in pools]),
        levels=np.concatenate([pool.levels for pool in pools]),
        speakers=[name for pool in pools for name in pool.speakers],
        sources=[name for pool in pools for name in pool.sources],
        sample_rate=pools[0].sample_rate,
    )
