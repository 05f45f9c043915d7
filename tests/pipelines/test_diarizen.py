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
from opentelemetry.trace import NoOpTracer
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
from pyannote_diarizen.errors import AudioFileError
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


# -- files of all kinds


def test_no_speech_gives_no_speaker(build):
    silence = {"waveform": torch.zeros(1, 3 * SAMPLE_RATE), "sample_rate": SAMPLE_RATE}
    output = build()(silence)
    assert not output.speaker_diarization
    assert not output.exclusive_speaker_diarization
    assert output.speaker_embeddings.shape == (0, 6)


def test_files_shorter_than_a_chunk(build):
    file = {"waveform": tones([(0.1, 0.6, 1)], 0.7), "sample_rate": SAMPLE_RATE}
    (turn,) = build()(file).speaker_diarization.get_timeline()
    assert turn.start == pytest.approx(0.1, abs=0.03)
    assert turn.end == pytest.approx(0.6, abs=0.03)


def test_no_chunk_starts_between_two_frames(build, conversation):
    pipeline = build(segmentation_step=0.245)  # 24.5 frames
    chunks = pipeline.get_segmentations(conversation).sliding_window
    assert chunks.step == pytest.approx(0.49)
    assert chunks.step > 0.49


def test_one_sample_is_silence(build):
    file = {"waveform": torch.ones(1, 1), "sample_rate": SAMPLE_RATE}
    assert not build()(file).speaker_diarization


@pytest.mark.parametrize("duration", [0.7, 2.0, 3.3, 4.0])
def test_no_turn_goes_past_the_end(build, duration):
    class Always(ToneSegmentation):
        def forward(self, waveforms):
            scores = super().forward(waveforms)
            return torch.nn.functional.one_hot(
                torch.ones_like(scores[..., 0], dtype=torch.long), scores.shape[-1]
            ).float()

    file = {"waveform": tones([(0, 9, 0)], duration), "sample_rate": SAMPLE_RATE}
    output = build(segmentation=Always().eval())(file)
    (turn,) = output.speaker_diarization.get_timeline()
    assert duration - 0.05 < turn.end <= duration


def test_a_file_on_disk_needs_no_ffmpeg(build, conversation, tmp_path, monkeypatch):
    # telemetry, on by default, asks pyannote for the duration of the file
    monkeypatch.setenv("PYANNOTE_METRICS_ENABLED", "true")
    monkeypatch.setattr("pyannote.audio.telemetry.metrics.tracer", NoOpTracer())
    monkeypatch.setattr("pyannote.audio.core.io.TORCHCODEC_AVAILABLE", False)
    path = tmp_path / "tones.wav"
    waveform = conversation["waveform"].numpy().T
    soundfile.write(path, waveform, SAMPLE_RATE, subtype="FLOAT")
    expected = build()(conversation).speaker_diarization.to_rttm()
    for file in (path, str(path), {"audio": path}):
        assert build()(file, preload=True).speaker_diarization.to_rttm() == expected
    with path.open("rb") as stream:
        output = build()({"audio": stream})
    assert output.speaker_diarization.uri == "stream"


def test_unreadable_files_are_named(build, tmp_path):
    pipeline = build()
    with pytest.raises(FileNotFoundError, match=r"absent\.wav"):
        pipeline(tmp_path / "absent.wav")
    (tmp_path / "empty.wav").touch()
    with pytest.raises(AudioFileError, match=r"empty\.wav"):
        pipeline(tmp_path / "empty.wav")
    soundfile.write(tmp_path / "header.wav", np.zeros((0, 1)), SAMPLE_RATE)
    with pytest.raises(AudioFileError, match=r"header\.wav.* no sample"):
        pipeline(tmp_path / "header.wav")
    nothing = {"uri": "nil", "waveform": torch.zeros(1, 0), "sample_rate": SAMPLE_RATE}
    with pytest.raises(AudioFileError, match=r"nil.* no sample"):
        pipeline(nothing)


def test_choice_of_channel(build, conversation):
    stereo = {
        **conversation,
        "waveform": torch.cat([torch.zeros_like(conversation["waveform"])] * 2),
    }
    stereo["waveform"][1] = conversation["waveform"]
    expected = build()(dict(conversation)).speaker_diarization.to_rttm()

    assert build(channel=1)(dict(stereo)).speaker_diarization.to_rttm() == expected
    assert not build(channel=0)(dict(stereo)).speaker_diarization
    # the file knows better than the pipeline
    chosen = build(channel=0)({**stereo, "channel": 1})
    assert chosen.speaker_diarization.to_rttm() == expected
    with pytest.raises(AudioFileError, match="no channel 5"):
        build(channel=5)(dict(stereo))


def test_lists_of_files_give_back_the_files_of_the_caller(
    build, conversation, monkeypatch
):
    loaded = []
    apply = DiariZen.apply

    def spy(pipeline, file, **options):
        loaded.append(file)
        return apply(pipeline, file, **options)

    monkeypatch.setattr(DiariZen, "apply", spy)
    short = {"waveform": tones([(0.1, 0.6, 1)], 1.7), "sample_rate": SAMPLE_RATE}
    files = [conversation, {**short, "uri": "short"}]
    outputs = list(build()(files))
    assert all(file._waveform is None for file in loaded), "still in memory"
    assert outputs[0][0] is conversation
    assert len(outputs[1][1].speaker_diarization.labels()) == 1


def test_duration_of_chunks(build, conversation, reference):
    steps = {}
    pipeline = build(seg_duration=3.0)
    output = pipeline(
        conversation, hook=lambda step, artifact, **_: steps.update({step: artifact})
    )
    chunks = steps["segmentation"].sliding_window
    assert (chunks.duration, chunks.step) == pytest.approx((3.0, 0.75))
    assert error_rate(pipeline, reference, output) < 0.02


def test_results_are_written(build, conversation, tmp_path):
    pipeline = build(rttm_out_dir=tmp_path / "rttm")
    short = {"waveform": tones([(0.1, 0.6, 1)], 1.7), "sample_rate": SAMPLE_RATE}
    outputs = {
        file["uri"]: output.speaker_diarization
        for file, output in pipeline([conversation, {**short, "uri": "a call"}])
    }
    rttm = (tmp_path / "rttm" / "tones.rttm").read_text()
    assert rttm == outputs["tones"].to_rttm()
    assert (tmp_path / "rttm" / "a_call.rttm").read_text().split()[1] == "a_call"
    with pytest.raises(ValueError, match="names no file inside"):
        pipeline({**short, "uri": "../up"}, hook=pytest.fail)
    pipeline.training = True
    pipeline({**short, "uri": "trial"})
    assert not (tmp_path / "rttm" / "trial.rttm").exists()


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
