# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What is found to be wrong with a machine."""

from types import SimpleNamespace

import pytest
import torch
from huggingface_hub import constants
from published import write_embedding, write_original

from pyannote_diarizen.diagnosis import machine as doctor
from pyannote_diarizen.installation import ImportFailure
from pyannote_diarizen.pipelines import DiariZen
from pyannote_diarizen.pipelines.original_config import EMBEDDING

NAME = "diarizen-wavlm-base-s80-md"


def found(topic: str, **options) -> doctor.Finding:
    findings = [f for f in doctor.examine(**options) if f.text.startswith(topic)]
    assert len(findings) == 1
    return findings[0]


@pytest.fixture(autouse=True)
def loading(monkeypatch):
    """Replace the import of everything in another process, which takes seconds."""
    monkeypatch.setattr(doctor, "find_import_failure", lambda: None)


@pytest.fixture
def imports(monkeypatch):
    """Replace what importing a module gives; None makes it fail."""
    import_module = doctor.import_module

    def replace(name, module):
        def imported(wanted):
            if wanted != name:
                return import_module(wanted)
            if module is None:
                raise OSError("undefined symbol: _ZN\nand more lines")
            return module

        monkeypatch.setattr(doctor, "import_module", imported)

    return replace


def graphics(count=0, mps=False, cuda="13.0", version="2.11.0+cu130"):
    gpu = SimpleNamespace(name="NVIDIA H200", total_memory=139 * 2**30)
    return SimpleNamespace(
        cuda=SimpleNamespace(
            is_available=lambda: count > 0,
            device_count=lambda: count,
            get_device_properties=lambda number: gpu,
        ),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: mps)),
        version=SimpleNamespace(cuda=cuda),
        __version__=version,
    )


def test_a_module_that_does_not_load_comes_with_a_remedy(monkeypatch):
    failure = ImportFailure("torchaudio", "undefined symbol: _ZN")
    monkeypatch.setattr(doctor, "find_import_failure", lambda: failure)
    finding = found("imports: torchaudio")
    assert finding.status == "error"
    assert finding.text.endswith(": undefined symbol: _ZN")
    assert finding.remedy.startswith('pip install "torchaudio')


def test_without_torch_the_rest_is_examined(imports):
    imports("torch", None)
    assert found("GPU: undefined symbol: _ZN and more lines").status == "error"
    assert found("cache: ").status == "ok"


def test_formats_that_cannot_be_read_are_an_error(imports):
    imports("av", None)
    finding = found("audio: ")
    assert finding.status == "error"
    assert "WebM and video are not, since av cannot be imported: undef" in finding.text
    assert finding.remedy == "pip install --force-reinstall av"
    imports("av", SimpleNamespace(__version__="14.0.0"))
    finding = found("audio: ")
    assert finding.status == "ok"
    assert finding.text.endswith("by av 14.0.0, without FFmpeg")


@pytest.mark.parametrize(
    ("machine", "driver", "status", "text", "remedy"),
    [
        ({"count": 2}, True, "ok", "NVIDIA H200, 139 GB; NVIDIA H200, 139 GB", ""),
        ({"mps": True}, False, "ok", "GPU: Apple, with --device mps", ""),
        ({}, False, "ok", "GPU: none, ", ""),
        ({}, True, "warning", "CUDA 13.0, finds no GPU", "update its driver"),
        ({"cuda": None}, True, "warning", "built for CPUs", "pip install"),
    ],
)
def test_graphics_cards(imports, monkeypatch, machine, driver, status, text, remedy):
    monkeypatch.setattr(doctor.shutil, "which", lambda _: "/driver" if driver else None)
    imports("torch", graphics(**machine))
    finding = found("GPU: ")
    assert (finding.status, text in finding.text) == (status, True)
    assert remedy in finding.remedy
    assert bool(remedy) == bool(finding.remedy)


def test_the_cache_is_told_with_what_it_holds(hub, tmp_path):
    assert "holds none of the published pipelines" in found("cache: ").text
    write_original(hub.root / "BUT-FIT" / NAME)
    write_embedding(hub.root / EMBEDDING)
    mine = tmp_path / "mine"
    DiariZen.from_pretrained(f"BUT-FIT/{NAME}", cache_dir=mine)
    finding = found("cache: ", cache_dir=mine)
    assert finding.text.startswith(f"cache: {mine}, ")
    assert finding.text.endswith(f" GB free, holds {NAME}")
    assert "none of" in found("cache: ").text


def test_a_cache_that_cannot_be_written_to_is_a_warning(tmp_path):
    (tmp_path / "file").touch()
    finding = found("cache: ", cache_dir=tmp_path / "file" / "cache")
    assert finding.status == "warning"
    assert "HF_HOME" in finding.remedy


def test_the_state_of_the_hub_is_told_without_asking_it(hub, monkeypatch):
    assert found("hub: ").text.endswith("without token")
    assert found("hub: ", token="hf_x").text.endswith("with token")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert found("hub: ").text.startswith("hub: offline, since HF_HUB_OFFLINE is set")
    assert hub.requests == []


def test_a_checkpoint_is_loaded(hub, tmp_path):
    original = write_original(tmp_path / "a")
    write_embedding(original / "embedding")
    finding = found(f"'{original}'", checkpoint=original)
    assert finding.status == "ok"
    assert "can be loaded: pipeline DiariZen of WavLMConformer in ch" in finding.text


def test_a_checkpoint_that_cannot_be_loaded_is_an_error_in_one_line(tmp_path):
    original = write_original(tmp_path / "a", ffn_hidden="25")
    write_embedding(original / "embedding")
    finding = found(f"'{original}' cannot be loaded: ", checkpoint=original)
    assert finding.status == "error"
    assert "size mismatch for conformer" in finding.text
    assert "\n" not in finding.text


def test_a_file_that_holds_code_is_an_error(tmp_path):
    path = tmp_path / "a.pt"
    torch.save({"hook": SimpleNamespace()}, path)
    assert "SimpleNamespace" in found(f"'{path}'", checkpoint=path).text
    text = found(f"'{path}'", checkpoint=path, weights_only=False).text
    assert "is not a known WavLM" in text
