# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""From one layout to the other, and the same result from both."""

from pathlib import Path

import pytest
import torch
import yaml
from huggingface_hub import constants
from published import plda, write_embedding, write_original
from pyannote.audio import Model, Pipeline

from pyannote_diarizen.clustering import PLDA
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE, bundled_folder
from pyannote_diarizen.hub.conversion import convert
from pyannote_diarizen.hub.loading import load_pipeline
from pyannote_diarizen.models.checkpoint import load_model
from pyannote_diarizen.pipelines import DiariZen
from pyannote_diarizen.pipelines.original_config import EMBEDDING
from pyannote_diarizen.resources import PUBLISHED, published_config


@pytest.fixture
def original(tmp_path) -> Path:
    """Folder in the layout of DiariZen, with an embedding beside."""
    folder = write_original(tmp_path / "original")
    write_embedding(folder / "embedding")
    return folder


@pytest.fixture
def noise() -> dict:
    torch.manual_seed(7)
    loudness = torch.rand(1, 12).repeat_interleave(8000, dim=1)
    waveform = 0.1 * loudness * torch.randn(1, 96000)
    return {"uri": "noise", "waveform": waveform, "sample_rate": 16000}


def names(folder: Path) -> set[str]:
    """Files in a folder, hidden ones too."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix() for path in files}


def test_stock_pyannote_gives_the_same_on_the_converted_folder(
    original, tmp_path, noise
):
    convert(original, tmp_path / "new" / "converted")
    folder = tmp_path / "new" / "converted"
    assert names(folder) == {
        "README.md",
        "config.yaml",
        "segmentation/pytorch_model.bin",
        "embedding/pytorch_model.bin",
        "plda/plda.npz",
        "plda/xvec_transform.npz",
    }
    expected = DiariZen.from_pretrained(original)(dict(noise))
    output = Pipeline.from_pretrained(folder)(dict(noise))
    rttm = output.speaker_diarization.to_rttm()
    assert rttm == expected.speaker_diarization.to_rttm()
    assert len(rttm.splitlines()) > 20
    for part in ("segmentation", "embedding"):
        assert isinstance(Model.from_pretrained(folder / part), Model)


@pytest.mark.parity
def test_stock_pyannote_gives_the_same_on_the_converted_reference(parity, tmp_path):
    """With another embedding, which is not among the references."""
    file = parity / "hub" / "audio.wav"
    embedding = write_embedding(tmp_path / "embedding")
    convert(parity / "hub", tmp_path / "converted", embedding=embedding)
    ours = DiariZen.from_pretrained(parity / "hub", embedding=embedding)
    theirs = Pipeline.from_pretrained(tmp_path / "converted")
    rttm = theirs(file).speaker_diarization.to_rttm()
    assert rttm == ours(file).speaker_diarization.to_rttm()
    assert len(rttm.splitlines()) > 50


def test_a_converted_folder_says_what_it_needs(original, tmp_path):
    convert(original, tmp_path / "a")
    config = yaml.safe_load((tmp_path / "a" / "config.yaml").read_text())
    assert set(config["dependencies"]) == {"pyannote.audio", "pyannote-diarizen"}
    params = config["pipeline"]["params"]
    for part in ("segmentation", "embedding", "plda"):
        assert params[part] == f"$model/{part}"
    assert "cc-by-nc-4.0" in (tmp_path / "a" / "README.md").read_text()


def test_presets_come_along(original, tmp_path):
    convert(original, tmp_path / "a")
    preset = {"clustering": {"threshold": 0.5, "Fa": 0.1, "Fb": 0.9}}
    preset |= {"segmentation": {"min_duration_off": 0.2}}
    path = Path("presets", "meeting.yaml")
    (tmp_path / "a" / "presets").mkdir()
    (tmp_path / "a" / path).write_text(yaml.safe_dump({"params": preset}))
    convert(tmp_path / "a", tmp_path / "b")
    pipeline = DiariZen.from_pretrained(tmp_path / "b", preset="meeting")
    assert pipeline.parameters(instantiated=True) == preset


def test_a_plda_may_have_dimensions_that_are_not_used(tmp_path):
    original = write_original(tmp_path / "original", lda_dim="5")
    write_embedding(original / "embedding")
    convert(original, tmp_path / "a")
    assert PLDA.from_pretrained(tmp_path / "a", "plda").lda_dimension == 128
    assert Pipeline.from_pretrained(tmp_path / "a")._plda.lda_dimension == 5
    convert(tmp_path / "a", tmp_path / "b", layout="diarizen")
    assert DiariZen.from_pretrained(tmp_path / "b")._plda.lda_dimension == 5


def test_parts_of_bundled_pipelines_are_copied(tmp_path):
    config = yaml.safe_load((bundled_folder() / "config.yaml").read_text())
    for role in ("segmentation", "embedding", "plda"):
        config["pipeline"]["params"][role] = DEFAULT_PIPELINE
    named = tmp_path / "named"
    named.mkdir()
    (named / "config.yaml").write_text(yaml.safe_dump(config))
    convert(named, tmp_path / "converted")
    assert (tmp_path / "converted" / "README.md").is_file()
    for network in ("segmentation", "embedding"):
        path = f"{network}/pytorch_model.bin"
        weights, expected = (
            load_model(folder / path).state_dict()
            for folder in (tmp_path / "converted", bundled_folder())
        )
        torch.testing.assert_close(weights, expected)


@pytest.mark.parametrize("layout", ["pyannote", "diarizen"])
def test_what_exists_is_left_alone(original, tmp_path, layout):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(FileExistsError, match=r"mine' exists: .* another folder"):
        convert(original, tmp_path / "mine", layout=layout)
    assert names(tmp_path / "mine") == {"thesis.tex"}


def test_a_config_with_a_slip_leaves_nothing(original, tmp_path):
    convert(original, tmp_path / "a")
    path = tmp_path / "a" / "config.yaml"
    path.write_text(path.read_text().replace("median_filter", "medianfilter"))
    for layout in ("pyannote", "diarizen"):
        with pytest.raises(
            ValueError, match=r"a': Unknown key.*Did you mean median_fi"
        ):
            convert(tmp_path / "a", tmp_path / "b", layout=layout)
    assert not (tmp_path / "b").exists()


def test_a_file_where_a_folder_should_be_is_an_error(original, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        convert(original, tmp_path / "file" / "a")


def test_other_embeddings_cannot_be_stored(original, tmp_path):
    name = "speechbrain/spkrec-ecapa-voxceleb"
    with pytest.raises(ValueError, match=f"model of pyannote.audio, got '{name}'"):
        convert(original, tmp_path / "a", embedding=name)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_pipeline_is_loaded_by_name(hub, noise, name):
    """The folders on our hub are small, but of the same format."""
    write_original(hub.root / "BUT-FIT" / name)
    write_embedding(hub.root / EMBEDDING)
    pipeline = Pipeline.from_pretrained(published_config(name))
    assert pipeline._segmentation.duration == 16.0
    assert pipeline._plda.lda_dimension == 128
    assert pipeline.parameters(instantiated=True) == pipeline.default_parameters()
    assert pipeline.median_filter == 11
    assert load_pipeline(name, "cpu")._segmentation.duration == 16.0
    assert pipeline(noise).speaker_diarization.labels()


def test_online_then_without_network(hub, tmp_path, noise, monkeypatch):
    write_original(hub.root / "BUT-FIT" / "small")
    write_embedding(hub.root / EMBEDDING)
    cache = tmp_path / "mine"
    online = DiariZen.from_pretrained("BUT-FIT/small", cache_dir=cache)
    convert("BUT-FIT/small", tmp_path / "a", cache_dir=cache)
    assert "cc-by-nc-4.0" in (tmp_path / "a" / "README.md").read_text()
    hub.stop()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    cached = DiariZen.from_pretrained("BUT-FIT/small", cache_dir=cache)
    downloaded = Pipeline.from_pretrained(tmp_path / "a")
    expected = online(dict(noise)).speaker_diarization.to_rttm()
    for pipeline in (cached, downloaded):
        assert pipeline(dict(noise)).speaker_diarization.to_rttm() == expected
    with pytest.raises(FileNotFoundError, match="not in the cache"):
        DiariZen.from_pretrained("BUT-FIT/small", cache_dir=tmp_path / "empty")


def test_tokens_open_gated_pipelines_and_are_not_stored(hub, tmp_path):
    write_original(hub.root / "me" / "gated")
    write_embedding(hub.root / EMBEDDING)
    hub.gated.add("me/gated")
    with pytest.raises(PermissionError, match="gated"):
        convert("me/gated", tmp_path / "a")
    assert not (tmp_path / "a").exists()
    convert("me/gated", tmp_path / "a", token=hub.token)
    assert hub.token not in (tmp_path / "a" / "config.yaml").read_text()
    Pipeline.from_pretrained(tmp_path / "a")


def test_pipelines_of_pyannote_are_stored_too(hub, tmp_path):
    """Their layout on the hub, which refers to parts of the repository."""
    folder = hub.root / "me" / "theirs"
    original = write_original(tmp_path / "original")
    write_embedding(original / "embedding")
    convert(original, folder)
    convert("me/theirs", tmp_path / "a")
    assert names(tmp_path / "a") == names(folder)
    config = (tmp_path / "a" / "config.yaml").read_text()
    assert config == (folder / "config.yaml").read_text()
    assert PLDA.from_pretrained(folder, "plda").phi == pytest.approx(plda().phi)
