# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Suspicious parts of a reference, by comparison with the audio and a diarization.

Wrong references are a common reason of high error rates. A pipeline diarizes the audio;
where it disagrees with the reference for long, and the level of the audio supports it,
a warning is given. Pipelines make errors, too: warnings are suggestions of what to
listen to, and nothing is corrected.

Five faults are searched for: speech without annotation, annotated silence, a constant
offset between reference and audio, turns that are cut, and turns with the label of
another speaker.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate
from scipy.signal import correlate, correlation_lags

from pyannote_diarizen.audio.reader import read_audio
from pyannote_diarizen.corpora.protocols import merge_turns
from pyannote_diarizen.evaluation.metrics import reference_labels
from pyannote_diarizen.findings import Finding
from pyannote_diarizen.functional.frames import find_runs
from pyannote_diarizen.pipelines.files import without_reference

STEP = 0.01
"""Seconds of a frame."""

BORDER = 0.3
"""Seconds around turns of the reference in which speech needs no annotation."""

MIN_SPEECH = 1.0
"""Shortest speech without annotation, and shortest annotated silence, that counts."""

MIN_TURN = 2.0
"""Shortest turn whose label is checked."""

MAX_OFFSET = 10.0
"""Largest offset that is searched for, in seconds; a tenth of shorter recordings."""

MIN_OFFSET = 0.15
"""Smallest offset that is reported."""

MIN_GAIN, MIN_CORRELATION, MIN_PAUSES = 0.1, 0.5, 3
"""Smallest gain in correlation, smallest correlation, and smallest number of pauses of
the reference by which an offset is believed."""

MIN_CUT = 0.3
"""Shortest speech of the same voice that goes on outside a turn, in seconds."""

NUM_WORST = 3
"""Cut turns that are named."""

QUIET = 15.0
"""Decibels below the median level of speech."""

_LEVEL_FRAME = 0.1


def check_reference(pipeline: Any, file: Mapping[str, Any]) -> list[Finding]:
    """Compare the reference of a file with its audio.

    Parameters
    ----------
    pipeline : Pipeline
        Diarization pipeline, which does not read the reference.
    file : Mapping
        File with the keys "uri", "audio", "annotation" and "annotated".

    Returns
    -------
    findings : list of Finding
        Warnings, in the order of time for each kind of fault.
    """
    output = pipeline(without_reference(file))
    waveform, sample_rate = read_audio(file)
    return [
        Finding("warning", text, remedy, Path(str(file["audio"])))
        for text, remedy in compare_reference(
            file["annotation"],
            getattr(output, "speaker_diarization", output),
            file["annotated"],
            audio_level(waveform[0].numpy(), sample_rate),
        )
    ]


def audio_level(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Compute the level of the audio.

    Parameters
    ----------
    samples : (num_samples,) np.ndarray
    sample_rate : int

    Returns
    -------
    level : (num_frames,) np.ndarray
        Decibels, over 0.1 s, for frames of `STEP` seconds.
    """
    size = round(_LEVEL_FRAME * sample_rate)
    blocks = samples[: len(samples) // size * size].reshape(-1, size)
    power = np.square(blocks, dtype=float).mean(axis=1)  # (num_blocks,)
    return np.repeat(10 * np.log10(power + 1e-10), round(_LEVEL_FRAME / STEP))


def compare_reference(
    reference: Annotation,
    hypothesis: Annotation,
    annotated: Timeline,
    level: np.ndarray,
) -> Iterator[tuple[str, str]]:
    """Find suspicious parts of a reference.

    Parameters
    ----------
    reference, hypothesis : Annotation
        Turns of the reference, and turns that a pipeline found.
    annotated : Timeline
        Annotated part of the file; the rest is not compared.
    level : (num_frames,) np.ndarray
        Result of `audio_level`.

    Yields
    ------
    text, remedy : str
        Description of a fault, and advice.
    """
    masks = [
        _mask(timeline, len(level))
        for timeline in (
            reference.get_timeline(),
            hypothesis.get_timeline(),
            annotated,
        )
    ]
    spoken, found, scored = masks  # (num_frames,) each
    if not (spoken & scored).any():
        return
    offset = find_offset(spoken & scored, found & scored)
    if offset is not None:
        direction = "later" if offset > 0 else "earlier"
        yield (
            f"the reference is {abs(offset):.2f} s {direction} than the speech",
            f"move all turns by {-offset:+.2f} s, if that holds for the whole file",
        )
        return  # all other faults would follow from this one
    # where both agree, so that annotated silence does not lower it
    agreed = spoken & found & scored
    quiet = np.median(level[agreed if agreed.any() else spoken]) - QUIET
    near = _mask(_wider(reference), len(level))
    for start, end, run_level in _runs(found & scored & ~near, level):
        if run_level < quiet:
            continue
        yield (
            f"{start:.1f} to {end:.1f} s: speech without annotation",
            "listen to it; annotate it, or leave it out of the UEM",
        )
    for start, end, run_level in _runs(spoken & scored & ~found, level):
        if run_level >= quiet:
            continue
        yield (
            f"{start:.1f} to {end:.1f} s: silence is annotated as speech",
            "listen to it; shorten or delete the turn",
        )
    inside = merge_turns(reference.crop(annotated))
    found_turns = merge_turns(hypothesis)
    mapped = _rename(inside, found_turns, annotated)
    yield from _find_cut_turns(inside, mapped, annotated, level >= quiet)
    yield from _find_wrong_labels(reference.crop(annotated), inside, mapped)


def _rename(
    reference: Annotation, hypothesis: Annotation, annotated: Timeline
) -> Annotation:
    """Give speakers of a hypothesis the names of those of the reference."""
    mapping = DiarizationErrorRate().optimal_mapping(reference, hypothesis, annotated)
    return hypothesis.rename_labels(reference_labels(hypothesis, mapping))


def _find_cut_turns(
    reference: Annotation, mapped: Annotation, annotated: Timeline, loud: np.ndarray
) -> Iterator[tuple[str, str]]:
    """Find turns outside of which the same voice goes on, up to any other turn."""
    spoken = reference.get_timeline().support()
    cuts: list[tuple[float, str]] = []
    for label in reference.labels():
        if label not in mapped.labels() or not _is_consistent(reference, mapped, label):
            continue
        voice = mapped.label_timeline(label).support()
        turns = reference.label_timeline(label).support()
        # speech of others ends the search: the voice may be theirs
        for part in voice.extrude(spoken).crop(annotated):
            frames = slice(round(part.start / STEP), round(part.end / STEP))
            if part.duration < MIN_CUT or not loud[frames].mean() > 0.5:
                continue
            if any(abs(turn.end - part.start) < STEP for turn in turns):
                place = f"after its end at {part.start:.1f} s ('{label}')"
            elif any(abs(turn.start - part.end) < STEP for turn in turns):
                place = f"before its start at {part.end:.1f} s ('{label}')"
            else:
                continue
            cuts.append((part.duration, f"{part.duration:.1f} s {place}"))
    if cuts:
        cuts.sort(key=lambda cut: -cut[0])
        turns_cut = "1 turn is" if len(cuts) == 1 else f"{len(cuts)} turns are"
        worst = ", ".join(text for _, text in cuts[:NUM_WORST])
        yield (
            f"{turns_cut} cut, since the voice goes on: {worst}",
            "listen to the boundaries; silence may have been trimmed too much",
        )


def _wider(reference: Annotation) -> Timeline:
    turns = reference.get_timeline()
    return Timeline([Segment(each.start - BORDER, each.end + BORDER) for each in turns])


def _mask(timeline: Timeline, num_frames: int) -> np.ndarray:
    """Return the (num_frames,) frames whose centre is in a segment."""
    mask = np.zeros(num_frames, dtype=bool)
    for segment in timeline.support():
        first, last = (round(time / STEP) for time in (segment.start, segment.end))
        mask[max(first, 0) : max(last, 0)] = True
    return mask


def _runs(mask: np.ndarray, level: np.ndarray) -> Iterator[tuple[float, float, float]]:
    """Yield start, end and median level of runs of at least `MIN_SPEECH` seconds."""
    for first, last in find_runs(mask).tolist():
        if last - first >= round(MIN_SPEECH / STEP):
            yield first * STEP, last * STEP, float(np.median(level[first:last]))


def find_offset(spoken: np.ndarray, found: np.ndarray) -> float | None:
    """Find a constant offset between two speech activities, by cross-correlation.

    Parameters
    ----------
    spoken, found : (num_frames,) np.ndarray
        Activity in the reference and in the audio.

    Returns
    -------
    offset : float or None
        Seconds by which the reference is late; None if no shift by `MIN_OFFSET` or
        more fits well, and better than none.

    Examples
    --------
    >>> found = np.tile(np.repeat([0, 1, 0], [200, 300, 250]), 5)
    >>> find_offset(np.roll(found, 50), found)
    0.5
    """
    num_pauses = int((np.diff(spoken.astype(np.int8)) == -1).sum())
    if num_pauses < MIN_PAUSES or found.all() or not found.any():
        return None
    # the peak is at the lag by which `spoken` is late
    centred = [each - each.mean() for each in (spoken, found)]
    scale = np.prod([np.linalg.norm(each) for each in centred])
    correlation = correlate(*centred, method="fft") / scale
    lags = correlation_lags(len(spoken), len(found)) * STEP
    near = np.abs(lags) <= min(MAX_OFFSET, 0.1 * len(spoken) * STEP)
    best = int(np.argmax(np.where(near, correlation, -np.inf)))
    gain = correlation[best] - correlation[lags == 0].item()
    offset = float(lags[best])
    fits = correlation[best] >= MIN_CORRELATION and gain >= MIN_GAIN
    return offset if fits and abs(offset) >= MIN_OFFSET else None


def _find_wrong_labels(
    reference: Annotation, merged: Annotation, mapped: Annotation
) -> Iterator[tuple[str, str]]:
    """Find turns during which the voice is that of another speaker of the reference."""
    overlap = merged.get_overlap()
    for turn, _, label in reference.itertracks(yield_label=True):
        if turn.duration < MIN_TURN or overlap.crop(turn).duration() > 0.2:
            continue
        seconds: Counter[Any] = Counter()
        for part, _, speaker in mapped.crop(turn).itertracks(yield_label=True):
            seconds[speaker] += part.duration
        other = max(seconds, key=lambda name: seconds[name], default=label)
        if (
            other in reference.labels()
            and other != label
            and seconds[other] > 0.8 * turn.duration
            and seconds[label] < 0.1 * turn.duration
            and _is_consistent(merged, mapped, label)
            and _is_consistent(merged, mapped, other)
        ):
            yield (
                f"{turn.start:.1f} to {turn.end:.1f} s: the voice of this turn of "
                f"'{label}' is that of '{other}'",
                "listen to it; labels may be swapped",
            )


def _is_consistent(reference: Annotation, mapped: Annotation, label: Any) -> bool:
    """Whether a pipeline finds most speech of a speaker of the reference as one."""
    speech = reference.label_timeline(label)
    found = mapped.label_timeline(label) if label in mapped.labels() else Timeline()
    shared = found.crop(speech.support()).duration()
    return bool(shared > 0.5 * speech.duration())
