# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Writers of the output of a pipeline, one per format, for `pipelines.batch`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyannote_diarizen.audio.reader import audio_info
from pyannote_diarizen.pipelines.batch import WRITERS, Writer
from pyannote_diarizen.pipelines.turn_confidence import TurnConfidence
from pyannote_diarizen.remote import AnyPath, local_copy
from pyannote_diarizen.results.confidence import add_confidence
from pyannote_diarizen.results.document import DiarizationDocument
from pyannote_diarizen.results.formats import FORMATS, Format


@dataclass(frozen=True)
class DocumentWriter:
    """Writer, which other processes can be given.

    Parameters
    ----------
    format : str
        Name of a format.
    exclusive : bool
        Write one speaker at a time.
    pipeline : Mapping
        Output of `describe_pipeline`.
    confidence : TurnConfidence, optional
        Value of `DiariZen.turn_confidence`.
    """

    format: str
    exclusive: bool
    pipeline: Mapping[str, Any]
    confidence: TurnConfidence | None = None

    def __call__(self, output: Any, audio: AnyPath) -> str | bytes:
        """Return the content of the file of `output`, the result for `audio`."""
        features = getattr(output, "features", None)
        known = None if features is None else features.file["duration"]
        document = DiarizationDocument.from_output(
            output,
            # compressed audio is decoded for it
            duration=_duration(audio) if known is None else known,
            audio=str(audio.absolute()),
            pipeline=self.pipeline,
        )
        document = add_confidence(document, self.confidence, features)
        return FORMATS[self.format].render(document, self.exclusive)


def _duration(audio: AnyPath) -> float:
    with local_copy(audio) as local:
        return audio_info(local).duration


def document_writers(
    formats: Mapping[str, Format],
    exclusive: bool,
    pipeline: Mapping[str, Any],
    confidence: TurnConfidence | None = None,
) -> dict[str, Writer]:
    """Return the writer of each suffix; see `DocumentWriter`.

    Parameters
    ----------
    formats : Mapping of Format
        Formats by name.
    exclusive, pipeline, confidence
        See `DocumentWriter`.
    """
    writers: dict[str, Writer] = {
        form.suffix: DocumentWriter(name, exclusive, pipeline, confidence)
        for name, form in formats.items()
    }
    if not exclusive:  # RTTM needs no document
        writers |= {suffix: WRITERS[suffix] for suffix in writers.keys() & WRITERS}
    return writers
