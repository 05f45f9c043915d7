# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Benchmark of a pipeline: diarization of all files of a protocol, and their scores.

Results are kept as RTTM with a journal, so that an interrupted benchmark goes on. The
scores are those of these files, which hold milliseconds: `score` gives the same ones.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from pyannote.core import Annotation, Segment

from pyannote_diarizen.atomic import recording_path
from pyannote_diarizen.audio.reader import audio_info
from pyannote_diarizen.corpora.listings import read_rttm
from pyannote_diarizen.evaluation.profiling import peak_memory
from pyannote_diarizen.evaluation.scoring import FileScore, score_file
from pyannote_diarizen.pipelines.batch import Outcome, diarize_files
from pyannote_diarizen.pipelines.journal import Journal, fingerprint
from pyannote_diarizen.rttm import rttm_name

RTTM = "rttm"
"""Name of the folder of diarizations."""


class Benchmark:
    """Diarization of the files of a protocol, and their scores.

    Parameters
    ----------
    pipeline : Pipeline
        Pipeline, which reads no reference.
    files : iterable of Mapping
        Files with the keys "uri" and "audio", and for scores "annotation" and
        "annotated". A file whose annotation has no turn has no reference.
    into : Path
        Folder of results.
    """

    def __init__(
        self, pipeline: Any, files: Iterable[Mapping[str, Any]], into: Path
    ) -> None:
        self.pipeline = pipeline
        self.files = {rttm_name(str(file["uri"])): file for file in files}
        self.folder = into / RTTM
        self.journal = Journal(self.folder, fingerprint(pipeline, {}))

    def unfinished(self) -> dict[str, Path]:
        """Return the audio of files to diarize, by name."""
        audio = {uri: Path(file["audio"]) for uri, file in self.files.items()}
        return {
            uri: path
            for uri, path in audio.items()
            if not self.journal.is_finished(uri, path)
        }

    def run(self, hook: Callable | None = None) -> Iterator[Outcome]:
        """Diarize unfinished files; yield the result or the error of each."""
        yield from diarize_files(
            self.pipeline,
            self.unfinished(),
            into=self.folder,
            journal=self.journal,
            hook=hook,
        )

    @property
    def without_reference(self) -> list[str]:
        """Names of files that are diarized and not scored."""
        return [uri for uri, file in self.files.items() if not file.get("annotation")]

    def scores(self) -> list[FileScore]:
        """Score the finished files that have a reference, under all `CONDITIONS`."""
        unscored = {*self.without_reference, *self.unfinished()}
        return [
            score
            for uri, file in self.files.items()
            if uri not in unscored
            for score in score_file(
                uri, file["annotation"], self.diarization(uri), file["annotated"]
            )
        ]

    def diarization(self, uri: str) -> Annotation:
        """Read the diarization of a finished file."""
        diarization = Annotation(uri=uri)
        turns = read_rttm(recording_path(self.folder, uri, ".rttm")).items
        for track, turn in enumerate(turns):
            diarization[Segment(turn.start, turn.end), track] = turn.speaker
        return diarization

    def about(self) -> dict[str, Any]:
        """Return seconds of audio and of processing, and the files left out.

        Processing includes reading of audio and writing of RTTM, not loading of the
        pipeline.
        """
        left = self.unfinished()
        finished = [uri for uri in self.files if uri not in left]
        duration = sum(audio_info(self.files[uri]).duration for uri in finished)
        seconds = sum(self.journal.seconds(uri) or 0.0 for uri in finished)
        return {
            "duration": duration,
            "processing_time": seconds,
            "real_time_factor": seconds / duration if duration else 0.0,
            "num_threads": torch.get_num_threads(),
            "without_reference": self.without_reference,
            "failed": [*left],
        }


def memory() -> dict[str, int]:
    """Return peaks of this process in bytes: resident memory, and that of CUDA."""
    peaks = {"peak_memory": peak_memory()}
    if torch.cuda.is_available():
        peaks["peak_cuda_memory"] = torch.cuda.max_memory_allocated()
    return {name: peak for name, peak in peaks.items() if peak is not None}
