# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import pytest
import torch
from safetensors.torch import load_file

from pyannote_diarizen.wavlm.attention import (
    GatedSelfAttention,
    RelativePositions,
    relative_buckets,
)


@pytest.mark.parity
@pytest.mark.parametrize("setting", [(320, 800), (32, 128), (32, 20), (16, 100)])
def test_buckets_are_those_of_the_original(parity, setting):
    vectors = load_file(parity / "wavlm" / "relpos_buckets.safetensors")
    distances = vectors["relative_position_key_minus_query"]
    expected = vectors["buckets_{}_{}".format(*setting)]
    assert torch.equal(relative_buckets(distances, *setting), expected.long())


def test_near_distances_have_their_own_bucket_and_far_ones_share():
    buckets = relative_buckets(torch.arange(-50, 51), num_buckets=16, max_distance=20)
    before, after = buckets[:50].flip(0), buckets[51:]
    assert before[:3].tolist() == [1, 2, 3]
    assert before[19:].unique().tolist() == [7]
    assert torch.equal(after, before + 8)


@pytest.mark.parametrize("num_frames", [1, 7, 60])
def test_positions_hold_the_value_of_each_distance(num_frames):
    positions = RelativePositions(num_buckets=16, num_heads=3, max_distance=20)
    values = positions(num_frames)
    assert values.shape == (3, 2 * num_frames - 1)
    for m in range(2 * num_frames - 1):
        bucket = relative_buckets(torch.tensor(num_frames - 1 - m), 16, 20)
        assert torch.equal(values[:, m], positions.weight[bucket])


def as_in_the_paper(attention, x, positions, mask=None):
    """Loop over heads and pairs of frames, equations 3 to 9 of WavLM."""
    num_frames, d = x.shape[0], attention.head_dim
    q, k, v = attention.q_proj(x), attention.k_proj(x), attention.v_proj(x)
    outputs = []
    for h, head in enumerate(attention.heads):
        columns = slice(h * d, (h + 1) * d)
        inputs = x[:, head * d : (head + 1) * d]
        update, reset = (
            attention.gru_rel_pos_linear(inputs).view(-1, 2, 4).sum(-1).sigmoid().T
        )
        constant = attention.gru_rel_pos_const[0, head, 0, 0]
        logits = q[:, columns] @ k[:, columns].T / d**0.5
        for i in range(num_frames):
            for j in range(num_frames):
                gate = update[i] * (reset[i] * constant - 1) + 2
                distance = torch.tensor(j - i)
                bucket = relative_buckets(
                    distance, len(positions.weight), positions.max_distance
                )
                logits[i, j] += gate * positions.weight[bucket, head]
                logits[i, j] += 0 if mask is None else mask[j]
        outputs.append(logits.softmax(-1) @ v[:, columns])
    return attention.out_proj(torch.cat(outputs, -1))


@pytest.mark.parametrize("heads", [[0, 1, 2, 3], [3, 1], [2]])
@torch.no_grad()
def test_attention_follows_the_equations(heads):
    attention = GatedSelfAttention(16, 4, heads, dropout=0.0)
    attention.gru_rel_pos_const.normal_()
    positions = RelativePositions(num_buckets=8, num_heads=4, max_distance=5)
    x = torch.randn(2, 9, 16)
    mask = torch.zeros(2, 9)
    mask[1, 6:] = -10000.0
    actual = attention(x, positions(9), mask[:, None, None])
    for item in range(2):
        expected = as_in_the_paper(attention, x[item], positions, mask[item])
        torch.testing.assert_close(actual[item], expected)


@torch.no_grad()
def test_mask_applies_without_position_bias():
    attention = GatedSelfAttention(16, 4, [0, 2], dropout=0.0)
    x = torch.randn(1, 9, 16)
    mask = torch.zeros(1, 1, 1, 9)
    mask[..., 6:] = -10000.0
    torch.testing.assert_close(attention(x, mask=mask)[:, :6], attention(x[:, :6]))


def test_dropout_applies_in_training_only():
    attention = GatedSelfAttention(16, 4, [0, 2], dropout=0.5)
    x = torch.randn(1, 9, 16)
    assert not torch.equal(attention(x), attention(x))
    attention.eval()
    assert torch.equal(attention(x), attention(x))
