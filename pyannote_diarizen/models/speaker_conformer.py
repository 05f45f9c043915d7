# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Segmentation model on frames that know voices: those of a speaker embedding."""

from collections.abc import Sequence
from typing import Literal

from pyannote.audio.core.task import Task
from torch import Tensor

from pyannote_diarizen.models.conformer_segmentation import ConformerSegmentation
from pyannote_diarizen.models.speaker_frames import SpeakerFrames


class SpeakerConformer(ConformerSegmentation):
    """Speaker-Conformer segmentation model.

    Frames of a `SpeakerResNet` > projection > Conformer > classifier

    What tells voices apart is hard to learn from conversations: start from the
    `encoder` of a trained `SpeakerResNet`, as DiariZen starts from WavLM.

    Parameters
    ----------
    num_mel_bins : int, optional
        Number of mel bands. Defaults to 80.
    channels, blocks : sequence of int, optional
        Width and number of blocks of each stage of the residual network. Default to
        (32, 64) and (1, 1).
    temporal_channels, temporal_blocks : int, optional
        Width and number of blocks of the convolutions along time. Default to 320 and 8.
    attention_in : int, optional
        Dimension of the Conformer. Defaults to 256.
    ffn_hidden : int, optional
        Width of its feed-forward blocks. Defaults to 1024.
    num_head : int, optional
        Number of attention heads. Defaults to 4.
    num_layer : int, optional
        Number of Conformer blocks. Defaults to 4.
    kernel_size : int, optional
        Kernel of depthwise convolutions, in frames, odd. Defaults to 31.
    dropout : float, optional
        Defaults to 0.1.
    use_posi : bool, optional
        Whether attention knows relative positions. Defaults to False.
    output_activate_function : str or False, optional
        Activation after the last block ("ReLU", "Tanh", ...). Defaults to none.
    sample_rate : int, optional
        Audio sample rate. Defaults to 16kHz (16000).
    num_channels : int, optional
        Number of channels. Only mono (1) is supported.
    task : Task, optional
        Task that trains the model.
    """

    def __init__(
        self,
        num_mel_bins: int = 80,
        channels: Sequence[int] = (32, 64),
        blocks: Sequence[int] = (1, 1),
        temporal_channels: int = 320,
        temporal_blocks: int = 8,
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
        task: Task | None = None,
    ) -> None:
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
        self.save_hyperparameters(
            "num_mel_bins",
            "channels",
            "blocks",
            "temporal_channels",
            "temporal_blocks",
        )
        self.encoder = SpeakerFrames(
            sample_rate,
            num_mel_bins,
            channels,
            blocks,
            temporal_channels,
            temporal_blocks,
        )
        self.add_conformer(self.encoder.num_features)

    def features(self, waveforms: Tensor) -> Tensor:
        """Map (batch, sample) waveforms to (batch, frame, feature) features."""
        return self.encoder(waveforms).transpose(1, 2)

    def num_frames(self, num_samples: int) -> int:
        """Return the number of frames that `num_samples` samples give."""
        return self.encoder.num_frames(num_samples)

    def receptive_field_size(self, num_frames: int = 1) -> int:
        """Return the number of samples that `num_frames` frames see.

        Attention sees all of the chunk besides.
        """
        return self.encoder.receptive_field_size(num_frames)

    def receptive_field_center(self, frame: int = 0) -> int:
        """Return the sample at the centre of what `frame` sees."""
        return self.encoder.receptive_field_center(frame)
