# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Multi-channel recordings, and models that take all channels."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from pyannote.core import Annotation, Segment
from pyannote.metrics.diarization import DiarizationErrorRate
from tone_model import DURATION, SAMPLE_RATE, TURNS, ToneSegmentation, tones

from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.models import MultiChannelWavLMConformer
from pyannote_diarizen.models.multi_channel_wavlm_conformer import ChannelWeights
from pyannote_diarizen.pipelines import DiariZen
from pyannote_diarizen.pipelines.embedding import average_channels
from pyannote_diarizen.pipelines.sliding import recorded_channel_weights
from pyannote_diarizen.wavlm import WavLMConfig

NUM_CHANNELS = 3


class ToneOfAnyChannel(ChannelWeights, ToneSegmentation):
    """Detects a tone in any channel, with weights that follow the level of channels."""

    def __init__(self, task=None):
        super().__init__(task=task)
        self.save_hyperparameters({"num_channels": NUM_CHANNELS})
        self.audio = AudioReader(SAMPLE_RATE, mono=None)

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        self.channel_weights = waveforms.std(dim=2).softmax(dim=1)
        return super().forward(waveforms.sum(dim=1, keepdim=True))


@pytest.fixture
def conversation() -> dict:
    """Each of three speakers has a microphone of their own."""
    channels = [
        tones([turn for turn in TURNS if turn[2] == speaker], DURATION, seed=speaker)
        for speaker in range(NUM_CHANNELS)
    ]
    return {
        "uri": "tones",
        "waveform": torch.cat(channels),
        "sample_rate": SAMPLE_RATE,
    }


def make_pipeline(segmentation, embedding, plda, **options) -> DiariZen:
    pipeline = DiariZen(
        segmentation=segmentation,
        embedding=embedding,
        plda=plda,
        segmentation_step=0.25,
        **options,
    )
    return pipeline.instantiate(pipeline.default_parameters())


@pytest.fixture
def pipeline(embedding_model, plda) -> DiariZen:
    return make_pipeline(ToneOfAnyChannel().eval(), embedding_model, plda)


@pytest.mark.parity
def test_embeddings_are_averaged_as_in_the_original(parity):
    stored = np.load(parity / "eend" / "mc_attention_embeddings.npz")
    # (chunk, layer, frame, channel, channel): that of the last of four layers
    weights = stored["att_score"][:, 3].mean(axis=(1, 2))
    actual = average_channels(stored["embeddings"], weights)
    assert_allclose(actual, stored["out"], rtol=1e-9)


def test_all_channels_are_used(pipeline, conversation):
    reference = Annotation()
    for start, end, speaker in TURNS:
        reference[Segment(start, end)] = speaker
    diarization = pipeline(conversation).speaker_diarization
    assert DiarizationErrorRate()(reference, diarization) < 0.05


def test_one_channel_may_be_chosen(embedding_model, plda, conversation, pipeline):
    one = make_pipeline(ToneOfAnyChannel().eval(), embedding_model, plda, channel=1)
    for diarization in (
        one(conversation).speaker_diarization,
        pipeline(conversation | {"channel": 1}).speaker_diarization,
    ):
        assert len(diarization.labels()) == 1
        starts = [segment.start for segment in diarization.get_timeline()]
        assert starts == pytest.approx([2.8, 8.3], abs=0.1)


def test_the_original_reads_all_channels_too(embedding_model, plda, conversation):
    pipeline = make_pipeline(
        ToneOfAnyChannel().eval(), embedding_model, plda, compatibility="diarizen"
    )
    assert len(pipeline(conversation).speaker_diarization.labels()) == 3


def test_one_channel_is_enough(pipeline, conversation):
    mono = conversation | {"waveform": conversation["waveform"].sum(0, keepdim=True)}
    assert len(pipeline(mono).speaker_diarization.labels()) == 3


@pytest.mark.parametrize("training", [False, True])
def test_embeddings_are_those_of_all_channels_weighted(
    pipeline, conversation, training
):
    pipeline.training = training
    conversation["annotation"] = Annotation()
    file = pipeline.prepare_one(conversation)
    segmentations = pipeline.get_segmentations(file)
    embeddings = pipeline.get_embeddings(file, segmentations)

    starts = segmentations.sliding_window
    weights = np.array(
        [
            pipeline._segmentation.model.audio.crop(conversation, starts[k], "pad")[0]
            .std(dim=1)
            .softmax(dim=0)
            .numpy()
            for k in range(len(segmentations))
        ]
    )
    expected = 0.0
    for channel in range(NUM_CHANNELS):
        alone = pipeline.prepare_one(
            {"waveform": conversation["waveform"][channel : channel + 1]}
            | {"sample_rate": SAMPLE_RATE, "uri": "alone"}
        )
        weight = weights[:, channel, None, None]
        expected = expected + weight * pipeline.get_embeddings(alone, segmentations)
    assert_allclose(embeddings, expected, atol=1e-6)
    assert np.isfinite(embeddings).any()


def test_weights_of_channels_are_kept_while_tuning(pipeline, conversation):
    pipeline.training = True
    conversation["annotation"] = Annotation()
    first = pipeline.prepare_one(conversation)
    pipeline.get_segmentations(first)
    again = pipeline.prepare_one(conversation)
    pipeline.get_segmentations(again)
    assert_allclose(again.channel_weights, first.channel_weights)


def test_nothing_is_recorded_of_mono_models(segmentation_model):
    with recorded_channel_weights(segmentation_model) as weights:
        segmentation_model(torch.zeros(1, 1, 2 * SAMPLE_RATE))
    assert weights == []


def test_recording_ends_with_its_block():
    model = ToneOfAnyChannel().eval()
    waveforms = torch.randn(4, 2, 2 * SAMPLE_RATE)
    with recorded_channel_weights(model) as weights:
        model(waveforms)
    model(waveforms)
    assert [batch.shape for batch in weights] == [(4, 2)]


def test_a_multi_channel_wavlm_conformer_diarizes_a_file(
    embedding_model, plda, conversation
):
    wavlm = WavLMConfig.dense(
        embed_dim=32,
        num_layers=2,
        num_heads=4,
        feed_forward_dim=48,
        layer_norm=True,
        extractor_conv_layer_config=((8, 10, 5), (12, 8, 8), (16, 8, 8)),
        encoder_pos_conv_kernel=16,
        encoder_pos_conv_groups=4,
    )
    torch.manual_seed(0)
    model = MultiChannelWavLMConformer(
        wavlm=wavlm.to_dict(),
        attention_in=16,
        ffn_hidden=24,
        num_layer=1,
        channel_fusion_layers=2,
    )
    model.specifications = ToneSegmentation().specifications
    model.setup()
    pipeline = make_pipeline(model.eval(), embedding_model, plda)
    assert isinstance(pipeline(conversation).speaker_diarization, Annotation)
    assert model.channel_weights.shape[1] == NUM_CHANNELS


def test_channel_weights_belong_to_the_thread():
    model = ToneOfAnyChannel().eval()
    together = Barrier(2)

    def weights(channel: int) -> np.ndarray:
        waveforms = torch.zeros(1, NUM_CHANNELS, SAMPLE_RATE)
        waveforms[:, channel].normal_()
        with recorded_channel_weights(model) as recorded:
            for _ in range(3):
                together.wait()
                model(waveforms)
            together.wait()
        return np.concatenate(recorded).argmax(axis=1)

    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(weights, range(2)))
    assert [each.tolist() for each in found] == [[0, 0, 0], [1, 1, 1]]
