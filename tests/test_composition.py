# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Options of components are cached; a run repeats its arguments."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from pyannote_diarizen.composition import (
    OVERRIDES,
    Components,
    cached_components,
    complete_arguments,
)
from pyannote_diarizen.training.configuration import describe_components

WRONG_USAGE = """
import sys
sys.argv = ["pyannote-audio-train", *sys.argv[1:]]
from pyannote_diarizen.cli.train import main
try:
    main()
finally:
    print(*sorted({"torch", "lightning", "pyannote.audio"} & set(sys.modules)))
"""


@pytest.fixture
def source(tmp_path, monkeypatch) -> Path:
    """File that options come from; the cache is empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "source.py"
    path.touch()
    return path


@pytest.fixture
def components(source) -> Components:
    target = "my.Model"
    config = {"_target_": target, "width": 4, "names": ["a"], "scale": None}
    configs = {"model": {"Cached": config}}
    return Components(
        configs, {target: ["width", "names", "scale", "file"]}, [str(source)]
    )


def refuse() -> Components:
    raise AssertionError("described again")


def test_components_are_described_once(components):
    assert cached_components(lambda: components) == components
    assert cached_components(refuse) == components
    components.store()
    assert "Cached.yaml" in ConfigStore.instance().list("model")


@pytest.mark.parametrize("change", ["edit", "remove", "damage", "register", "move"])
def test_a_change_is_noticed(components, source, tmp_path, monkeypatch, change):
    cached_components(lambda: components)
    if change == "edit":
        source.write_text("pass")
    elif change == "remove":
        source.unlink()
    elif change == "damage":
        (tmp_path / "cache" / "pyannote-diarizen" / "options.json").write_text("{")
    elif change == "move":
        monkeypatch.setattr("sys.prefix", str(tmp_path))
    else:
        monkeypatch.syspath_prepend(Path(__file__).parent / "third_party")
    with pytest.raises(AssertionError, match="described again"):
        cached_components(refuse)


def test_a_cache_that_cannot_be_written_is_left_out(components, tmp_path):
    (tmp_path / "cache").touch()
    assert cached_components(lambda: components) == components


def test_unknown_options_and_missing_values_are_refused(components):
    config = OmegaConf.create({"protocol": "???", "model": {"_target_": "my.Model"}})
    with pytest.raises(ValueError, match=r"missing: add protocol=\.\.\."):
        components.check(config)
    config.model.file = "a.bin"  # has no default
    config.protocol = "P"
    components.check(config)
    config.distillation = {"teacher": "${pretrained}"}
    with pytest.raises(ValueError, match=r"missing: add \+pretrained=\.\.\.$"):
        components.check(config)
    config.pretrained = "a.ckpt"
    components.check(config)
    config.model.widht = 3
    with pytest.raises(ValueError, match=r"in 'model': widht\. Did you mean width\?"):
        components.check(config)


def test_wrong_usage_imports_no_torch(tmp_path, monkeypatch):
    """The cache is filled by this process, and read by the command."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cached_components(describe_components)
    ran = subprocess.run(
        [sys.executable, "-c", WRONG_USAGE, "task.duratoin=5"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert "Did you mean duration?" in ran.stderr
    assert ran.stdout.strip() == ""  # neither torch, lightning nor pyannote.audio


def begin(run, *arguments):
    """Leave what Hydra writes when a run begins."""
    (run / ".hydra").mkdir(parents=True)
    lines = "".join(f"- {argument}\n" for argument in arguments)
    (run / ".hydra" / "overrides.yaml").write_text(lines)
    (run / "config.yaml").touch()


def test_resuming_repeats_what_began_the_run_but_for_what_is_typed(tmp_path):
    run = tmp_path / "run"
    begin(run, "protocol=P", f"run={run}", "trainer.max_epochs=5", "+database=d.yml")
    typed = [f"run={run}", "+resume=last", "trainer.max_epochs=9"]
    completed = ["protocol=P", "+database=d.yml", *typed]
    assert complete_arguments(typed) == completed
    shutil.rmtree(run)
    begin(run, *completed)  # interrupted and resumed a second time
    assert complete_arguments(typed) == completed


def test_a_checkpoint_brings_the_options_of_its_run(tmp_path):
    begin(tmp_path / "run", "protocol=P", "run=run", "seed=1")
    resume = f"+resume={tmp_path / 'run' / 'checkpoints' / '0001.ckpt'}"
    typed = [resume, "run=other", "seed=2"]
    assert complete_arguments(typed) == ["protocol=P", *typed]
    assert complete_arguments(["+resume=1.ckpt"]) == ["+resume=1.ckpt"]


@pytest.mark.parametrize("content", ["", "- 1\n- 2\n"])
def test_options_that_are_no_texts_are_refused(tmp_path, content):
    begin(tmp_path / "run")
    (tmp_path / "run" / OVERRIDES).write_text(content)
    with pytest.raises(ValueError, match="should list the options"):
        complete_arguments([f"run={tmp_path / 'run'}", "+resume=last"])


def test_the_latest_run_is_resumed_unless_another_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    begin(tmp_path / "runs" / "old", "protocol=old")
    begin(tmp_path / "runs" / "new", "protocol=new")
    os.utime(tmp_path / "runs" / "old" / "config.yaml", (1, 1))
    assert complete_arguments(["+resume=last"]) == [
        *("protocol=new", "+resume=last", "run=runs/new")
    ]
    assert complete_arguments(["protocol=P"]) == ["protocol=P"]


def test_there_has_to_be_a_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="no training to resume in 'runs'"):
        complete_arguments(["+resume=last"])
