# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Runs that take a second: noise as recordings, models of a few hundred weights."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from tiny_wavlm import CONFIG, SMALL, save_segmentation

from pyannote_diarizen.models import WavLMConformer
from pyannote_diarizen.resources import resource_folder
from pyannote_diarizen.training.configuration import register_components

DURATION = 6.0
PROTOCOL = "Noise.SpeakerDiarization.Tiny"
DATABASE = """
Databases:
  Noise: {folder}/{{uri}}.wav
Protocols:
  Noise:
    SpeakerDiarization:
      Tiny:
        scope: file
        train: {{uri: train.lst, annotation: all.rttm, annotated: all.uem}}
        development: {{uri: development.lst, annotation: all.rttm, annotated: all.uem}}
      NoDevelopment:
        scope: file
        train: {{uri: train.lst, annotation: train.rttm, annotated: train.uem}}
"""
TINY_CONFORMER = {
    "attention_in": 8,
    "ffn_hidden": 8,
    "num_head": 2,
    "num_layer": 1,
    "kernel_size": 3,
}
TINY = {
    "model": "FBankConformer",
    **{f"model.{name}": value for name, value in TINY_CONFORMER.items()},
    "model.n_mels": 8,
    "task.duration": 1.0,
    "task.max_speakers_per_chunk": 2,
    "task.batch_size": 2,
    "task.batches_per_epoch": 3,
    "task.num_workers": 0,
    "trainer.accelerator": "cpu",
    "trainer.devices": 1,
    # pictures take longer than training
    "callbacks.chunks": "null",
    "callbacks.curves": "null",
    "+trainer.enable_progress_bar": False,
    "+trainer.enable_model_summary": False,
}


@pytest.fixture(scope="session")
def database(tmp_path_factory) -> Path:
    """`database.yml` of two recordings to train on, one to validate on."""
    folder = tmp_path_factory.mktemp("noise")
    rng = np.random.default_rng(1)
    rttm, uem = [], []
    for uri in ("a", "b", "c"):
        noise = 0.1 * rng.standard_normal(int(DURATION * 16000))
        soundfile.write(folder / f"{uri}.wav", noise, 16000)
        for k, start in enumerate((0.5, 2.5, 3.5)):
            turn = f"SPEAKER {uri} 1 {start} 1.5 <NA> <NA> {uri}{k % 2} <NA> <NA>"
            rttm.append(turn)
        uem.append(f"{uri} 1 0.0 {DURATION}")
    for name, num in (("all", 3), ("train", 2)):
        (folder / f"{name}.rttm").write_text("\n".join(rttm[: 3 * num]) + "\n")
        (folder / f"{name}.uem").write_text("\n".join(uem[:num]) + "\n")
    (folder / "train.lst").write_text("a\nb\n")
    (folder / "development.lst").write_text("c\n")
    (folder / "database.yml").write_text(DATABASE.format(folder=folder))
    return folder / "database.yml"


@pytest.fixture
def tiny(database) -> dict:
    """Options of a tiny run."""
    return {"protocol": PROTOCOL, "+database": database, **TINY}


@pytest.fixture
def configure(tiny, tmp_path) -> Callable[..., DictConfig]:
    """Compose what `pyannote-audio-train` would, for a tiny run."""
    register_components()

    def compose_config(**options) -> DictConfig:
        given = {
            "run": tmp_path / "run",
            **tiny,
            **{name.replace("__", "."): value for name, value in options.items()},
        }
        folder = str(resource_folder("hparams").resolve())
        with initialize_config_dir(folder, version_base="1.3"):
            typed = [f"{k}={v}" for k, v in given.items() if v is not None]
            return compose("config", typed)

    return compose_config


@pytest.fixture(scope="session")
def wavlm_teacher(tmp_path_factory) -> Path:
    """Checkpoint of the model of `tiny_wavlm`."""
    torch.manual_seed(0)
    model = WavLMConformer(wavlm=CONFIG.to_dict(), **SMALL)
    return save_segmentation(model, tmp_path_factory.mktemp("teacher") / "teacher.bin")
