# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Multi-channel segmentation model of DiariZen: channels are fused inside WavLM.

Before some of the first layers of WavLM, the frames of each channel attend to the
frames of all channels at the same instant. Channels are a set: their number and order
do not matter.

References
----------
J. Han et al., arXiv:2510.14551, 2025.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.models.wavlm_conformer import WavLMConformer

# the model that ran last in a thread, and its weights
_last: ContextVar[tuple["ChannelWeights | None", Tensor | None]] = ContextVar("_last")


class ChannelWeights:
    """Mixin for models that weigh channels: each thread has weights of its own.

    Attributes
    ----------
    channel_weights : (batch, channel) Tensor or None
        Weights of channels in the last batch of this thread. They sum to one.
    """

    @property
    def channel_weights(self) -> Tensor | None:
        """Weights of channels in the last batch of this thread."""
        model, weights = _last.get((None, None))
        return weights if model is self else None

    @channel_weights.setter
    def channel_weights(self, weights: Tensor | None) -> None:
        _last.set((self, weights))


class CrossChannelAttention(nn.Module):
    """Multi-head attention across the channels of each frame.

    Parameters
    ----------
    embed_dim : int
        Dimension of input and output.
    hidden_dim : int
        Dimension of all heads together.
    num_heads : int

    Raises
    ------
    ValueError
        If `hidden_dim` is not a multiple of `num_heads`.
    """

    dropout_rate = 0.1

    def __init__(self, embed_dim: int, hidden_dim: int, num_heads: int) -> None:
        super().__init__()
        if num_heads < 1 or hidden_dim < 1 or hidden_dim % num_heads:
            raise ValueError(
                "`channel_fusion_dim` should be a multiple of `channel_fusion_heads`, "
                f"got {hidden_dim} and {num_heads}."
            )
        self.num_heads = num_heads
        self.linearQ = nn.Linear(embed_dim, hidden_dim)
        self.linearK = nn.Linear(embed_dim, hidden_dim)
        self.linearV = nn.Linear(embed_dim, hidden_dim)
        self.linearO = nn.Linear(hidden_dim, embed_dim)
        self.dropout = nn.Dropout(self.dropout_rate)
        self.ln_norm = nn.LayerNorm(embed_dim)
        # close to the identity, as DiariZen starts from a single-channel model
        nn.init.constant_(self.ln_norm.weight, 0.01)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Apply attention across channels.

        Parameters
        ----------
        x : (batch, channel, frame, embed_dim) Tensor

        Returns
        -------
        y : (batch, channel, frame, embed_dim) Tensor
        attention : (batch, frame, channel, channel) Tensor
            Attention of each channel (third dimension) to each channel (last one),
            averaged over heads. Sums to one over the last dimension.
        """
        query, key, value = map(
            self._split, (self.linearQ(x), self.linearK(x), self.linearV(x))
        )
        logits = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        attention = torch.softmax(logits, dim=-1)  # (batch, frame, head, query, key)
        heads = self.dropout(attention) @ value
        # (batch, frame, head, channel, dimension) to (batch, channel, frame, hidden)
        joined = heads.permute(0, 3, 1, 2, 4).flatten(3)
        return x + self.ln_norm(self.linearO(joined)), attention.mean(dim=2)

    def _split(self, x: Tensor) -> Tensor:
        """Map to (batch, frame, head, channel, dimension)."""
        return x.unflatten(-1, (self.num_heads, -1)).permute(0, 2, 3, 1, 4)


class MultiChannelWavLMConformer(ChannelWeights, WavLMConformer):
    """WavLM-Conformer segmentation model of recordings with several microphones.

    The first layers of WavLM process each channel alone, with attention across channels
    before each of them. After the last of these fusions, channels are averaged.

    Parameters
    ----------
    wavlm : str, Path or mapping, optional
        See `WavLMConformer`. Defaults to "wavlm_base".
    channel_fusion_dim : int, optional
        Dimension of the attention across channels. Defaults to 768.
    channel_fusion_layers : int, optional
        Number of fusions: before the first layer of WavLM, and after each of the
        next `channel_fusion_layers` - 1. Defaults to 4.
    channel_fusion_heads : int, optional
        Number of attention heads. Defaults to 4.
    num_channels : int, optional
        Number of channels of training chunks. Each batch uses a random number of them.
        Inference uses all channels of a recording. Defaults to 8.
    **options
        Other options of `WavLMConformer`.

    Attributes
    ----------
    channel_weights : (batch, channel) Tensor or None
        Attention to each channel in the last fusion, averaged over frames and channels
        that attend, for the last batch of this thread. Sums to one over channels.

    Raises
    ------
    ValueError
        If `channel_fusion_layers` exceeds the layers of WavLM by more than one, or
        `channel_fusion_dim` is not a multiple of `channel_fusion_heads`.
    """

    def __init__(
        self,
        wavlm: str | Path | Mapping[str, Any] = "wavlm_base",
        channel_fusion_dim: int = 768,
        channel_fusion_layers: int = 4,
        channel_fusion_heads: int = 4,
        num_channels: int = 8,
        **options: Any,
    ) -> None:
        # pyannote.audio refuses several channels: for its constructor, there is one
        super().__init__(wavlm=wavlm, **options)
        self.save_hyperparameters(
            "channel_fusion_dim",
            "channel_fusion_layers",
            "channel_fusion_heads",
            "num_channels",
        )
        config = self.wavlm_model.config
        depth = config.encoder_num_layers + 1
        if not 1 <= channel_fusion_layers <= depth:
            raise ValueError(
                "`channel_fusion_layers` should be between 1 and one more than the "
                f"number of layers of WavLM, {depth}, got {channel_fusion_layers}."
            )
        if num_channels < 1:
            raise ValueError(f"`num_channels` should be positive, got {num_channels}.")
        self.channel_fusions = nn.ModuleList(
            CrossChannelAttention(
                config.encoder_embed_dim, channel_fusion_dim, channel_fusion_heads
            )
            for _ in range(channel_fusion_layers)
        )
        self.audio = AudioReader(sample_rate=self.hparams.sample_rate, mono=None)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Compute the score of each class at each frame.

        Parameters
        ----------
        waveforms : (batch, channel, sample) Tensor
            In training, only the first channels are used, a random number of them.

        Returns
        -------
        scores : (batch, frame, class) Tensor
            In single precision, see `WavLMConformer`.

        Raises
        ------
        ValueError
            If `waveforms` have another shape.
        """
        if waveforms.ndim != 3 or waveforms.shape[1] == 0:
            raise ValueError(
                "`waveforms` should be (batch, channel, sample) with at least one "
                f"channel, got shape {tuple(waveforms.shape)}."
            )
        if self.training:
            kept = torch.randint(waveforms.shape[1], ()) + 1
            waveforms = waveforms[:, :kept]
        return self.classify(self.features(waveforms))

    def features(self, waveforms: Tensor) -> Tensor:
        """Map (batch, channel, sample) waveforms to (batch, frame, feature)."""
        batch_size = len(waveforms)
        states = self.wavlm_model.hidden_states(
            waveforms.flatten(0, 1), transform=partial(self._fuse, batch_size)
        )  # (batch x channel, frame, feature) before the last fusion
        return self.weighted_sum(
            state.unflatten(0, (batch_size, -1)).mean(dim=1) for state in states
        )

    def _fuse(self, batch_size: int, layer: int, state: Tensor) -> Tensor:
        """Apply the attention across channels of a layer, if it has one.

        Maps (batch x channel, frame, feature) to the same shape, or after the last
        fusion to the average of channels, (batch, frame, feature).
        """
        last = len(self.channel_fusions) - 1
        if layer > last:
            return state
        channels = state.unflatten(0, (batch_size, -1))
        channels, attention = self.channel_fusions[layer](channels)
        if layer < last:
            return channels.flatten(0, 1)
        self.channel_weights = attention.detach().mean(dim=(1, 2))  # (batch, channel)
        return channels.mean(dim=1)
