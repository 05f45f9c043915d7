# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Memory of a training is estimated before it starts."""

import weakref
from types import SimpleNamespace

import pytest
import torch
from lightning.pytorch.plugins.precision import HalfPrecision
from pyannote.audio.models.segmentation import PyanNet
from torch import nn

from pyannote_diarizen.training.gradient_checkpointing import (
    enable_gradient_checkpointing,
)
from pyannote_diarizen.training.memory import (
    OVERHEAD,
    MemoryEstimate,
    _available_memory,
    advise,
    estimate_memory,
    is_out_of_memory,
)


def test_the_estimate_grows_with_the_batch():
    model = nn.Sequential(nn.Linear(100, 100), nn.Sigmoid())
    one, two = (estimate_memory(model, torch.zeros(1, 50, 100), n) for n in (1, 2))
    # the output of the sigmoid, and the input of the layer
    in_layer = 4 * 2 * 50 * 100
    assert two - one == round(OVERHEAD * 4 * 2 * 50 * 100 + in_layer)
    assert one - (two - one) == 3 * 4 * (100 * 100 + 100)
    model.requires_grad_(False)
    assert estimate_memory(model, torch.zeros(1, 50, 100), 9) == 9 * in_layer


def test_a_block_to_recompute_counts_as_a_whole():
    blocks = nn.ModuleList(nn.Sequential(nn.Tanh(), nn.Tanh()) for _ in range(8))
    model = nn.Sequential(nn.Linear(10, 10), *blocks)
    chunk, value = torch.zeros(1, 1000, 10), 4 * 1000 * 10
    states = 3 * 4 * 110
    before = estimate_memory(model, chunk, 1) - states
    # inputs of all layers, outputs of Tanh; two tensors of one layer
    assert before == round(OVERHEAD * 17 * value + 2 * value)
    assert enable_gradient_checkpointing(nn.Sequential(blocks))
    after = estimate_memory(model, chunk, 1) - states
    # inputs of the first layer and of the blocks; a block and its layers, each twice
    assert after == round(OVERHEAD * (9 + 2 * 3) * value + 2 * value)


class Square(torch.autograd.Function):
    """Function whose backward pass needs its own output."""

    @staticmethod
    def forward(ctx, x):
        """Square."""
        y = x.square()
        ctx.save_for_backward(y)
        return y


def test_the_estimate_keeps_no_memory():
    class Model(nn.Linear):
        def forward(self, x):
            y = Square.apply(super().forward(x))
            graphs.append(weakref.ref(y.grad_fn))
            return y

    graphs: list[weakref.ref] = []
    estimate_memory(Model(10, 10), torch.zeros(1, 10), 1)
    assert [graph() for graph in graphs] == [None]


def test_masks_of_dropout_count_but_nothing_changes():
    layers = [nn.BatchNorm1d(3), nn.Dropout(0.5), nn.Dropout(0.5).eval()]
    model = nn.Sequential(*layers)
    chunk, state = torch.ones(1, 3, 1000), torch.random.get_rng_state()
    with_masks = estimate_memory(model, chunk, 1)
    assert [module.training for module in layers] == [True, True, False]
    assert layers[0].num_batches_tracked == 0
    assert torch.equal(torch.random.get_rng_state(), state)
    without = estimate_memory(nn.Sequential(layers[0]), chunk, 1)
    # a mask of 1 to 4 bytes per value and layer
    assert 2 * 3000 <= (with_masks - without) / OVERHEAD <= 8 * 3000


def test_free_memory_of_a_machine_is_that_of_linux(monkeypatch, tmp_path):
    module = "pyannote_diarizen.training.memory"
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    7 kB\n")
    monkeypatch.setattr(f"{module}._MEMORY", tmp_path / "meminfo")
    assert _available_memory(torch.device("cpu")) == 7 * 1024
    monkeypatch.setattr(f"{module}._MEMORY", tmp_path / "none")
    assert _available_memory(torch.device("cpu")) > 10**8


def test_options_that_need_less_memory(configure):
    config = configure(trainer__precision="bf16-mixed", gradient_checkpointing=True)
    config.task.batch_size = 8
    text = advise(config)
    assert "task.batch_size=4 trainer.accumulate_grad_batches=2" in text
    assert "precision" not in text
    assert "gradient_checkpointing" not in text
    assert not is_out_of_memory(RuntimeError("shape mismatch"))
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA"))
    for message in ("CUDA error: out of memory", "MPS backend out of memory (MPS"):
        assert is_out_of_memory(RuntimeError(message))


def test_a_training_in_half_precision_is_estimated(monkeypatch):
    plugin = HalfPrecision("bf16-true")
    model = PyanNet(lstm={"hidden_size": 8, "num_layers": 1}, linear={"num_layers": 0})
    model.task = SimpleNamespace(duration=2.0, batch_size=3)
    model.classifier, model.activation = nn.Linear(16, 2), nn.Identity()
    model = plugin.convert_module(model)
    trainer = SimpleNamespace(precision_plugin=plugin)
    module = "pyannote_diarizen.training.memory"
    monkeypatch.setattr(f"{module}.estimate_memory", lambda *_: 10**15)
    with pytest.warns(UserWarning, match=r"about 1000000\.0 GB more.*batch_size"):
        MemoryEstimate().on_fit_start(trainer, model)
    with pytest.raises(MemoryError, match="1000000"):
        MemoryEstimate(auto_batch_size=4).on_fit_start(trainer, model)
    model.task.batch_size = 1
    with pytest.warns(UserWarning, match="1000000"):
        MemoryEstimate(auto_batch_size=4).on_fit_start(trainer, model)
    monkeypatch.setattr(f"{module}.estimate_memory", estimate_memory)
    MemoryEstimate().on_fit_start(trainer, model)
    assert next(model.parameters()).dtype == torch.bfloat16
