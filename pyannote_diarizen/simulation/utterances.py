# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Folders of isolated utterances, listed in `utterances.tsv`.

The table has one utterance per line, under the header of `COLUMNS` (others may follow):
`file` is relative to the folder, samples are counted at the rate of the file, and
`split` (train, dev) keeps speakers apart.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from rich.console import Console
from rich.progress import track

from pyannote_diarizen.errors import AudioFileError

COLUMNS = ("source", "speaker", "split", "file", "start_sample", "num_samples")


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

    Parameters
    ----------
    path : Path
    split : str, optional
        Defaults to all of them.
    sources : iterable of str, optional
        Defaults to all of them.

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
            f"tab-separated columns {', '.join(COLUMNS)}."
        )
    wanted = None if sources is None else set(sources)
    rows, known = [], set()
    with path.open(encoding="utf-8", newline="") as lines:
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
    folder: Path, rows: Iterable[Row], sample_rate: int
) -> Iterator[tuple[str, str, np.ndarray]]:
    """Decode each file once, several at a time, and cut its utterances.

    Parameters
    ----------
    folder : Path
    rows : iterable of Row
    sample_rate : int
        What files should have.

    Yields
    ------
    utterance : (source, speaker, (num_samples,) np.ndarray)
        int16; by file, in the order of `rows`.

    Raises
    ------
    AudioFileError
        If a file cannot be read, or is not what the table says.
    """
    table = folder / "utterances.tsv"
    by_file: dict[str, list[Row]] = {}
    for row in rows:
        by_file.setdefault(row.file, []).append(row)

    def read(file: str) -> np.ndarray:
        try:
            waveform, rate = soundfile.read(folder / file, dtype="int16")
        except (OSError, soundfile.SoundFileError) as error:
            raise AudioFileError(
                f"{table}:{by_file[file][0].line}: cannot read {folder / file}: {error}"
            ) from error
        if rate != sample_rate or waveform.ndim != 1:
            raise AudioFileError(
                f"{folder / file}: expected one channel at {sample_rate} Hz, got shape "
                f"{waveform.shape} at {rate} Hz: convert it first."
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
                    raise AudioFileError(
                        f"{table}:{row.line}: the utterance ends at sample {end}, but "
                        f"{folder / file} has {len(waveform)} samples."
                    )
                yield row.source, row.speaker, waveform[row.start : end]
