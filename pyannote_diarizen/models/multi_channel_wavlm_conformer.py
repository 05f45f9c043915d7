# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The multi-channel segmentation model of DiariZen: channels meet inside WavLM.

References
----------
J. Han et al., arXiv:2510.14551, 2025.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.models.channel_attention import CrossChannelAttention
from pyannote_diarizen.models.wavlm_conformer import WavLMConformer


class MultiChannelWavLMConformer(WavLMConformer):
    """WavLM-Conformer segmentation model of recordings of several microphones.

    The first layers of WavLM see each channel on its own, and channels attend to each
    other between them. After the last of these meetings, channels are averaged.

    Parameters
    ----------
    wavlm : str, Path or mapping, optional
        See `WavLMConformer`. Defaults to "wavlm_base".
    channel_fusion_dim : int, optional
        Dimension of the attention between channels. Defaults to 768.
    channel_fusion_layers : int, optional
        How often channels meet: before the first layer of WavLM and after each of the
        next `channel_fusion_layers` - 1. Defaults to 4.
    channel_fusion_heads : int, optional
        Number of attention heads. Defaults to 4.
    num_channels : int, optional
        Number of channels of the chunks that the model is trained with, of which a
        random number is used each time. Whatever their number, recordings are
        processed with all their channels. Defaults to 8.
    **options
        Others of `WavLMConformer`.

    Attributes
    ----------
    channel_weights : (batch, channel) Tensor or None
        How much channels looked at each one in the last of their meetings, on average
        over frames, for the last batch. Sums to one over channels.

    Raises
    ------
    ValueError
        If `channel_fusion_layers` is more than WavLM has, or the dimension of the
        attention is no multiple of the number of heads.
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
        # the host refuses several channels: to it, there is one
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
        self.channel_weights: Tensor | None = None
        self.audio = AudioReader(sample_rate=self.hparams.sample_rate, mono=None)

    @classmethod
    def from_mono(
        cls, mono: WavLMConformer, **options: Any
    ) -> "MultiChannelWavLMConformer":
        """Build a model that starts from the weights of a mono one, to be trained.

        Parameters
        ----------
        mono : WavLMConformer
            With specifications, as it is once trained.
        **options
            Others than those of `mono`.

        Returns
        -------
        model : MultiChannelWavLMConformer
            For now, it does about what `mono` does.
        """
        hparams = {key: mono.hparams[key] for key in mono.hparams}
        del hparams["num_channels"]
        model = cls(**(hparams | options))
        model.specifications = mono.specifications
        model.setup()
        model.load_state_dict(model.state_dict() | mono.state_dict())
        return model

    def forward(self, waveforms: Tensor) -> Tensor:
        """Pass forward.

        Parameters
        ----------
        waveforms : (batch, channel, sample) Tensor
            In training, a random number of channels are used, from the first.

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
            waveforms.flatten(0, 1), transform=partial(self._meet, batch_size)
        )
        # those of channels that are still apart are averaged
        return self.weighted_sum(
            state.unflatten(0, (batch_size, -1)).mean(dim=1) for state in states
        )

    def _meet(self, batch_size: int, layer: int, state: Tensor) -> Tensor:
        """Let channels attend to each other, and average them after the last time.

        Takes (batch x channel, frame, feature), returns the same or (batch, ...).
        """
        last = len(self.channel_fusions) - 1
        if layer > last:
            return state
        channels = state.unflatten(0, (batch_size, -1))
        channels, attention = self.channel_fusions[layer](channels)
        if layer < last:
            return channels.flatten(0, 1)
        self.channel_weights = attention.detach().mean(dim=(1, 2))
        return channels.mean(dim=1)
