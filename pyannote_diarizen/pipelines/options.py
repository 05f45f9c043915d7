# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Options of `DiariZen` that depend on each other, checked before a model is loaded."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pyannote.audio.core.model import Model

from pyannote_diarizen.functional.speaker_bounds import SpeakerBounds
from pyannote_diarizen.pipelines.components import (
    clustering_names,
    find_clustering,
    needs_plda,
)


@dataclass(frozen=True)
class Options:
    """Options of `DiariZen`; see there for the ones that are not described here.

    Parameters
    ----------
    clustering : str
        Full name of the clustering.
    has_plda : bool
        Whether a PLDA is given.
    batch_sizes : (int, int)
        Batch sizes of segmentation and embedding.

    Raises
    ------
    ValueError
        If an option has an impossible value.
    """

    clustering: str
    has_plda: bool
    clustering_options: Mapping[str, Any]
    seg_duration: float | None
    segmentation_step: float
    batch_sizes: tuple[int, int]
    embedding_mode: Literal["exact", "shared"]
    median_filter: int | None
    channel: Literal["downmix"] | int
    compatibility: Literal["diarizen"] | None
    bounds: SpeakerBounds

    def __post_init__(self) -> None:
        """Check the options."""
        self._check_clustering()
        size, channel = self.median_filter, self.channel
        if self.seg_duration is not None and self.seg_duration <= 0:
            raise ValueError(
                "`seg_duration` should be in seconds, above 0, got "
                f"{self.seg_duration}."
            )
        for size_of_batch in self.batch_sizes:
            if not (isinstance(size_of_batch, int) and size_of_batch > 0):
                raise ValueError(
                    "`segmentation_batch_size` and `embedding_batch_size` should be "
                    f"integers above 0, got {size_of_batch!r}."
                )
        if not 0 < self.segmentation_step <= 1:
            raise ValueError(
                "`segmentation_step` should be a ratio of the duration of chunks, "
                f"above 0 and at most 1, got {self.segmentation_step}: is it in "
                "seconds?"
            )
        if size is not None and (size < 1 or size % 2 == 0):
            raise ValueError(
                "`median_filter` should be an odd number of frames, or None for no "
                f"filter, got {size}."
            )
        if channel != "downmix" and not (isinstance(channel, int) and channel >= 0):
            raise ValueError(
                f"`channel` should be 'downmix' or a number from 0, got {channel!r}."
            )
        if self.embedding_mode not in ("exact", "shared"):
            raise ValueError(
                "`embedding_mode` should be 'exact' or 'shared', got "
                f"{self.embedding_mode!r}."
            )
        if self.compatibility not in (None, "diarizen"):
            raise ValueError(
                "`compatibility` should be 'diarizen' or None, got "
                f"{self.compatibility!r}."
            )

    def _check_clustering(self) -> None:
        names = clustering_names()
        if "." in self.clustering:
            find_clustering(self.clustering)  # raises an error if there is none
        elif self.clustering not in names:
            raise ValueError(
                f"`clustering` should be one of {', '.join(names)}, got "
                f"{self.clustering!r}."
            )
        if needs_plda(self.clustering) and not self.has_plda:
            raise ValueError(
                f"{self.clustering} needs a `plda`: give the folder or the hub "
                "identifier of one that was fitted on embeddings of the same model, or "
                "choose clustering='AgglomerativeClustering', which needs none."
            )

    def choose_channel(self, segmentation: Model) -> Literal["downmix"] | int:
        """Select the channel to read.

        With `compatibility`, models of one channel read the first one by default.
        """
        mono = segmentation.hparams.num_channels == 1
        first_only = self.compatibility and mono and self.channel == "downmix"
        return 0 if first_only else self.channel


def check_preload(preload: Any) -> None:
    """Raise a `TypeError` if another option comes in place of `preload`."""
    if not isinstance(preload, bool):
        raise TypeError(
            "Options should be given by name, such as num_speakers=2, got "
            f"{preload!r} as second argument."
        )
