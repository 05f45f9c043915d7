# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""One pipeline in several threads: results are those of one thread, to the bit."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pyannote_diarizen.audio.reader import read_audio
from pyannote_diarizen.audio.sample import sample_file
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE
from pyannote_diarizen.hub.loading import load_pipeline

STARTS = (0.0, 6.0, 12.0, 18.0)
"""Start of each excerpt, in seconds."""


def excerpts() -> list[dict]:
    files = []
    for start in STARTS:
        waveform, rate = read_audio(sample_file(), start=start, duration=4.0)
        uri = f"from {start:g} s"
        files.append({"uri": uri, "waveform": waveform, "sample_rate": rate})
    return files


@pytest.mark.parametrize(
    ("num_threads", "num_times"),
    [(3, 1), pytest.param(12, 36, marks=pytest.mark.slow)],
    ids=["4 jobs", "144 jobs"],
)
def test_threads_do_not_change_a_result(num_threads, num_times):
    pipeline = load_pipeline(DEFAULT_PIPELINE, "cpu")
    alone = [pipeline(file) for file in excerpts()]
    with ThreadPoolExecutor(num_threads) as threads:
        together = list(threads.map(pipeline, num_times * excerpts()))
    for output, expected in zip(together, num_times * alone, strict=True):
        assert output.speaker_diarization == expected.speaker_diarization
        assert output.speaker_diarization.uri == expected.speaker_diarization.uri
        np.testing.assert_array_equal(
            output.speaker_embeddings, expected.speaker_embeddings
        )
    assert len({str(output.speaker_diarization) for output in alone}) == len(STARTS)
