# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Segmentation model of DiariZen: WavLM, then Conformer.

The Conformer processes sum_l w_l h_l, with h_l the hidden state of layer l of WavLM (0
is its input) and w_l learnt weights.

References
----------
J. Han et al., "Leveraging Self-Supervised Learning for Speaker Diarization",
ICASSP 2025.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeGuard

import torch
from pyannote.audio.core.task import Task
from torch import Tensor, nn

from pyannote_diarizen.models.conformer_segmentation import ConformerSegmentation
from pyannote_diarizen.wavlm import PREDEFINED, WavLM, get_config


class WavLMConformer(ConformerSegmentation):
    """WavLM-Conformer segmentation model.

    WavLM > weighted sum of its layers > projection > Conformer > classifier

    Parameters
    ----------
    wavlm : str, Path or mapping, optional
        Name of a predefined configuration or argument of `WavLMConfig.from_dict`, to
        start from random weights; checkpoint of a WavLM, as `WavLM.from_pretrained`
        takes, to start from its weights. Checkpoints of this model hold configuration
        and weights, and no path. Defaults to "wavlm_base".
    attention_in : int, optional
        Dimension of the Conformer. Defaults to 256.
    ffn_hidden : int, optional
        Width of feed-forward blocks of the Conformer. Defaults to 1024.
    num_head : int, optional
        Number of attention heads. Defaults to 4.
    num_layer : int, optional
        Number of Conformer blocks. Defaults to 4.
    kernel_size : int, optional
        Kernel of depthwise convolutions, in frames, odd. Defaults to 31.
    dropout : float, optional
        Dropout of the Conformer. Defaults to 0.1.
    use_posi : bool, optional
        Whether attention uses relative positions. Defaults to False.
    output_activate_function : str or False, optional
        Activation after the last block ("ReLU", "Tanh", ...). Defaults to none.
    sample_rate : int, optional
        Audio sample rate. Defaults to 16kHz (16000).
    num_channels : int, optional
        Number of channels. Only mono (1) is supported.
    layer_temperature : float, optional
        The weights of WavLM layers go through a softmax of this temperature: they are
        positive and sum to 1, and a temperature above 1 keeps them close to each other.
        By default, weights have no softmax, as in DiariZen.
    task : Task, optional
        Task that trains the model.
    """

    def __init__(
        self,
        wavlm: str | Path | Mapping[str, Any] = "wavlm_base",
        attention_in: int = 256,
        ffn_hidden: int = 1024,
        num_head: int = 4,
        num_layer: int = 4,
        kernel_size: int = 31,
        dropout: float = 0.1,
        use_posi: bool = False,
        output_activate_function: str | Literal[False] | None = False,
        sample_rate: int = 16000,
        num_channels: int = 1,
        layer_temperature: float | None = None,
        task: Task | None = None,
    ) -> None:
        if layer_temperature is not None and not layer_temperature > 0:
            raise ValueError(
                f"`layer_temperature` should be above 0, got {layer_temperature}."
            )
        super().__init__(
            attention_in=attention_in,
            ffn_hidden=ffn_hidden,
            num_head=num_head,
            num_layer=num_layer,
            kernel_size=kernel_size,
            dropout=dropout,
            use_posi=use_posi,
            output_activate_function=output_activate_function,
            sample_rate=sample_rate,
            num_channels=num_channels,
            task=task,
        )
        self.wavlm_model = _build_wavlm(wavlm)
        config = self.wavlm_model.config
        if not _is_predefined(wavlm):
            wavlm = config.to_dict()  # plain values, without paths of this machine
        # by value: by name, Lightning would store the argument of a subclass
        self.save_hyperparameters(
            {"wavlm": wavlm, "layer_temperature": layer_temperature}
        )
        if config.encoder_layer_norm_first:
            # The weighted sum takes states before this layer norm. Distributed training
            # refuses weights without gradient.
            self.wavlm_model.encoder.transformer.layer_norm.requires_grad_(False)
        self.weight_sum = nn.Linear(config.encoder_num_layers + 1, 1, bias=False)
        self.add_conformer(config.encoder_embed_dim)

    def num_frames(self, num_samples: int) -> int:
        """Compute number of output frames for a given number of input samples."""
        return self.wavlm_model.feature_extractor.num_frames(num_samples)

    def receptive_field_size(self, num_frames: int = 1) -> int:
        """Compute size of receptive field, in samples."""
        return self.wavlm_model.feature_extractor.receptive_field_size(num_frames)

    def receptive_field_center(self, frame: int = 0) -> int:
        """Compute center of receptive field, as a sample index."""
        return self.wavlm_model.feature_extractor.receptive_field_center(frame)

    def features(self, waveforms: Tensor) -> Tensor:
        """Map (batch, sample) waveforms to the weighted sum of all WavLM layers."""
        return self.weighted_sum(self.wavlm_model.hidden_states(waveforms))

    def weighted_sum(self, states: Iterable[Tensor]) -> Tensor:
        """Map the state of each layer to (batch, frame, feature) features."""
        weights = self.weight_sum.weight[0]  # (num_layers + 1,)
        if self.hparams.layer_temperature is not None:
            weights = (weights / self.hparams.layer_temperature).softmax(dim=0)
        total = weights.new_zeros(())
        # added one by one: inference holds a single state in memory
        for weight, state in zip(weights, states, strict=True):
            total = torch.addcmul(total, weight, state)
        return total


def _is_predefined(wavlm: str | Path | Mapping[str, Any]) -> TypeGuard[str]:
    return isinstance(wavlm, str) and wavlm.lower() in PREDEFINED


def _build_wavlm(wavlm: str | Path | Mapping[str, Any]) -> WavLM:
    if _is_predefined(wavlm) or isinstance(wavlm, Mapping):
        return WavLM(get_config(wavlm))
    try:
        return WavLM.from_pretrained(wavlm)
    except FileNotFoundError as error:
        names = ", ".join(PREDEFINED)
        raise FileNotFoundError(
            f"`wavlm` should be one of {names}, or a checkpoint: {error}"
        ) from error
