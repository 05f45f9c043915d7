# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Speaker recognition: the same name for a speaker in all recordings.

Speakers are enrolled from clips, identified in diarized recordings, and linked across
recordings with or without enrolment. A PLDA compares mean embeddings of speakers by
log-likelihood ratios. Probabilities are reliable only if the PLDA is calibrated, see
`PLDA.calibrate`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np
from pyannote.audio.core.io import AudioFile
from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput

from pyannote_diarizen.clustering.plda import PLDA
from pyannote_diarizen.clustering.voiceprints import (
    UNKNOWN_PREFIX,
    EmbeddingIdentity,
    Voiceprints,
)
from pyannote_diarizen.functional.identification import (
    UNKNOWN,
    choose_speakers,
    link_speakers,
    speaker_posteriors,
)
from pyannote_diarizen.models.checkpoint import fingerprint
from pyannote_diarizen.pipelines.diarizen import DiariZen
from pyannote_diarizen.pipelines.enrolment import check_clip
from pyannote_diarizen.pipelines.reconstruction import (
    labels_by_appearance,
    rename_speakers,
)

ENROLLED = -1
"""Index that stands for the recording of all enrolled speakers."""


@dataclass(frozen=True)
class Match:
    """Identity of a speaker of a recording.

    Parameters
    ----------
    name : str or None
        Name of the enrolled speaker, None for an unknown speaker.
    probability : float
        Posterior probability of that identity.
    """

    name: str | None
    probability: float


@dataclass
class RecognizedOutput(DiarizeOutput):
    """Diarization with the names of enrolled speakers.

    Other speakers are called unknown_00, unknown_01, ... in the order of their first
    turn.

    Attributes
    ----------
    matches : dict of Match
        Identity of each speaker, by its label in the original diarization.
    """

    matches: Mapping[str, Match] | None = None

    def describe(self) -> list[str]:
        """Return one line per speaker, with its identity and probability."""
        uri = self.speaker_diarization.uri
        return [
            f"{uri}: {label} is {match.name or 'unknown'} ({match.probability:.1%})"
            for label, match in (self.matches or {}).items()
        ]


class SpeakerRecognition:
    """Enrol, identify and link the speakers that a pipeline finds.

    Parameters
    ----------
    pipeline : DiariZen
        Pipeline whose embeddings are compared.
    plda : PLDA, optional
        PLDA of these embeddings. Defaults to the PLDA of `pipeline`.

    Raises
    ------
    ValueError
        If there is no PLDA, or the pipeline returns no mean embeddings of speakers.

    Examples
    --------
    >>> recognition = SpeakerRecognition(pipeline)              # doctest: +SKIP
    >>> voiceprints = recognition.enrol("Ann", "ann.wav")       # doctest: +SKIP
    >>> voiceprints += recognition.enrol("Bob", "bob.wav")      # doctest: +SKIP
    >>> voiceprints.save("team.npz")                            # doctest: +SKIP
    >>> output = pipeline("meeting.wav")                        # doctest: +SKIP
    >>> recognition.identify(output, voiceprints).speaker_diarization.labels()
    ...                                                         # doctest: +SKIP
    ['Ann', 'unknown_00']
    """

    def __init__(self, pipeline: DiariZen, plda: PLDA | None = None) -> None:
        if not isinstance(pipeline, DiariZen):
            raise ValueError(
                "Speaker recognition needs a pipeline of class DiariZen, got a "
                f"{type(pipeline).__name__}."
            )
        plda = pipeline._plda if plda is None else plda
        if not isinstance(plda, PLDA):
            raise ValueError(
                "Speaker recognition needs a PLDA, and this pipeline has none: train "
                "one with `pyannote-diarizen plda`."
            )
        if pipeline.legacy or pipeline.compatibility is not None:
            raise ValueError(
                "A pipeline with `legacy` or `compatibility` has no mean embeddings "
                "of speakers: load it without."
            )
        self.pipeline, self.plda = pipeline, plda

    @cached_property
    def identity(self) -> EmbeddingIdentity:
        """Class and fingerprint of the embedding model."""
        model = getattr(self.pipeline._embedding, "model_", None)
        if model is None:
            raise ValueError(
                "Voiceprints need an embedding model of pyannote.audio, got "
                f"{type(self.pipeline._embedding).__name__}."
            )
        kind = f"{type(model).__module__}.{type(model).__name__}"
        dimension = self.pipeline._embedding.dimension
        return EmbeddingIdentity(f"{kind}, {dimension} dimensions", fingerprint(model))

    def diarize(self, file: AudioFile, **options: Any) -> DiarizeOutput:
        """Diarize a recording, and keep only the results that the other methods need.

        Parameters
        ----------
        file : AudioFile
            File to process.
        **options
            Options of `DiariZen.apply`: `num_speakers`, `hook`, ...

        Returns
        -------
        output : DiarizeOutput
            Output without features.
        """
        output = self.pipeline(file, **options)
        return DiarizeOutput(
            output.speaker_diarization,
            output.exclusive_speaker_diarization,
            output.speaker_embeddings,
        )

    def enrol(
        self, name: str, clip: AudioFile, hook: Callable | None = None
    ) -> Voiceprints:
        """Enrol a speaker.

        Parameters
        ----------
        name : str
            Name of the speaker.
        clip : AudioFile
            Speech of this speaker only. Ten seconds are enough; clips of several days
            and microphones, enrolled one after the other, are better.
        hook : callable, optional
            Called with the result of each step, as in pyannote.audio.

        Returns
        -------
        voiceprints : Voiceprints
            Voiceprints of one clip.

        Raises
        ------
        ValueError
            If there is too little speech in the clip, or a second speaker.
        AudioFileError
            If it cannot be read.
        """
        output = self.pipeline(clip, hook=hook)
        check_clip(output.speaker_diarization.uri, output)
        voices = usable_embeddings(self.pipeline.recluster(output, max_speakers=1))
        if len(voices) != 1:
            raise ValueError(f"The clustering finds {len(voices)} speakers, not one.")
        return Voiceprints(self.identity, (name,), np.stack(list(voices.values())))

    def identify(
        self,
        output: DiarizeOutput,
        voiceprints: Voiceprints,
        unknown_prior: float = 0.5,
        min_probability: float = 0.5,
        exclusive: bool = True,
    ) -> RecognizedOutput:
        """Name the enrolled speakers of a recording.

        Parameters
        ----------
        output : DiarizeOutput
            Output of the pipeline for the recording.
        voiceprints : Voiceprints
            Voiceprints of enrolled speakers.
        unknown_prior : float, optional
            Prior probability that a speaker is not enrolled. Defaults to 0.5.
        min_probability : float, optional
            Minimum posterior probability of a name. Defaults to 0.5.
        exclusive : bool, optional
            Use each name for one speaker of the recording only. Defaults to True.

        Returns
        -------
        recognized : RecognizedOutput
            Output with names.

        Raises
        ------
        VoiceprintMismatchError
            If another embedding model made the voiceprints.
        """
        voiceprints.check_identity(self.identity)
        labels = output.speaker_diarization.labels()
        voices = usable_embeddings(output)
        known = voiceprints.speakers
        # (num_labels, num_enrolled); speakers without embedding stay unknown
        ratio = np.full((len(labels), len(known)), -np.inf)
        if voices and known:
            rows = [labels.index(label) for label in voices]
            ratio[rows] = self.plda.log_likelihood_ratio(
                np.stack(list(voices.values())), voiceprints.means()
            )
        # (num_labels, num_enrolled + 1), the last column for unknown
        posteriors = speaker_posteriors(ratio, unknown_prior)
        chosen = choose_speakers(posteriors, min_probability, exclusive)
        matches = {
            label: Match(
                name=None if speaker == UNKNOWN else known[speaker],
                probability=float(row[speaker]),
            )
            for label, speaker, row in zip(labels, chosen, posteriors, strict=True)
        }
        unknown = (f"{UNKNOWN_PREFIX}_{number:02d}" for number in count())
        order = labels_by_appearance(output.speaker_diarization)
        names = {label: matches[label].name or next(unknown) for label in order}
        renamed = rename_speakers(output, names)
        return RecognizedOutput(**vars(renamed), matches=matches)

    def link(
        self,
        outputs: Sequence[DiarizeOutput],
        voiceprints: Voiceprints | None = None,
        prior: float = 0.1,
    ) -> list[DiarizeOutput]:
        """Link the speakers of several recordings.

        Parameters
        ----------
        outputs : sequence of DiarizeOutput
            Output of the pipeline for each recording.
        voiceprints : Voiceprints, optional
            Voiceprints of enrolled speakers.
        prior : float, optional
            Prior probability that speakers of two recordings are the same. Defaults to
            0.1.

        Returns
        -------
        linked : list of DiarizeOutput
            Outputs with the names of `voiceprints`, and SPEAKER_00, SPEAKER_01, ... for
            other speakers, in the order of their first turn.

        Raises
        ------
        VoiceprintMismatchError
            If another embedding model made the voiceprints.
        """
        voices = {
            (recording, label): embedding
            for recording, output in enumerate(outputs)
            for label, embedding in usable_embeddings(output).items()
        }
        enrolled: dict[tuple[int, str], np.ndarray] = {}
        if voiceprints is not None:
            voiceprints.check_identity(self.identity)
            # enrolled speakers are distinct, as are speakers of one recording
            means = zip(voiceprints.speakers, voiceprints.means(), strict=True)
            enrolled = {(ENROLLED, name): mean for name, mean in means}
        speakers = self._cluster({**enrolled, **voices}, prior)

        known = {speakers[place]: place[1] for place in enrolled}
        numbered = (f"SPEAKER_{number:02d}" for number in count())
        new = (name for name in numbered if name not in known.values())
        names: dict[Any, str] = defaultdict(lambda: next(new), known)
        linked = []
        for recording, output in enumerate(outputs):
            labels = labels_by_appearance(output.speaker_diarization)
            places = [(recording, label) for label in labels]
            # each speaker without embedding gets a name of its own
            mapping = {place[1]: names[speakers.get(place, place)] for place in places}
            linked.append(rename_speakers(output, mapping))
        return linked

    def voiceprints(
        self, outputs: Iterable[DiarizeOutput], known: Voiceprints | None = None
    ) -> Voiceprints:
        """Enrol all speakers of recordings under their names.

        Parameters
        ----------
        outputs : iterable of DiarizeOutput
            Results of `link` or `identify`; unknown speakers are left out.
        known : Voiceprints, optional
            Voiceprints to extend. Defaults to none.

        Returns
        -------
        voiceprints : Voiceprints
            Voiceprints of `known` and of all named speakers.
        """
        voices = [
            (label, embedding)
            for output in outputs
            for label, embedding in usable_embeddings(output).items()
            if not label.startswith(UNKNOWN_PREFIX)
        ]
        dimension = self.pipeline._embedding.dimension
        embeddings = np.array([embedding for _, embedding in voices])
        found = Voiceprints(
            self.identity,
            tuple(label for label, _ in voices),
            embeddings.reshape(-1, dimension),
        )
        return found if known is None else known + found

    def _cluster(
        self, voices: Mapping[tuple[int, str], np.ndarray], prior: float
    ) -> dict[tuple[int, str], int]:
        """Return the index of the linked speaker of each (recording, label)."""
        if not voices:
            return {}
        embeddings = np.stack(list(voices.values()))
        recordings = np.array([recording for recording, _ in voices])
        # of shape (num_voices, num_voices)
        ratio = self.plda.log_likelihood_ratio(embeddings, embeddings)
        speakers = link_speakers(ratio, recordings, prior)
        return dict(zip(voices, speakers.tolist(), strict=True))


def usable_embeddings(output: DiarizeOutput) -> dict[str, np.ndarray]:
    """Mean embeddings of speakers, without NaN and zeros.

    Parameters
    ----------
    output : DiarizeOutput
        Output of a pipeline.

    Returns
    -------
    embeddings : dict of (dimension,) np.ndarray
        Embeddings by label, in the order of labels.

    Raises
    ------
    ValueError
        If there are no embeddings at all.
    """
    if getattr(output, "speaker_embeddings", None) is None:
        raise ValueError(
            "Speaker recognition needs mean embeddings, which this diarization lacks: "
            "load the pipeline without `legacy`, and without OracleClustering."
        )
    labels = output.speaker_diarization.labels()
    # pyannote.audio adds zeros if there are fewer clusters than speakers
    return {
        label: embedding
        for label, embedding in zip(labels, output.speaker_embeddings, strict=True)
        if np.isfinite(embedding).all() and embedding.any()
    }
