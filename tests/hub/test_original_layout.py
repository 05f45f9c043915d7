# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Back to the layout that DiariZen reads."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from published import (
    WAVLM,
    embedding_model,
    plda,
    segmentation_model,
    write_embedding,
    write_original,
)
from pyannote.audio.models.segmentation import PyanNet

from pyannote_diarizen.hub import original_layout
from pyannote_diarizen.hub.conversion import convert
from pyannote_diarizen.models import FBankConformer, WavLMConformer
from pyannote_diarizen.models.checkpoint import load_model
from pyannote_diarizen.models.original_checkpoint import OriginalConfig
from pyannote_diarizen.pipelines.original_config import original_config
from pyannote_diarizen.repository import Repository
from pyannote_diarizen.wavlm import WavLMConfig


def config(**options: object) -> dict:
    """Configuration of a pipeline of models in memory."""
    parts = {
        "segmentation": segmentation_model(),
        "embedding": embedding_model(),
        "plda": plda(),
    }
    name = "pyannote_diarizen.pipelines.DiariZen"
    return {"pipeline": {"name": name, "params": {**parts, **options}}}


def small(kind: type, **options: object) -> torch.nn.Module:
    model = kind(**options)
    model.specifications = segmentation_model().specifications
    model.setup()
    return model


def read(folder: Path) -> OriginalConfig:
    return OriginalConfig.read(folder / "config.toml")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"apply_median_filtering": "true", "chunk_size": "2.5"},
        {"ahc_criterion": '"maxclust"', "ahc_threshold": "4", "max_iters": "7"},
        {"method": '"AgglomerativeClustering"\nmin_cluster_size = 30'},
    ],
    ids=["usual", "filter", "maxclust", "agglomerative"],
)
def test_there_and_back_is_the_same(tmp_path, changes):
    original = write_original(tmp_path / "original", **changes)
    write_embedding(original / "embedding")
    convert(original, tmp_path / "there")
    convert(tmp_path / "there", tmp_path / "back", layout="diarizen")

    before, after = read(original), read(tmp_path / "back")
    defaults = {"kernel_size": 31, "sample_rate": 16000, "wavlm_src": "wavlm.bin"}
    args = before.args("model") | defaults
    assert before.architecture == after.architecture
    assert after.args("model") == {k: v for k, v in args.items() if "channel" not in k}
    assert before.args("inference") == after.args("inference")
    known = after.args("clustering")
    assert known.items() <= before.args("clustering").items()
    assert original_config(after, Repository(tmp_path / "back")) == original_config(
        replace(after, tables=before.tables), Repository(tmp_path / "back")
    )
    weights = [
        torch.load(folder / "pytorch_model.bin", weights_only=True)
        for folder in (original, tmp_path / "back")
    ]
    torch.testing.assert_close(*weights, rtol=0, atol=0)
    wavlm = torch.load(tmp_path / "back" / "wavlm.bin", weights_only=True)
    assert WavLMConfig.from_dict(wavlm["config"]) == WavLMConfig.from_dict(WAVLM)
    assert set(wavlm["state_dict"]) < {
        key.removeprefix("wavlm_model.") for key in weights[0]
    }


def test_structures_that_diarizen_knows_go_by_name(tmp_path):
    with torch.device("meta"):
        model = small(WavLMConformer, wavlm="wavlm_large_s80_md")
        model.hparams.wavlm = model.wavlm_model.config.to_dict()
    args = original_layout._model(model)["args"]
    assert args["wavlm_src"] == "wavlm_large_s80_md"
    assert (args["wavlm_layer_num"], args["wavlm_feat_dim"]) == (25, 1024)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (FBankConformer, {"n_mels": 40, "num_layer": 1, "win_length_ms": 32.0}),
        (PyanNet, {"lstm": {"num_layers": 4, "dropout": 0.5}}),
    ],
)
def test_models_without_wavlm_come_back(tmp_path, kind, options):
    model = small(kind, **options)
    original_layout.write_original(config(segmentation=model), tmp_path)
    assert not (tmp_path / "wavlm.bin").exists()
    args = read(tmp_path).args("model")
    assert "max_speakers_per_frame" not in args  # DiariZen refuses it
    assert type(args.get("win_length", 0)) is int  # DiariZen counts samples with it
    assert dict(load_model(tmp_path).hparams) == dict(model.hparams)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"median_filter": 5}, r"no median_filter=5 \(only 11\)"),
        ({"embedding_exclude_overlap": False}, "embedding_exclude_overlap=False"),
        ({"clustering": "KMeansClustering"}, "no KMeansClustering"),
        ({"clustering_options": {"min_active_ratio": 0.3}}, "no min_active_ratio of"),
        ({"segmentation": "fbank"}, "residual_channels=.* in diarizen"),
        ({"segmentation": "lstm"}, "lstm=.* in diarizen"),
        ({"segmentation": "kernels"}, r"kernel, stride\) \[\(10, 5\)"),
        ({"segmentation": "three at once"}, "3 speakers at once in .*fbank"),
        ({"segmentation": "not powerset"}, "not powerset"),
        ({"segmentation": "embedding"}, "no SpeakerResNet"),
        ({"median_filter": 3, "embedding_exclude_overlap": False}, "3 .*, no embedd"),
    ],
    ids=str,
)
def test_what_diarizen_cannot_do_is_refused(tmp_path, options, message):
    if isinstance(options.get("segmentation"), str):
        options = {"segmentation": strange_model(options["segmentation"])}
    with pytest.raises(
        ValueError, match=f"DiariZen cannot run this pipeline: .*{message}"
    ):
        original_layout.write_original(config(**options), tmp_path)
    assert not list(tmp_path.iterdir())


def strange_model(kind: str) -> torch.nn.Module:
    """Segmentation that DiariZen does not have."""
    specifications = segmentation_model().specifications
    if kind == "fbank":
        residual = {"residual_channels": (4,), "residual_blocks": (1,)}
        return small(FBankConformer, n_mels=40, num_layer=1, **residual)
    if kind == "lstm":
        return small(PyanNet)
    if kind == "kernels":
        convs = [(8, 10, 5), (8, 8, 8), (8, 8, 8)]
        wavlm = {**WAVLM, "extractor_conv_layer_config": convs}
        return small(WavLMConformer, wavlm=wavlm, num_layer=1)
    if kind == "embedding":
        return embedding_model()
    model = FBankConformer(n_mels=40, num_layer=1)
    at_once = 3 if kind == "three at once" else None
    model.specifications = replace(specifications, powerset_max_classes=at_once)
    model.setup()
    return model


def test_hyper_parameters_that_diarizen_lacks_are_refused(tmp_path):
    described = config(clustering="AgglomerativeClustering")
    parameters = {"method": "average", "min_cluster_size": 3, "threshold": 0.5}
    described["params"] = {
        "segmentation": {"min_duration_off": 0.3},
        "clustering": parameters,
    }
    message = "no min_duration_off=0.3, no agglomerative clustering with method=average"
    with pytest.raises(ValueError, match=message):
        original_layout.write_original(described, tmp_path)


def test_other_pipelines_are_refused(tmp_path):
    described = {"pipeline": {"name": "pyannote.audio.pipelines.SpeakerDiarization"}}
    with pytest.raises(ValueError, match=r"got pyannote\.audio\.pipelines"):
        original_layout.write_original(described, tmp_path)
