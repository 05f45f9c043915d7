# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import pytest

from pyannote_diarizen.functional.speaker_bounds import SpeakerBounds
from pyannote_diarizen.pipelines.options import Options

OPTIONS = {
    "clustering": "AgglomerativeClustering",
    "clustering_options": {},
    "has_plda": False,
    "seg_duration": None,
    "segmentation_step": 0.1,
    "batch_sizes": (32, 32),
    "embedding_mode": "exact",
    "median_filter": 11,
    "channel": "downmix",
    "compatibility": None,
    "bounds": SpeakerBounds(),
}


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            {"clustering": "Spectral"},
            "VBxClustering, KMeans.*'Spectral'",
        ),
        ({"clustering": "VBxClustering"}, "needs a `plda`"),
        ({"segmentation_step": 0}, "is it in seconds"),
        ({"segmentation_step": 1.6}, "is it in seconds"),
        ({"batch_sizes": (0, 32)}, "integers above 0, got 0"),
        ({"batch_sizes": (32, "32")}, "integers above 0, got '32'"),
        ({"median_filter": 10}, "odd"),
        ({"median_filter": -1}, "odd"),
        ({"channel": "left"}, "'downmix' or a number"),
        ({"channel": -1}, "'downmix' or a number"),
        ({"embedding_mode": "fast"}, "'exact' or 'shared'"),
        ({"compatibility": "pyannote"}, "'diarizen' or None"),
        ({"seg_duration": 0}, "in seconds"),
    ],
)
def test_options_that_cannot_work_are_refused(option, message):
    Options(**OPTIONS)
    with pytest.raises(ValueError, match=message):
        Options(**{**OPTIONS, **option})
