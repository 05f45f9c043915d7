# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import numpy as np
import numpy.testing as npt
import pytest
import torch
from pyannote.audio.pipelines.utils import get_plda

from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE, bundled_folder
from pyannote_diarizen.models.checkpoint import save_model
from pyannote_diarizen.pipelines.components import (
    build_clustering,
    clustering_name,
    load_network,
    load_plda,
    unused_plda,
)


def test_pyannote_refuses_to_do_without_plda():
    """Once this fails, `unused_plda` can go."""
    with pytest.raises(TypeError):
        get_plda(None)


def test_unused_plda_passes_for_one():
    plda = unused_plda()
    assert get_plda(plda) is plda
    npt.assert_allclose(plda(np.array([[2.0], [-3.0]])).ravel(), [1.0, -1.0])


def test_plda_is_loaded_from_whatever_names_it(plda, folder):
    assert load_plda(None) is None
    assert load_plda(plda) is plda
    for named in (
        folder / "plda",
        str(folder / "plda"),
        {"checkpoint": str(folder), "subfolder": "plda", "token": "hf_"},
    ):
        npt.assert_allclose(load_plda(named).phi, plda.phi)


def test_unknown_options_of_a_clustering_are_refused_with_the_known_ones():
    options = {"min_active_ratio": 0.2, "treshold": 0.5}
    with pytest.raises(ValueError, match=r"treshold.*min_active_ratio"):
        build_clustering("AgglomerativeClustering", None, "cosine", options)
    del options["treshold"]
    clustering = build_clustering("AgglomerativeClustering", None, "cosine", options)
    assert clustering.min_active_ratio == 0.2
    with pytest.raises(ValueError, match="options of KMeansClustering"):
        build_clustering("KMeansClustering", None, "cosine", options)


def test_models_are_loaded_from_whatever_names_them(segmentation_model, folder):
    assert load_network(segmentation_model, "segmentation") is segmentation_model
    for named in (
        folder / "segmentation",
        str(folder / "segmentation" / "pytorch_model.bin"),
        {"checkpoint": str(folder), "subfolder": "segmentation"},
    ):
        loaded = load_network(named, "segmentation")
        assert loaded.specifications == segmentation_model.specifications


@pytest.mark.parametrize(
    ("role", "other"), [("segmentation", "embedding"), ("embedding", "segmentation")]
)
def test_a_model_for_the_other_role_is_refused(role, other):
    with pytest.raises(ValueError, match=f"`{role}` is a .*, a model for `{other}`"):
        load_network(bundled_folder() / other, role)
    load_network(DEFAULT_PIPELINE, role)


def test_words_in_the_path_of_a_model_mean_nothing(embedding_model, tmp_path):
    # pyannote takes a bare path with this word in it for an ONNX model
    save_model(embedding_model, tmp_path / "wespeaker" / "pytorch_model.bin")
    loaded = load_network(tmp_path / "wespeaker", "embedding")
    assert type(loaded) is type(embedding_model)


def test_embeddings_of_other_toolkits_are_left_to_pyannote():
    for name in ("speechbrain/spkrec-ecapa-voxceleb", "somebody/wespeaker-onnx"):
        assert load_network(name, "embedding") == name


@pytest.mark.parametrize("path", ["/no/such/model", "./model.bin", "no/such/model.bin"])
def test_paths_that_do_not_exist_are_not_looked_up_on_the_hub(path):
    with pytest.raises(FileNotFoundError, match=r"`embedding`: .*neither a folder"):
        load_network(path, "embedding")


@pytest.mark.parametrize("gain", [1e-3, 0.1, 30.0])
def test_segmentation_does_not_depend_on_the_level(gain):
    model = load_network(DEFAULT_PIPELINE, "segmentation")
    time = torch.arange(32000) / 16000
    tone = torch.sin(2 * torch.pi * 200 * time) * torch.sin(9 * time)
    waveforms = 0.01 * tone[None, None]
    with torch.inference_mode():
        expected, output = model(waveforms), model(gain * waveforms)
    torch.testing.assert_close(output, expected, atol=1e-3, rtol=1e-3)


def test_short_names_of_clusterings():
    names = ["OracleClustering", "KMeansClustering", "VBxClustering"]
    assert [clustering_name(name) for name in ("oracle", "kmeans", "vbx")] == names
