# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""A run folder holds one training, which goes on or is refused."""

from pathlib import Path

import pytest
import torch
from torch import nn

from pyannote_diarizen.composition import CONFIG, OVERRIDES
from pyannote_diarizen.training.checkpoints import LAST
from pyannote_diarizen.training.run_folder import (
    changed_options,
    check_weights,
    checkpoint_to_resume,
    write_start,
)


@pytest.fixture
def started(configure) -> Path:
    """Folder of a run with a checkpoint of two weights."""
    config = configure()
    folder = Path(config.run)
    write_start(config, ["protocol=P"])
    (folder / "checkpoints").mkdir()
    weights = {"state_dict": {"layer.weight": torch.zeros(2, 3), "head.bias": 0}}
    torch.save(weights, folder / "checkpoints" / "last.ckpt")
    return folder


def test_the_same_configuration_goes_on(configure, started):
    last = started / "checkpoints" / "last.ckpt"
    assert checkpoint_to_resume(configure()) == last
    moved = started.rename(started.with_name("moved"))
    expected = moved / "checkpoints" / "last.ckpt"
    assert checkpoint_to_resume(configure(run=moved)) == expected


def test_another_configuration_is_refused_with_both_ways_out(
    configure, started, tmp_path
):
    other = configure(trainer__max_epochs=5)
    message = r"trainer\.max_epochs=5.*\+resume=last.*run="
    with pytest.raises(FileExistsError, match=message):
        checkpoint_to_resume(other)
    asked = configure(trainer__max_epochs=5, **{"+resume": "last"})
    assert checkpoint_to_resume(asked) == started / "checkpoints" / "last.ckpt"
    foreign = tmp_path / "other" / "checkpoints" / "0000.ckpt"
    foreign.parent.mkdir(parents=True)
    foreign.touch()
    with pytest.raises(FileExistsError, match="another configuration"):
        checkpoint_to_resume(configure(trainer__max_epochs=5, **{"+resume": foreign}))
    (started / CONFIG).unlink()
    with pytest.raises(FileExistsError, match="another configuration:"):
        checkpoint_to_resume(configure())


def test_another_start_is_refused_in_a_started_folder(configure, started, tmp_path):
    other = tmp_path / "elsewhere" / "checkpoints" / "0003.ckpt"
    other.parent.mkdir(parents=True)
    other.touch()
    with pytest.raises(FileExistsError, match=r"did not start from '.*0003\.ckpt'"):
        checkpoint_to_resume(configure(**{"+resume": other}))
    write_start(configure(**{"+resume": other}), ["protocol=P"])
    last = started / "checkpoints" / "last.ckpt"
    assert checkpoint_to_resume(configure(**{"+resume": other})) == last
    last.unlink()  # as before the end of the first epoch
    assert checkpoint_to_resume(configure(**{"+resume": other})) == other


@pytest.mark.parametrize(
    "option", ["optimizer.lr=0.5", "backbone.lr=0.5", "task.max_speakers_per_chunk=3"]
)
def test_what_the_checkpoint_fixes_cannot_change(configure, started, option):
    name, value = option.split("=")
    with pytest.raises(ValueError, match=f"cannot change {option}"):
        checkpoint_to_resume(configure(**{name: value, "+resume": "last"}))


@pytest.mark.parametrize("name", [CONFIG, OVERRIDES, LAST])
def test_a_folder_in_place_of_a_file_is_refused(configure, started, name):
    (started / name).unlink(missing_ok=True)
    (started / name).mkdir(parents=True)
    with pytest.raises(IsADirectoryError, match=f"{name}' should be a file"):
        checkpoint_to_resume(configure(**{"+resume": "last"}))


def test_weights_of_another_size_are_refused(configure, started):
    config = configure(**{"model.attention_in": 16, "+resume": "last"})
    assert changed_options(started, config) == ["model.attention_in=16"]
    checkpoint = checkpoint_to_resume(config)
    model = nn.ModuleDict({"layer": nn.Linear(3, 2, bias=False)})
    check_weights(model, checkpoint, config)
    for layer in (nn.Linear(3, 2), nn.Linear(4, 2, bias=False)):
        model = nn.ModuleDict({"layer": layer})
        with pytest.raises(ValueError, match=r"cannot change model\.attention_in=16: "):
            check_weights(model, checkpoint, config)
