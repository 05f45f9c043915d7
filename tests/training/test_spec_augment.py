# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Stretches of features are hidden from a model in training."""

import pytest
import torch
from torch import nn

from pyannote_diarizen.models import WavLMConformer
from pyannote_diarizen.training.spec_augment import SpecAugment, draw_masks
from pyannote_diarizen.wavlm import WavLMConfig


class Toy(nn.Module):
    """Model of features that go in and out."""

    def __init__(self) -> None:
        super().__init__()
        self.make_feats = nn.Identity()

    def forward(self, features):
        return self.make_feats(features)


def test_masks_are_contiguous_within_bounds_and_differ():
    torch.manual_seed(0)
    chosen = draw_masks(torch.zeros(200, 30, 12), dim=1, num=1, max_width=7)
    assert chosen.shape == (200, 30, 1)
    lengths = chosen.sum(dim=1).flatten()
    assert sorted(set(lengths.tolist())) == list(range(8))
    starts = chosen.float().diff(dim=1, prepend=torch.zeros(200, 1, 1)).gt(0).sum(dim=1)
    assert starts.max() == 1
    assert chosen.any(dim=0).all()  # everywhere, in one chunk or another
    assert draw_masks(torch.zeros(2, 3, 4), dim=2, num=2, max_width=9).shape == (
        2,
        1,
        4,
    )


def test_features_are_masked_in_training_only():
    torch.manual_seed(0)
    toy, features = Toy(), torch.randn(8, 40, 20)
    mask = SpecAugment(
        num_frequency_masks=1, max_frequency_width=5, num_time_masks=1, max_time_width=8
    )
    mask.on_fit_start(None, toy)
    masked = toy(features) != features
    assert 0 < masked.float().mean() < 0.5
    usual = features.mean(dim=(1, 2), keepdim=True).expand_as(features)
    torch.testing.assert_close(toy.eval()(features), features)
    toy.train()
    seen = toy(features)
    hidden = seen != features
    torch.testing.assert_close(seen[hidden], usual[hidden])
    mask.on_fit_end(None, toy)
    torch.testing.assert_close(toy(features), features)


def test_models_without_such_features():
    with pytest.raises(ValueError, match="make_feats or proj, which Linear does not"):
        SpecAugment().on_fit_start(None, nn.Linear(2, 2))


def test_features_of_wavlm_are_those_that_enter_the_conformer():
    wavlm = WavLMConfig.dense(
        embed_dim=16,
        num_layers=1,
        num_heads=2,
        feed_forward_dim=4,
        layer_norm=True,
        extractor_conv_layer_config=[[4, 10, 5], *[[4, 3, 2]] * 4, *[[4, 2, 2]] * 2],
    )
    model = WavLMConformer(
        wavlm=wavlm.to_dict(), attention_in=8, ffn_hidden=4, num_head=2, num_layer=1
    )
    SpecAugment(max_time_width=9).on_fit_start(None, model)
    features = torch.randn(2, 40, 16)
    torch.manual_seed(0)
    projected = model.proj(features)
    # frames or features whose values are all the mean of the chunk
    assert (projected.std(dim=1) < 1e-6).any() or (projected.std(dim=2) < 1e-6).any()
    model.eval()
    assert model.proj(features).std(dim=2).min() > 1e-3


def test_a_run_takes_it(configure):
    from pyannote_diarizen.training.run import assemble

    target = "pyannote_diarizen.training.spec_augment.SpecAugment"
    option = {"+callbacks.spec_augment._target_": target, "trainer__max_steps": 1}
    run = assemble(configure(**option))
    run.fit()
    assert run.model.make_feats._forward_hooks == {}
