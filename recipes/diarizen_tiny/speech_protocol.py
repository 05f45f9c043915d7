# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`utterances.tsv` as a pyannote.database protocol: one file, one speaker."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from pyannote.core import Annotation, Segment
from pyannote.database.protocol import SpeakerDiarizationProtocol

from pyannote_diarizen.simulation.speech import read_rows


class SpeechProtocol(SpeakerDiarizationProtocol):
    """Isolated utterances, with speakers of global scope.

    Parameters
    ----------
    folder : Path
        Holds `utterances.tsv` and the audio files it names.
    sample_rate : int, optional
        In which the table counts samples. Defaults to 16000.
    """

    name = "Speech.SpeakerDiarization.Utterances"

    def __init__(self, folder: Path, sample_rate: int = 16000) -> None:
        super().__init__()
        self.folder = folder
        self.sample_rate = sample_rate

    def train_iter(self) -> Iterator[dict[str, Any]]:
        """Files of the train split."""
        return self._files("train")

    def development_iter(self) -> Iterator[dict[str, Any]]:
        """Files of the dev split."""
        return self._files("dev")

    def _files(self, split: str) -> Iterator[dict[str, Any]]:
        rows = read_rows(self.folder / "utterances.tsv", split)
        for name, utterances in groupby(rows, key=lambda row: row.file):
            annotation = Annotation(uri=name)
            for row in utterances:
                end = row.start + row.num_samples
                turn = Segment(row.start / self.sample_rate, end / self.sample_rate)
                annotation[turn, row.line] = row.speaker
            yield {
                "uri": name,
                "database": row.source,
                "scope": "global",
                "audio": self.folder / name,
                "annotation": annotation,
                "annotated": annotation.get_timeline().support(),
            }
