# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Each chunk once in an epoch, and the chunks of the original among them."""

import json
from itertools import islice

import numpy as np
import numpy.testing as npt
import pytest
from pyannote.audio.core.task import Subsets
from pyannote.database.util import load_uem

from pyannote_diarizen.tasks.chunking import (
    balanced_filters,
    shifted_chunks,
    shuffled_epochs,
    training_chunks,
)


@pytest.mark.parametrize(
    ("region", "starts"),
    [
        ((0.0, 8.0), [0.0]),
        ((0.0, 7.9), []),
        ((2.5, 16.6), [2.5, 8.5]),
        ((2.5, 16.4), [2.5]),
        ((0.0, 0.0), []),
    ],
)
def test_chunks_fit_into_their_region(region, starts):
    npt.assert_allclose(shifted_chunks(*region, duration=8.0, shift=6.0), starts)


def test_a_shift_that_leads_nowhere():
    with pytest.raises(ValueError, match="above 0, got 0"):
        shifted_chunks(0.0, 20.0, 8.0, 0.0)


def prepared(*regions: tuple[int, float, float]) -> dict[str, np.ndarray]:
    subsets = [(Subsets.index(name),) for name in ("train", "development", "train")]
    dtype = [("file_id", "i2"), ("duration", "f"), ("start", "f")]
    return {
        "audio-metadata": np.array(subsets, dtype=[("subset", "b")]),
        "annotations-regions": np.array([*regions], dtype=dtype),
    }


def test_chunks_of_the_training_set_only():
    data = prepared((0, 10.0, 5.0), (0, 5.1, 20.0), (1, 90.0, 0.0), (2, 4.0, 0.0))
    assert training_chunks(data, 5.0, 2.5) == [(0, 5.0), (0, 7.5), (0, 10.0), (0, 20.0)]
    with pytest.raises(ValueError, match="lasts 60 s: use shorter chunks"):
        training_chunks(data, 60.0, 2.5)


def test_each_chunk_once_in_an_epoch_whoever_reads_it():
    parts = [list(islice(shuffled_epochs(11, 7, 3, part, 4), 5)) for part in range(4)]
    first = [
        chunk
        for part, num in zip(parts, (3, 3, 3, 2), strict=True)
        for chunk in part[:num]
    ]
    assert sorted(first) == list(range(11))


def test_another_order_each_epoch_and_the_same_when_resumed():
    whole = list(islice(shuffled_epochs(8, 7, 0, 0, 1), 24))
    assert whole[:8] != whole[8:16]
    assert list(islice(shuffled_epochs(8, 7, 2, 0, 1), 8)) == whole[16:]
    assert list(islice(shuffled_epochs(8, 6, 0, 0, 1), 8)) != whole[:8]


@pytest.mark.parity
@pytest.mark.parametrize(("name", "shift"), [("wavlm", 6), ("shift8", 8)])
def test_chunks_of_the_original_but_for_the_seconds_that_it_leaves_out(
    parity, name, shift
):
    theirs = json.loads((parity / "dataset/meta.json").read_text())["chunks"][name]
    ours, whole = [], []
    for uri, regions in load_uem(parity / "dataset/all.uem").items():
        for start, end in regions:
            trimmed = int(start + 1), int(end - 1)
            # it also wants more than a chunk
            if trimmed[1] - trimmed[0] > 8:
                starts = shifted_chunks(*trimmed, 8.0, shift).tolist()
                ours += [[uri, at, at + 8] for at in starts]
            whole += [uri for _ in shifted_chunks(start, end, 8.0, shift)]
    assert ours == theirs
    # which skips a recording of 9.5 s
    assert {uri for uri, *_ in theirs} == {"recA", "recB"}
    assert set(whole) == {"recA", "recB", "recShort"}


def test_balanced_values_are_those_of_training_recordings():
    domains = [("train", 1), ("development", 2), ("train", 0), ("train", 1)]
    files = [(Subsets.index(subset), domain, -1) for subset, domain in domains]
    values = {"domain": ["phone", "room", "car"], "channel": ["far"]}
    data = {
        "audio-metadata": np.array(
            files, [("subset", "b"), ("domain", "b"), ("channel", "b")]
        ),
        "metadata-values": np.array(values, dtype=object),
    }
    assert balanced_filters(data, []) == [{}]
    assert balanced_filters(data, ["domain"]) == [
        {"domain": "phone"},
        {"domain": "room"},
    ]
    for key in ("channel", "accent"):
        with pytest.raises(ValueError, match=f"needs the field '{key}'"):
            balanced_filters(data, [key])
