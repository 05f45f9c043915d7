# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
from copy import deepcopy

import pytest
import torch
from torch.testing import assert_close

from pyannote_diarizen.export.torchscript import TorchScriptExporter

CPU = torch.device("cpu")


# of the bundled segmentation and embedding: tests/cli/test_export.py
@pytest.mark.parametrize(
    "name", [pytest.param("wavlm", marks=pytest.mark.slow), "wavlm-pruned", "fbank"]
)
@torch.inference_mode()
def test_any_batch_and_length_gives_the_output_of_torch(build, tmp_path, name):
    model = build(name)
    TorchScriptExporter().write(model, tmp_path / "network.pt", "float32")
    run = TorchScriptExporter().open(tmp_path / "network.pt", CPU)
    for batch, num_samples in [(1, 20000), (3, 12345)]:
        waveforms = 0.1 * torch.randn(batch, 1, num_samples)
        assert_close(run(waveforms), model(waveforms), atol=1e-4, rtol=1e-4)


def test_what_torchscript_cannot_hold_is_one_error(build, tmp_path):
    class Same(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.view_as(x)

    model = deepcopy(build("fbank"))
    model.classify = lambda features: Same.apply(features)
    with pytest.raises(ValueError, match=r"FBankConformer cannot be exported to Torch"):
        TorchScriptExporter().write(model, tmp_path / "network.pt", "float32")
