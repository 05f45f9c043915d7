# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Augmented chunks keep the right labels."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import torch_audiomentations as host
from pyannote.audio.augmentation.mix import MixSpeakerDiarization
from torch_audiomentations.augmentations.mix import Mix

from pyannote_diarizen.errors import AudioFileError
from pyannote_diarizen.simulation.augmentation import (
    BackgroundNoise,
    Reverberation,
    Speed,
    check_labels_stay_true,
    recording_conditions,
)

RATE = 16000
DICT = {"output_type": "dict"}


def augment(transform, samples, targets=None):
    if targets is None:
        targets = torch.zeros(len(samples), samples.shape[1], 50, 2)
    torch.manual_seed(1)
    return transform(samples=samples, sample_rate=RATE, targets=targets, target_rate=50)


def write(path: Path, samples) -> Path:
    soundfile.write(path, np.asarray(samples, dtype=np.float32), RATE, "FLOAT")
    return path


def tone(hertz: float, seconds: float = 1.0) -> torch.Tensor:
    time = torch.arange(round(seconds * RATE)) / RATE
    return torch.sin(2 * torch.pi * hertz * time)[None, None]


def level(samples) -> float:
    return 10 * np.log10(float(samples.double().square().mean()))


@pytest.mark.parametrize("snr", [0.0, 12.0])
def test_noise_has_the_given_snr_in_all_channels(tmp_path, rng, snr):
    write(tmp_path / "noise.wav", rng.standard_normal(3 * RATE))
    noise = BackgroundNoise([tmp_path], min_snr=snr, max_snr=snr, p=1.0)
    clean = tone(200).repeat(2, 3, 1)
    added = augment(noise, clean).samples - clean
    assert level(added[0, 0]) == pytest.approx(level(clean[0, 0]) - snr, abs=0.01)
    torch.testing.assert_close(added[:, 0], added[:, 2])
    assert not torch.allclose(added[0], added[1])


def test_reverberation_starts_with_the_direct_path(tmp_path):
    # silence before the direct path, which is a delay, and one echo
    rir = np.zeros(4000)
    rir[[700, 1500]] = 0.5, 0.25
    room = Reverberation(write(tmp_path / "room.wav", rir), p=1.0)
    click = torch.zeros(1, 1, RATE)
    click[..., 5000] = 1.0
    heard = augment(room, click).samples[0, 0]
    (where,) = torch.nonzero(heard.abs() > 1e-3, as_tuple=True)
    assert where.tolist() == [5000, 5800]
    assert heard[5800] / heard[5000] == pytest.approx(0.5, abs=1e-3)
    assert level(heard) == pytest.approx(level(click), abs=0.01)


@pytest.mark.parametrize("speed", [0.8, 1.25])
def test_speech_and_labels_change_speed_together(speed):
    # noise in the second quarter of a second, and a label there
    samples, targets = torch.zeros(1, 2, RATE), torch.zeros(1, 2, 50, 2)
    samples[..., RATE // 4 : RATE // 2] = torch.randn(RATE // 4)
    targets[:, :, 12:25, 1] = 1
    augmented = augment(Speed([speed], p=1.0), samples, targets)
    assert augmented.samples.shape == samples.shape
    frames = augmented.samples[0, 0].reshape(50, -1).square().mean(dim=1)
    heard = (frames > 0.05).float()
    labelled = augmented.targets[0, 0, :, 1]
    assert (heard - labelled).abs().sum() <= 2  # at both ends
    assert labelled.sum() == pytest.approx(13 / speed, abs=1)
    assert augmented.targets[..., 0].sum() == 0


def test_a_faster_chunk_ends_with_silence():
    augmented = augment(Speed([2.0], p=1.0), tone(100), torch.ones(1, 1, 50, 1))
    assert augmented.samples[..., RATE // 2 + 10 :].abs().max() == 0
    assert augmented.targets.flatten().tolist() == [1.0] * 25 + [0.0] * 25


def test_pitch_rises_with_speed():
    faster = augment(Speed([1.5], p=1.0), tone(200)).samples[0, 0, : RATE // 2]
    spectrum = torch.fft.rfft(faster).abs()
    assert spectrum.argmax() * 2 == pytest.approx(300, abs=4)


def test_validation_changes_nothing(tmp_path):
    transform = Speed([2.0], p=1.0).eval()
    assert torch.equal(augment(transform, tone(100)).samples, tone(100))


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (host.Shift(**DICT), "Shift moves speech away from its labels: drop it"),
        (host.SpliceOut(**DICT), "SpliceOut"),
        (MixSpeakerDiarization(**DICT), "`mixing` of PowersetDiarization"),
        (Mix(**DICT), "`mixing` of PowersetDiarization"),
    ],
)
def test_transforms_that_move_speech_are_refused(transform, message):
    with pytest.raises(ValueError, match=message):
        check_labels_stay_true(host.Compose([Speed(), transform], **DICT))


def test_a_delaying_rir_is_refused(tmp_path):
    path = write(tmp_path / "room.wav", np.ones(10))
    delayed = host.ApplyImpulseResponse([path], **DICT)
    with pytest.raises(ValueError, match="set `compensate_for_propagation_delay`"):
        check_labels_stay_true(delayed)
    check_labels_stay_true(Reverberation(path))


def test_transforms_that_cannot_read_files_are_refused(tmp_path):
    path = write(tmp_path / "noise.wav", np.ones(10))
    with pytest.raises(ValueError, match=r"use .*\.BackgroundNoise\.$"):
        check_labels_stay_true(host.AddBackgroundNoise(path, **DICT))


def test_other_transforms_are_accepted(tmp_path):
    harmless = [host.Gain(**DICT), host.PitchShift(sample_rate=RATE, **DICT)]
    together = host.Compose([*harmless, Speed([0.9], p=1.0)], **DICT)
    check_labels_stay_true(together)
    assert augment(together, tone(100)).samples.shape == (1, 1, RATE)


def test_recording_conditions_apply_in_order(tmp_path, rng):
    write(tmp_path / "noise.wav", rng.standard_normal(RATE))
    write(tmp_path / "room.wav", [1.0, 0.5])
    augmentation = recording_conditions(
        noises=[tmp_path / "noise.wav"],
        rooms=[tmp_path / "room.wav"],
        speeds=[0.9],
        semitones=2,
        p=1.0,
    )
    kinds = [type(transform).__name__ for transform in augmentation.transforms]
    assert kinds == ["Speed", "PitchShift", "Reverberation", "BackgroundNoise", "Gain"]
    check_labels_stay_true(augmentation)
    augmented = augment(augmentation, tone(100), torch.ones(1, 1, 50, 1))
    assert augmented.samples.shape == (1, 1, RATE)
    assert augmented.targets.min() == 1  # slower: speech to the end


def test_wrong_options(tmp_path):
    with pytest.raises(ValueError, match=r"between 0.5 and 2, got \[9\]"):
        Speed([9])
    with pytest.raises(AudioFileError, match="does not exist"):
        BackgroundNoise([tmp_path / "gone"])
    write(tmp_path / "noise.wav", np.ones(10))
    with pytest.raises(ValueError, match=r"`min_snr` \(9\) exceeds `max_snr` \(3\)"):
        BackgroundNoise(tmp_path, min_snr=9, max_snr=3)


def test_white_noise_has_the_asked_ratio_and_a_flat_spectrum():
    torch.manual_seed(0)
    augment = recording_conditions(speeds=(), gain=0.0, p=1.0, white_noise=(10, 10.01))
    time = torch.arange(32000) / 16000
    samples = torch.sin(2 * np.pi * 440 * time).expand(4, 1, -1)
    added = augment(samples, sample_rate=16000).samples - samples
    ratio = 10 * torch.log10(samples.square().mean() / added.square().mean())
    assert ratio.item() == pytest.approx(10, abs=0.2)
    spectrum = torch.fft.rfft(added).abs().square().mean(dim=(0, 1))
    low, high = spectrum[1:8000].mean(), spectrum[8000:].mean()
    assert (low / high).item() == pytest.approx(1, abs=0.1)
