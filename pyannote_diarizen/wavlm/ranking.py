# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Pruning without training: units with the lowest scores are removed.

Magnitude is the norm of the weights of a unit [1]_. Importance is how much the loss
changes without the unit, to the first order [2]_: |dL/dz| for a gate z = 1 on its
output. Both are baselines of pruning by hard concrete gates, which trains.

References
----------
.. [1] H. Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017.
.. [2] P. Molchanov et al., "Importance Estimation for Neural Network Pruning",
   CVPR 2019.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from pyannote_diarizen.wavlm.config import WavLMConfig
from pyannote_diarizen.wavlm.cost import Measure, num_macs, num_parameters
from pyannote_diarizen.wavlm.model import EXTRACTOR_GRADIENT_SCALE, WavLM
from pyannote_diarizen.wavlm.pruning import add_gates, prune

Scores = Mapping[str, Tensor]
"""Score of each unit, (num_units,) of each group, by the name of its gates."""

CONV = "feature_extractor."
GATES = {
    "conv": CONV + "conv_layers.{}.hard_concrete",
    "head": "encoder.transformer.layers.{}.attention.hard_concrete_for_heads",
    "interm": (
        "encoder.transformer.layers.{}.feed_forward.hard_concrete_for_intermediate"
    ),
}
"""Name of the gates of each kind of unit."""

OPEN = 30.0
"""Log alpha of a gate that is 1 in single precision."""


def magnitudes(wavlm: WavLM) -> dict[str, Tensor]:
    """Compute the norm of the weights that enter and leave each unit.

    Parameters
    ----------
    wavlm : WavLM

    Returns
    -------
    scores : dict of str to (num_units,) Tensor
        Divided by the mean of the group, since groups have different scales.
    """
    with torch.no_grad():
        norms = {
            name: (inputs.square().sum(1) + outputs.square().sum(1)).sqrt()
            for name, inputs, outputs in _groups(wavlm, _values)
        }
    return {name: norm / norm.mean() for name, norm in norms.items()}


def importances(wavlm: WavLM) -> dict[str, Tensor]:
    """Compute the change of the loss without each unit, from present gradients.

    Parameters
    ----------
    wavlm : WavLM
        After a backward pass, for which `dummy_weight` of the front end had a gradient.

    Returns
    -------
    scores : dict of str to (num_units,) Tensor
    """
    # gate z multiplies the weights w that leave the unit: dL/dz = sum of w dL/dw
    scores = {
        name: changes.sum(1).abs()
        for name, _, changes in _groups(wavlm, _weighted_gradients)
    }
    return {
        name: score / EXTRACTOR_GRADIENT_SCALE if name.startswith(CONV) else score
        for name, score in scores.items()
    }


def prune_lowest(
    wavlm: WavLM,
    scores: Scores,
    sparsity: float,
    measure: Measure = "parameters",
    exact: bool = False,
) -> WavLM:
    """Remove the units with the lowest scores, as few as the sparsity needs.

    Parameters
    ----------
    wavlm : WavLM
        It is not changed.
    scores : mapping of str to (num_units,) Tensor
        Result of `magnitudes` or `importances`.
    sparsity : float
        Share of the parameters, or MACs, to remove.
    measure : {"parameters", "macs"}, optional
        Defaults to "parameters".
    exact : bool, optional
        See `wavlm.prune`. Defaults to False.

    Returns
    -------
    pruned : WavLM

    Raises
    ------
    ValueError
        If the sparsity cannot be reached.
    """
    names = [name for name, _, _ in _groups(wavlm, _values)]
    groups = {name: scores[name] for name in names}
    size = num_parameters if measure == "parameters" else num_macs
    total = size(wavlm.config)

    def size_without(number: int) -> int:
        """Size without the units up to this rank."""
        return size(_shrunk(wavlm.config, _kept(groups, ordered[number])))

    # one channel of each convolution stays: the one with the highest score
    candidates = [
        score[score < score.max()] if name.startswith(CONV) else score
        for name, score in groups.items()
    ]
    ordered = torch.cat(candidates).sort().values
    allowed = (1 - sparsity) * total
    smallest = size_without(len(ordered) - 1)
    if smallest > allowed:
        raise ValueError(
            f"At most {1 - smallest / total:.1%} of the {measure} of this WavLM can be "
            f"removed, not {sparsity:.1%}: lower the sparsity."
        )
    number = bisect_left(
        range(len(ordered)), True, key=lambda number: size_without(number) <= allowed
    )
    gated = add_gates(wavlm)
    with torch.no_grad():
        for name, is_kept in _kept(groups, ordered[number]).items():
            log_alpha = gated.get_parameter(f"{name}.log_alpha")
            log_alpha.copy_(torch.where(is_kept, OPEN, -OPEN))
    return prune(gated, exact)


def _kept(groups: Scores, threshold: Tensor) -> dict[str, Tensor]:
    """Whether each unit has a score above a threshold; one channel always has."""
    kept = {name: score > threshold for name, score in groups.items()}
    for name, score in groups.items():
        if name.startswith(CONV):
            kept[name] |= score == score.max()
    return kept


def _shrunk(config: WavLMConfig, kept: Mapping[str, Tensor]) -> WavLMConfig:
    """Shrink a configuration to the numbers of units that are kept."""
    number = {name: int(is_kept.sum()) for name, is_kept in kept.items()}
    layers = [
        (number.get(GATES["conv"].format(index), size), kernel, stride)
        for index, (size, kernel, stride) in enumerate(
            config.extractor_conv_layer_config
        )
    ]
    heads = [
        remaining[: number.get(GATES["head"].format(layer), len(remaining))]
        for layer, remaining in enumerate(config.encoder_remaining_heads)
    ]
    widths = [
        number.get(GATES["interm"].format(layer), width)
        for layer, width in enumerate(config.encoder_ff_interm_features)
    ]
    return replace(
        config,
        extractor_conv_layer_config=layers,
        encoder_remaining_heads=heads,
        encoder_ff_interm_features=widths,
    )


def _groups(
    wavlm: WavLM, of: Callable[[nn.Parameter], Tensor]
) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Yield the name of the gates of each group, and a function of its weights.

    Weights that enter and leave units are both (num_units, num_weights).
    """
    convs: list[Any] = [layer.conv for layer in wavlm.feature_extractor.conv_layers]
    scale = wavlm.feature_extractor.dummy_weight
    sizes = wavlm.config.extractor_conv_layer_config
    for index, conv in enumerate(convs):
        num_channels, *_ = sizes[index]
        # without the statistics of removed channels, which come last
        inputs = of(conv.weight)[:num_channels].flatten(1)
        is_last = index + 1 == len(convs)
        outputs = of(scale) if is_last else of(convs[index + 1].weight).transpose(0, 1)
        yield GATES["conv"].format(index), inputs, outputs.reshape(num_channels, -1)
    for index, module in enumerate(wavlm.encoder.transformer.layers):
        layer: Any = module
        attention, feed_forward = layer.attention, layer.feed_forward
        if attention is not None and attention.heads:
            num_heads = len(attention.heads)
            inputs = torch.cat(
                [
                    of(projection.weight).reshape(num_heads, -1)
                    for projection in (
                        attention.q_proj,
                        attention.k_proj,
                        attention.v_proj,
                    )
                ],
                dim=1,
            )
            outputs = of(attention.out_proj.weight).T.reshape(num_heads, -1)
            yield GATES["head"].format(index), inputs, outputs
        if feed_forward is not None and feed_forward.width:
            inputs = of(feed_forward.intermediate_dense.weight)
            yield (
                GATES["interm"].format(index),
                inputs,
                of(feed_forward.output_dense.weight).T,
            )


def _values(weight: nn.Parameter) -> Tensor:
    return weight.detach()


def _weighted_gradients(weight: nn.Parameter) -> Tensor:
    if weight.grad is None:
        return torch.zeros_like(weight)
    return weight.detach() * weight.grad
