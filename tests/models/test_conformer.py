# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import json

import pytest
import torch
from safetensors.torch import load_file

from pyannote_diarizen.models.conformer import ACTIVATIONS, Conformer

CASES = ["nopos", "pos", "pos_long", "prelu", "leaky"]


@pytest.mark.parity
@pytest.mark.parametrize("case", CASES)
def test_output_and_sub_blocks_equal_those_of_the_original(parity, case):
    folder = parity / "conformer"
    config = json.loads((folder / f"{case}.config.json").read_text())
    del config["keys"]
    model = Conformer(**config).eval()
    model.load_state_dict(load_file(folder / f"{case}.state.safetensors"))
    vectors = load_file(folder / f"{case}.io.safetensors")
    block, x = model.conformer_layer[0], vectors["x"]
    with torch.inference_mode():
        outputs = {"x": x, "y": model(x)}
        outputs["block0.after_ffn1"] = x = x + 0.5 * block.ffn1(x)
        outputs["block0.after_mha"] = x = x + block.mha(x, model.pos_emb)
        outputs["block0.after_conv"] = x = x + block.conv(x)
        outputs["block0.after_ffn2"] = x = x + 0.5 * block.ffn2(x)
        outputs["block0.out"] = block.ln_norm(x)
    # the long input has no vectors of sub-blocks
    outputs = {name: outputs[name] for name in vectors}
    torch.testing.assert_close(outputs, vectors, atol=5e-5, rtol=1e-5)


@pytest.mark.parametrize("use_posi", [False, True])
def test_alone_or_in_a_batch_gives_the_same(use_posi):
    torch.manual_seed(0)
    model = Conformer(16, 32, 2, 2, 5, use_posi=use_posi).eval()
    x = torch.randn(3, 20, 16)
    torch.testing.assert_close(model(x)[1:2], model(x[1:2]), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activation_comes_last(activation):
    torch.manual_seed(0)
    model = Conformer(16, 32, 2, 1, 5).eval()
    activated = Conformer(16, 32, 2, 1, 5, output_activate_function=activation).eval()
    activated.load_state_dict(model.state_dict(), strict=activation != "PReLU")
    x = torch.randn(1, 4, 16)
    torch.testing.assert_close(activated(x), ACTIVATIONS[activation]()(model(x)))


@pytest.mark.parametrize(
    "options",
    [{"kernel_size": 4}, {"num_head": 3}, {"output_activate_function": "Swish"}],
)
def test_sizes_that_do_not_fit_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        Conformer(**{"attention_in": 16, **options})
