# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What a tuned pipeline refers to; that it loads is tested with the command."""

from pathlib import Path

import pytest
import yaml

from pyannote_diarizen.hub.tuned import write_tuned

RECORD = {"trial": 3}
PARAMS = {"clustering": {"threshold": 0.5}}


def tuned_options(source: Path, path: Path) -> dict:
    write_tuned(source, PARAMS, RECORD, path)
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert (config["params"], config["optimization"]) == (PARAMS, RECORD)
    return config["pipeline"]["params"]


@pytest.fixture
def source(tmp_path) -> Path:
    """Pipeline with parts beside it, on the hub, and elsewhere on disk."""
    folder = tmp_path / "source"
    folder.mkdir()
    (tmp_path / "embedding").mkdir()
    options = {
        "segmentation": "$model/segmentation",
        "embedding": {"checkpoint": str(tmp_path / "embedding")},
        "plda": {"checkpoint": "owner/name", "subfolder": "plda", "lda_dimension": 64},
        "clustering": "VBxClustering",
    }
    config = {"pipeline": {"name": "some.Pipeline", "params": options}, "params": {}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


def test_elsewhere_it_refers_to_the_models_where_they_are(source, tmp_path):
    assert tuned_options(source, tmp_path / "new" / "tuned.yaml") == {
        "segmentation": {"checkpoint": str(source), "subfolder": "segmentation"},
        "embedding": {"checkpoint": str(tmp_path / "embedding")},
        "plda": {"checkpoint": "owner/name", "subfolder": "plda", "lda_dimension": 64},
        "clustering": "VBxClustering",
    }


def test_beside_its_models_it_moves_with_them(source):
    options = tuned_options(source, source / "tuned.yaml")
    assert options["segmentation"] == "$model/segmentation"


def test_it_can_replace_the_pipeline_itself(source):
    path = source / "config.yaml"
    before = yaml.safe_load(path.read_text())
    options = tuned_options(source, path)
    assert options == before["pipeline"]["params"]


def test_a_pipeline_that_does_not_exist_leaves_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        write_tuned(tmp_path / "nowhere", PARAMS, RECORD, tmp_path / "tuned.yaml")
    assert not list(tmp_path.iterdir())
