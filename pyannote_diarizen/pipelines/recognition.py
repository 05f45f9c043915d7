# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The same person under the same name, in all recordings.

Speakers are enrolled from clips, recognized in recordings that a pipeline diarized, and
linked across recordings whoever they are. Mean embeddings of speakers are compared by
the log-likelihood ratios of a PLDA: those of the clips of a speaker with that of a
speaker in a recording. For probabilities to mean what they say, the PLDA should be
calibrated, see `PLDA.calibrate`.
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
from pyannote_diarizen.models.fingerprint import fingerprint
from pyannote_diarizen.pipelines.compatibility import rename_speakers
from pyannote_diarizen.pipelines.diarizen import DiariZen

ENROLLED = -1
"""Number of the recording from which those are who are enrolled."""


@dataclass(frozen=True)
class Match:
    """Who a speaker of a recording is.

    Parameters
    ----------
    name : str or None
        None if nobody who is enrolled.
    probability : float
        That it is true.
    """

    name: str | None
    probability: float


@dataclass
class RecognizedOutput(DiarizeOutput):
    """Diarization whose speakers have the names of those who are enrolled.

    Others are called unknown_00, unknown_01, ...

    Attributes
    ----------
    matches : dict of Match
        Who each speaker is, by the label it had before.
    """

    matches: Mapping[str, Match] | None = None

    def describe(self) -> list[str]:
        """Say in a line for each speaker who it is, and how probably."""
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
        PLDA of these embeddings. Defaults to that of `pipeline`.

    Raises
    ------
    ValueError
        If there is no PLDA, or the pipeline gives no mean embeddings of speakers.

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
                "Speakers are recognized by pipelines of class DiariZen, got one of "
                f"class {type(pipeline).__name__}."
            )
        plda = pipeline._plda if plda is None else plda
        if not isinstance(plda, PLDA):
            raise ValueError(
                "Voices are compared by a PLDA, and this pipeline has none: train one "
                "with `pyannote-diarizen plda`."
            )
        if pipeline.legacy or pipeline.compatibility is not None:
            raise ValueError(
                "A pipeline with `legacy` or `compatibility` gives no mean embeddings "
                "of speakers: load it without."
            )
        self.pipeline, self.plda = pipeline, plda

    @cached_property
    def identity(self) -> EmbeddingIdentity:
        """Which model the embeddings are of."""
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
        """Diarize a recording, keeping no more than the other methods need.

        Parameters
        ----------
        file : AudioFile
        **options
            As `DiariZen` takes them: `num_speakers`, `hook`, ...

        Returns
        -------
        output : DiarizeOutput
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
        """Make the voiceprint of a speaker.

        Parameters
        ----------
        name : str
            Of the speaker.
        clip : AudioFile
            Where nobody else speaks. Ten seconds of speech will do; clips of several
            days and microphones, enrolled one after the other, are better.
        hook : callable, optional
            Called with the result of each step, as in pyannote.audio.

        Returns
        -------
        voiceprints : Voiceprints
            With one clip.

        Raises
        ------
        ValueError
            If nobody speaks in the clip.
        AudioFileError
            If it cannot be read.
        """
        output = self.diarize(clip, num_speakers=1, hook=hook)
        voices = usable_embeddings(output)
        if not voices:
            named = clip.get("uri") if isinstance(clip, Mapping) else clip
            raise ValueError(f"Nobody speaks in '{named}' for long enough to be known.")
        # a single one, unless the clustering takes no orders
        voice = next(v for v, _ in output.speaker_diarization.chart() if v in voices)
        return Voiceprints(self.identity, (name,), voices[voice][None])

    def identify(
        self,
        output: DiarizeOutput,
        voiceprints: Voiceprints,
        unknown_prior: float = 0.5,
        min_probability: float = 0.5,
        exclusive: bool = True,
    ) -> RecognizedOutput:
        """Give the speakers of a recording the names of those who are enrolled.

        Parameters
        ----------
        output : DiarizeOutput
            What the pipeline said of the recording.
        voiceprints : Voiceprints
            Of those who are enrolled.
        unknown_prior : float, optional
            Probability, before listening, that a speaker is not enrolled. Defaults to
            0.5.
        min_probability : float, optional
            Speakers who are less probable are not named. Defaults to 0.5.
        exclusive : bool, optional
            Give a name to one speaker of the recording only. Defaults to True.

        Returns
        -------
        recognized : RecognizedOutput

        Raises
        ------
        VoiceprintMismatchError
            If the voiceprints are those of another embedding model.
        """
        voiceprints.check_identity(self.identity)
        labels = output.speaker_diarization.labels()
        voices = usable_embeddings(output)
        known = voiceprints.speakers
        # those whose embedding is not known could be anybody: nobody
        ratio = np.full((len(labels), len(known)), -np.inf)
        if voices and known:
            rows = [labels.index(label) for label in voices]
            ratio[rows] = self.plda.log_likelihood_ratio(
                np.stack(list(voices.values())), voiceprints.means()
            )
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
        renamed = rename_speakers(
            output, {label: m.name or next(unknown) for label, m in matches.items()}
        )
        return RecognizedOutput(**vars(renamed), matches=matches)

    def link(
        self,
        outputs: Sequence[DiarizeOutput],
        voiceprints: Voiceprints | None = None,
        prior: float = 0.1,
    ) -> list[DiarizeOutput]:
        """Give the same speakers the same names in several recordings.

        Parameters
        ----------
        outputs : sequence of DiarizeOutput
            What the pipeline said of each recording.
        voiceprints : Voiceprints, optional
            Speakers whose names are known.
        prior : float, optional
            Probability, before listening, that speakers of two recordings are the same.
            Defaults to 0.1.

        Returns
        -------
        linked : list of DiarizeOutput
            With the names of `voiceprints`, and SPEAKER_00, SPEAKER_01, ... for others,
            in the order in which they first appear.

        Raises
        ------
        VoiceprintMismatchError
            If the voiceprints are those of another embedding model.
        """
        voices = {
            (recording, label): embedding
            for recording, output in enumerate(outputs)
            for label, embedding in usable_embeddings(output).items()
        }
        enrolled: dict[tuple[int, str], np.ndarray] = {}
        if voiceprints is not None:
            voiceprints.check_identity(self.identity)
            # they are different people, as speakers of one recording are
            means = zip(voiceprints.speakers, voiceprints.means(), strict=True)
            enrolled = {(ENROLLED, name): mean for name, mean in means}
        speakers = self._cluster({**enrolled, **voices}, prior)

        known = {speakers[place]: place[1] for place in enrolled}
        numbered = (f"SPEAKER_{number:02d}" for number in count())
        new = (name for name in numbered if name not in known.values())
        names: dict[Any, str] = defaultdict(lambda: next(new), known)
        linked = []
        for recording, output in enumerate(outputs):
            places = [(recording, n) for n in output.speaker_diarization.labels()]
            # those whose embedding is not known are somebody else each
            mapping = {place[1]: names[speakers.get(place, place)] for place in places}
            linked.append(rename_speakers(output, mapping))
        return linked

    def voiceprints(
        self, outputs: Iterable[DiarizeOutput], known: Voiceprints | None = None
    ) -> Voiceprints:
        """Enrol all speakers of recordings under the names that they have there.

        Parameters
        ----------
        outputs : iterable of DiarizeOutput
            As `link` or `identify` give them; unknown speakers are left out.
        known : Voiceprints, optional
            To be kept, and added to. Defaults to none.

        Returns
        -------
        voiceprints : Voiceprints
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
        """Find the number of the speaker that each (recording, label) is."""
        if not voices:
            return {}
        embeddings = np.stack(list(voices.values()))
        recordings = np.array([recording for recording, _ in voices])
        ratio = self.plda.log_likelihood_ratio(embeddings, embeddings)
        speakers = link_speakers(ratio, recordings, prior)
        return dict(zip(voices, speakers.tolist(), strict=True))


def usable_embeddings(output: DiarizeOutput) -> dict[str, np.ndarray]:
    """Mean embeddings of speakers, less those that could not be computed.

    Parameters
    ----------
    output : DiarizeOutput

    Returns
    -------
    embeddings : dict of (dimension,) np.ndarray
        By label, in their order.

    Raises
    ------
    ValueError
        If there are no embeddings at all.
    """
    if getattr(output, "speaker_embeddings", None) is None:
        raise ValueError(
            "Speakers are recognized by their mean embeddings, which this diarization "
            "lacks: OracleClustering gives none, nor does `legacy`."
        )
    labels = output.speaker_diarization.labels()
    # where there are fewer clusters than speakers, pyannote.audio fills up with zeros
    return {
        label: embedding
        for label, embedding in zip(labels, output.speaker_embeddings, strict=True)
        if np.isfinite(embedding).all() and embedding.any()
    }
