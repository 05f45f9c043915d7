# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The original's behaviours: each one apart, and all of them together."""

from pathlib import Path

import numpy as np
import numpy.testing as npt
import pytest
import torch
from pyannote.audio import Inference
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Problem, Resolution, Specifications
from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput
from pyannote.audio.utils.powerset import Powerset
from pyannote.core import Annotation, Segment, SlidingWindow, SlidingWindowFeature
from ties import assert_equal_but_for_ties
from tone_model import DURATION, SAMPLE_RATE, tones

from pyannote_diarizen.models.checkpoint import load_model
from pyannote_diarizen.pipelines import DiariZen, DiariZenPipeline

TWO_SPEAKERS = [(0.4, 2.6, 0), (2.8, 5.0, 1), (6.8, 8.1, 0), (8.3, 10.3, 1)]


@pytest.fixture
def build(segmentation_model, embedding_model, plda):
    """Pipeline of tone models as the original would run it."""

    def build(**options) -> DiariZen:
        options = {"plda": plda, "compatibility": "diarizen", **options}
        pipeline = DiariZen(
            segmentation_model, embedding_model, segmentation_step=0.25, **options
        )
        return pipeline.instantiate(pipeline.default_parameters())

    return build


@pytest.fixture
def two_speakers() -> dict:
    waveform = tones(TWO_SPEAKERS, DURATION)
    return {"uri": "two", "waveform": waveform, "sample_rate": SAMPLE_RATE}


def turns(output: DiarizeOutput) -> list[tuple[float, float]]:
    segments = output.speaker_diarization.get_timeline(copy=False)
    return [(round(start, 4), round(end, 4)) for start, end in segments]


# -- each one apart


def test_speakers_are_called_after_their_clusters(build, two_speakers):
    # the spurious speaker, cluster 0, is made of silent speakers only
    output = build()(dict(two_speakers))
    assert output.speaker_diarization.labels() == [1, 2]
    assert output.exclusive_speaker_diarization.labels() == [1, 2]
    for start, end, tone in TWO_SPEAKERS:
        cluster = output.speaker_diarization.argmax(Segment(start, end))
        embedding = output.speaker_embeddings[[1, 2].index(cluster)]
        assert embedding[:3].argmax() == tone


def test_speakers_are_called_after_the_reference_if_there_is_one(build, two_speakers):
    reference = Annotation(uri="two")
    for start, end, speaker in TWO_SPEAKERS:
        reference[Segment(start, end)] = f"tone{speaker}"
    output = build()({**two_speakers, "annotation": reference})
    assert output.speaker_diarization.labels() == ["tone0", "tone1"]


def test_turns_go_into_the_padding_of_the_last_chunk(
    build, two_speakers, segmentation_model, monkeypatch
):
    def speech_everywhere(waveforms):
        num_frames = segmentation_model.num_frames(waveforms.shape[-1])
        scores = torch.zeros(len(waveforms), num_frames, 7)
        scores[..., 1] = 1
        return scores

    monkeypatch.setattr(segmentation_model, "forward", speech_everywhere)
    last = turns(build()(dict(two_speakers)))[-1][1]
    assert last > DURATION
    last = turns(build(compatibility=None)(dict(two_speakers)))[-1][1]
    assert last <= DURATION


def test_the_first_channel_is_taken_unless_another_one_is_named(build, two_speakers):
    speech = two_speakers["waveform"]
    stereo = {**two_speakers, "waveform": torch.cat([torch.zeros_like(speech), speech])}
    assert turns(build()(dict(stereo))) == []
    expected = turns(build()(dict(two_speakers)))
    assert turns(build(channel=1)(dict(stereo))) == expected


def test_bounds_change_nothing(build, two_speakers):
    expected = build()(dict(two_speakers)).speaker_diarization
    with pytest.warns(UserWarning, match="gives the number of the original"):
        output = build()(dict(two_speakers), min_speakers=5)
    assert output.speaker_diarization == expected


def test_options_take_precedence(build, two_speakers):
    pipeline = build(clustering_options={"spurious_speaker": False})
    assert pipeline.clustering.silent_speakers_compete
    output = pipeline(dict(two_speakers))
    assert output.speaker_diarization.labels() == [0, 1]


def test_other_clusterings_add_no_spurious_speaker(build, two_speakers):
    parameters = {"method": "centroid", "min_cluster_size": 1, "threshold": 0.5}
    pipeline = build(clustering="AgglomerativeClustering", plda=None)
    assert pipeline.clustering.silent_speakers_compete
    pipeline.instantiate({"clustering": parameters})
    output = pipeline(dict(two_speakers))
    assert output.speaker_diarization.labels() == [0, 1]
    pipeline = build(clustering="KMeansClustering", plda=None)
    output = pipeline(dict(two_speakers), num_speakers=2)
    assert output.speaker_diarization.labels() == [0, 1]


def test_silence_is_no_error(build):
    silence = {"waveform": torch.zeros(1, 3 * SAMPLE_RATE), "sample_rate": SAMPLE_RATE}
    assert not build()(silence).speaker_diarization


def test_legacy_and_tuning_give_the_annotation(build, two_speakers):
    expected = build()(dict(two_speakers)).speaker_diarization
    assert build(legacy=True)(dict(two_speakers)) == expected
    pipeline = build()
    pipeline.training = True
    assert pipeline(dict(two_speakers)) == expected


# -- all of them together


class GivenEmbedding(Model):
    """Returns prescribed embeddings for any audio, and keeps the masks."""

    dimension = 256

    def __init__(self, embeddings: np.ndarray) -> None:
        super().__init__()
        self.specifications = Specifications(
            problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=4.0
        )
        self.register_buffer("embeddings", torch.from_numpy(embeddings))
        self.masks: list[torch.Tensor] = []

    def forward_frames(self, waveforms: torch.Tensor) -> torch.Tensor:
        return waveforms

    def forward_embedding(
        self, frames: torch.Tensor, weights: torch.Tensor
    ) -> torch.Tensor:
        first = sum(map(len, self.masks))
        self.masks.append(weights)
        return self.embeddings[first : first + len(frames)]

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        if waveforms.shape[-1] < 640:
            raise ValueError("too short")
        return self.embeddings[: len(waveforms), 0]


@pytest.mark.parity
def test_probabilities_of_speakers_are_those_of_the_original(parity):
    model = load_model(parity / "hub")
    scores = Inference(
        model, step=0.4, skip_aggregation=True, skip_conversion=True, batch_size=8
    )(parity / "hub" / "audio.wav")
    powerset = Powerset(4, 2)
    probabilities = powerset.to_multilabel(torch.from_numpy(scores.data), soft=True)
    expected = np.load(parity / "hub" / "expected_pipeline.npz")["segmentation_soft"]
    npt.assert_allclose(probabilities, expected, atol=5e-5, rtol=1e-5)


def other_lines(rttm: str, expected: Path) -> set[str]:
    """Lines of one RTTM only. In one frame, two speakers of the file are tied."""
    return {*rttm.splitlines()} ^ {*expected.read_text().splitlines()}


@pytest.mark.parity
@pytest.mark.parametrize(("spurious", "variant"), [(True, ""), (False, "_no_renumber")])
def test_from_audio_to_rttm_it_is_the_original(parity, spurious, variant, tmp_path):
    expected = np.load(parity / "hub" / "expected_pipeline.npz")
    embedding = GivenEmbedding(expected["embeddings"]).eval()
    pipeline = DiariZen.from_pretrained(
        parity / "hub",
        embedding=embedding,
        compatibility="diarizen",
        clustering_options={} if spurious else {"spurious_speaker": False},
        rttm_out_dir=tmp_path,
    )

    steps = {}

    def keep(step, artifact, **_):
        if artifact is not None:
            steps[step] = np.array(getattr(artifact, "data", artifact))

    file = {"uri": "sess", "audio": parity / "hub" / "audio.wav"}
    output = pipeline(file, hook=keep)
    npt.assert_array_equal(steps["segmentation"], expected["segmentation_median"])
    npt.assert_array_equal(steps["speaker_counting"], expected["count"])
    npt.assert_array_equal(torch.cat(embedding.masks), expected["used_masks"])
    npt.assert_array_equal(steps["embeddings"], expected["embeddings"])
    activity = expected["activations"] if spurious else expected["activations"][:, 1:]
    assert_equal_but_for_ties(
        steps["discrete_diarization"], expected[f"discrete{variant}"], activity
    )

    rttm = (tmp_path / "sess.rttm").read_text()
    assert len(other_lines(rttm, parity / "hub" / f"expected{variant}.rttm")) <= 2
    assert output.speaker_diarization.to_rttm() == rttm
    # the spurious speaker has no voice
    npt.assert_array_equal(output.speaker_embeddings[:spurious], 0)
    # The original solved its PLDA, of float32 files, in float32 on one CPU: its
    # responsibilities, hence its centroids of up to 51, are 5.6e-4 away from ours, and
    # similarities to centroids 1.4e-5. Decisions are the same.
    centroids = output.speaker_embeddings[int(spurious) :]
    npt.assert_allclose(centroids, expected["centroids"], rtol=0, atol=7e-4)

    segmentations = SlidingWindowFeature(
        expected["segmentation_median"], SlidingWindow(duration=4.0, step=0.4)
    )
    hard, soft, _ = pipeline.clustering(expected["embeddings"], segmentations)
    npt.assert_array_equal(hard, expected[f"hard_clusters{variant}"])
    npt.assert_allclose(
        soft[..., int(spurious) :], expected["soft_clusters"], rtol=0, atol=2e-5
    )


@pytest.mark.parity
def test_called_like_the_original_it_is_the_original(parity, tmp_path):
    embeddings = np.load(parity / "hub" / "expected_pipeline.npz")["embeddings"]
    pipeline = DiariZenPipeline(
        parity / "hub", GivenEmbedding(embeddings).eval(), rttm_out_dir=tmp_path
    )
    diarization = pipeline(str(parity / "hub" / "audio.wav"), sess_name="sess")
    rttm = (tmp_path / "sess.rttm").read_text()
    assert len(other_lines(rttm, parity / "hub" / "expected.rttm")) <= 2
    assert diarization.to_rttm() == rttm
