# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Fusion of several diarizations of a recording, or of several pipelines."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pyannote.audio import Pipeline
from pyannote.core import Annotation, Segment
from pyannote.metrics.diarization import DiarizationErrorRate
from pyannote.pipeline.parameter import ParamDict, Uniform

from pyannote_diarizen.audio.reader import read_audio
from pyannote_diarizen.functional.dover_lap import fuse_turns
from pyannote_diarizen.pipelines.diarizen import DiariZen
from pyannote_diarizen.pipelines.files import without_reference
from pyannote_diarizen.pipelines.journal import fingerprint
from pyannote_diarizen.pipelines.published import load_pretrained

_CACHED = "training_cache/fusion"
"""Key under which a file keeps the diarizations while weights are tuned."""


def fuse_annotations(
    annotations: Sequence[Annotation],
    weights: Sequence[float] | None = None,
    uri: str | None = None,
) -> Annotation:
    """Combine several diarizations of a recording by DOVER-Lap.

    Parameters
    ----------
    annotations : sequence of Annotation
        One per system; an empty one votes for silence. Names of speakers do not
        matter.
    weights : sequence of float, optional
        One per system. Default: by the rank of their agreement with the others.
    uri : str, optional
        Name of the recording. Defaults to that of the first annotation.

    Returns
    -------
    fused : Annotation
        Speakers are called SPEAKER_00, ... in the order of their first turn.

    Examples
    --------
    >>> one, two = Annotation(uri="call"), Annotation(uri="call")
    >>> one[Segment(0, 4)], two[Segment(0, 5)] = "ann", "x"
    >>> print(fuse_annotations([one, two, two]))
    [ 00:00:00.000 -->  00:00:05.000] 0 SPEAKER_00
    """
    systems = [
        [_turns(annotation, label) for label in annotation.labels()]
        for annotation in annotations
    ]
    fused = Annotation(uri=uri or annotations[0].uri)
    speakers = sorted(fuse_turns(systems, weights), key=lambda turns: turns[0, 0])
    for index, turns in enumerate(speakers):
        label = f"SPEAKER_{index:02d}"
        for start, end in turns.tolist():
            fused[Segment(start, end), fused.new_track(Segment(start, end))] = label
    return fused


def _turns(annotation: Annotation, label: Any) -> np.ndarray:
    """(num_turns, 2) start and end of the turns of a speaker, merged."""
    turns = annotation.label_timeline(label).support()
    return np.array([[turn.start, turn.end] for turn in turns]).reshape(-1, 2)


class Fusion(Pipeline):
    """Several pipelines side by side, combined by DOVER-Lap.

    Parameters
    ----------
    pipelines : sequence of Pipeline, str, Path or dict
        Two or more diarization pipelines of any class: loaded, or a name, a folder, an
        identifier on huggingface.co, or arguments of `DiariZen.from_pretrained`.
    weighted : bool, optional
        Make the weights of the pipelines hyper-parameters, which can be tuned. Defaults
        to False: weights follow from the rank of the agreement of each pipeline with
        the others, file by file.
    token, cache_dir : optional
        See `SpeakerDiarization` of pyannote.audio.

    Hyper-parameters
    ----------------
    weights.system_1, weights.system_2, ... : float
        Weight of each pipeline, if `weighted`. Hyper-parameters of the pipelines are
        those with which they are loaded.

    Examples
    --------
    >>> pipeline = Fusion(                                          # doctest: +SKIP
    ...     ["mine/", "pyannote/speaker-diarization-community-1"], weighted=True
    ... )
    >>> diarization = pipeline("meeting.wav")                       # doctest: +SKIP
    """

    def __init__(
        self,
        pipelines: Sequence[Pipeline | str | Path | Mapping[str, Any]],
        weighted: bool = False,
        token: str | None = None,
        cache_dir: Path | str | None = None,
    ) -> None:
        super().__init__()
        if isinstance(pipelines, (str, Path, Mapping)) or len(pipelines) < 2:
            raise ValueError(
                f"`pipelines` should be two pipelines or more, got {pipelines!r}."
            )
        # in a list: pyannote.audio would tune the hyper-parameters of an attribute
        self.systems = [_load(each, token, cache_dir) for each in pipelines]
        self.weighted = weighted
        if weighted:
            self.weights = ParamDict(
                **{name: Uniform(0.0, 1.0) for name in self._names}
            )

    @property
    def _names(self) -> list[str]:
        return [f"system_{number}" for number in range(1, len(self.systems) + 1)]

    def default_parameters(self) -> dict[str, Any]:
        """Return equal weights, nothing without `weighted`."""
        if not self.weighted:
            return {}
        return {"weights": dict.fromkeys(self._names, 1.0)}

    def apply(
        self,
        file: MutableMapping[str, Any],
        hook: Callable | None = None,
        **options: Any,
    ) -> Annotation:
        """Diarize one file by all pipelines, and combine the results.

        Parameters
        ----------
        file : MutableMapping
            File that pyannote has validated.
        hook : callable, optional
            Called with the result of each step of each pipeline.
        **options
            Given to all pipelines, such as `num_speakers`; None is left out.

        Returns
        -------
        fused : Annotation
        """
        found = file.get(_CACHED) if self.training else None
        if found is None:
            found = [
                self._diarize(system, file, hook, options) for system in self.systems
            ]
        if self.training:
            file[_CACHED] = found
        weights = None
        if self.weighted:
            weights = [getattr(self.weights, name) for name in self._names]
        return fuse_annotations(found, weights, file["uri"])

    @staticmethod
    def _diarize(
        system: Pipeline,
        file: Mapping[str, Any],
        hook: Callable | None,
        options: Mapping[str, Any],
    ) -> Annotation:
        # a copy: pipelines would share what they keep in the file
        shown = without_reference(file)
        if not isinstance(system, DiariZen) and "waveform" not in shown:
            # without FFmpeg, pyannote.audio reads no file
            shown["waveform"], shown["sample_rate"] = read_audio(file)
            shown.pop("channel", None)  # the only one that was read
        given = {key: value for key, value in options.items() if value is not None}
        output = system(shown, hook=hook, **given)
        return getattr(output, "speaker_diarization", output)

    def to(self, device: torch.device) -> "Fusion":
        """Move all pipelines to a device."""
        for system in self.systems:
            system.to(device)
        return super().to(device)

    def get_metric(self) -> DiarizationErrorRate:
        """Return the metric of tuning: without collar, with overlap."""
        return DiarizationErrorRate()

    @cached_property
    def _feature_settings(self) -> dict[str, Any]:
        """Digests of the pipelines, by which a study of tuning recognizes them."""
        return {
            name: fingerprint(system, {})
            for name, system in zip(self._names, self.systems, strict=True)
        }


def _load(
    source: Pipeline | str | Path | Mapping[str, Any],
    token: str | None,
    cache_dir: Path | str | None,
) -> Pipeline:
    if isinstance(source, Pipeline):
        return source
    where: dict[str, Any] = {"token": token, "cache_dir": cache_dir}
    if isinstance(source, Mapping):
        return load_pretrained(**{**where, **source})
    return load_pretrained(source, **where)
