# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import json
import zlib

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from pyannote_diarizen.wavlm import PREDEFINED, WavLM, WavLMConfig, get_config
from pyannote_diarizen.wavlm.predefined import ORIGINAL

NAMES = [
    pytest.param(name, marks=[pytest.mark.slow] * (name == "wavlm_large"))
    for name in ORIGINAL
]


def test_name_may_be_in_any_case():
    assert get_config("WavLM_Large_S80_MD") is PREDEFINED["wavlm_large_s80_md"]


def test_configuration_is_returned_as_it_is(tiny_config):
    config = tiny_config()
    assert get_config(config) is config
    assert get_config(config.to_dict()) == config


def test_unknown_name_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'wavlm_huge'.*wavlm_base, wavlm_large"):
        get_config("wavlm_huge")


def test_the_tiny_one_is_small_and_has_frames_of_20_ms():
    wavlm = WavLM(get_config("wavlm_tiny")).eval()
    assert sum(p.numel() for p in wavlm.parameters()) < 1e6
    with torch.inference_mode():
        layers, _ = wavlm.extract_features(torch.zeros(1, 16000))
    assert [tuple(layer.shape) for layer in layers] == 5 * [(1, 49, 96)]


def test_configuration_of_another_type_is_an_error():
    with pytest.raises(TypeError, match="got list"):
        get_config(["wavlm_base"])


@pytest.mark.parity
@pytest.mark.parametrize("name", ORIGINAL)
def test_configuration_is_that_of_the_original(parity, name):
    stored = json.loads((parity / "fullsize" / f"{name}.config.json").read_text())
    assert WavLMConfig.from_dict(stored) == get_config(name)


@pytest.mark.parity
@pytest.mark.parametrize("name", ORIGINAL)
def test_weights_have_the_names_and_shapes_of_the_original(parity, name):
    info = json.loads((parity / "fullsize" / f"{name}.info.json").read_text())
    with torch.device("meta"):
        wavlm = WavLM(get_config(name))
    shapes = {key: list(weight.shape) for key, weight in wavlm.state_dict().items()}
    assert shapes == info["keys"]
    assert sum(p.numel() for p in wavlm.parameters()) == info["num_params"]


def recipe(seed: int, key: str, shape: torch.Size) -> torch.Tensor:
    """Weights that the reference outputs were computed with."""
    state = np.random.RandomState(zlib.crc32(f"{seed}:{key}".encode()))
    z = state.standard_normal(shape)
    if key.endswith("bias"):
        z = 0.05 * z
    elif key.endswith("rel_attn_embed.weight"):
        z = 0.5 * z
    elif key.endswith(("gru_rel_pos_const", "original0")) or z.ndim <= 1:
        z = 1 + 0.1 * z
    elif not key.endswith("original1"):
        z = z / np.sqrt(np.prod(z.shape[1:]))
    return torch.from_numpy(z.astype(np.float32))


@pytest.mark.parity
@pytest.mark.parametrize("name", NAMES)
def test_full_size_model_gives_the_representations_of_the_original(parity, name):
    info = json.loads((parity / "fullsize" / f"{name}.info.json").read_text())
    expected = load_file(parity / "fullsize" / f"{name}.io.safetensors")
    with torch.device("meta"):
        wavlm = WavLM(get_config(name)).eval()
    seed = info["seed"]
    state = {key: recipe(seed, key, w.shape) for key, w in wavlm.state_dict().items()}
    wavlm = WavLM(get_config(name)).eval()
    wavlm.load_state_dict(state)
    with torch.inference_mode():
        actual = torch.stack(wavlm.extract_features(expected["waveform"])[0])
    assert actual.shape == tuple(expected["shape"])
    torch.testing.assert_close(
        actual[:, :, :6, :24], expected["reps_slice"], atol=5e-5, rtol=1e-5
    )
    stds = torch.tensor(info["rep_std"], dtype=actual.dtype)
    torch.testing.assert_close(actual.flatten(1).std(1), stds, atol=1e-4, rtol=1e-4)
