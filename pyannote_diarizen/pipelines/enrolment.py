# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Checks of clips and voiceprints before they identify the wrong person.

A clip holds one speaker: the pipeline diarizes it without a number of speakers, and
a second speaker of `MIN_SPEECH` seconds refuses it. Voiceprints are compared by the
PLDA, with equal priors for one and for two speakers: clips under one name should be of
one speaker, names of different speakers.
"""

from itertools import combinations

import numpy as np
from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput
from scipy.special import expit

from pyannote_diarizen.clustering.plda import PLDA
from pyannote_diarizen.clustering.voiceprints import Voiceprints

MIN_SPEECH = 1.5
"""Least speech to enrol a speaker, and to find a second one in a clip, in seconds.

Of 62 clips of one speaker, none was refused; of 62 clips of two, 40 were
(`benchmarks/enrolment.py`).
"""

CERTAIN = 0.99
"""Least probability of a warning."""


def check_clip(name: str, output: DiarizeOutput) -> None:
    """Raise an error unless a clip has enough speech, of one speaker.

    Parameters
    ----------
    name : str
        Name of the clip.
    output : DiarizeOutput
        Diarization of the clip, whose number of speakers was estimated.

    Raises
    ------
    ValueError
        If the clip should not be enrolled.
    """
    exclusive = output.exclusive_speaker_diarization
    seconds = [duration for _, duration in exclusive.chart()]
    if sum(seconds) < MIN_SPEECH:
        raise ValueError(
            f"'{name}' has too little speech to enrol a speaker: {sum(seconds):.1f} s; "
            f"give at least {MIN_SPEECH:g} s, better ten."
        )
    speakers = [duration for duration in seconds if duration >= MIN_SPEECH]
    if len(speakers) > 1:
        durations = ", ".join(f"{duration:.1f} s" for duration in speakers)
        raise ValueError(
            f"'{name}' has {len(speakers)} speakers ({durations}): give a clip of one "
            "speaker. `pyannote-diarizen apply` prints who speaks when."
        )


def find_doubts(voiceprints: Voiceprints, plda: PLDA) -> list[str]:
    """Describe clips of one name that differ, and names that sound the same.

    Parameters
    ----------
    voiceprints : Voiceprints
        Voiceprints of enrolled speakers.
    plda : PLDA
        PLDA of their embeddings.

    Returns
    -------
    doubts : list of str
        One sentence each, with a remedy.
    """
    names, embeddings = np.array(voiceprints.names), voiceprints.embeddings
    if len(names) < 2:
        return []
    ratio = plda.log_likelihood_ratio(embeddings, embeddings)
    same = expit(ratio)  # probability of one speaker, (num_clips, num_clips)
    doubts = []
    for name in voiceprints.speakers:
        clips = np.flatnonzero(names == name)
        # median over the other clips, so that one odd clip does not blame them all
        for number, clip in enumerate(clips, start=1):
            others = clips[clips != clip]
            if np.isclose(embeddings[others], embeddings[clip]).all(axis=1).any():
                doubts.append(f"Clip {number} of {name} was enrolled twice.")
            elif len(others) and (p := 1 - np.median(same[clip, others])) > CERTAIN:
                doubts.append(
                    f"Clip {number} of {name} is probably of another speaker than the "
                    f"other clips ({p:.1%}): if so, --forget {name} and enrol again."
                )
    for first, second in combinations(voiceprints.speakers, 2):
        p = np.median(same[np.ix_(names == first, names == second)])
        if p > CERTAIN:
            doubts.append(
                f"{first} and {second} sound like one speaker ({p:.1%}): if they are, "
                f"--forget {second} and enrol the clips under one name; if not, give "
                "longer clips."
            )
    return doubts
