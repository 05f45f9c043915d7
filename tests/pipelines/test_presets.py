# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import shutil
from pathlib import Path

import pytest
from pyannote.audio import Pipeline

from pyannote_diarizen.pipelines import DiariZen
from pyannote_diarizen.pipelines.published import find_preset, preset_names


@pytest.fixture
def with_presets(folder, tmp_path) -> Path:
    """Pipeline with two presets."""
    copy = shutil.copytree(folder, tmp_path / "pipeline")
    (copy / "presets").mkdir()
    for name, threshold in (("meeting", 0.7), ("podcast", 0.8)):
        params = f"params: {{clustering: {{threshold: {threshold}}}}}\n"
        (copy / "presets" / f"{name}.yaml").write_text(params)
    return copy


def test_a_preset_changes_what_it_names_only(with_presets):
    assert DiariZen.from_pretrained(with_presets).clustering.threshold == 0.6
    for checkpoint in (with_presets, with_presets / "config.yaml"):
        pipeline = DiariZen.from_pretrained(checkpoint, preset="meeting")
        assert pipeline.clustering.threshold == 0.7
        assert pipeline.clustering.Fa == 0.07


def test_stock_pyannote_takes_the_file(with_presets):
    file = find_preset(with_presets, "podcast")
    pipeline = Pipeline.from_pretrained(with_presets, hparams_file=file)
    assert pipeline.clustering.threshold == 0.8


def test_presets_of_a_subfolder(with_presets):
    parent, name = with_presets.parent, with_presets.name
    pipeline = DiariZen.from_pretrained(parent, subfolder=name, preset="meeting")
    assert pipeline.clustering.threshold == 0.7


def test_a_preset_that_is_none(with_presets, folder):
    assert preset_names(with_presets) == ["meeting", "podcast"]
    with pytest.raises(FileNotFoundError, match=r"'radio', only meeting, podcast\.$"):
        DiariZen.from_pretrained(with_presets, preset="radio")
    with pytest.raises(FileNotFoundError, match=r"'meeting'\.$"):
        DiariZen.from_pretrained(folder, preset="meeting")
    with pytest.raises(ValueError, match="`preset` is one of a folder"):
        DiariZen.from_pretrained(folder, preset="meeting", hparams_file="x.yaml")
    with pytest.raises(ValueError, match="`preset` is one of a folder"):
        DiariZen.from_pretrained({"pipeline": {}}, preset="meeting")
