# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Published pipelines in both layouts."""

import os
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.testing as npt
import pytest
import torch
import yaml
from published import embedding_model, write_embedding, write_original
from pyannote.audio import Model, Pipeline
from pyannote.audio.pipelines import SpeakerDiarization

from pyannote_diarizen.models.checkpoint import save_model
from pyannote_diarizen.pipelines import DiariZen
from pyannote_diarizen.pipelines.original_config import EMBEDDING
from pyannote_diarizen.pipelines.published import pretrained_config
from pyannote_diarizen.resources import bundled_pipelines


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("harm",)


def test_a_config_toml_becomes_a_configuration(tmp_path):
    original = str(write_original(tmp_path / "a"))
    expected = {
        "dependencies": {
            "pyannote.audio": version("pyannote.audio"),
            "pyannote-diarizen": version("pyannote-diarizen"),
        },
        "pipeline": {
            "name": "pyannote_diarizen.pipelines.DiariZen",
            "params": {
                "segmentation": {"checkpoint": original},
                "embedding": EMBEDDING,
                "plda": {
                    "checkpoint": original,
                    "subfolder": "plda",
                    "lda_dimension": 128,
                },
                "clustering": "VBxClustering",
                "seg_duration": 2.0,
                "segmentation_step": 0.25,
                "segmentation_batch_size": 8,
                "embedding_batch_size": 8,
                "median_filter": None,
            },
        },
        "params": {
            "segmentation": {"min_duration_off": 0.0},
            "clustering": {"threshold": 0.6, "Fa": 0.07, "Fb": 0.8},
        },
    }
    assert pretrained_config(original) == expected
    assert pretrained_config(f"{original}/config.toml") == expected
    inside = pretrained_config(tmp_path, subfolder="a")["pipeline"]["params"]
    assert inside["plda"]["subfolder"] == "a/plda"
    assert inside["segmentation"] == {"checkpoint": str(tmp_path), "subfolder": "a"}


def test_other_ways_of_clustering_are_known(tmp_path):
    folder = write_original(
        tmp_path / "ahc",
        method='"AgglomerativeClustering"\nmin_cluster_size = 30',
        apply_median_filtering="true",
    )
    config = pretrained_config(folder)
    options = config["pipeline"]["params"]
    assert "plda" not in options
    assert options["median_filter"] == 11
    assert (options["min_speakers"], options["max_speakers"]) == (1, 20)
    assert config["params"]["clustering"] == {
        "method": "centroid",
        "min_cluster_size": 30,
        "threshold": 0.6,
    }
    folder = write_original(
        tmp_path / "vbx",
        ahc_criterion='"maxclust"',
        ahc_threshold="8",
        max_iters="40",
    )
    config = pretrained_config(folder)
    options = {"ahc_criterion": "maxclust", "max_iterations": 40}
    assert config["pipeline"]["params"]["clustering_options"] == options
    assert config["params"]["clustering"]["threshold"] == 8


@pytest.mark.parametrize("has_plda", [True, False])
def test_what_a_training_leaves_has_the_usual_values(tmp_path, has_plda):
    folder = write_original(tmp_path / "a")
    text = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(text.partition("[inference.args]")[0])
    if not has_plda:
        (folder / "plda" / "plda.npz").unlink()
    pipeline = DiariZen.from_pretrained(folder, embedding=embedding_model())
    expected = "VBxClustering" if has_plda else "AgglomerativeClustering"
    assert pipeline.klustering == expected
    assert pipeline.parameters(instantiated=True) == pipeline.default_parameters()
    assert pipeline._segmentation.duration == 3.0  # of training


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": '"SpectralClustering"'}, "VBxClustering or .* got 'Spectral"),
        ({"Fa": ""}, r"\[clustering\.args\] of .* lacks Fa"),
        ({"Fb": '"0.8"'}, "Fb .* of type float, got '0.8'"),
        ({"max_iters": "20.5"}, "max_iters .* of type int, got 20.5"),
        ({"apply_median_filtering": "1"}, "of type bool, got 1"),
        ({"seg_duration": ""}, r"\[inference\.args\] of .* lacks seg_duration"),
        ({"method": '"AgglomerativeClustering"'}, "lacks min_cluster_size"),
    ],
)
def test_a_config_toml_with_a_slip_is_an_error_that_names_it(
    tmp_path, changes, message
):
    folder = write_original(tmp_path / "a", **changes)
    with pytest.raises(ValueError, match=message):
        pretrained_config(folder)


def test_unknown_keys_are_told(tmp_path):
    """DiariZen ignores them: published files hold keys of versions to come."""
    folder = write_original(tmp_path / "a", Fb="0.8\nFc = 0.3", batch_size="8\nx = 1")
    with pytest.warns(UserWarning, match="Known keys are .* ignored") as warned:
        config = pretrained_config(folder)
    unknown = [str(warning.message).split(": ")[1] for warning in warned]
    assert [names.split(".")[0] for names in unknown] == ["x", "Fc"]
    assert config["params"]["clustering"] == {"threshold": 0.6, "Fa": 0.07, "Fb": 0.8}


def test_an_embedding_that_lies_beside_is_taken(tmp_path):
    folder = write_original(tmp_path / "a")
    write_embedding(folder / "embedding")
    pipeline = DiariZen.from_pretrained(folder)
    assert pipeline._embedding.dimension == 256


def test_options_take_precedence(folder, tmp_path):
    original = write_original(tmp_path / "a", max_iters="40")
    for source in (folder, original):
        options = {"embedding": embedding_model(), "plda": None, "median_filter": 5}
        method = "AgglomerativeClustering"
        pipeline = DiariZen.from_pretrained(source, clustering=method, **options)
        assert pipeline.median_filter == 5
        assert pipeline.segmentation_step == 0.25
        parameters = pipeline.parameters(instantiated=True)["clustering"]
        assert parameters == pipeline.default_parameters()["clustering"]


def test_what_a_public_report_lists_as_blocked_works(tmp_path):
    """Blocked under pyannote.audio 4: no `config`, no `seg_duration`, no versions."""
    folder = write_original(tmp_path / "a")
    parts = {"segmentation": str(folder), "embedding": embedding_model()}
    with pytest.raises(KeyError, match=r"pyannote\.audio"):
        Model.from_pretrained(folder)
    for dropped in ({"config": {}}, {"seg_duration": 2.0}):
        with pytest.raises(TypeError, match="unexpected keyword"):
            SpeakerDiarization(**parts, **dropped)

    pipeline = DiariZen(**parts, seg_duration=2.0, plda=folder / "plda")
    loaded = DiariZen.from_pretrained(folder, embedding=embedding_model())
    assert pipeline._segmentation.duration == loaded._segmentation.duration == 2.0
    noise = 0.1 * torch.randn(1, 80000, generator=torch.Generator().manual_seed(0))
    file = {"waveform": noise, "sample_rate": 16000}
    assert loaded(file).speaker_diarization.labels()


def test_results_are_written_where_the_caller_says(tmp_path):
    folder = write_original(tmp_path / "a")
    pipeline = DiariZen.from_pretrained(
        folder, embedding=embedding_model(), rttm_out_dir=tmp_path / "rttm"
    )
    file = {"uri": "s", "waveform": torch.zeros(1, 48000), "sample_rate": 16000}
    expected = pipeline(file).speaker_diarization.to_rttm()
    assert (tmp_path / "rttm" / "s.rttm").read_text() == expected


def test_both_classes_load_a_folder_of_pyannote(folder, conversation):
    ours = DiariZen.from_pretrained(folder, legacy=True)
    theirs = Pipeline.from_pretrained(folder)
    for source in (folder / "config.yaml", str(folder)):
        assert DiariZen.from_pretrained(source).segmentation_step == 0.25
    assert isinstance(ours, DiariZen)
    assert ours(conversation) == theirs(conversation).speaker_diarization


def test_a_bundled_pipeline_is_loaded_by_name():
    config = pretrained_config("diarizen-tiny")
    assert config == pretrained_config(bundled_pipelines()["diarizen-tiny"])
    assert Path(config["pipeline"]["params"]["segmentation"]["checkpoint"]).is_dir()


def test_the_content_of_a_configuration_is_left_as_it_is(folder):
    config = yaml.safe_load((folder / "config.yaml").read_text())
    for role in ("segmentation", "embedding", "plda"):
        config["pipeline"]["params"][role] = str(folder / role)
    before = yaml.safe_dump(config)
    assert DiariZen.from_pretrained(config, legacy=True).legacy
    assert yaml.safe_dump(config) == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"pipeline: [", "is not YAML"),
        ("author: José".encode("latin-1"), "is not YAML"),
        (b"", "describes no pipeline"),
        (b"params: {}", "describes no pipeline"),
        (b"pipeline: DiariZen", "describes no pipeline"),
    ],
)
def test_a_broken_config_yaml_is_an_error_that_names_it(tmp_path, content, message):
    (tmp_path / "config.yaml").write_bytes(content)
    with pytest.raises(ValueError, match=rf"config\.yaml' {message}"):
        DiariZen.from_pretrained(tmp_path)


def test_a_folder_of_neither_layout_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no config\.toml or config\.yaml"):
        DiariZen.from_pretrained(tmp_path)


@pytest.mark.parametrize("role", ["segmentation", "embedding"])
def test_code_is_refused_unless_it_is_allowed(tmp_path, monkeypatch, role):
    monkeypatch.chdir(tmp_path)
    folder = write_original(tmp_path / "a")
    write_embedding(folder / "embedding")
    path = folder / ("" if role == "segmentation" else role) / "pytorch_model.bin"
    content = torch.load(path, weights_only=False)
    if role == "segmentation":
        torch.save(dict(content), path)
        wavlm = torch.load(folder / "wavlm.bin", weights_only=True)
        torch.save({**wavlm, "hook": Harmful()}, folder / "wavlm.bin")
    else:
        torch.save({**content, "hook": Harmful()}, path)
    with pytest.raises(ValueError, match=r"mkdir.*`weights_only=False`"):
        DiariZen.from_pretrained(folder)
    assert not Path("harm").exists()
    DiariZen.from_pretrained(folder, weights_only=False)
    assert Path("harm").exists()


def test_models_are_trusted_by_name_as_well(tmp_path):
    save_model(embedding_model(), tmp_path / "pytorch_model.bin")
    config = {"pipeline": {"name": "x", "params": {"embedding": str(tmp_path)}}}
    trusted = pretrained_config(config, weights_only=False, segmentation=3)
    assert trusted["pipeline"]["params"] == {
        "embedding": {"checkpoint": str(tmp_path), "weights_only": False},
        "segmentation": 3,
    }


@pytest.mark.parity
@torch.inference_mode()
def test_segmentations_of_a_published_folder_are_those_of_the_original(parity):
    expected = np.load(parity / "hub" / "expected_pipeline.npz")
    file = parity / "hub" / "audio.wav"
    options = {"embedding": embedding_model(), "compatibility": "diarizen"}
    raw = DiariZen.from_pretrained(parity / "hub", median_filter=None, **options)
    smoothed = DiariZen.from_pretrained(parity / "hub", **options)
    for pipeline, name in ((raw, "raw"), (smoothed, "median")):
        segmentations = pipeline.get_segmentations(file)
        npt.assert_array_equal(segmentations.data, expected[f"segmentation_{name}"])
    frames = smoothed._segmentation.model.receptive_field
    count = smoothed.speaker_count(segmentations, frames, warm_up=(0.0, 0.0))
    npt.assert_array_equal(count.data, expected["count"])


def test_options_of_the_configured_clustering_keep_its_hyper_parameters(folder):
    plain = DiariZen.from_pretrained(folder).parameters(instantiated=True)
    ordered = DiariZen.from_pretrained(folder, clustering_options={"ordered": True})
    values = ordered.parameters(instantiated=True)["clustering"]
    assert set(values) - set(plain["clustering"]) == {"loop_prob"}
    assert values.items() >= plain["clustering"].items()


def test_options_are_added_to_those_of_the_configured_clustering():
    config = {
        "pipeline": {
            "name": "pyannote_diarizen.pipelines.DiariZen",
            "params": {
                "clustering": "vbx",
                "clustering_options": {"number_by": "evidence", "min_share": 0.01},
            },
        }
    }
    for given, expected in (
        ({"min_share": 0.02}, {"number_by": "evidence", "min_share": 0.02}),
        ({"ordered": True, "number_by": "vbx"}, {"number_by": "vbx", "ordered": True}),
    ):
        params = pretrained_config(config, clustering_options=given)["pipeline"][
            "params"
        ]
        assert params["clustering_options"] == {"min_share": 0.01, **expected}
    other = pretrained_config(
        config, clustering="auto", clustering_options={"min_embeddings": 5}
    )
    options = other["pipeline"]["params"]["clustering_options"]
    assert options == {"min_embeddings": 5}


@pytest.mark.parametrize("config", [{}, {"pipeline": {}}, {"pipeline": "DiariZen"}])
def test_a_mapping_without_a_pipeline_is_an_error(config):
    with pytest.raises(ValueError, match="The configuration describes no pipeline"):
        DiariZen.from_pretrained(config)


def test_the_former_name_of_the_token_is_refused(folder):
    with pytest.raises(ValueError, match="`use_auth_token` is called `token`"):
        DiariZen.from_pretrained(folder, use_auth_token="hf_")
