# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Names of pipelines."""

from pathlib import Path

import pytest

from pyannote_diarizen import resources
from pyannote_diarizen.hub import bundled


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Path:
    """Package that comes with the pipelines `large` and `tiny`."""
    for name in ("tiny", "large"):
        (tmp_path / "hub" / name).mkdir(parents=True)
        (tmp_path / "hub" / name / "config.yaml").touch()
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "hub"


def test_bundled_pipelines_are_found_by_name(hub):
    assert bundled.bundled_names() == ["large", "tiny"]
    assert bundled.bundled_folder("tiny") == hub / "tiny"
    with pytest.raises(FileNotFoundError, match=r"'huge' comes .* only large, tiny"):
        bundled.bundled_folder("huge")


@pytest.mark.parametrize("name", ["tiny", "pipeline/tiny"])
def test_both_names_of_a_bundled_pipeline_give_its_folder(hub, name):
    assert bundled.resolve_pipeline(name) == hub / "tiny"


def test_what_exists_on_disk_goes_first(hub, tmp_path):
    mine = tmp_path / "tiny"
    mine.mkdir()
    (mine / "config.yaml").touch()
    assert bundled.resolve_pipeline("tiny") == Path("tiny")
    config = mine / "config.yaml"
    assert bundled.resolve_pipeline(config) == config


def test_a_folder_of_something_else_does_not_hide_a_bundled_pipeline(hub, tmp_path):
    (tmp_path / "tiny").mkdir()
    assert bundled.resolve_pipeline("tiny") == hub / "tiny"


def test_folders_of_diarizen_are_pipelines(hub, tmp_path):
    (tmp_path / "original").mkdir()
    (tmp_path / "original" / "config.toml").touch()
    assert bundled.resolve_pipeline("original") == Path("original")


@pytest.mark.parametrize("prefix", ["", "pipeline/"])
def test_published_pipelines_are_found_by_name(hub, prefix):
    source = bundled.resolve_pipeline(f"{prefix}diarizen-wavlm-base-s80-md")
    assert source == "diarizen-wavlm-base-s80-md"
    assert set(bundled.known_names()) > {"large", "tiny", "diarizen-wavlm-base-s80-md"}


def test_owner_and_name_are_left_to_the_hub(hub):
    source = bundled.resolve_pipeline("pyannote/speaker-diarization-community-1")
    assert source == "pyannote/speaker-diarization-community-1"


@pytest.mark.parametrize("name", ["huge", "no/such/folder", "/nowhere", ""])
def test_anything_else_is_an_error_that_lists_what_there_is(hub, name):
    with pytest.raises(FileNotFoundError, match=r"-v2, large, tiny|no config\.yaml"):
        bundled.resolve_pipeline(name)


def test_a_part_of_a_pipeline_goes_by_the_name_of_the_pipeline(hub, tmp_path):
    (hub / "tiny" / "plda").mkdir()
    (tmp_path / "mine" / "plda").mkdir(parents=True)
    assert resources.find_part("tiny", "plda") == str(hub / "tiny" / "plda")
    assert resources.find_part("mine", "plda") == str(Path("mine") / "plda")
    # a part itself, and what is not here
    for other in ("mine/plda", "large", "owner/name"):
        assert resources.find_part(other, "plda") == other


def test_the_folder_of_a_pruning_is_its_result(hub, tmp_path):
    for path in ("whole/pipeline/config.yaml", "whole/model/pytorch_model.bin"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("pipeline:")
    (tmp_path / "alone" / "model").mkdir(parents=True)
    (tmp_path / "alone" / "model" / "pytorch_model.bin").touch()
    assert bundled.resolve_pipeline("whole") == Path("whole") / "pipeline"
    assert bundled.find_result("alone") == Path("alone") / "model"
    assert [bundled.is_model(name) for name in ("whole", "alone")] == [False, True]
    with pytest.raises(FileNotFoundError, match=r"'alone/model' holds no config\.yaml"):
        bundled.resolve_pipeline("alone")
    # of anything else, a folder called "model" is not the result
    (tmp_path / "alone" / "config.yaml").write_text("pipeline:")
    assert bundled.find_result("alone") == "alone"


@pytest.mark.parametrize(
    ("files", "is_model"),
    [
        ({"pytorch_model.bin": ""}, True),
        # published models of pyannote.audio
        ({"pytorch_model.bin": "", "config.yaml": "task:\n  pipeline:"}, True),
        ({"pytorch_model.bin": "", "config.yaml": "# of\npipeline:"}, False),
        # a pipeline of DiariZen has its segmentation beside its configuration
        ({"pytorch_model.bin": "", "config.toml": ""}, False),
        ({"other.bin": ""}, False),
    ],
)
def test_models_and_pipelines_differ_by_their_files(tmp_path, files, is_model):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    assert bundled.is_model(tmp_path) == is_model
