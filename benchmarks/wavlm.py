# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Forward pass of pruned WavLM, against dense WavLM and attention that is not fused.

    python benchmarks/wavlm.py --rounds 5 --write

Weights are random, structures those of the published models. Networks take turns, so
that the load of the machine is the same for all. Times are CPU times on one thread.
"""

import math
import statistics
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Annotated

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
import typer
from reports import table, write_results
from torch import Tensor

from pyannote_diarizen.wavlm import WavLM, get_config
from pyannote_diarizen.wavlm.attention import (
    GatedSelfAttention,
    RelativePositions,
    relative_buckets,
)
from pyannote_diarizen.wavlm.cost import num_macs, num_parameters

DOCUMENT = Path(__file__).parents[1] / "docs" / "pruning.md"
NAME = "benchmarks/wavlm.py"
HEADER = ["WavLM", "parameters", "MACs, 1 s", "CPU s", "times faster"]
SAMPLE_RATE = 16000


def unfused_port(wavlm: WavLM) -> WavLM:
    """Copy `wavlm`, with the attention as its equations are written.

    Each layer looks its bias up for all pairs of frames, and computes logits, softmax
    and weighted sum one after the other.
    """
    port = deepcopy(wavlm)
    attentions = [m for m in port.modules() if isinstance(m, GatedSelfAttention)]
    shared = attentions[0].rel_attn_embed
    for attention in attentions:
        vars(attention)["forward"] = partial(_unfused_attention, attention, shared)
    return port


def _unfused_attention(
    self: GatedSelfAttention,
    shared: RelativePositions | None,
    x: Tensor,
    positions: Tensor | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Compute `GatedSelfAttention.forward`, without mask and gates."""
    if shared is None or not self.heads:
        return self.out_proj(x)
    frames = torch.arange(x.shape[1])
    buckets = relative_buckets(
        frames - frames[:, None], len(shared.weight), shared.max_distance
    )
    # biases of shape (num_heads, num_frames, num_frames)
    bias = F.embedding(buckets, shared.weight).permute(2, 0, 1)[self.heads]
    inputs = x.unflatten(-1, (self.num_heads, self.head_dim)).transpose(1, 2)
    gates = self.gru_rel_pos_linear(inputs).unflatten(-1, (2, 4)).sum(-1).sigmoid()
    update, reset = gates.split(1, dim=-1)
    gate = (update * (reset * self.gru_rel_pos_const - 1) + 2)[:, self.heads]
    query, key, value = (
        projection(x).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)
        for projection in (self.q_proj, self.k_proj, self.v_proj)
    )
    logits = query @ key.transpose(-1, -2) / math.sqrt(self.head_dim) + gate * bias
    y = logits.softmax(dim=-1) @ value
    return self.out_proj(y.transpose(1, 2).flatten(2))


def compare(
    networks: Mapping[str, Callable[[Tensor], object]], waveforms: Tensor, rounds: int
) -> dict[str, float]:
    """Median CPU time in seconds of each network. The first round does not count."""
    times: dict[str, list[float]] = {name: [] for name in networks}
    for _ in range(rounds + 1):
        for name, network in networks.items():
            start = time.process_time()
            network(waveforms)
            times[name].append(time.process_time() - start)
    return {name: statistics.median(each[1:]) for name, each in times.items()}


@torch.inference_mode()
def measure(size: str, duration: float, rounds: int) -> list[list[str]]:
    """Measure the rows of one size: dense, pruned, and the port of the pruned one."""
    configs = {
        f"{size}, dense": get_config(f"wavlm_{size}"),
        f"{size}-s80": get_config(f"wavlm_{size}_s80_md"),
    }
    models = {name: WavLM(config).eval() for name, config in configs.items()}
    dense, pruned = models
    port = f"{pruned}, attention not fused"
    configs[port], models[port] = configs[pruned], unfused_port(models[pruned])
    waveforms = torch.randn(1, round(duration * SAMPLE_RATE))
    ours, unfused = (
        models[name].extract_features(waveforms) for name in (pruned, port)
    )
    torch.testing.assert_close(ours[0][-1], unfused[0][-1], atol=1e-3, rtol=1e-3)
    networks = {name: model.extract_features for name, model in models.items()}
    seconds = compare(networks, waveforms, rounds)
    return [
        [
            name,
            f"{num_parameters(config) / 1e6:.1f} M",
            f"{num_macs(config) / 1e9:.2f} G",
            f"{seconds[name]:.2f}",
            f"{seconds[dense] / seconds[name]:.2f}",
        ]
        for name, config in configs.items()
    ]


def main(
    size: Annotated[list[str], typer.Option(help="Size of WavLM.")] = ["base", "large"],  # noqa: B006
    duration: Annotated[float, typer.Option(help="Seconds of a chunk.")] = 16.0,
    rounds: Annotated[int, typer.Option(min=1, help="Forward passes of each.")] = 5,
    write: Annotated[bool, typer.Option(help=f"Write {DOCUMENT.name}.")] = False,
) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    lines = table(
        HEADER, [row for each in size for row in measure(each, duration, rounds)]
    )
    print(lines)
    if write:
        write_results(DOCUMENT, NAME, lines)


if __name__ == "__main__":
    typer.run(main)
