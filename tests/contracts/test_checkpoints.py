# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Every row of docs/checkpoints.md, on a small checkpoint of the same format."""

import argparse
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torchaudio
from fake_hub import serve
from foreign_wavlm import CONVS, microsoft_file, torchaudio_model
from published import WAVLM, plda, segmentation_model, write_embedding, write_original
from pyannote.audio.models.segmentation import PyanNet
from safetensors.torch import load_file
from typer.testing import CliRunner

from pyannote_diarizen.cli.main import app
from pyannote_diarizen.hub.conversion import convert
from pyannote_diarizen.models import FBankConformer, MultiChannelWavLMConformer
from pyannote_diarizen.models.original_checkpoint import CONFIG
from pyannote_diarizen.pipelines.original_config import EMBEDDING
from pyannote_diarizen.wavlm import WavLM, WavLMConfig

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "checkpoints.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (?!checkpoint|from)(.+) \| `(.+)` \| (\S+) \|$", PAGE, re.M)
(IMPORTS,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
PUBLISHED = "BUT-FIT/diarizen-wavlm-base-s80-md"
MODEL = """
[model]
path = "diarizen.models.eend.model_{}.Model"
[model.args]
chunk_size = 3
max_speakers_per_chunk = 4
"""


# -- small checkpoints, by the name that the page calls them


def write_experiment(folder: Path) -> None:
    write_original(folder)
    config = (folder / CONFIG).read_text().partition("[inference.args]")[0]
    (folder / CONFIG).write_text(config)
    shutil.rmtree(folder / "plda")


def write_model(kind: str, model: torch.nn.Module, args: str = "") -> Callable:
    model.specifications = segmentation_model().specifications
    model.setup()

    def write(folder: Path) -> None:
        folder.mkdir()
        (folder / CONFIG).write_text(MODEL.format(kind) + args)
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
        torch.save({"config": WAVLM, "state_dict": {}}, folder / "wavlm.bin")

    return write


def write_diarizen(folder: Path) -> None:
    write_original(folder)
    write_embedding(folder / "embedding")


def write_objects(folder: Path) -> None:
    write_diarizen(folder)
    path = folder / "embedding" / "pytorch_model.bin"
    content = torch.load(path, weights_only=False)
    torch.save({**content, "args": argparse.Namespace()}, path)


def write_converted(folder: Path) -> None:
    write_diarizen(folder.with_name("source"))
    convert(folder.with_name("source"), folder)


def write_huggingface_bin(folder: Path) -> None:
    wavlm().save_huggingface(folder)
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = {"original0": "weight_g", "original1": "weight_v"}
    old = {
        re.sub(r"parametrizations\.weight\.(\w+)", lambda kind: names[kind[1]], key): w
        for key, w in weights.items()
    }
    torch.save(old, folder / "pytorch_model.bin")


def wavlm(**changes: object) -> WavLM:
    torch.manual_seed(6)
    return WavLM(WavLMConfig.from_dict(WAVLM | changes))


PRUNED = {
    "encoder_remaining_heads": [[1, 3], []],
    "encoder_use_attention": [True, False],
    "encoder_ff_interm_features": [7, 11],
}
CONFORMER = {"attention_in": 16, "ffn_hidden": 24, "num_layer": 1}
ARGS = "".join(f"{name} = {value}\n" for name, value in CONFORMER.items())
FUSION = {"channel_fusion_dim": 16, "channel_fusion_layers": 1}
WRITERS: dict[str, Callable[[Path], object]] = {
    "diarizen": write_diarizen,
    "experiment": write_experiment,
    "embedding": write_embedding,
    "converted": write_converted,
    "objects": write_objects,
    "channels": write_model(
        "wavlm_conformer_mc",
        MultiChannelWavLMConformer(WAVLM, **FUSION, **CONFORMER),
        f'wavlm_src = "wavlm.bin"\n{ARGS}'
        + "".join(f"{name} = {value}\n" for name, value in FUSION.items()),
    ),
    "fbank": write_model("fbank_conformer", FBankConformer(**CONFORMER), ARGS),
    "baseline": write_model(
        "pyannote", PyanNet(lstm={"num_layers": 4, "dropout": 0.5})
    ),
    "WavLM-Base+.pt": lambda path: torch.save(
        microsoft_file(wavlm(extractor_conv_layer_config=CONVS)), path
    ),
    "wavlm-base-plus": lambda path: wavlm().save_huggingface(path),
    "wavlm-base": write_huggingface_bin,
    "wavlm_large.pth": lambda path: torch.save(
        torchaudio_model(layer_norm=True).state_dict(), path
    ),
    "wavlm-base-converted.bin": lambda path: wavlm().save(path),
    "pruned.bin": lambda path: wavlm(**PRUNED).save(path),
    "plda": lambda path: plda().save(path),
    "kaldi": lambda path: plda().save_kaldi(path),
}


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Hub with what the page takes from there."""
    for hub in serve(tmp_path, monkeypatch):
        write_original(hub.root / PUBLISHED)
        write_embedding(hub.root / EMBEDDING)
        wavlm().save_huggingface(hub.root / "microsoft" / "wavlm-base-plus")
        yield hub


def test_every_row_is_run():
    assert len(ROWS) == sum(
        line.startswith("| ") and not line.startswith(("| checkpoint", "| from"))
        for line in PAGE.splitlines()
    )
    named = {
        word.partition("/")[0]
        for _, code, _ in ROWS
        for word in re.split(r'[\s"(),]+', code)
    }
    assert named >= set(WRITERS)


@pytest.mark.parametrize(("kind", "code", "gives"), ROWS, ids=[row[0] for row in ROWS])
def test_a_row(hub, tmp_path, monkeypatch, kind, code, gives):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    large = SimpleNamespace(get_model=lambda: torchaudio_model(layer_norm=True))
    monkeypatch.setattr(torchaudio.pipelines, "WAVLM_LARGE", large)
    for name in {word.partition("/")[0] for word in re.split(r'[\s"(),]+', code)}:
        if name in WRITERS:
            WRITERS[name](Path(name).absolute())

    if code.startswith("pyannote-diarizen "):
        result = CliRunner().invoke(app, shlex.split(code)[1:])
        assert result.exit_code == 0, result.output
    else:
        names: dict = {}
        exec(IMPORTS, names)
        result = eval(code, names)
    if "/" in gives:
        assert Path(gives).is_file()
    else:
        assert type(result).__name__ == gives
