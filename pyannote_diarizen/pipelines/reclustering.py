# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Part of `DiariZen` that works on the outputs of the networks, without running them.

Features are in the output of a pipeline, or in a file for another process.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pyannote.audio.pipelines.speaker_diarization import (
    DiarizeOutput,
    SpeakerDiarization,
)
from pyannote.core import Annotation

from pyannote_diarizen.atomic import write_file
from pyannote_diarizen.clustering.num_speakers import NumSpeakersEvidence
from pyannote_diarizen.clustering.plda import PLDA
from pyannote_diarizen.models.checkpoint import fingerprint
from pyannote_diarizen.pipelines import components
from pyannote_diarizen.pipelines.features import Features, features_of
from pyannote_diarizen.pipelines.files import CACHED_FILE, LoadedFile
from pyannote_diarizen.pipelines.turn_confidence import (
    ConfidenceCalibration,
    TurnConfidence,
)


class Reclustering(SpeakerDiarization):
    """Methods of `DiariZen` on features."""

    def recluster(
        self,
        output: DiarizeOutput | Features | Path | str,
        num_speakers: int | None = None,
        min_speakers: int | None = None,
        max_speakers: int | None = None,
        hook: Callable | None = None,
    ) -> DiarizeOutput | Annotation:
        """Diarize a file again, without running the networks again.

        Parameters
        ----------
        output : DiariZenOutput, Features, Path or str
            Result of this pipeline for the file, or of another one with the same
            models and any clustering; or its features, or the path of their file.
        num_speakers, min_speakers, max_speakers, hook : optional
            See `DiariZen.apply`.

        Returns
        -------
        output : DiariZenOutput
            Equal to the result of `apply` with the same arguments and hyper-parameters.

        Raises
        ------
        TypeError, ValueError
            If `output` carries no features, or other ones than this pipeline needs.

        Examples
        --------
        >>> output = pipeline.recluster(output, num_speakers=5)   # doctest: +SKIP
        >>> output = pipeline.recluster("a.features.npz")         # doctest: +SKIP
        """
        loaded = self._checked(output).load(self._reader)
        return self.apply(loaded, num_speakers, min_speakers, max_speakers, hook)

    def evidence(
        self,
        output: DiarizeOutput | Features | Path | str,
        num_speakers: Iterable[int] | None = None,
    ) -> NumSpeakersEvidence:
        """Compute the evidence for each number of speakers in a file.

        The bounds of the call that made `output` have no effect; the
        "expected_speakers" of its file has.

        Parameters
        ----------
        output : DiariZenOutput, Features, Path or str
            Input of `recluster`, whose errors apply.
        num_speakers : Iterable of int, optional
            Numbers to compare. Defaults to 1 to 10, or to twice the number found.

        Returns
        -------
        evidence : NumSpeakersEvidence
            Input of `evaluation.plots.draw_evidence`.

        Raises
        ------
        ValueError
            If the clustering computes no evidence, or there is nothing to cluster.
        """
        components.check_evidence(self.klustering)
        return self._checked(output).evidence(self.clustering, num_speakers)

    def save_features(self, output: DiarizeOutput | Features, path: Path | str) -> None:
        """Write the features of a file, for `recluster` in another process.

        Parameters
        ----------
        output : DiariZenOutput or Features
            Result of this pipeline.
        path : Path or str
            File to write, usually called `<uri>.features.npz`, whole or not at all. It
            holds no audio, no turns and no reference.

        Examples
        --------
        >>> pipeline.save_features(output, "a.features.npz")      # doctest: +SKIP
        """
        content = self._checked(output).to_bytes(self.model_fingerprints())
        write_file(content, Path(path))

    def run_networks(self, file: dict[str, Any], path: Path) -> None:
        """Let trials of a tuning only cluster a file, also those of another process.

        Parameters
        ----------
        file : dict
            File, in which the outputs of the networks are kept.
        path : Path
            File of features: read if it is of this recording and pipeline, or else
            written.
        """
        try:
            features = self._checked(path)
        except (FileNotFoundError, ValueError):
            features = None
        if features is not None and features.file["uri"] == file["uri"]:
            file[CACHED_FILE] = features.load(self._reader)
            return
        self(file)  # in training mode, it keeps outputs in the file
        self.save_features(self._features_in(file[CACHED_FILE]), path)

    @property
    def turn_confidence(self) -> TurnConfidence:
        """Function of features and turns that computes their confidence.

        Without the argument `confidence` of the constructor, it is not calibrated.
        """
        return TurnConfidence(
            self._plda if isinstance(self._plda, PLDA) else None,
            self.confidence and ConfidenceCalibration.of(self.confidence),
        )

    def model_fingerprints(self) -> dict[str, str]:
        """Compute digests of the networks, by role."""
        embedding = getattr(self._embedding, "model_", None)
        return {
            "segmentation": fingerprint(self._segmentation.model),
            # other toolkits keep their model elsewhere
            "embedding": type(self._embedding).__name__
            if embedding is None
            else fingerprint(embedding),
        }

    def _checked(self, output: DiarizeOutput | Features | Path | str) -> Features:
        """Return features that this pipeline would compute, too."""
        features = features_of(output)
        features.check_settings(self._feature_settings)
        if features.models is not None:
            features.check_models(self.model_fingerprints())
        return features

    def _features_in(self, file: LoadedFile) -> Features:
        """Return the features of a file that this pipeline has processed."""
        frames = self._segmentation.model.receptive_field
        return Features.from_file(file, self._feature_settings, frames)

    @property
    def _threshold(self) -> float | None:
        """Threshold of speech, None for powerset models."""
        return getattr(self.segmentation, "threshold", None)

    @property
    def _feature_settings(self) -> dict[str, Any]:
        """Settings on which segmentations and embeddings depend, besides models."""
        return {
            "seg_duration": self._segmentation.duration,
            "segmentation_step": self.segmentation_step,
            "channel": self.channel,
            "compatibility": self.compatibility,
            "median_filter": self.median_filter,
            "segmentation.threshold": self._threshold,
            "embedding dimension": self._embedding.dimension,
            "embedding_exclude_overlap": self.embedding_exclude_overlap,
            "embedding_mode": self.embedding_mode,
            "silent_speakers_compete": self._embed_silence,
        }
