# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Share of words with the right speaker, by rule, on simulated conversations.

    python benchmarks/words.py --write

Turns of simulated conversations are filled with words, whose speakers are thus known.
Their times have errors, as those of recognizers do. One transcript has all words, the
other only those that a recognizer with one stream may find: no word begins before the
last one ends. Rules get the turns of the simulation, or those of the bundled pipeline.

The rule of whisperX is that of its `assign_word_speakers`, with and without
`fill_nearest`: overlap with the turns, then the turn with the nearest centre.
`--write` writes the table to docs/words.md.
"""

import argparse
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "0")

import numpy as np
import torch
from pyannote.core import Annotation
from pyannote.metrics.diarization import DiarizationErrorRate
from reports import ROOT, SHARED, table, write_results

from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE
from pyannote_diarizen.hub.loading import load_pipeline
from pyannote_diarizen.results.turns import Turn, Word
from pyannote_diarizen.results.words import assign_speakers
from pyannote_diarizen.simulation.conversation import SimulatedConversation
from pyannote_diarizen.simulation.simulator import ConversationSimulator
from pyannote_diarizen.simulation.speech import SpeechPool

NUM_CONVERSATIONS = 20
DURATION = 60.0
WORD = (0.28, 0.5)
"""Median duration of words in seconds, and standard deviation of its logarithm."""
PAUSE = (0.3, 0.08)
"""Probability of a pause between two words, and its mean in seconds."""
ERROR = 0.05
"""Standard deviation of the start and the end of a word, in seconds."""

Rule = Callable[[Sequence[Word], Sequence[Turn]], list[Word]]


def draw_words(turns: Sequence[Turn], rng: np.random.Generator) -> list[Word]:
    """Fill turns with words that have errors in their times; sorted."""
    words = []
    for turn in turns:
        time = turn.start
        while time < turn.end:
            end = min(
                time + WORD[0] * np.exp(WORD[1] * rng.standard_normal()), turn.end
            )
            first, last = np.sort([time, end] + ERROR * rng.standard_normal(2))
            words.append(Word(max(first, 0), max(last, 0), "word", turn.speaker))
            time = end + (rng.exponential(PAUSE[1]) if rng.random() < PAUSE[0] else 0)
    return sorted(words, key=lambda word: (word.start, word.end))


def one_stream(words: Sequence[Word]) -> list[Word]:
    """Leave out words that begin before the last word ends."""
    kept: list[Word] = []
    for word in words:
        if not kept or word.start >= kept[-1].end - ERROR:
            kept.append(word)
    return kept


def whisperx(
    words: Sequence[Word], turns: Sequence[Turn], fill_nearest: bool = False
) -> list[Word]:
    """Assign speakers by the rule of whisperX."""
    assigned = []
    for word in words:
        seconds: defaultdict[str, float] = defaultdict(float)
        for turn in turns:
            common = min(turn.end, word.end) - max(turn.start, word.start)
            if common > 0:
                seconds[turn.speaker] += common
        speaker = max(seconds, key=lambda name: seconds[name], default=None)
        if speaker is None and fill_nearest and turns:
            middle = (word.start + word.end) / 2
            speaker = min(
                turns, key=lambda turn: abs((turn.start + turn.end) / 2 - middle)
            ).speaker
        assigned.append(Word(word.start, word.end, word.text, speaker))
    return assigned


RULES: dict[str, Rule] = {
    "whisperX": whisperx,
    "whisperX, `fill_nearest`": partial(whisperx, fill_nearest=True),
    "`assign`": assign_speakers,
}


def count(
    rule: Rule, words: Sequence[Word], turns: Sequence[Turn], true: Sequence[Turn]
) -> Counter[tuple[str, bool]]:
    """Count words by place (single, overlap) and by whether the speaker is right."""
    counts: Counter[tuple[str, bool]] = Counter()
    for word, found in zip(words, rule(words, turns), strict=True):
        middle = (word.start + word.end) / 2
        others = [
            turn.speaker
            for turn in true
            if turn.start <= middle < turn.end and turn.speaker != word.speaker
        ]
        place = "overlap" if others else "single"
        counts[place, found.speaker == word.speaker] += 1
    return counts


def found_turns(pipeline: Any, conversation: SimulatedConversation) -> list[Turn]:
    """Return turns of a pipeline, with the names of the true speakers."""
    waveform = torch.from_numpy(conversation.waveform)[None]
    file = {"uri": "a", "waveform": waveform, "sample_rate": conversation.sample_rate}
    hypothesis = pipeline(file).speaker_diarization
    mapping = DiarizationErrorRate().optimal_mapping(
        conversation.annotation("a"), hypothesis
    )
    return turns_of(hypothesis.rename_labels(mapping))


def turns_of(annotation: Annotation) -> list[Turn]:
    """Convert an annotation."""
    return [
        Turn(segment.start, segment.end, speaker)
        for segment, _, speaker in annotation.itertracks(yield_label=True)
    ]


def measure() -> str:
    """Return the table."""
    pool = SpeechPool.from_folder(
        SHARED / "speech", "dev", ["librispeech_mini", "speechocean762"]
    )
    simulator = ConversationSimulator(pool, num_speakers=(2, 4))
    pipeline = load_pipeline(DEFAULT_PIPELINE, "cpu")
    rng = np.random.default_rng(20)
    counts: dict[tuple[str, str, str], Counter[tuple[str, bool]]] = {}
    for _ in range(NUM_CONVERSATIONS):
        conversation = simulator.simulate(DURATION, rng)
        true = [Turn(*turn) for turn in conversation.turns]
        words = draw_words(true, rng)
        sources = {"true": true, "pipeline": found_turns(pipeline, conversation)}
        for which, some in {
            "all words": words,
            "one stream": one_stream(words),
        }.items():
            for source, turns in sources.items():
                for name, rule in RULES.items():
                    key = which, source, name
                    counts.setdefault(key, Counter())
                    counts[key] += count(rule, some, turns, true)
    header = ["transcript, turns, rule", "single speaker", "overlap", "all", "words"]
    return table(header, [row(key, some) for key, some in counts.items()])


def row(key: tuple[str, str, str], counts: Counter[tuple[str, bool]]) -> list[str]:
    """Format the shares of words with the right speaker."""
    shares = []
    for places in (("single",), ("overlap",), ("single", "overlap")):
        right, wrong = (
            sum(counts[place, is_right] for place in places)
            for is_right in (True, False)
        )
        shares.append(f"{right / max(1, right + wrong):.1%}")
    return [", ".join(key), *shares, str(counts.total())]


def main() -> None:
    """Print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write to docs/words.md")
    write = parser.parse_args().write
    results = measure()
    print(results)
    if write:
        write_results(ROOT / "docs" / "words.md", "benchmarks/words.py", results)


if __name__ == "__main__":
    main()
