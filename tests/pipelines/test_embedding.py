# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import dataclasses

import numpy as np
import numpy.testing as npt
import pytest
import torch
from pyannote.audio.pipelines.speaker_verification import (
    PyannoteAudioPretrainedSpeakerEmbedding,
)
from pyannote.core import SlidingWindow, SlidingWindowFeature
from torch import nn

from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.models.speaker_resnet import SpeakerResNet
from pyannote_diarizen.pipelines.embedding import ChunkEmbedding, without_overlap
from pyannote_diarizen.pipelines.frame_features import min_num_samples

CHUNKS = SlidingWindow(start=0.0, duration=2.0, step=0.5)


@pytest.fixture(scope="module", params=["WeSpeakerResNet34", "SpeakerResNet"])
def extract(request, wespeaker_model):
    torch.manual_seed(0)
    model = wespeaker_model
    if request.param == "SpeakerResNet":
        model = SpeakerResNet(channels=(8, 8), blocks=(1, 1)).eval()
    embedding = PyannoteAudioPretrainedSpeakerEmbedding(model)
    return ChunkEmbedding(embedding, AudioReader(16000), batch_size=2)


@pytest.fixture
def segmentations(rng):
    """Six chunks; the third one is silent, and the third speaker always."""
    activity = np.repeat(rng.random((6, 11, 3)) < 0.4, 9, axis=1).astype(np.uint8)
    activity[2] = 0
    activity[:, :, 2] = 0
    return SlidingWindowFeature(activity, CHUNKS)


def test_overlap_is_kept_where_little_else_is_left():
    segmentation = np.zeros((1, 10, 2), dtype=np.uint8)
    segmentation[0, :6, 0] = 1
    segmentation[0, 4:7, 1] = 1
    masks = without_overlap(segmentation, min_num_frames=2)
    npt.assert_array_equal(np.flatnonzero(masks[0, :, 0]), [0, 1, 2, 3])
    npt.assert_array_equal(np.flatnonzero(masks[0, :, 1]), [4, 5, 6])
    # four frames are as few as four
    npt.assert_array_equal(without_overlap(segmentation, 4), segmentation)


@pytest.mark.parity
def test_masks_are_those_of_diarizen(parity):
    vectors = np.load(parity / "hub" / "expected_pipeline.npz")
    min_num_frames = 2  # 640 samples out of 64,000 are 1.99 out of 199 frames
    masks = without_overlap(vectors["segmentation_median"], min_num_frames)
    npt.assert_array_equal(masks.transpose(0, 2, 1), vectors["used_masks"])


def test_embeddings_are_those_of_one_pass_per_speaker(
    extract, segmentations, conversation
):
    embeddings = extract(conversation, segmentations, exclude_overlap=False)
    assert embeddings.shape == (6, 3, extract.embedding.dimension)
    assert embeddings.dtype == np.float32
    for (chunk, speaker), expected in _one_by_one(
        extract.embedding, segmentations, conversation
    ):
        npt.assert_allclose(embeddings[chunk, speaker], expected, atol=1e-5)


def _one_by_one(embedding, segmentations, conversation):
    for chunk, (segment, activity) in enumerate(segmentations):
        waveform, _ = AudioReader(16000).crop(conversation, segment, mode="pad")
        for speaker in np.flatnonzero(activity.any(axis=0)):
            mask = torch.from_numpy(activity[:, speaker]).float()
            yield (chunk, speaker), embedding(waveform[None], mask[None])[0]


def test_shortest_input_is_that_of_pyannote(extract):
    assert min_num_samples(extract.embedding) == extract.embedding.min_num_samples


def test_steps_of_a_spectrogram_are_computed_once(
    extract, segmentations, conversation, monkeypatch
):
    if not isinstance(extract.embedding.model_, SpeakerResNet):
        pytest.skip("only SpeakerResNet has this spectrogram")
    spectrogram = extract.embedding.model_.encoder.spectrogram
    num_steps, log_mel = [], spectrogram.log_mel

    def spy(waveforms):
        output = log_mel(waveforms)
        num_steps.append(output.shape[1])
        return output

    monkeypatch.setattr(spectrogram, "log_mel", spy)
    extract(conversation, segmentations, exclude_overlap=False)
    # chunks of 2 s each half a second, without the third one
    assert num_steps == [198, 50, 100, 50, 50]


def test_embeddings_in_half_precision_are_close(extract, segmentations, conversation):
    expected = extract(conversation, segmentations, exclude_overlap=True)
    with torch.autocast("cpu", torch.bfloat16):
        embeddings = extract(conversation, segmentations, exclude_overlap=True)
    assert embeddings.dtype == np.float32
    speaks = np.isfinite(expected).all(axis=2)
    cosines = torch.cosine_similarity(
        torch.from_numpy(embeddings), torch.from_numpy(expected), dim=2
    )
    assert 0.99 < cosines.numpy()[speaks].min() < 1 - 1e-6


def test_silent_speakers_have_no_embedding(extract, segmentations, conversation):
    embeddings = extract(conversation, segmentations, exclude_overlap=True)
    silent = ~segmentations.data.any(axis=1)
    npt.assert_array_equal(np.isnan(embeddings).all(axis=2), silent)
    npt.assert_array_equal(np.isnan(embeddings).any(axis=2), silent)


def test_silent_speakers_are_embedded_on_demand(extract, segmentations, conversation):
    extract = dataclasses.replace(extract, embed_silence=True)
    embeddings = extract(conversation, segmentations, exclude_overlap=False)
    silent = np.argwhere(~segmentations.data.any(axis=1))
    for chunk, speaker in silent:
        waveform, _ = AudioReader(16000).crop(conversation, CHUNKS[chunk], mode="pad")
        expected = extract.embedding(waveform[None], torch.zeros(1, 99))[0]
        npt.assert_allclose(embeddings[chunk, speaker], expected, atol=1e-5)


def test_the_network_runs_once_per_chunk_with_speech(
    extract, segmentations, conversation, monkeypatch
):
    batches = []
    forward_embedding = extract.embedding.model_.forward_embedding

    def spy(frames, weights):
        batches.append(len(frames))
        return forward_embedding(frames, weights=weights)

    monkeypatch.setattr(extract.embedding.model_, "forward_embedding", spy)
    progress = []
    extract(
        conversation,
        segmentations,
        exclude_overlap=False,
        hook=lambda *args, total, completed: progress.append((completed, total)),
    )
    assert batches == [2, 2, 1]
    assert progress == [(0, 5), (2, 5), (4, 5), (5, 5)]  # chunks with speech


def test_nobody_speaks(extract, conversation):
    silence = SlidingWindowFeature(np.zeros((2, 99, 3), dtype=np.uint8), CHUNKS)
    assert np.isnan(extract(conversation, silence, exclude_overlap=True)).all()


def test_models_that_pool_inside_are_not_supported(embedding_model):
    embedding = PyannoteAudioPretrainedSpeakerEmbedding(embedding_model)
    assert ChunkEmbedding.supports(embedding)
    embedding.model_ = nn.Identity()
    assert not ChunkEmbedding.supports(embedding)
