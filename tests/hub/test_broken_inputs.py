# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Broken pipelines: one error with the file and a remedy, and no file left.

Each case breaks a pipeline, then tries to convert it.
"""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from refusals import refused

from pyannote_diarizen.hub.conversion import convert

Breaking = Callable[[Path], None]


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("harm",)


# -- ways to break a file of a folder


def cut(name: str) -> Breaking:
    def breaking(folder: Path) -> None:
        path = folder / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return breaking


def write(name: str, content: bytes) -> Breaking:
    return lambda folder: (folder / name).write_bytes(content) and None


def remove(name: str) -> Breaking:
    return lambda folder: (folder / name).unlink()


def replace(name: str, pattern: str, replacement: str) -> Breaking:
    def breaking(folder: Path) -> None:
        text, count = re.subn(pattern, replacement, (folder / name).read_text())
        assert count == 1
        (folder / name).write_text(text)

    return breaking


def change(name: str, edit: Callable[[Any], Any]) -> Breaking:
    """Change what a file of weights holds."""

    def breaking(folder: Path) -> None:
        content = torch.load(folder / name, weights_only=False)
        torch.save(edit(content), folder / name)

    return breaking


def arrays(name: str, edit: Callable[[dict], dict]) -> Breaking:
    def breaking(folder: Path) -> None:
        np.savez(folder / name, **edit(dict(np.load(folder / name))))

    return breaking


def without(key: str) -> Callable[[dict], dict]:
    return lambda content: {k: v for k, v in content.items() if k != key}


def deeper(*keys: str, value: Any) -> Callable[[dict], dict]:
    """Change a value of nested dictionaries."""

    def edit(content: dict) -> dict:
        inner = content
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value
        return content

    return edit


def toml(key: str, value: str) -> Breaking:
    return replace("config.toml", rf"(?m)^{key} = .*$", value)


def yaml_param(key: str, value: Any) -> Breaking:
    def breaking(folder: Path) -> None:
        config = yaml.safe_load((folder / "config.yaml").read_text())
        config["pipeline"]["params"][key] = value
        (folder / "config.yaml").write_text(yaml.safe_dump(config))

    return breaking


WEIGHTS, MINE = "pytorch_model.bin", "embedding/pytorch_model.bin"
ORIGINAL = {
    "cut": (cut(WEIGHTS), r"pytorch_model\.bin' is damaged .*: download it again"),
    "empty": (write(WEIGHTS, b""), r"pytorch_model\.bin' is damaged or no file of w"),
    "web page": (write(WEIGHTS, b"<!DOCTYPE html>"), "damaged .* not a web page"),
    "pointer": (
        write(WEIGHTS, b"version https://git-lfs.github.com/spec/v1\n"),
        "damaged .* pointer of Git LFS",
    ),
    "code": (
        change(WEIGHTS, lambda state: dict(state) | {"hook": Harmful()}),
        r"pytorch_model\.bin' holds Python objects \(.*mkdir.*`weights_only=False`",
    ),
    "no dictionary": (
        change(WEIGHTS, lambda state: [1, 2]),
        r"pytorch_model\.bin' is not a checkpoint .* dictionary of weights",
    ),
    "missing key": (
        change(WEIGHTS, without("classifier.bias")),
        r"original' does not hold .*Missing key\(s\) .*\"classifier\.bias\"",
    ),
    "unknown key": (
        change(WEIGHTS, lambda state: state | {"x.bias": torch.zeros(1)}),
        r"Unexpected key\(s\) .*\"x\.bias\"",
    ),
    "wrong shape": (
        change(WEIGHTS, lambda state: state | {"proj.bias": torch.zeros(3)}),
        r"proj\.bias: .* shape torch\.Size\(\[3\]\).*torch\.Size\(\[16\]\)",
    ),
    "weights gone": (remove(WEIGHTS), r"original' holds no pytorch_model\.bin"),
    "config gone": (remove("config.toml"), r"'original' holds no config\.yaml or conf"),
    "embedding cut": (cut(MINE), r"embedding/pytorch_model\.bin' is damaged"),
    "embedding with code": (
        change(MINE, lambda content: content | {"hook": Harmful()}),
        r"embedding/pytorch_model\.bin' holds Python objects .*`weights_only=False`",
    ),
    "embedding of a package that is not there": (
        change(
            MINE,
            deeper("pyannote.audio", "architecture", "module", value="senko.model"),
        ),
        r"embedding/pytorch_model\.bin' needs a package .* 'senko'",
    ),
    "embedding of a class that is not there": (
        change(MINE, deeper("pyannote.audio", "architecture", "class", value="X")),
        r"embedding/pytorch_model\.bin' does not describe a model .* 'X'",
    ),
    "embedding of a function": (
        change(
            MINE,
            lambda content: deeper(
                *("pyannote.audio", "architecture"),
                value={"module": "os", "class": "mkdir"},
            )(content | {"hyper_parameters": {"path": "harm"}}),
        ),
        r"embedding/pytorch_model\.bin' does not describe a model .* mkdir is no model",
    ),
    "embedding with other options": (
        change(MINE, deeper("hyper_parameters", "num_channels", value="one")),
        r"embedding/pytorch_model\.bin' does not describe a model .* mono audio",
    ),
    "embedding of pyannote to come": (
        change(
            MINE,
            deeper("pyannote.audio", "versions", "pyannote.audio", value="9.0.0"),
        ),
        r"embedding/pytorch_model\.bin' .*pyannote\.audio.*9\.0",
    ),
    "embedding without weights": (
        change(MINE, without("state_dict")),
        r"embedding/pytorch_model\.bin' does not describe .* 'state_dict'",
    ),
    "no TOML": (toml("num_layer", "num_layer = 2 layers"), r"is not TOML: .*line 18"),
    "TOML in another encoding": (
        write("config.toml", 'author = "José"'.encode("latin-1")),
        r"config\.toml' is not TOML",
    ),
    "unknown key of TOML": (
        toml("ffn_hidden", "ffn_hiden = 24"),
        r"Unknown key.*config\.toml': ffn_hiden\. Did you mean ffn_hidden",
    ),
    "unknown model": (
        toml("path", 'path = "diarizen.Mamba"'),
        r"`path` in \[model\] of '.*config\.toml' should be one of .* 'diarizen\.Mam",
    ),
    "missing value": (toml("Fa", ""), r"\[clustering\.args\] of .*\.toml' lacks Fa"),
    "text for a number": (
        toml("lda_dim", 'lda_dim = "128"'),
        r"lda_dim in .*config\.toml' should be of type int, got '128'",
    ),
    "unknown clustering": (
        toml("method", 'method = "Spectral"'),
        r"`method` in .*config\.toml' should be VBx.* or Agg.*, got 'Spectral'",
    ),
    "more at once than there are": (
        toml("max_speakers_per_frame", "max_speakers_per_frame = 5"),
        r"config\.toml' are not valid: max_speakers_per_frame .* got 5 and 4",
    ),
    "heads that do not divide": (
        toml("num_head", "num_head = 5"),
        r"\[model\.args\] of '.*config\.toml' are not valid",
    ),
    "WavLM gone": (remove("wavlm.bin"), r"`wavlm_src` .* Put '/home/somebody.* th"),
    "WavLM cut": (cut("wavlm.bin"), r"wavlm\.bin' is damaged"),
    "WavLM without its gates": (
        change(
            "wavlm.bin",
            deeper("config", "encoder_prune_attention_heads", value=True),
        ),
        r"Missing key\(s\) .*hard_concrete_for_heads\.log_alpha",
    ),
    "PLDA gone": (remove("plda/plda.npz"), r"original/plda' holds no plda\.npz"),
    "PLDA cut": (
        cut("plda/plda.npz"),
        r"plda\.npz' is no part of a PLDA.*Fetch it again",
    ),
    "PLDA without an array": (
        arrays("plda/plda.npz", without("psi")),
        r"plda\.npz' is no part of a PLDA: should hold mu, tr, psi, lacks psi",
    ),
    "PLDA of other shapes": (
        arrays("plda/plda.npz", lambda held: held | {"psi": np.ones(3)}),
        r"plda/plda\.npz' make no PLDA: `psi` .* got \(3,\): do the files go tog",
    ),
    "PLDA with code": (
        arrays("plda/plda.npz", lambda held: held | {"mu": np.array([Harmful()])}),
        r"plda\.npz' is no part of a PLDA",
    ),
    "more dimensions than there are": (
        toml("lda_dim", "lda_dim = 129"),
        "'original': `lda_dimension` should be between 1 and 128.* got 129",
    ),
}
CONVERTED = {
    "no YAML": (write("config.yaml", b"pipeline: ["), r"config\.yaml' is not YAML"),
    "no pipeline": (write("config.yaml", b"a: 1"), r"config\.yaml' describes no pipe"),
    "pipeline without name": (
        write("config.yaml", b"pipeline: {params: {}}"),
        r"config\.yaml' describes no pipeline: it lacks `pipeline` with a `name`",
    ),
    "unknown option": (
        yaml_param("medianfilter", 11),
        "'converted': Unknown .* of DiariZen: medianfilter. Did you mean median_fil",
    ),
    "value out of range": (
        yaml_param("median_filter", 4),
        "'converted': .* odd number .* got 4",
    ),
    "unknown class": (
        replace("config.yaml", "name: .*", "name: pyannote_diarizen.Diarizen"),
        "'converted' cannot be loaded.*Diarizen",
    ),
    "missing package": (
        replace("config.yaml", "dependencies:", "dependencies:\n  suplime: 0.2.0"),
        "'converted' cannot be loaded.*suplime",
    ),
    "newer package": (
        replace("config.yaml", r"pyannote-diarizen: .*", "pyannote-diarizen: 9.0.0"),
        r"'converted' cannot be loaded.*pyannote-diarizen.*9\.0",
    ),
    "text as hyper-parameter": (
        replace("config.yaml", "Fb: .*", "Fb: low"),
        "'converted': `params`: clustering.Fb should be a number, got 'low'",
    ),
    "NaN as hyper-parameter": (
        replace("config.yaml", "Fb: .*", "Fb: .nan"),
        "'converted': `params`: clustering.Fb should be a number, got nan",
    ),
    "missing hyper-parameter": (
        replace("config.yaml", "Fb: .*", ""),
        "'converted': `params` lacks clustering.Fb",
    ),
    "cut segmentation": (
        cut("segmentation/pytorch_model.bin"),
        r"segmentation/pytorch_model\.bin' is damaged",
    ),
    "folder gone": (
        lambda folder: shutil.rmtree(folder / "plda"),
        r"converted/plda' holds no xvec_transform\.npz",
    ),
}


@pytest.mark.parametrize(
    ("name", "breaking", "message"),
    [
        *(("original", *case) for case in ORIGINAL.values()),
        *(("converted", *case) for case in CONVERTED.values()),
    ],
    ids=[*ORIGINAL, *CONVERTED],
)
def test_a_broken_pipeline(here, name, breaking, message):
    breaking(here / name)
    with refused(here, message):
        convert(name, Path("new"))
    assert not Path("harm").exists()
