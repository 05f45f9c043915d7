# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import pytest
import torch

from pyannote_diarizen.wavlm import WavLM, WavLMConfig


def test_dictionary_gives_the_same_configuration_back(tiny_config):
    config = tiny_config(encoder_remaining_heads=[[1, 3], [0]])
    assert WavLMConfig.from_dict(config.to_dict()) == config


def test_dictionary_is_made_of_plain_values(tiny_config):
    for value in tiny_config().to_dict().values():
        assert isinstance(value, list | str | int | float | bool | None)


def test_no_convolution_given_means_those_of_the_original(tiny_config):
    config = tiny_config().to_dict() | {"extractor_conv_layer_config": None}
    layers = WavLMConfig.from_dict(config).extractor_conv_layer_config
    assert [layer[0] for layer in layers] == [512] * 7


def test_unknown_key_is_an_error_that_lists_the_known_ones(tiny_config):
    config = tiny_config().to_dict() | {"encoder_embed_dims": 32}
    with pytest.raises(
        ValueError, match=r"Did you mean encoder_embed_dim\?.*Known keys"
    ):
        WavLMConfig.from_dict(config)


def test_missing_key_is_an_error(tiny_config):
    config = tiny_config().to_dict()
    del config["encoder_dropout"], config["extractor_mode"]
    with pytest.raises(ValueError, match="lacks extractor_mode, encoder_dropout"):
        WavLMConfig.from_dict(config)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"extractor_mode": "batch_norm"}, "`extractor_mode` should be"),
        ({"extractor_conv_layer_config": []}, "should hold .channels, kernel"),
        ({"extractor_conv_layer_config": [[16, 10]]}, "should hold .channels, kernel"),
        ({"extractor_conv_layer_config": [[16, 10, 0]]}, "all positive"),
        ({"encoder_dropout": 1.5}, r"`encoder_dropout` should be in \[0, 1\), got 1.5"),
        ({"encoder_num_layers": 0}, "`encoder_num_layers` should be positive"),
        ({"encoder_num_layers": 3}, "each of the 3 layers, got 2"),
        ({"encoder_pos_conv_groups": 5}, "multiple of `encoder_pos_conv_groups`"),
        ({"encoder_num_buckets": 2}, "`encoder_num_buckets` should be at least 4"),
        ({"encoder_max_distance": 8}, "4 times `encoder_max_distance`, got 32 and 8"),
        ({"encoder_use_attention": [True]}, "`encoder_use_attention` .* got 1"),
        ({"encoder_total_num_heads": [4, 2]}, "same in all layers, got .4, 2"),
        ({"encoder_total_num_heads": [5, 5]}, r"multiple of .*heads .*\(5\)"),
        ({"encoder_remaining_heads": [[0, 4], [0]]}, r"heads\[0\].*0 and 3"),
        ({"encoder_remaining_heads": [[0], [1, 1]]}, r"heads\[1\].*distinct"),
        ({"encoder_ff_interm_features": [9, -1]}, r"features\[1\]` should not be neg"),
        ({"use_layerwise_prune": "1-3"}, "\"1-2\" for all, got '1-3'"),
        ({"use_layerwise_prune": "2-1"}, "`use_layerwise_prune` should be False or"),
        ({"use_layerwise_prune": "2"}, "`use_layerwise_prune` should be False or"),
        ({"use_layerwise_prune": True}, "`use_layerwise_prune` should be False or"),
        ({"limit_l": 0.1}, "`limit_l` should be below 0"),
        ({"temperature": 0}, "`temperature` positive"),
        ({"extractor_removed_channels": [1, 0]}, "one entry per convolution"),
        ({"extractor_removed_channels": [1, 0, 0]}, "between 1 and the number of rem"),
        ({"extractor_statistics_channels": [1, 0, 0]}, r"\(1, 0, 0\) and \(0, 0, 0\)"),
    ],
    ids=str,
)
def test_wrong_value_is_an_error(tiny_config, changes, message):
    with pytest.raises(ValueError, match=message):
        tiny_config(**changes)


def test_entries_of_removed_blocks_are_ignored(tiny_config):
    config = tiny_config(
        encoder_use_attention=[True, False],
        encoder_remaining_heads=[[1], []],
        encoder_use_feed_forward=[False, True],
        encoder_ff_interm_features=[0, 5],
    )
    representations, _ = WavLM(config).extract_features(torch.randn(1, 800))
    assert len(representations) == 3
