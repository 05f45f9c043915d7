# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The interface of the original, as its users call it."""

import runpy
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from published import write_embedding, write_original
from pyannote.core import Annotation
from pyannote.database import ProtocolFile

from pyannote_diarizen.errors import AudioFileError
from pyannote_diarizen.pipelines import DiariZen, DiariZenPipeline

SCRIPT = Path(__file__).with_name("original_script.py")
CONFIG_PARSE = {
    "inference": {
        "args": {
            "seg_duration": 3,
            "segmentation_step": 0.5,
            "batch_size": 2,
            "apply_median_filtering": True,
        }
    },
    "clustering": {
        "args": {
            "method": "AgglomerativeClustering",
            "min_speakers": 2,
            "max_speakers": 7,
            "ahc_threshold": 0.5,
            "min_cluster_size": 1,
        }
    },
}


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """Folder in the layout of the original, its embedding beside."""
    folder = write_original(tmp_path_factory.mktemp("published") / "diarizen")
    write_embedding(folder / "embedding")
    return folder


@pytest.fixture(scope="module")
def pipeline(published) -> DiariZenPipeline:
    return DiariZenPipeline.from_pretrained(published)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory) -> Path:
    """Two recordings of noise, which random weights take for conversations."""
    folder = tmp_path_factory.mktemp("recordings")
    rng = np.random.default_rng(0)
    for name in ("monday", "tuesday"):
        soundfile.write(folder / f"{name}.wav", 0.1 * rng.standard_normal(80000), 16000)
    scp = "".join(f"{path.stem} {path}\n" for path in sorted(folder.glob("*.wav")))
    (folder / "wav.scp").write_text(scp)
    return folder


def test_a_script_for_the_original_runs(
    published, recordings, tmp_path, monkeypatch, capsys
):
    output = tmp_path / "rttm"
    embedding = published / "embedding" / "pytorch_model.bin"
    arguments = [SCRIPT, published, embedding, recordings, output]
    output.mkdir()
    monkeypatch.setattr(sys, "argv", [str(argument) for argument in arguments])
    runpy.run_path(str(SCRIPT))
    turns = capsys.readouterr().out.splitlines()
    assert turns
    assert all(turn.startswith("start=") for turn in turns)
    sessions = {path.stem: path.read_text() for path in output.glob("*.rttm")}
    assert set(sessions) == {
        "session_name", "monday", "tuesday", "scp_monday", "scp_tuesday", "stream",
        "by_hand",
    }  # fmt: skip
    for session, rttm in sessions.items():
        uri = "stream" if session == "by_hand" else session
        assert rttm
        assert all(line.split()[1] == uri for line in rttm.splitlines())
    monday = sessions["monday"]
    assert sessions["scp_monday"] == monday.replace(" monday ", " scp_monday ")
    assert sessions["stream"] == monday.replace(" monday ", " stream ")
    assert sessions["session_name"].replace(" session_name ", " monday ") != monday


def test_it_is_the_pipeline_with_the_switch_on(pipeline, published, recordings):
    expected = DiariZen.from_pretrained(published, compatibility="diarizen")
    path = recordings / "monday.wav"
    diarization = pipeline(str(path))
    assert isinstance(diarization, Annotation)
    assert diarization.to_rttm() == expected(path).speaker_diarization.to_rttm()
    assert diarization.labels()
    assert all(isinstance(label, int | np.integer) for label in diarization.labels())


def test_configuration_of_ones_own(published):
    pipeline = DiariZenPipeline(published, config_parse=CONFIG_PARSE)
    assert pipeline.klustering == "AgglomerativeClustering"
    assert (pipeline.min_speakers, pipeline.max_speakers) == (2, 7)
    assert pipeline._segmentation.duration == 3
    assert pipeline._segmentation.step == 1.5
    assert pipeline.median_filter == 11
    assert pipeline.parameters(instantiated=True)["clustering"] == {
        "method": "centroid",
        "min_cluster_size": 1,
        "threshold": 0.5,
    }


def test_some_values_of_ones_own(published):
    tables = {"inference": {"args": {}}, "clustering": {"args": {"Fb": 3}}}
    pipeline = DiariZenPipeline(published, config_parse=tables)
    assert pipeline.clustering.Fb == 3
    assert pipeline.clustering.Fa == 0.07
    assert pipeline.clustering.spurious_speaker
    assert pipeline.median_filter is None


def test_attributes_that_scripts_set(published, recordings):
    pipeline = DiariZenPipeline(published)
    assert pipeline.clustering.ahc_threshold == 0.6
    pipeline.clustering.ahc_criterion = "maxclust"
    pipeline.clustering.ahc_threshold = 2
    pipeline.clustering.maxIters = 3
    pipeline.apply_median_filtering = True
    args = {"ahc_criterion": "maxclust", "ahc_threshold": 2, "max_iters": 3}
    expected = DiariZenPipeline(
        published,
        config_parse={
            "inference": {"args": {"apply_median_filtering": True}},
            "clustering": {"args": args},
        },
    )
    path = recordings / "monday.wav"
    assert pipeline(path) == expected(path)
    assert pipeline.apply_median_filtering
    assert pipeline(path) != DiariZenPipeline(published)(path)
    pipeline.apply_median_filtering = False
    assert pipeline.median_filter is None


def test_linkage_of_agglomerative_clustering(published):
    args = {"method": "AgglomerativeClustering", "min_cluster_size": 2}
    for linkage in ("complete", None):
        args |= {"linkage_method": linkage} if linkage else {}
        tables = {"clustering": {"args": args}}
        pipeline = DiariZenPipeline(published, config_parse=tables)
        assert pipeline.clustering.method == (linkage or "centroid")
        args.pop("linkage_method", None)


def test_an_empty_file_is_named(pipeline, tmp_path):
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 16000)
    with pytest.raises(AudioFileError, match=r"empty\.wav' holds no sample"):
        pipeline(tmp_path / "empty.wav")


def test_one_table_of_ones_own(published):
    tables = {"clustering": {"args": {"Fb": 3}}}
    pipeline = DiariZenPipeline(published, config_parse=tables)
    assert pipeline.clustering.Fb == 3
    assert pipeline._segmentation.duration == 2


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"inferense": {"args": {}}}, "inferense. Did you mean inference"),
        ({"clustering": {"Fb": 3}}, r"should be .'args'"),
        ({"clustering": None}, r"should be .'args'"),
        (
            {"clustering": {"args": {"ahc_treshold": 0.5}}},
            r"clustering.args. of `config_parse`: ahc_treshold. Did you mean ahc_thres",
        ),
        (
            {"clustering": {"args": {"linkage_method": "ward"}}},
            r"`linkage_method` is an argument of AgglomerativeClustering, but",
        ),
        (
            {"clustering": {"args": {"method": "hybrid"}}},
            r"`config_parse` should be VBxClustering or Agg.*'hybrid': DiariZen takes",
        ),
    ],
)
def test_a_slip_in_a_configuration_of_ones_own_is_refused(published, tables, message):
    with pytest.raises(ValueError, match=message):
        DiariZenPipeline(published, config_parse=tables)


def test_all_kinds_of_audio_give_the_same(pipeline, recordings):
    path = recordings / "monday.wav"
    waveform, sample_rate = soundfile.read(path, dtype="float32")
    stereo = torch.tensor(np.stack([waveform, np.zeros_like(waveform)]))
    expected = pipeline(path)
    assert expected.uri == "monday"
    for audio in (
        BytesIO(path.read_bytes()),
        {"audio": str(path), "channel": 0},
        {"waveform": stereo, "sample_rate": sample_rate},
        ProtocolFile({"uri": "x", "audio": path, "annotation": expected}),
    ):
        assert pipeline(audio, sess_name="monday") == expected


def test_embeddings_are_in_the_order_of_labels(pipeline, recordings):
    path = recordings / "monday.wav"
    diarization, embeddings = pipeline(path, return_embeddings=True)
    assert diarization == pipeline(path)
    dimension = pipeline._embedding.dimension
    assert embeddings.shape == (len(diarization.labels()), dimension)


def test_lists_and_folders_give_sessions_by_name(pipeline, recordings, tmp_path):
    expected = pipeline(recordings / "tuesday.wav")
    sessions = pipeline(str(recordings))
    assert list(sessions) == ["monday", "tuesday"]
    assert sessions["tuesday"] == expected

    path = tmp_path / "wav.scp"
    path.write_text(f"second {recordings / 'tuesday.wav'}\n")
    diarization, embeddings = pipeline(path, return_embeddings=True)["second"]
    assert diarization.uri == "second"
    assert len(embeddings) == len(diarization.labels())
    path.write_text("second\n")
    with pytest.raises(AudioFileError, match="line 1"):
        pipeline(path)


def test_audio_that_does_not_exist_is_named(pipeline):
    with pytest.raises(FileNotFoundError, match=r"absent\.wav"):
        pipeline("absent.wav", sess_name="x")


@pytest.mark.filterwarnings("ignore:The exclusive diarization")
def test_numbers_have_an_effect_unless_the_original_is_asked_for(
    published, pipeline, recordings
):
    path = recordings / "monday.wav"
    before = pipeline(path)
    for number in range(1, 6):
        assert len(pipeline(path, num_speakers=number).labels()) == number
    assert len(pipeline(path, min_speakers=4).labels()) >= 4
    assert len(pipeline(path, max_speakers=1).labels()) == 1
    original = DiariZenPipeline.from_pretrained(published, compatibility="diarizen")
    assert original(path) == before == pipeline(path)
    with pytest.warns(UserWarning, match="instead of 5: compat"):
        assert original(path, num_speakers=5) == before
