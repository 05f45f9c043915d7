# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Embeddings of labelled speech, by a network that returns its input."""

from typing import Any

import numpy as np
import numpy.testing as npt
import pytest
import torch
from pyannote.core import Annotation, Segment
from torch import Tensor

from pyannote_diarizen.pipelines.labelled_embeddings import embed_excerpts, embed_files
from pyannote_diarizen.simulation.recording import Recorder


class Listener:
    """Embeds (mean, number of samples) and remembers the sizes of batches."""

    sample_rate = 1000

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, waveforms: Tensor) -> np.ndarray:
        assert waveforms.dtype == torch.float32
        self.batches.append(len(waveforms))
        length = torch.full((len(waveforms),), float(waveforms.shape[2]))
        return torch.stack([waveforms.mean(dim=(1, 2)), length], dim=1).numpy()


def constant(value: float, num_samples: int) -> np.ndarray:
    return np.full(num_samples, value, dtype=np.float32)


def file(uri: str, value: float, **turns: float) -> dict[str, Any]:
    """Speakers one after the other, for so many seconds each."""
    annotation, start = Annotation(uri=uri), 0.0
    for speaker, duration in turns.items():
        annotation[Segment(start, start + duration)] = speaker
        start += duration
    return {
        "uri": uri,
        "database": "DB",
        "scope": "database",
        "waveform": torch.full((1, round(start * 1000)), value),
        "sample_rate": 1000,
        "annotation": annotation,
    }


def test_crops_of_a_batch_have_the_same_random_duration():
    network = Listener()
    excerpts = [(k, constant(k, 400)) for k in range(5)]
    embeddings, labels = embed_excerpts(
        network, excerpts, (1, 3), batch_size=2, sample_rate=100
    )
    assert network.batches == [2, 2, 1]
    npt.assert_array_equal(labels, range(5))
    npt.assert_array_equal(embeddings[:, 0], range(5))
    lengths = embeddings[:, 1]
    assert lengths[0] == lengths[1]
    assert len(set(lengths)) == 3
    assert (lengths >= 100).all()
    assert (lengths <= 300).all()


def test_crops_are_taken_anywhere():
    ramps = [(k, np.arange(400, dtype=np.float32)) for k in range(20)]
    embeddings, _ = embed_excerpts(Listener(), ramps, (1, 1), sample_rate=100)
    starts = embeddings[:, 0] - 49.5
    assert starts.min() < 60
    assert 240 < starts.max() <= 300


def test_short_excerpts_are_repeated():
    short = [("Ann", np.array([1, 2], np.float32))]
    embeddings, _ = embed_excerpts(Listener(), short, (1, 1), sample_rate=100)
    npt.assert_array_equal(embeddings, [[1.5, 100]])


def test_same_seed_same_embeddings():
    rng = np.random.default_rng(1)
    excerpts = [(k, rng.standard_normal(48000).astype("f4")) for k in range(3)]
    recorder = Recorder()

    def embed(**options: Any) -> np.ndarray:
        return embed_excerpts(Listener(), excerpts, (1, 2), **options)[0]

    recorded = embed(recorder=recorder, seed=3)
    npt.assert_array_equal(embed(recorder=recorder, seed=3), recorded)
    assert not np.array_equal(embed(recorder=recorder, seed=4), recorded)
    assert not np.array_equal(embed(seed=3)[:, 0], recorded[:, 0])


def test_no_excerpt():
    with pytest.raises(ValueError, match="No speaker is long enough"):
        embed_excerpts(Listener(), [], (1, 2))


def test_files_are_read_one_after_the_other():
    network, progress = Listener(), []
    files = [file("a", 0.1, Ann=4, Bob=2), file("b", 0.2, Ann=1.5, Eve=0.5)]
    embeddings, labels = embed_files(
        network, files, duration=(1, 2), hook=progress.append
    )
    assert labels.tolist() == ["DB/Ann", "DB/Ann", "DB/Bob", "DB/Ann"]
    npt.assert_allclose(embeddings[:, 0], [0.1, 0.1, 0.1, 0.2], rtol=1e-6)
    # a batch holds what several files give
    assert network.batches == [4]
    assert progress == [1, 2]


@pytest.mark.parametrize("duration", [(2, 1), (0, 1)])
def test_durations_in_disorder(duration):
    with pytest.raises(ValueError, match="shortest and longest"):
        embed_files(Listener(), [file("a", 0.1, Ann=4)], duration)
