# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import numpy as np
import pytest
import soundfile
import torch
from pyannote.core import Segment
from torch_audiomentations import Gain

from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.tasks.channel_selection import ChunkReader, SameTargets


@pytest.mark.parametrize("num_channels", [1, 2, 5])
def test_chunks_have_the_channels_of_the_model(num_channels):
    waveform = torch.arange(3.0)[:, None] + torch.zeros(3, 16000)
    chunk, _ = ChunkReader(16000, num_channels).crop(
        {"waveform": waveform, "sample_rate": 16000}, Segment(0.5, 1.5)
    )
    expected = {1: [1], 2: [0, 1], 5: [0, 1, 2, 0, 0]}[num_channels]
    assert chunk[:, 0].tolist() == expected
    assert chunk.shape == (num_channels, 16000)
    assert not chunk[:, 8000:].any()


def test_one_channel_in_place_of_the_average():
    waveform = torch.arange(3.0)[:, None] + torch.zeros(3, 16000)
    file = {"waveform": waveform, "sample_rate": 16000}
    chunk, _ = ChunkReader(16000, channel=2).crop(file, Segment(0, 1))
    assert chunk[:, 0].tolist() == [2]
    for options in ({"channel": -1}, {"channel": 0, "num_channels": 2}):
        with pytest.raises(ValueError, match="`channel` should be"):
            ChunkReader(16000, **options)


@pytest.mark.parity
@pytest.mark.parametrize(
    ("mode", "reader"),
    [
        ("sdm", AudioReader(channel=0)),
        ("sdm", ChunkReader(16000, channel=0)),
        ("average", AudioReader()),
        ("multichannel", ChunkReader(16000, num_channels=4)),
    ],
)
def test_channels_are_those_of_the_original(parity, mode, reader):
    stored = np.load(parity / "dataset" / "mc_modes.npz")[f"{mode}_x"]
    samples, rate = soundfile.read(parity / "dataset" / "recB.wav", dtype="float32")
    assert rate == 400  # read as 16 kHz: 40 times shorter
    file = {"waveform": torch.from_numpy(samples.T), "sample_rate": 16000}
    chunk, _ = reader.crop(file, Segment(21 / 40, 29 / 40))
    np.testing.assert_allclose(chunk, stored, atol=1e-7)


def test_augmentation_of_several_channels_keeps_targets_once():
    gain = Gain(20.0, 20.1, p=1.0, target_rate=50, output_type="dict")
    augmentation = SameTargets(gain)
    samples, targets = torch.ones(2, 3, 100), torch.ones(2, 1, 5, 4)
    augmented = augmentation(samples=samples, sample_rate=16000, targets=targets)
    torch.testing.assert_close(augmented.samples, 10 * samples, rtol=0.02, atol=0.0)
    assert torch.equal(augmented.targets, targets)
