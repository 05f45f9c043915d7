# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Corrections of the speakers of a document: other names, one instead of two, two.

Times of other turns, words, and their confidence stay as they are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pyannote_diarizen.results.document import DiarizationDocument, turns_of
from pyannote_diarizen.results.turns import Turn
from pyannote_diarizen.results.words import assign_speakers

if TYPE_CHECKING:  # slow to import
    from pyannote.core import Annotation

    from pyannote_diarizen.pipelines.features import Features


def rename_speakers(
    document: DiarizationDocument, names: Mapping[str, str]
) -> DiarizationDocument:
    """Rename speakers.

    Parameters
    ----------
    document : DiarizationDocument
    names : Mapping of str
        New name of some speakers. Two speakers may exchange their names.

    Raises
    ------
    ValueError
        If a speaker does not exist, or two speakers would have the same name.
    """
    _check_speakers(document, names)
    kept = [label for label in _labels(document) if label not in names]
    renamed = [*kept, *names.values()]
    if shared := {name for name in renamed if renamed.count(name) > 1}:
        raise ValueError(
            f"Two speakers of '{document.uri}' would be called "
            f"{', '.join(sorted(shared))}: merge them instead."
        )
    return _with_names(document, names)


def merge_speakers(
    document: DiarizationDocument, speaker: str, into: str
) -> DiarizationDocument:
    """Give all turns of one speaker to another; turns that touch become one.

    Raises
    ------
    ValueError
        If a speaker does not exist, or both are the same.
    """
    _check_speakers(document, (speaker, into))
    if speaker == into:
        raise ValueError(f"'{speaker}' cannot be merged into the same speaker.")
    merged = _with_names(document, {speaker: into})
    known = merged.speaker_confidence.items()
    return replace(
        merged,
        turns=_united(merged.turns, into),
        exclusive_turns=_united(merged.exclusive_turns or (), into),
        speaker_confidence={name: value for name, value in known if name != into},
    )


def split_speaker(
    document: DiarizationDocument,
    speaker: str,
    features: "Features",
    new_speaker: str | None = None,
) -> DiarizationDocument:
    """Split one speaker in two, by kept features.

    Parameters
    ----------
    document : DiarizationDocument
    speaker : str
        Speaker to split. The one of the two who speaks longer keeps the name.
    features : Features
        Features of the recording.
    new_speaker : str, optional
        Name of the other one. Defaults to the first unused of SPEAKER_00, SPEAKER_01...

    Raises
    ------
    ValueError
        If features are of another recording, or the speaker cannot be split.
    """
    from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput

    from pyannote_diarizen.pipelines import splitting

    if document.uri != (uri := features.file["uri"]):
        raise ValueError(f"Features of '{uri}' cannot split '{document.uri}'.")
    output = splitting.split_speaker(
        DiarizeOutput(document.annotation(), document.annotation(exclusive=True), None),
        speaker,
        new_speaker,
        features,
    )
    others = {label for label in _labels(document) if label != speaker}

    def divided(before: Iterable[Turn], after: "Annotation") -> list[Turn]:
        kept = [turn for turn in before if turn.speaker in others]
        return kept + [turn for turn in turns_of(after) if turn.speaker not in others]

    turns = divided(document.turns, output.speaker_diarization)
    exclusive = output.exclusive_speaker_diarization
    parts = [turn for turn in turns if turn.speaker not in others]
    words = [word for word in document.words if word.speaker == speaker]
    known = document.speaker_confidence.items()
    return replace(
        document,
        turns=turns,
        exclusive_turns=divided(document.exclusive_turns or (), exclusive),
        words=[word for word in document.words if word.speaker != speaker]
        + assign_speakers(words, parts),
        speaker_confidence={name: value for name, value in known if name != speaker},
    )


def _labels(document: DiarizationDocument) -> list[str]:
    return [speaker.label for speaker in document.speakers]


def _check_speakers(document: DiarizationDocument, wanted: Iterable[str]) -> None:
    labels = _labels(document)
    if unknown := [name for name in wanted if name not in labels]:
        raise ValueError(
            f"'{document.uri}' has no speaker {', '.join(unknown)}, but "
            f"{', '.join(labels) or 'none'}."
        )


def _with_names(
    document: DiarizationDocument, names: Mapping[str, str]
) -> DiarizationDocument:
    def renamed(parts: Iterable) -> list:
        return [
            replace(part, speaker=names.get(part.speaker, part.speaker))
            for part in parts
        ]

    return replace(
        document,
        turns=renamed(document.turns),
        exclusive_turns=renamed(document.exclusive_turns or ()),
        words=renamed(document.words),
        speaker_confidence={
            names.get(name, name): value
            for name, value in document.speaker_confidence.items()
        },
    )


def _united(turns: Iterable[Turn], speaker: str) -> list[Turn]:
    """Unite turns of a speaker that touch; the longer one has the confidence of both.

    Turns are sorted by start.
    """
    others, united = [], list[Turn]()
    for turn in turns:
        if turn.speaker != speaker:
            others.append(turn)
        elif united and turn.start <= united[-1].end:
            last = united.pop()
            longer = max(last, turn, key=lambda each: each.duration)
            end = max(last.end, turn.end)
            united.append(replace(longer, start=last.start, end=end))
        else:
            united.append(turn)
    return others + united
