# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Scores of a system: computed from files of any format, written as tables.

CSV and JSON hold one row per file and condition, with times in seconds and rates as
ratios, from which `SystemScores.read` restores all scores. Markdown and the table of
the terminal hold percentages.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pyannote.core import Annotation, Segment, Timeline

from pyannote_diarizen.corpora.listings import read_uem
from pyannote_diarizen.evaluation.scoring import (
    Condition,
    FileScore,
    Pooled,
    score_file,
)
from pyannote_diarizen.findings import require
from pyannote_diarizen.results.document import DiarizationDocument, parse_json
from pyannote_diarizen.results.formats import READABLE, read_documents
from pyannote_diarizen.results.text_formats import from_cell, safe_cell
from pyannote_diarizen.results.text_readers import read_ctm, read_text
from pyannote_diarizen.results.word_errors import WordScore, score_words

FORMAT = "pyannote-diarizen scores"
"""Value of the key `format` of JSON files."""

NAME = "scores.json"
"""Name of that file in a folder of `benchmark`."""

HEADER = (
    *("file", "DER", "missed", "false alarm", "confusion", "JER"),
    *("speakers", "found"),
)


@dataclass(frozen=True)
class SystemScores:
    """Scores of one system.

    Parameters
    ----------
    name : str
        Name of the system.
    files : sequence of FileScore
        One per file and condition.
    about : Mapping, optional
        Other facts, such as the protocol or the real-time factor.
    words : Mapping of WordScore, optional
        Word errors by recording.
    """

    name: str
    files: Sequence[FileScore]
    about: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, WordScore] = field(default_factory=dict)

    @property
    def conditions(self) -> list[Condition]:
        """Conditions, each once, in order."""
        return list(dict.fromkeys(file.condition for file in self.files))

    def under(self, condition: Condition) -> list[FileScore]:
        """Return the scores of all files under one condition."""
        return [file for file in self.files if file.condition == condition]

    def _rows(self) -> list[dict[str, Any]]:
        """Return the columns of each file and condition."""
        words = {uri: score.to_row() for uri, score in self.words.items()}
        return [file.to_row() | words.get(file.uri, {}) for file in self.files]

    def to_json(self) -> str:
        """Return the text of a JSON file."""
        content = {
            "format": FORMAT,
            "version": 1,
            "system": self.name,
            **self.about,
            "files": self._rows(),
        }
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"

    def to_csv(self) -> str:
        """Return the text of a CSV file, one row per file and condition."""
        output = io.StringIO()
        rows = self._rows()
        writer = csv.DictWriter(output, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "uri": safe_cell(row["uri"])} for row in rows)
        return output.getvalue()

    @classmethod
    def read(cls, path: Path) -> "SystemScores":
        """Read a folder of `benchmark`, or a JSON or CSV file of `score`.

        Raises
        ------
        OSError
            If the file cannot be opened.
        ValueError
            If its content is something else.
        """
        name = path.resolve().stem
        file = path / NAME if path.is_dir() else path
        if not file.is_file():
            raise FileNotFoundError(
                f"'{file}' does not exist: give a folder of `pyannote-diarizen "
                "benchmark`, or a JSON or CSV file of `pyannote-diarizen score`."
            )
        about: dict[str, Any] = {}
        try:
            text = read_text(file)
            if file.suffix == ".csv":
                rows = list(csv.DictReader(io.StringIO(text, newline="")))
                rows = [{**row, "uri": from_cell(row["uri"])} for row in rows]
            else:
                about = parse_json(text)
                rows = about.pop("files")
                name = name if path.is_dir() else about.get("system", name)
            scores = [FileScore.from_row(row) for row in rows]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"'{file}' holds no scores of pyannote-diarizen, {error!r}: write it "
                "by `benchmark`, or by `score --format json`."
            ) from error
        return cls(name, scores, about)


def read_annotations(path: Path) -> dict[str, Annotation]:
    """Read the annotations of a file, or of all files of a folder, by recording.

    A folder is read with its subfolders: RTTM files if there are any, or else files of
    the other formats. A file without turns, such as an empty RTTM file, is the empty
    annotation of the recording after which it is named.

    Raises
    ------
    OSError
        If there is no such file.
    ValueError
        If a file cannot be read, a folder has none, or two files hold one recording.
    """
    found = _read_recordings(path, [[".rttm"], READABLE], read_documents)
    return {uri: document.annotation() for uri, document in found.items()}


def read_transcripts(path: Path) -> dict[str, DiarizationDocument]:
    """Read documents with words, as `read_annotations` does, CTM included, not RTTM.

    The speaker of a word in CTM is its channel.
    """
    suffixes = [suffix for suffix in READABLE if suffix != ".rttm"]
    return _read_recordings(path, [[*suffixes, ".ctm"]], _read_with_words)


def _read_with_words(path: Path) -> list[DiarizationDocument]:
    return read_ctm(path) if path.suffix.lower() == ".ctm" else read_documents(path)


def _read_recordings(
    path: Path,
    suffixes: Sequence[Sequence[str]],
    read: Callable[[Path], list[DiarizationDocument]],
) -> dict[str, DiarizationDocument]:
    """Read a file, or the files of a folder with the first suffixes that it has."""
    if not path.exists():
        raise FileNotFoundError(f"There is no file or folder '{path}'.")
    if not path.is_dir():
        documents = read(path) or [DiarizationDocument(path.stem, [])]
        return {document.uri: document for document in documents}
    found: dict[str, DiarizationDocument] = {}
    source: dict[str, Path] = {}
    for file in _files_of(path, suffixes):
        for uri, document in _read_recordings(file, suffixes, read).items():
            if uri in found:
                raise ValueError(
                    f"Recording '{uri}' is in '{source[uri]}' and in '{file}': delete "
                    "one of them."
                )
            found[uri], source[uri] = document, file
    return found


def _files_of(folder: Path, suffixes: Sequence[Sequence[str]]) -> list[Path]:
    paths = sorted(folder.rglob("*"))
    for chosen in suffixes:
        lowered = {suffix.lower() for suffix in chosen}
        if files := [path for path in paths if path.suffix.lower() in lowered]:
            return files
    raise ValueError(
        f"'{folder}' holds no annotation: expected files that end in "
        f"{', '.join(sorted({suffix for some in suffixes for suffix in some}))}."
    )


def read_regions(path: Path) -> dict[str, Timeline]:
    """Read the annotated parts of a UEM file, by recording.

    Raises
    ------
    OSError, ValueError
        If the file cannot be opened, or a line is wrong.
    """
    listing = read_uem(path)
    require(listing.findings)
    regions: dict[str, list[Segment]] = {}
    for item in listing.items:
        regions.setdefault(item.uri, []).append(Segment(item.start, item.end))
    return {uri: Timeline(parts, uri).support() for uri, parts in regions.items()}


@dataclass(frozen=True)
class Pairing:
    """Recordings that have no counterpart.

    Parameters
    ----------
    missing : list of str
        Recordings of the reference without hypothesis: all their speech is missed.
    without_reference, outside : list of str
        Recordings that are not scored: no reference, or not in the UEM file.
    """

    missing: list[str]
    without_reference: list[str]
    outside: list[str]


def score_system(
    name: str,
    hypotheses: Mapping[str, Annotation],
    references: Mapping[str, Annotation],
    annotated: Mapping[str, Timeline] | None = None,
    conditions: Iterable[Condition] = (Condition(),),
) -> tuple[SystemScores, Pairing]:
    """Score the annotations of a system.

    Parameters
    ----------
    name : str
        Name of the system.
    hypotheses, references : Mapping of Annotation
        By recording.
    annotated : Mapping of Timeline, optional
        Parts to score; other recordings are left out. Default: see `score_file`.
    conditions : iterable of Condition, optional
        Default to no collar, with overlap.

    Raises
    ------
    ValueError
        If no recording is in both.
    """
    scored = [uri for uri in references if annotated is None or uri in annotated]
    if not set(scored) & set(hypotheses):
        raise ValueError(
            "No recording has both a hypothesis and a reference: hypotheses are called "
            f"{_some(hypotheses)}, references {_some(scored)}. Rename them."
        )
    files = [
        score
        for uri in sorted(scored)
        for score in score_file(
            uri,
            references[uri],
            hypotheses.get(uri, Annotation(uri=uri)),
            None if annotated is None else annotated[uri],
            conditions,
        )
    ]
    pairing = Pairing(
        missing=sorted(set(scored) - set(hypotheses)),
        without_reference=sorted(set(hypotheses) - set(references)),
        outside=sorted(set(references) - set(scored)),
    )
    return SystemScores(name, files), pairing


def add_word_errors(
    scores: SystemScores,
    hypotheses: Mapping[str, DiarizationDocument],
    references: Mapping[str, DiarizationDocument],
    annotated: Mapping[str, Timeline] | None,
    collar: float,
) -> SystemScores:
    """Add the word errors of each recording that is scored.

    Parameters
    ----------
    scores : SystemScores
        Result of `score_system`.
    hypotheses, references : Mapping of DiarizationDocument
        By recording. One without hypothesis has no word right.
    annotated : Mapping of Timeline or None
        Parts to score.
    collar : float
        See `score_words`.
    """
    words = {
        uri: score_words(
            references[uri],
            hypotheses.get(uri, DiarizationDocument(uri, [])),
            None if annotated is None else annotated[uri],
            collar,
        )
        for uri in dict.fromkeys(file.uri for file in scores.files)
    }
    return replace(scores, words=words)


def _some(names: Iterable[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:3]) + (", ..." if len(listed) > 3 else "") or "nothing"


def score_rows(
    files: Sequence[FileScore], words: Mapping[str, WordScore] | None = None
) -> list[list[str]]:
    """Return cells under `HEADER`: one row per file of a condition, then the total.

    With `words`, cells under `WORD_HEADER` follow.
    """
    words = words or {}
    rows = [
        [
            file.uri,
            *percentages(file),
            str(file.num_speakers),
            str(file.num_found),
            *(words[file.uri].percentages() if words else ()),
        ]
        for file in files
    ]
    total = Pooled.of(files)
    counts = [
        str(sum(getattr(file, name) for file in files))
        for name in ("num_speakers", "num_found")
    ]
    if words:
        counts += sum(words.values(), WordScore()).percentages()
    return [*rows, ["TOTAL", *percentages(total), *counts]]


def percentages(scored: FileScore | Pooled) -> list[str]:
    """Return DER, missed, false alarm, confusion and JER."""
    score = scored.score
    parts = (score.missed_detection, score.false_alarm, score.confusion)
    rates = [score.error_rate, *map(score.share, parts), scored.jaccard.error_rate]
    return [f"{rate:.1%}" for rate in rates]
