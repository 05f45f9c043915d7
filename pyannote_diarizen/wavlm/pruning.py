# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Structured pruning: removal of the units of a WavLM whose gate is zero.

Gates of other units are multiplied into the weights that follow: the next convolution,
`dummy_weight` after the last one, and output projections. Two rules exist:

- DiariZen's slices all weights. It changes the output where a layer norm counted
  removed channels, where all heads or units of a block are removed (the bias of its
  output projection is lost), and where the attention of the first layer is removed (the
  position bias of all layers is lost). Distillation after pruning recovers from this.
- The exact rule keeps what these need: statistics of removed channels (see
  `layer_norm`), output biases, the table of positions. The pruned network computes the
  output of the gated one. This is free for the layout of WavLM Base. For Large, with
  the channels of the published 80 % model, it takes 30 % more MACs. DiariZen cannot
  load a model that kept any of these.

Unlike in DiariZen, a pruned WavLM may get gates and be pruned again: heads keep their
original indices, and layers without a block their place.

References
----------
Y. Peng et al., "DPHuBERT: Joint Distillation and Pruning of Self-Supervised Speech
Models", Interspeech 2023.
J. Han et al., "Fine-tune Before Structured Pruning: Towards Compact and Accurate
Self-Supervised Models for Speaker Diarization", Interspeech 2025.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Literal

import torch
from torch import Tensor

from pyannote_diarizen.errors import unknown_keys
from pyannote_diarizen.wavlm.config import PRUNE_FLAGS, WavLMConfig
from pyannote_diarizen.wavlm.gates import HardConcrete
from pyannote_diarizen.wavlm.layer_norm import rotate_removed
from pyannote_diarizen.wavlm.model import WavLM

UNITS = dict(
    zip(("conv", "head", "attlayer", "interm", "ffnlayer"), PRUNE_FLAGS, strict=False)
)
"""Name of each kind of unit in recipes of DiariZen, and its option of `WavLMConfig`."""

Left = Literal["all", "bias", "nothing"]
"""What is left of a block: remaining units, the bias of its output, or nothing."""

CONV = "feature_extractor.conv_layers.{}."
LAYER = "encoder.transformer.layers.{}."
PROJECTION = "encoder.feature_projection."


def add_gates(
    wavlm: WavLM,
    units: Collection[str] = ("conv", "head", "interm"),
    layers: str | None = None,
) -> WavLM:
    """Copy a WavLM, with gates.

    Parameters
    ----------
    wavlm : WavLM
        Dense or pruned. Its own gates, if any, are not copied.
    units : collection of str, optional
        Units to have gates: "conv" for channels of convolutions, "head", "attlayer" for
        attention blocks, "interm" for feed-forward units, "ffnlayer" for feed-forward
        blocks. Defaults to "conv", "head" and "interm", as in recipes of DiariZen.
    layers : str, optional
        Range of layers whose blocks have gates, "3-5" for the third to the fifth.
        Defaults to none.

    Returns
    -------
    gated : WavLM
        Nearly all gates are open, but the ones of feed-forward units are at 0.5.

    Raises
    ------
    ValueError
        If a name is unknown, or the range is invalid.

    Examples
    --------
    >>> from pyannote_diarizen.wavlm import WavLMConfig
    >>> config = WavLMConfig.dense(
    ...     embed_dim=16, num_layers=1, num_heads=2, feed_forward_dim=8, layer_norm=True
    ... )
    >>> gated = add_gates(WavLM(config), ["head"])
    >>> [name for name, _ in gated.named_parameters() if name.endswith("log_alpha")]
    ['encoder.transformer.layers.0.attention.hard_concrete_for_heads.log_alpha']
    """
    unknown = [unit for unit in units if unit not in UNITS]
    if unknown:
        raise ValueError(unknown_keys("in `units`", unknown, UNITS))
    flags: dict[str, Any] = {flag: unit in units for unit, flag in UNITS.items()}
    config = replace(wavlm.config, **flags, use_layerwise_prune=layers or False)
    gated = WavLM(config)
    gates = {key: gate for key, gate in gated.state_dict().items() if _is_gate(key)}
    return _load(gated, _weights(wavlm) | gates, wavlm)


def prune(wavlm: WavLM, exact: bool = False) -> WavLM:
    """Remove the units whose gate is zero at inference.

    Parameters
    ----------
    wavlm : WavLM
        WavLM with gates. It is not changed.
    exact : bool, optional
        Keep the output of `wavlm` in evaluation mode. Defaults to False, the rule of
        DiariZen.

    Returns
    -------
    pruned : WavLM
        WavLM without gates, in the mode, precision and on the device of `wavlm`.

    Raises
    ------
    ValueError
        If `wavlm` has no gates, or all channels of a convolution are gated off and
        `exact` is False.
    """
    if not wavlm.config.has_gates:
        raise ValueError(
            "`wavlm` has no gates: was it pruned already? `add_gates` adds gates."
        )
    with torch.no_grad():
        pruning = _Pruning(wavlm, exact)
        changes = pruning.convolutions() | pruning.blocks()
    changes |= dict.fromkeys(PRUNE_FLAGS, False)
    pruned = WavLM(replace(wavlm.config, **changes))
    return _load(pruned, pruning.weights, wavlm)


def is_pruned(config: WavLMConfig) -> bool:
    """Whether units, heads, channels or blocks were removed from a WavLM.

    A WavLM whose layers have the same number of units is taken for one that was built
    so.
    """
    blocks = (*config.encoder_use_attention, *config.encoder_use_feed_forward)
    heads = {len(remaining) for remaining in config.encoder_remaining_heads}
    return (
        not all(blocks)
        or heads != {config.num_heads}
        or len(set(config.encoder_ff_interm_features)) > 1
        or any(config.extractor_removed_channels)
    )


def _is_gate(key: str) -> bool:
    return key.endswith(".log_alpha")


def _weights(wavlm: WavLM) -> dict[str, Tensor]:
    state = wavlm.state_dict()
    return {key: weight for key, weight in state.items() if not _is_gate(key)}


def _load(new: WavLM, weights: dict[str, Tensor], old: WavLM) -> WavLM:
    """Load weights; give `new` the mode, device and precision of `old`."""
    scale = old.feature_extractor.dummy_weight
    new.to(scale.device, scale.dtype).load_state_dict(weights)
    return new.train(old.training)


def _others(kept: Tensor, size: int) -> Tensor:
    """Return the indices below `size` that are not in `kept`."""
    mask = torch.ones(size, dtype=torch.bool, device=kept.device)
    mask[kept] = False
    return mask.nonzero().flatten()


class _Pruning:
    """Weights of a WavLM, and the changes of its configuration."""

    def __init__(self, wavlm: WavLM, exact: bool) -> None:
        self.config = wavlm.config
        self.exact = exact
        self.weights = _weights(wavlm)
        self.gates = {
            name: module.deterministic()
            for name, module in wavlm.named_modules()
            if isinstance(module, HardConcrete)
        }

    def _gates(self, name: str, size: int) -> Tensor:
        """Gates of a group, ones if it has none."""
        reference = self.weights["feature_extractor.dummy_weight"]
        return self.gates.get(name, reference.new_ones(size))

    def convolutions(self) -> dict[str, Any]:
        """Prune channels of the front end."""
        layers, removed, components = [], [], []
        scale = self.weights["feature_extractor.dummy_weight"]
        # gates and indices of the channels that enter the convolution
        gates, kept = scale.new_ones(1), torch.zeros_like(scale[:1], dtype=torch.long)
        for index, (size, kernel, stride) in enumerate(
            self.config.extractor_conv_layer_config
        ):
            prefix = CONV.format(index)
            # (channels + components, input channels, kernel)
            weight = self.weights[prefix + "conv.weight"]
            self.weights[prefix + "conv.weight"] = weight[:, kept] * gates[:, None]
            gates = self._gates(prefix + "hard_concrete", size)
            kept = self._kept_channels(gates, index)
            gates = gates[kept]
            layers.append((len(kept), kernel, stride))
            removed.append(self._count_removed(index, size - len(kept)))
            components.append(self._slice_convolution(index, kept, removed[-1]))
        self.weights["feature_extractor.dummy_weight"] = scale[kept] * gates
        self._slice_projection(kept, len(scale))
        return {
            "extractor_conv_layer_config": layers,
            "extractor_removed_channels": removed,
            "extractor_statistics_channels": components,
        }

    def _kept_channels(self, gates: Tensor, index: int) -> Tensor:
        kept = gates.nonzero().flatten()
        if len(kept) == 0 and not self.exact:
            raise ValueError(
                f"All channels of convolution {index} (from 0) are gated off: nothing "
                "would be left. Lower the target sparsity, or prune with `exact=True`."
            )
        # a convolution needs a channel, even if it is always zero
        return kept if len(kept) else torch.zeros_like(gates[:1], dtype=torch.long)

    def _count_removed(self, index: int, num_new: int) -> int:
        """Return the number of removed channels that a layer norm counts."""
        num_old = self.config.extractor_removed_channels[index]
        is_last = index == len(self.config.extractor_conv_layer_config) - 1
        counted = is_last or self.config.extractor_mode == "layer_norm"
        return num_old + num_new if self.exact and counted else num_old

    def _slice_convolution(self, index: int, kept: Tensor, num_removed: int) -> int:
        """Slice outputs; return the number of components of removed channels."""
        prefix = CONV.format(index)
        weight, bias = prefix + "conv.weight", prefix + "conv.bias"
        size, *_ = self.config.extractor_conv_layer_config[index]
        # one row per output: its weights, and its bias if any
        shape = self.weights[weight].shape[1:]
        rows = self.weights[weight].flatten(1)
        if bias in self.weights:
            rows = torch.cat([rows, self.weights[bias][:, None]], dim=1)
        components = rows[size:]
        num_old = self.config.extractor_removed_channels[index]
        if self.config.extractor_mode == "layer_norm" and num_removed > num_old:
            removed = rows[_others(kept, size)]
            components = rotate_removed(
                torch.cat([components, removed]), num_old, num_removed
            )
        rows = torch.cat([rows[kept], components])
        self.weights[weight] = rows[:, : shape.numel()].unflatten(1, shape)
        if bias in self.weights:
            self.weights[bias] = rows[:, -1]
        for name in ("layer_norm.weight", "layer_norm.bias"):
            if prefix + name in self.weights:
                self.weights[prefix + name] = self.weights[prefix + name][kept]
        return len(components)

    def _slice_projection(self, kept: Tensor, size: int) -> None:
        """Slice features; the exact rule replaces removed ones by a zero feature."""
        scale, shift, weight, bias = (
            PROJECTION + "layer_norm.weight",
            PROJECTION + "layer_norm.bias",
            PROJECTION + "projection.weight",
            PROJECTION + "projection.bias",
        )
        removed = _others(kept, size)
        # the zero feature of former pruning, if any, comes last
        old = torch.arange(size, len(self.weights[scale]), device=kept.device)
        if not self.exact or len(removed) == 0:
            kept = torch.cat([kept, old])
            for name in (scale, shift):
                self.weights[name] = self.weights[name][kept]
            self.weights[weight] = self.weights[weight][:, kept]
            return
        # A feature that is zero before the layer norm is -m / s after it, with m and s
        # mean and deviation. It adds P (w (-m / s) + b) to the output, with P its
        # column of the projection, w and b its scale and shift.
        zeros = torch.cat([removed, old])
        columns = self.weights[weight][:, zeros].double()
        column = columns @ self.weights[scale][zeros].double()  # sum of P w
        constant = columns @ self.weights[shift][zeros].double()  # sum of P b
        one = self.weights[scale].new_ones(1)
        self.weights[scale] = torch.cat([self.weights[scale][kept], one])
        self.weights[shift] = torch.cat([self.weights[shift][kept], 0 * one])
        self.weights[bias] = self.weights[bias] + constant.to(one.dtype)
        sliced = self.weights[weight][:, kept]
        self.weights[weight] = torch.cat([sliced, column.to(one.dtype)[:, None]], dim=1)

    def blocks(self) -> dict[str, Any]:
        """Prune heads, feed-forward units and whole blocks."""
        config = self.config
        heads = [*config.encoder_remaining_heads]
        widths = [*config.encoder_ff_interm_features]
        attention = [*config.encoder_use_attention]
        feed_forward = [*config.encoder_use_feed_forward]
        # the first layer last: others need its table of positions if they have heads
        for layer in reversed(range(config.encoder_num_layers)):
            if attention[layer]:
                kept, left = self._prune_attention(layer)
                heads[layer] = [heads[layer][head] for head in kept]
                if layer == 0 and left != "all" and self.exact:
                    others = zip(heads[1:], attention[1:], strict=True)
                    if any(len(remaining) * used for remaining, used in others):
                        left = "bias"
                if left == "bias":
                    heads[layer] = []
                attention[layer] = self._drop_pruned(
                    LAYER.format(layer) + "attention.",
                    left,
                    ("out_proj.bias", "rel_attn_embed.weight"),
                )
            if feed_forward[layer]:
                kept, left = self._prune_feed_forward(layer)
                widths[layer] = 0 if left == "bias" else len(kept)
                feed_forward[layer] = self._drop_pruned(
                    LAYER.format(layer) + "feed_forward.", left, ("output_dense.bias",)
                )
        return {
            "encoder_use_attention": attention,
            "encoder_remaining_heads": heads,
            "encoder_use_feed_forward": feed_forward,
            "encoder_ff_interm_features": widths,
        }

    def _prune_attention(self, layer: int) -> tuple[list[int], Left]:
        return self._prune_block(
            LAYER.format(layer) + "attention.",
            ("q_proj", "k_proj", "v_proj"),
            "out_proj",
            "heads",
            len(self.config.encoder_remaining_heads[layer]),
            self.config.head_dim,
        )

    def _prune_feed_forward(self, layer: int) -> tuple[list[int], Left]:
        return self._prune_block(
            LAYER.format(layer) + "feed_forward.",
            ("intermediate_dense",),
            "output_dense",
            "intermediate",
            self.config.encoder_ff_interm_features[layer],
            1,
        )

    def _prune_block(
        self,
        prefix: str,
        inputs: tuple[str, ...],
        output: str,
        units: str,
        size: int,
        width: int,
    ) -> tuple[list[int], Left]:
        """Prune units between input and output layers; each has `width` features.

        Returns the indices of remaining units, and what is left of the block.
        """
        gate = self._gates(f"{prefix}hard_concrete_for_layer", 1)
        gates = self._gates(f"{prefix}hard_concrete_for_{units}", size)
        kept = gates.nonzero().flatten()
        bias, weight = f"{prefix}{output}.bias", f"{prefix}{output}.weight"
        self.weights[bias] = self.weights[bias] * gate
        if gate == 0:
            return kept.tolist(), "nothing"
        if len(kept) == 0:
            # DiariZen drops the bias with the last unit
            return [], "bias" if self.exact or size == 0 else "nothing"
        # features of remaining units: (num_kept * width,)
        features = (kept[:, None] * width + torch.arange(width).to(kept)).flatten()
        scale = (gates * gate).repeat_interleave(width)
        self.weights[weight] = (self.weights[weight] * scale)[:, features]
        for name in inputs:
            for kind in ("weight", "bias"):
                key = f"{prefix}{name}.{kind}"
                self.weights[key] = self.weights[key][features]
        return kept.tolist(), "all"

    def _drop_pruned(self, prefix: str, left: Left, biases: tuple[str, ...]) -> bool:
        """Delete the weights of a pruned block; return whether anything is left."""
        if left != "all":
            kept = biases if left == "bias" else ()
            for key in list(self.weights):
                if key.startswith(prefix) and key.removeprefix(prefix) not in kept:
                    del self.weights[key]
        return left != "nothing"
