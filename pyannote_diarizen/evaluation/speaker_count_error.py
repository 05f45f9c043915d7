# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""How far the number of speakers is off, as a metric of pyannote.metrics."""

from typing import Any

from pyannote.core import Annotation, Timeline
from pyannote.metrics.base import BaseMetric


class SpeakerCountError(BaseMetric):
    """Mean difference between the number of speakers found and their real number.

    Speakers are those who speak in what was annotated, however little. Too many and
    too few count alike: a file with one speaker too many and one with one too few
    give 1.
    """

    @classmethod
    def metric_name(cls) -> str:
        """Return the name, in reports."""
        return "speaker count error"

    @classmethod
    def metric_components(cls) -> list[str]:
        """Return what adds up over files."""
        return ["difference", "files"]

    def compute_components(
        self,
        reference: Annotation,
        hypothesis: Annotation,
        uem: Timeline | None = None,
        **kwargs: Any,
    ) -> dict[str, float]:
        """Compare the numbers of speakers of one file.

        Parameters
        ----------
        reference, hypothesis : Annotation
            Who really speaks when, and who is said to.
        uem : Timeline, optional
            What was annotated. Defaults to all.
        **kwargs
            Ignored.

        Returns
        -------
        components : dict
        """
        if uem is not None:
            reference, hypothesis = reference.crop(uem), hypothesis.crop(uem)
        difference = len(hypothesis.labels()) - len(reference.labels())
        return {"difference": float(abs(difference)), "files": 1.0}

    def compute_metric(self, components: dict[str, float]) -> float:
        """Return the mean over files, 0 without any."""
        return components["difference"] / max(components["files"], 1.0)
