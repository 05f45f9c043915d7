# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Tables of layers, of all models."""

import torch
from tiny_wavlm import CONFIG, SMALL, with_classes
from torch import nn

from pyannote_diarizen.diagnosis.summary import (
    count_macs,
    summarize_model,
    summary_table,
)
from pyannote_diarizen.models import FBankConformer, SpeakerResNet, WavLMConformer
from pyannote_diarizen.training.pretrained import load_pretrained
from pyannote_diarizen.wavlm import WavLM
from pyannote_diarizen.wavlm.cost import num_macs, num_parameters
from pyannote_diarizen.wavlm.ranking import magnitudes, prune_lowest


def test_a_wavlm_has_the_numbers_of_its_configuration():
    wavlm = WavLM(CONFIG)
    pruned = prune_lowest(wavlm, magnitudes(wavlm), 0.5)
    for each in (wavlm, pruned):
        *layers, whole = summarize_model(each)
        assert whole.num_parameters == num_parameters(each.config)
        assert whole.num_macs == num_macs(each.config)
        # `dummy_weight` and the gates of positions belong to no layer of the list
        assert sum(layer.num_macs for layer in layers) == whole.num_macs
    kinds = {layer.name: layer.kind for layer in summarize_model(wavlm)}
    assert kinds["encoder.transformer.layers.2"] == "4 heads, 64 units"
    assert any(layer.kind not in kinds.values() for layer in summarize_model(pruned))


def test_lstm_layers_count_as_two_matrix_products_per_step():
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(10, 8, 2, bidirectional=True, batch_first=True)

        def forward(self, waveforms):
            return self.lstm(waveforms[:, 0, :70].reshape(1, 7, 10))

    macs = count_macs(Recurrent())
    by_hand = 7 * 2 * (4 * 8 * (10 + 8) + 4 * 8 * (16 + 8))
    assert macs[""] == macs["lstm"] == by_hand


def test_every_model_has_a_table():
    conformers = [
        with_classes(WavLMConformer(wavlm=CONFIG.to_dict(), **SMALL)),
        with_classes(FBankConformer(n_mels=8, **SMALL)),
    ]
    for model in [*conformers, SpeakerResNet(), load_pretrained("diarizen-tiny")]:
        mode = model.training
        *layers, whole = summarize_model(model)
        assert model.training == mode
        assert whole.num_macs > 0
        assert whole.num_parameters == sum(p.numel() for p in model.parameters())
        assert 0.99 < sum(x.num_macs for x in layers) / whole.num_macs <= 1
        *_, last = summary_table([*layers, whole]).splitlines()
        assert last.startswith("| all ")
        assert f"{whole.num_parameters:,}" in last
    assert torch.is_inference_mode_enabled() is False
