# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Dotted paths that checkpoints and config.yaml files store: they never move."""

import importlib
import inspect
from importlib.metadata import entry_points, version

import pytest

import pyannote_diarizen.models
from pyannote_diarizen.export import Exporter

PUBLIC = [
    "pyannote_diarizen.clustering.AgglomerativeClustering",
    "pyannote_diarizen.clustering.AutoClustering",
    "pyannote_diarizen.clustering.HybridClustering",
    "pyannote_diarizen.clustering.PLDA",
    "pyannote_diarizen.clustering.VBxClustering",
    "pyannote_diarizen.export.Exporter",
    "pyannote_diarizen.models.FBankConformer",
    "pyannote_diarizen.models.MultiChannelWavLMConformer",
    "pyannote_diarizen.models.SpeakerResNet",
    "pyannote_diarizen.models.WavLMConformer",
    "pyannote_diarizen.pipelines.DiariZen",
    "pyannote_diarizen.pipelines.DiariZenPipeline",
    "pyannote_diarizen.pipelines.Fusion",
    "pyannote_diarizen.tasks.DistillationPruning",
    "pyannote_diarizen.tasks.PowersetDiarization",
    "pyannote_diarizen.tasks.SpeakerEmbedding",
    "pyannote_diarizen.wavlm.WavLM",
    "pyannote_diarizen.wavlm.WavLMConfig",
]
# pyannote.audio stores the module that defines a model, not the one that exports it
DEFINED = [
    "pyannote_diarizen.models.fbank_conformer.FBankConformer",
    "pyannote_diarizen.models.multi_channel_wavlm_conformer.MultiChannelWavLMConformer",
    "pyannote_diarizen.models.speaker_resnet.SpeakerResNet",
    "pyannote_diarizen.models.wavlm_conformer.WavLMConformer",
]
GROUPS = ["clustering", "models", "pipelines", "tasks"]


@pytest.mark.parametrize("path", PUBLIC)
def test_public_names_stay_where_they_are(path):
    module, _, name = path.rpartition(".")
    assert inspect.isclass(getattr(importlib.import_module(module), name))


@pytest.mark.parametrize("path", DEFINED)
def test_checkpoints_find_the_module_of_their_model(path):
    module, _, name = path.rpartition(".")
    model = getattr(importlib.import_module(module), name)
    assert model.__module__ == module


def test_no_model_is_forgotten():
    names = {path.rpartition(".")[2] for path in DEFINED}
    assert names == set(pyannote_diarizen.models.__all__)


@pytest.mark.parametrize("group", GROUPS)
def test_components_are_registered_under_their_own_names(group):
    """As installed: reinstall after a change of the entry points."""
    registered = entry_points(group=f"pyannote_diarizen.{group}")
    paths = [f"pyannote_diarizen.{group}.{point.name}" for point in registered]
    assert paths
    missing = sorted(set(paths) - set(PUBLIC))
    assert not missing, f"add to PUBLIC of this file: {', '.join(missing)}"
    for point in registered:
        assert point.load().__name__ == point.name


def test_exporters_are_registered_under_the_names_that_descriptions_store():
    registered = entry_points(group="pyannote_diarizen.exporters")
    assert registered.names >= {"onnx", "safetensors", "torchscript"}
    for point in registered:
        assert issubclass(point.load(), Exporter)


def test_the_version_is_that_of_the_distribution():
    assert pyannote_diarizen.__version__ == version("pyannote-diarizen")
