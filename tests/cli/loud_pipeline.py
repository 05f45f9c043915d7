# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Pipeline without weights: loud samples are speech."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from pyannote.audio import Pipeline
from pyannote.core import Annotation, Segment
from pyannote.pipeline.parameter import Uniform

from pyannote_diarizen.audio.reader import read_audio
from pyannote_diarizen.clustering import NumSpeakersEvidence


class LoudPipeline(Pipeline):
    """One turn per file, over its first to last loud sample."""

    def __init__(self, token: Any = None, cache_dir: Any = None) -> None:
        super().__init__()
        self.loudness = Uniform(0, 1)

    def default_parameters(self) -> dict:
        return {"loudness": 0.1}

    def apply(
        self,
        file: Mapping[str, Any],
        hook: Callable | None = None,
        **num_speakers: int | None,
    ) -> Annotation:
        """Diarize `file`; the speaker is called after the options that were given."""
        hook = self.setup_hook(file, hook=hook)
        waveform, sample_rate = read_audio(file)
        hook("loudness", None, total=1, completed=1)
        loud = (waveform[0].abs() > self.loudness).nonzero()
        diarization = Annotation(uri=file["uri"])
        if len(loud):
            start, end = loud[0].item() / sample_rate, loud[-1].item() / sample_rate
            hints = {**num_speakers, "about": file.get("expected_speakers")}
            given = [f"{key}={value}" for key, value in hints.items() if value]
            diarization[Segment(start, end)] = ",".join(given) or "SPEAKER_00"
        return diarization

    def evidence(self, output: Annotation) -> NumSpeakersEvidence:
        """Evidence of one and of two speakers."""
        if not output:
            raise ValueError("Nobody speaks.")
        return NumSpeakersEvidence(
            num_speakers=np.array([1, 2]),
            log_evidence=np.array([-1.0, -2.0]),
            log_prior=np.zeros(2),
            found=1,
            responsibilities=np.ones((3, 1)),
            chunks=np.arange(3),
            speakers=np.zeros(3, dtype=int),
            separation=np.array([np.inf]),
            elbo=np.array([-1.0]),
        )
