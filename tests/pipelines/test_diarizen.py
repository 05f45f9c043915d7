# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import os
import subprocess
import sys
from collections import Counter
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.testing as npt
import pytest
import soundfile
import torch
from pyannote.audio import Pipeline
from pyannote.audio.pipelines.clustering import VBxClustering as HostVBxClustering
from pyannote.audio.pipelines.speaker_diarization import (
    DiarizeOutput,
    SpeakerDiarization,
)
from pyannote.audio.pipelines.utils.hook import ArtifactHook, TimingHook
from pyannote.core import (
    Annotation,
)
from tone_model import (
    SAMPLE_RATE,
    ToneEmbedding,
    ToneModel,
    ToneSegmentation,
    tones,
)

from pyannote_diarizen.audio.sample import sample_file
from pyannote_diarizen.clustering.vbx import VBxClustering
from pyannote_diarizen.hub.bundled import bundled_folder
from pyannote_diarizen.pipelines import DiariZen
from pyannote_diarizen.pipelines.components import clustering_names
from pyannote_diarizen.pipelines.reconstruction import (
    labels_by_appearance,
    rename_speakers,
)

AHC = {"method": "centroid", "min_cluster_size": 1, "threshold": 0.5}


def error_rate(pipeline: DiariZen, reference: Annotation, output) -> float:
    return pipeline.get_metric()(reference, output.speaker_diarization)


# -- results


def test_speakers_are_found(build, conversation, reference):
    pipeline = build()
    output = pipeline(conversation)
    assert isinstance(output, DiarizeOutput)
    assert output.speaker_diarization.uri == "tones"
    assert output.speaker_diarization.labels() == [f"SPEAKER_0{k}" for k in range(3)]
    assert output.speaker_embeddings.shape == (3, 6)
    # what is missing: ends of turns, rounded to frames of 20 ms
    assert error_rate(pipeline, reference, output) < 0.02
    assert not output.exclusive_speaker_diarization.get_overlap()


@pytest.mark.parametrize("exclude_overlap", [True, False])
@pytest.mark.parametrize(
    ("clustering", "parameters", "num_speakers"),
    [
        ("AgglomerativeClustering", AHC, None),
        ("KMeansClustering", {}, 3),
        ("VBxClustering", {"threshold": 0.5, "Fa": 0.07, "Fb": 0.8}, None),
    ],
)
def test_result_is_that_of_stock_pyannote(
    segmentation_model,
    embedding_model,
    wespeaker_model,
    plda,
    conversation,
    clustering,
    parameters,
    num_speakers,
    exclude_overlap,
):
    vbx = clustering == "VBxClustering"
    options = {
        "segmentation": segmentation_model,
        "embedding": embedding_model if vbx else wespeaker_model,
        "plda": plda,
        "clustering": clustering,
        "segmentation_step": 0.5,
        "embedding_exclude_overlap": exclude_overlap,
        "embedding_batch_size": 8,
    }
    hyper_parameters = {
        "segmentation": {"min_duration_off": 0.1},
        "clustering": parameters,
    }
    stock = SpeakerDiarization(**options).instantiate(hyper_parameters)
    host_options = {"constrained_assignment": False, "min_active_ratio": 0.2}
    if clustering != "AgglomerativeClustering":
        host_options = {}
    ours = DiariZen(**options, median_filter=None, clustering_options=host_options)
    if vbx:
        ours.clustering = HostVBxClustering(plda)
    ours.instantiate(hyper_parameters)

    expected = stock(dict(conversation), num_speakers=num_speakers)
    output = ours(dict(conversation), num_speakers=num_speakers)
    assert len(expected.speaker_diarization.labels()) > 1
    names = ["speaker_diarization"]
    # that of pyannote.audio overlaps in filled pauses
    if not expected.exclusive_speaker_diarization.get_overlap():
        names.append("exclusive_speaker_diarization")
    order = labels_by_appearance(expected.speaker_diarization)
    expected = rename_speakers(
        expected, {label: f"SPEAKER_{rank:02d}" for rank, label in enumerate(order)}
    )
    for name in names:
        assert getattr(output, name).to_rttm() == getattr(expected, name).to_rttm()
    npt.assert_allclose(
        output.speaker_embeddings, expected.speaker_embeddings, atol=1e-5
    )


def test_models_without_powerset_give_the_same_result(build, conversation):
    multilabel = build(segmentation=ToneSegmentation(powerset=False).eval())
    assert multilabel.default_parameters()["segmentation"]["threshold"] == 0.5
    expected = build()(dict(conversation)).speaker_diarization
    actual = multilabel(dict(conversation)).speaker_diarization
    assert actual.to_rttm() == expected.to_rttm()


def test_embeddings_that_cannot_share_frames_give_the_same_result(build, conversation):
    class Unshared(ToneModel):
        dimension = ToneEmbedding.dimension

        def forward(self, waveforms, weights=None):
            return ToneEmbedding()(waveforms, weights)

    output = build(embedding=Unshared().eval())(dict(conversation))
    expected = build()(dict(conversation))
    assert output.speaker_diarization.to_rttm() == (
        expected.speaker_diarization.to_rttm()
    )


def test_short_interruptions_are_filtered(build):
    turns = [(0.5, 1.5, 0), (1.56, 3.0, 0)]
    file = {"waveform": tones(turns, 3.5), "sample_rate": SAMPLE_RATE}
    filtered = build()(dict(file)).speaker_diarization
    assert len(filtered) == 1
    assert len(build(median_filter=None)(dict(file)).speaker_diarization) == 2


def test_speakers_are_named_after_the_reference(build, conversation, reference):
    output = build()({**conversation, "annotation": reference})
    assert output.speaker_diarization.labels() == ["tone0", "tone1", "tone2"]


def test_duration_of_chunks(build, conversation, reference):
    steps = {}
    pipeline = build(seg_duration=3.0)
    output = pipeline(
        conversation, hook=lambda step, artifact, **_: steps.update({step: artifact})
    )
    chunks = steps["segmentation"].sliding_window
    assert (chunks.duration, chunks.step) == pytest.approx((3.0, 0.75))
    assert error_rate(pipeline, reference, output) < 0.02


# -- inside pyannote


def test_stock_pyannote_loads_folders(folder, conversation, tmp_path):
    """A script without our names runs a tone pipeline and the bundled one."""
    waveform = conversation["waveform"].numpy().T
    soundfile.write(tmp_path / "tones.wav", waveform, SAMPLE_RATE)
    samples, sample_rate = soundfile.read(sample_file()["audio"])
    eight_seconds = samples[8 * sample_rate : 16 * sample_rate]
    soundfile.write(tmp_path / "a.wav", eight_seconds, sample_rate)
    files = {"tones.wav": folder, "a.wav": bundled_folder()}
    script = """
import sys
from pyannote.audio import Pipeline
for name, folder in zip(sys.argv[1::2], sys.argv[2::2]):
    output = Pipeline.from_pretrained(folder)(name, min_speakers=2)
    print(output.speaker_diarization.to_rttm(), end="")
"""
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "PYANNOTE_METRICS_ENABLED": "0",
        "PYTHONPATH": str(Path(__file__).parent),
    }
    process = subprocess.run(
        [sys.executable, "-c", script, *chain(*files.items())],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        cwd=tmp_path,
    )
    assert process.returncode == 0, process.stderr
    expected = [
        Pipeline.from_pretrained(each)(audio).speaker_diarization
        for each, audio in zip(
            files.values(), (conversation, tmp_path / "a.wav"), strict=True
        )
    ]
    assert process.stdout == "".join(each.to_rttm() for each in expected)
    assert "SPEAKER a 1 " in process.stdout
    assert len(expected[0].labels()) == 3


def test_every_clustering_has_default_parameters(build, conversation, reference):
    for clustering in clustering_names():
        pipeline = build(clustering=clustering)
        output = pipeline({**conversation, "annotation": reference}, num_speakers=3)
        assert len(output.speaker_diarization.labels()) >= 1


def test_clustering_without_plda(build, conversation):
    pipeline = build(clustering="AgglomerativeClustering", plda=None)
    assert pipeline.plda is None
    pipeline.instantiate({"clustering": AHC})
    output = pipeline(conversation)
    assert len(output.speaker_diarization.labels()) == 3


def test_vbx_is_ours(build):
    assert isinstance(build().clustering, VBxClustering)


def test_oracle_clustering(build, conversation, reference):
    pipeline = build(clustering="OracleClustering", plda=None)
    output = pipeline({**conversation, "annotation": reference})
    assert error_rate(pipeline, reference, output) < 0.02
    assert output.speaker_embeddings.shape == (3, 6)
    with pytest.raises(ValueError, match="needs the reference of tones"):
        pipeline(conversation)


def test_legacy_gives_the_annotation(build, conversation):
    expected = build()(dict(conversation)).speaker_diarization
    output = build(legacy=True)(dict(conversation))
    assert isinstance(output, Annotation)
    assert output == expected


def test_pipeline_goes_to_a_device(build):
    models = {"segmentation": ToneSegmentation(), "embedding": ToneEmbedding()}
    pipeline = build(**models).to(torch.device("meta"))
    assert pipeline._segmentation.model.basis.is_meta
    assert pipeline._segmentation.conversion.powerset.mapping.is_meta
    assert pipeline._embedding.model_.basis.is_meta


def test_hooks_see_each_step_and_write_to_the_file_of_the_caller(build, conversation):
    steps = Counter()

    def count(step, artifact, file=None, total=None, completed=None):
        steps[step] += 1
        assert file["uri"] == "tones"

    build()(conversation, hook=count)
    assert list(steps) == [
        "segmentation",
        "speaker_counting",
        "embeddings",
        "discrete_diarization",
    ]
    with ArtifactHook() as hook:
        build()(conversation, hook=hook)
    assert conversation["artifact"]["embeddings"].shape[1:] == (3, 6)
    assert conversation["artifact"]["segmentation"].data.dtype == np.uint8
    with TimingHook() as hook:
        build()(conversation, hook=hook)
    assert conversation["timing"]["total"] > 0
