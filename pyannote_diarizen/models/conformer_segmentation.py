# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Base of segmentation models that classify the frames of a Conformer."""

from typing import Literal

from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Task
from torch import Tensor, nn

from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.errors import check_at_least
from pyannote_diarizen.models.conformer import Conformer


class ConformerSegmentation(Model):
    """Features > projection > Conformer > classifier.

    Subclasses add the layers of their features, then call `add_conformer`, and define
    `features` and pyannote's `num_frames`, `receptive_field_size` and
    `receptive_field_center`.

    Parameters
    ----------
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
    task : Task, optional
        Task that trains the model.
    """

    def __init__(
        self,
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
        sizes = {"attention_in": attention_in, "ffn_hidden": ffn_hidden}
        check_at_least(1, **sizes, num_head=num_head, kernel_size=kernel_size)
        check_at_least(0, num_layer=num_layer)
        super().__init__(sample_rate=sample_rate, num_channels=num_channels, task=task)
        self.save_hyperparameters(
            "attention_in",
            "ffn_hidden",
            "num_head",
            "num_layer",
            "kernel_size",
            "dropout",
            "use_posi",
            "output_activate_function",
        )
        self.audio = AudioReader(sample_rate=sample_rate, mono="downmix")

    def add_conformer(self, num_features: int) -> None:
        """Add the layers that map `num_features` to the dimension of the Conformer."""
        self.proj = nn.Linear(num_features, self.hparams.attention_in)
        self.lnorm = nn.LayerNorm(self.hparams.attention_in)
        self.conformer = Conformer(
            attention_in=self.hparams.attention_in,
            ffn_hidden=self.hparams.ffn_hidden,
            num_head=self.hparams.num_head,
            num_layer=self.hparams.num_layer,
            kernel_size=self.hparams.kernel_size,
            dropout=self.hparams.dropout,
            use_posi=self.hparams.use_posi,
            output_activate_function=self.hparams.output_activate_function,
        )

    @property
    def dimension(self) -> int:
        """Number of classes: of the powerset, if the task has one."""
        if isinstance(self.specifications, tuple):
            raise ValueError(f"{type(self).__name__} does not support multi-tasking.")
        if self.specifications.powerset:
            return self.specifications.num_powerset_classes
        return len(self.specifications.classes)

    def build(self) -> None:
        """Add the layers that depend on the task."""
        self.classifier = nn.Linear(self.hparams.attention_in, self.dimension)
        self.activation = self.default_activation()

    def features(self, waveforms: Tensor) -> Tensor:
        """Map (batch, sample) waveforms to (batch, frame, feature) features."""
        raise NotImplementedError

    def forward(self, waveforms: Tensor) -> Tensor:
        """Compute the score of each class at each frame.

        Parameters
        ----------
        waveforms : (batch, channel=1, sample) Tensor

        Returns
        -------
        scores : (batch, frame, class) Tensor
            Log-probabilities for powerset classes. In single precision, even under
            autocast: the permutation of speakers is computed with NumPy.

        Raises
        ------
        ValueError
            If `waveforms` are not mono.
        """
        if waveforms.ndim != 3 or waveforms.shape[1] != 1:
            raise ValueError(
                "`waveforms` should be (batch, channel, sample) with one channel, "
                f"got shape {tuple(waveforms.shape)}."
            )
        return self.classify(self.features(waveforms.squeeze(1)))

    def classify(self, features: Tensor) -> Tensor:
        """Map (batch, frame, feature) features to (batch, frame, class) scores."""
        frames = self.lnorm(self.proj(features))  # (batch, frame, attention_in)
        return self.activation(self.classifier(self.conformer(frames)).float())
