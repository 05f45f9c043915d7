# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import json
import shutil
from collections.abc import Iterator

import pytest
import torch
from fake_hub import FakeHub, serve
from safetensors.torch import load_file, save_file

from pyannote_diarizen.errors import CheckpointMismatchError
from pyannote_diarizen.wavlm import WavLM, WavLMConfig

TOLERANCE = {"atol": 5e-5, "rtol": 1e-5}


@pytest.fixture
def folder(tiny_config, tmp_path):
    """Folder of a tiny `WavLMModel`."""
    torch.manual_seed(3)
    WavLM(tiny_config()).save_huggingface(tmp_path / "wavlm-tiny")
    return tmp_path / "wavlm-tiny"


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Iterator[FakeHub]:
    """Hub that serves what is put into `hub.root`; the cache is empty."""
    yield from serve(tmp_path, monkeypatch)


def change(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parity
@pytest.mark.parametrize("name", ["base", "large"])
@torch.inference_mode()
def test_conversion_is_that_of_the_original(parity, tmp_path, name):
    stem = parity / "hf" / name
    shutil.copy(f"{stem}.hf_config.json", tmp_path / "config.json")
    shutil.copy(f"{stem}.hf_state.safetensors", tmp_path / "model.safetensors")
    wavlm = WavLM.from_pretrained(tmp_path).eval()
    config = json.loads((parity / "hf" / f"{name}.converted_config.json").read_text())
    keys = json.loads((parity / "hf" / f"{name}.converted_keys.json").read_text())
    assert wavlm.config == WavLMConfig.from_dict(config)
    assert sorted(wavlm.state_dict()) == sorted(keys)
    io = load_file(f"{stem}.io.safetensors")
    representations, _ = wavlm.extract_features(io["waveform"])
    torch.testing.assert_close(torch.stack(representations), io["reps"], **TOLERANCE)


@pytest.mark.parametrize("layer_norm", [True, False])
@pytest.mark.parametrize("normalize", [True, False])
def test_round_trip_gives_the_same_model_back(
    tiny_config, tmp_path, layer_norm, normalize
):
    config = tiny_config(
        layer_norm,
        normalize_waveform=normalize,
        extractor_conv_bias=True,
        encoder_dropout=0.2,
    )
    wavlm = WavLM(config)
    wavlm.save_huggingface(tmp_path)
    loaded = WavLM.from_pretrained(str(tmp_path))
    assert loaded.config == config
    for key, weight in wavlm.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], weight), key
    names = {"config.json", "model.safetensors", "preprocessor_config.json"}
    assert {path.name for path in tmp_path.iterdir()} == names


@pytest.mark.parametrize("layer_norm", [True, False])
@torch.inference_mode()
def test_transformers_reads_what_we_write_and_we_what_it_writes(
    tiny_config, tmp_path, layer_norm
):
    transformers = pytest.importorskip("transformers", reason="to compare with")
    ours = WavLM(tiny_config(layer_norm)).eval()
    ours.save_huggingface(tmp_path / "ours")
    theirs, info = transformers.WavLMModel.from_pretrained(
        tmp_path / "ours", output_loading_info=True
    )
    assert not any(info.values())
    prepare = transformers.AutoFeatureExtractor.from_pretrained(tmp_path / "ours")
    waveform = 0.1 + torch.randn(4000)
    prepared = prepare(waveform.numpy(), sampling_rate=16000, return_tensors="pt")
    states = theirs(prepared.input_values, output_hidden_states=True).hidden_states
    representations, _ = ours.extract_features(waveform[None])
    torch.testing.assert_close(representations, list(states), **TOLERANCE)

    theirs.save_pretrained(tmp_path / "theirs")
    for source in (tmp_path / "theirs", theirs):
        loaded = WavLM.from_pretrained(source).eval()
        assert loaded.config == ours.config
        assert torch.equal(loaded(waveform[None])[0], ours(waveform[None])[0])


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.safetensors"])
def test_weights_are_found_in_either_format_and_under_either_name(folder, name):
    expected = WavLM.from_pretrained(folder).state_dict()
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    old = {
        key.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): weight
        for key, weight in weights.items()
    }
    old["masked_spec_embed"] = torch.zeros(32)
    assert old.keys() != weights.keys()
    if name == "pytorch_model.bin":
        torch.save(old, folder / name)
    else:
        save_file(old, folder / name)
    for key, weight in WavLM.from_pretrained(folder).state_dict().items():
        assert torch.equal(weight, expected[key]), key


def test_the_head_of_a_task_is_left_out(folder):
    expected = WavLM.from_pretrained(folder)
    weights = load_file(folder / "model.safetensors")
    weights = {f"wavlm.{key}": weight for key, weight in weights.items()}
    save_file(
        weights | {"tdnn.0.kernel.bias": torch.zeros(3)}, folder / "a.safetensors"
    )
    (folder / "a.safetensors").replace(folder / "model.safetensors")
    loaded = WavLM.from_pretrained(folder)
    for key, weight in expected.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], weight), key


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encoder_use_attention": [True, False]}, "this WavLM is pruned"),
        ({"encoder_use_feed_forward": [False, True]}, "this WavLM is pruned"),
        ({"encoder_remaining_heads": [[0, 1, 2, 3], [1]]}, "this WavLM is pruned"),
        ({"encoder_remaining_heads": [[0, 1, 2]] * 2}, "this WavLM is pruned"),
        ({"encoder_ff_interm_features": [48, 47]}, "this WavLM is pruned"),
        ({"aux_num_out": 3}, "no linear head"),
    ],
    ids=str,
)
def test_what_transformers_does_not_know_is_an_error(
    tiny_config, tmp_path, changes, message
):
    with pytest.raises(ValueError, match=message):
        WavLM(tiny_config(**changes)).save_huggingface(tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_scales_left_by_pruning_are_an_error(tiny_config, tmp_path):
    wavlm = WavLM(tiny_config())
    wavlm.feature_extractor.dummy_weight[0] = 0.5
    with pytest.raises(ValueError, match="no scales after its convolutions"):
        wavlm.save_huggingface(tmp_path / "a")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model_type": "hubert"}, "`model_type` should be 'wavlm', got 'hubert'"),
        ({"hidden_act": "relu"}, "`hidden_act` should be 'gelu'"),
        ({"layer_norm_eps": 1e-12}, "`layer_norm_eps` should be"),
        ({"feat_extract_activation": "relu"}, "`feat_extract_activation` should"),
        ({"conv_stride": [5]}, "is not a known WavLM"),
        ({"hidden_size": "32"}, "is not a known WavLM"),
    ],
    ids=str,
)
def test_another_structure_is_an_error(folder, values, message):
    change(folder, **values)
    with pytest.raises(ValueError, match=message):
        WavLM.from_pretrained(folder)


def test_a_size_that_is_not_that_of_the_weights_is_an_error(folder):
    change(folder, intermediate_size=49)
    with pytest.raises(CheckpointMismatchError, match="size mismatch for encoder"):
        WavLM.from_pretrained(folder)


def test_a_missing_field_is_named(folder):
    config = json.loads((folder / "config.json").read_text())
    del config["num_buckets"]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointMismatchError, match="lacks 'num_buckets'"):
        WavLM.from_pretrained(folder)


def test_a_configuration_that_is_not_json_is_an_error(folder):
    (folder / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"config\.json' is not JSON"):
        WavLM.from_pretrained(folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_an_incomplete_folder_is_an_error(folder, name):
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"wavlm-tiny' holds no {name}"):
        WavLM.from_pretrained(folder)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.safetensors"])
def test_a_name_is_fetched_from_the_hub_once(hub, folder, name):
    repository = hub.root / "owner" / "wavlm-tiny"
    shutil.copytree(folder, repository)
    if name == "pytorch_model.bin":
        torch.save(load_file(folder / "model.safetensors"), repository / name)
        (repository / "model.safetensors").unlink()
    options = {"revision": "main", "token": hub.token}
    config = WavLM.from_pretrained("owner/wavlm-tiny", **options).config
    assert config == WavLM.from_pretrained(folder).config
    hub.stop()
    assert WavLM.from_pretrained("owner/wavlm-tiny").config == config


def test_a_name_that_the_hub_does_not_know_is_an_error(hub):
    with pytest.raises(FileNotFoundError, match="There is no 'owner/wavlm-tiny' on d"):
        WavLM.from_pretrained("owner/wavlm-tiny")
