# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import dataclasses
import threading
from types import SimpleNamespace

import numpy as np
import numpy.testing as npt
import pytest
import torch
from pyannote.audio.models.embedding import WeSpeakerResNet34
from pyannote.audio.pipelines.speaker_verification import (
    PyannoteAudioPretrainedSpeakerEmbedding,
)
from pyannote.core import SlidingWindow, SlidingWindowFeature
from torch import nn

from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.models.campplus import CAMPPlus
from pyannote_diarizen.models.speaker_resnet import SpeakerResNet
from pyannote_diarizen.pipelines import shared_embedding
from pyannote_diarizen.pipelines.embedding import ChunkEmbedding
from pyannote_diarizen.pipelines.frame_features import (
    frame_network,
    subtract_sliding_mean,
)
from pyannote_diarizen.pipelines.shared_embedding import (
    SharedEmbedding,
    choose_mode,
    pool,
)

RATE = 16000


@pytest.fixture(scope="module", params=["WeSpeakerResNet34", "SpeakerResNet"])
def embedding(request, wespeaker_model):
    torch.manual_seed(0)
    model = wespeaker_model
    if request.param == "SpeakerResNet":
        model = SpeakerResNet(channels=(8, 8), blocks=(1, 1), temporal_blocks=1).eval()
    return PyannoteAudioPretrainedSpeakerEmbedding(model)


@pytest.fixture
def extract(embedding):
    return SharedEmbedding(embedding, AudioReader(RATE), batch_size=2)


@pytest.fixture
def noise(rng):
    waveform = torch.tensor(0.1 * rng.standard_normal((1, 9 * RATE))).float()
    return {"uri": "noise", "waveform": waveform, "sample_rate": RATE}


def activity(rng, num_chunks, duration=2.0, step=0.5, num_speakers=3):
    blocks = rng.random((num_chunks, 11, num_speakers)) < 0.5
    chunks = SlidingWindow(start=0.0, duration=duration, step=step)
    return SlidingWindowFeature(np.repeat(blocks, 9, axis=1).astype(np.uint8), chunks)


def test_one_chunk_gives_the_exact_embeddings(embedding, extract, noise, rng):
    """As long as the file: the same mean spectrum, the same edges."""
    masks = activity(rng, 1, duration=9.0)
    exact = ChunkEmbedding(embedding, AudioReader(RATE), batch_size=2)
    npt.assert_allclose(
        extract(noise, masks, False), exact(noise, masks, False), rtol=1e-3, atol=1e-4
    )


def test_frames_in_half_precision_are_pooled_in_single(rng):
    frames = 5 + torch.from_numpy(rng.standard_normal((99, 8))).bfloat16()
    network = SimpleNamespace(embed=lambda *moments: torch.cat(moments[:2], dim=1))
    expected = pool(network, frames, torch.ones(1, 2, 99), [0])
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(pool(network, frames, torch.ones(1, 2, 99), [0]), expected)


def test_blocks_leave_no_trace(extract, noise, rng, monkeypatch):
    masks = activity(rng, 15)
    expected = extract(noise, masks, exclude_overlap=True)
    monkeypatch.setattr(shared_embedding, "BLOCK_DURATION", 1.28)
    progress = []
    embeddings = extract(
        noise,
        masks,
        exclude_overlap=True,
        hook=lambda *args, total, completed: progress.append((completed, total)),
    )
    npt.assert_allclose(embeddings, expected, rtol=1e-3, atol=1e-4)
    assert progress[0] == (0, 15)
    assert progress[-1] == (15, 15)
    assert len(progress) > 5


def test_threads_compute_blocks(extract, noise, rng, monkeypatch):
    monkeypatch.setattr(shared_embedding, "BLOCK_DURATION", 2.0)
    network = type(frame_network(extract.embedding.model_))
    frames, threads = network.frames, set()

    def spy(self, spectrogram):
        threads.add(threading.get_ident())
        return frames(self, spectrogram)

    monkeypatch.setattr(network, "frames", spy)
    masks = activity(rng, 15)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    expected = extract(noise, masks, exclude_overlap=False)
    assert threads == {threading.get_ident()}
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(torch, "set_num_threads", lambda _: None)
    npt.assert_array_equal(extract(noise, masks, exclude_overlap=False), expected)
    assert len(threads) == 3


def test_frames_are_pooled_as_the_model_pools_them(embedding, extract, noise, rng):
    """Frames of the whole file, cut into chunks, pooled one by one."""
    masks = activity(rng, 15)
    network = frame_network(embedding.model_)
    spectrogram = network.spectrogram(noise["waveform"])
    steps = spectrogram.shape[1]
    normalised = subtract_sliding_mean(spectrogram, 0, 0, steps, 198, steps)
    frames = network.frames(normalised)  # (1, num_frames, num_features)
    num_frames = network.num_frames(2 * RATE)
    assert num_frames == embedding.model_.num_frames(2 * RATE)
    embeddings = extract(noise, masks, exclude_overlap=False)
    for chunk, (segment, activities) in enumerate(masks):
        first = round(segment.start / (network.hop * network.stride / RATE))
        cut = frames[:, first : first + num_frames].transpose(1, 2)
        if isinstance(embedding.model_, WeSpeakerResNet34):
            cut = cut.unflatten(1, (256, -1))  # (1, num_channels, num_bands, frames)
        weights = torch.from_numpy(activities.T).float()[None]
        expected = embedding.model_.forward_embedding(cut, weights=weights)[0]
        speaking = activities.any(axis=0)
        npt.assert_allclose(
            embeddings[chunk, speaking],
            expected.detach().numpy()[speaking],
            rtol=1e-3,
            atol=1e-4,
        )


def test_each_instant_is_computed_once(extract, noise, rng, monkeypatch):
    network = type(frame_network(extract.embedding.model_))
    frames, computed = network.frames, []

    def spy(self, spectrogram):
        computed.append(spectrogram.shape[1])
        return frames(self, spectrogram)

    monkeypatch.setattr(network, "frames", spy)
    masks = activity(rng, 15)
    extract(noise, masks, exclude_overlap=False)
    assert sum(computed) == pytest.approx(900, abs=3)  # steps of 10 ms in 9 s
    computed.clear()
    masks.data[:] = 0
    assert np.isnan(extract(noise, masks, exclude_overlap=False)).all()
    assert not computed


def test_channels_are_averaged_by_their_weights(embedding, extract, noise, rng):
    masks = activity(rng, 15)
    weights = np.full((15, 2), [0.25, 0.75])
    second = 0.1 * torch.tensor(rng.standard_normal((1, 9 * RATE))).float()
    both = torch.cat([noise["waveform"], second])
    fused = dataclasses.replace(extract, channel_weights=weights)
    expected = 0.25 * extract(noise, masks, False) + 0.75 * extract(
        {**noise, "waveform": second}, masks, False
    )
    embeddings = fused({**noise, "waveform": both}, masks, False)
    npt.assert_allclose(embeddings, expected, rtol=1e-3, atol=1e-4)


def test_silent_speakers_are_embedded_on_demand(extract, noise, rng):
    masks = activity(rng, 15)
    masks.data[4, :, 1] = 0
    assert np.isnan(extract(noise, masks, exclude_overlap=False)[4, 1]).all()
    extract = dataclasses.replace(extract, embed_silence=True)
    assert not np.isnan(extract(noise, masks, exclude_overlap=False)).any()


def test_the_mean_slides(rng):
    spectrogram = torch.tensor(rng.standard_normal((1, 50, 3))).float()
    normalised = subtract_sliding_mean(spectrogram, 0, 0, 50, span=20, total=50)
    centred = spectrogram[:, 25] - spectrogram[:, 15:35].mean(dim=1)
    torch.testing.assert_close(normalised[:, 25], centred)
    # the first window starts with the file, the last one ends with it
    at_start = spectrogram[:, 3] - spectrogram[:, :20].mean(dim=1)
    torch.testing.assert_close(normalised[:, 3], at_start)
    at_end = spectrogram[:, 49] - spectrogram[:, 30:].mean(dim=1)
    torch.testing.assert_close(normalised[:, 49], at_end)


def test_other_models_are_exact_with_a_warning(embedding):
    assert choose_mode("shared", embedding) == "shared"
    with pytest.warns(UserWarning, match="CAMPPlus does not offer the frames"):
        assert choose_mode("shared", CAMPPlus()) == "exact"
    other = PyannoteAudioPretrainedSpeakerEmbedding(WeSpeakerResNet34(num_mel_bins=16))
    other.model_ = nn.Identity()
    with pytest.warns(UserWarning, match="Identity does not offer the frames"):
        assert choose_mode("shared", other) == "exact"
    assert choose_mode("exact", other) == "exact"


def test_the_pipeline_shares_frames(build, wespeaker_model, conversation):
    exact = build(embedding=wespeaker_model, clustering="agglomerative", plda=None)
    pipeline = build(
        embedding=wespeaker_model,
        clustering="agglomerative",
        plda=None,
        embedding_mode="shared",
    )
    output = pipeline(conversation)
    assert len(output.speaker_diarization.get_timeline()) > 3
    with pytest.raises(ValueError, match="embedding_mode"):
        exact.recluster(output)
