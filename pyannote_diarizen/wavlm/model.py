# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""WavLM: self-supervised representations of speech, dense or pruned.

Weights have the names of DiariZen, which are also the names of torchaudio but for
attention. `foreign` reads checkpoints of other layouts.

References
----------
S. Chen et al., "WavLM: Large-Scale Self-Supervised Pre-Training for Full Stack Speech
Processing", IEEE JSTSP 2022.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pyannote_diarizen.atomic import replacing
from pyannote_diarizen.wavlm.config import WavLMConfig
from pyannote_diarizen.wavlm.encoder import Encoder, Transform, keep
from pyannote_diarizen.wavlm.foreign import read_checkpoint
from pyannote_diarizen.wavlm.frontend import FeatureExtractor, normalize_waveforms
from pyannote_diarizen.wavlm.huggingface import save_huggingface
from pyannote_diarizen.weights import load_weights, save_weights

EXTRACTOR_GRADIENT_SCALE = 0.1
"""Factor of the gradients of the front end: of Large too, as in DiariZen."""


class ScaleGradient(torch.autograd.Function):
    """Identity whose gradient is multiplied by `EXTRACTOR_GRADIENT_SCALE`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Return `x`."""
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Scale the gradient."""
        return gradient * EXTRACTOR_GRADIENT_SCALE


class WavLM(nn.Module):
    """WavLM with random weights. `from_pretrained` loads trained ones.

    Parameters
    ----------
    config : WavLMConfig
        Structure. `get_config` finds predefined ones by name.

    Examples
    --------
    >>> from pyannote_diarizen.wavlm import WavLM, WavLMConfig
    >>> config = WavLMConfig.dense(
    ...     embed_dim=192,
    ...     num_layers=2,
    ...     num_heads=3,
    ...     feed_forward_dim=768,
    ...     layer_norm=True,
    ... )
    >>> representations, _ = WavLM(config).extract_features(torch.randn(1, 16000))
    >>> [tuple(representation.shape) for representation in representations]
    [(1, 49, 192), (1, 49, 192), (1, 49, 192)]
    """

    def __init__(self, config: WavLMConfig) -> None:
        super().__init__()
        self.config = config
        self.feature_extractor = FeatureExtractor(config)
        self.encoder = Encoder(config)
        self.aux = None
        if config.aux_num_out is not None:
            self.aux = nn.Linear(config.encoder_embed_dim, config.aux_num_out)

    @classmethod
    def from_pretrained(
        cls,
        checkpoint: Path | str | nn.Module,
        revision: str | None = None,
        token: str | None = None,
        cache_dir: Path | str | None = None,
        weights_only: bool = True,
    ) -> "WavLM":
        """Load a checkpoint of DiariZen, Microsoft, Hugging Face or torchaudio.

        Parameters
        ----------
        checkpoint : Path, str or nn.Module
            File (`WavLM-Large.pt`, `wavlm-base-converted.bin`, ...), folder of a
            `WavLMModel`, its name on the Hugging Face hub, or a model that transformers
            or a bundle of torchaudio returned.
        revision, token, cache_dir : optional
            Version, access token and download folder, for the hub only.
        weights_only : bool, optional
            Refuse files that hold more than weights, because loading them runs the
            code that they hold. Defaults to True.

        Returns
        -------
        wavlm : WavLM
            In training mode, as all new modules.

        Raises
        ------
        OSError
            If there is no such file, folder or model on the hub, or the download fails.
        CheckpointMismatchError
            If weights are missing, unknown or of another shape; the message lists them.
        ValueError
            If the checkpoint is damaged, or not a WavLM.

        Examples
        --------
        >>> WavLM.from_pretrained("microsoft/wavlm-base-plus")  # doctest: +SKIP
        >>> bundle = torchaudio.pipelines.WAVLM_LARGE           # doctest: +SKIP
        >>> WavLM.from_pretrained(bundle.get_model())           # doctest: +SKIP
        """
        config, state_dict = read_checkpoint(
            checkpoint,
            weights_only,
            revision=revision,
            token=token,
            cache_dir=cache_dir,
        )
        wavlm = cls(config)
        module = isinstance(checkpoint, nn.Module)
        source = type(checkpoint).__name__ if module else str(checkpoint)
        load_weights(wavlm, state_dict, source)
        return wavlm

    def save(self, path: Path | str) -> None:
        """Write a file that `from_pretrained` and DiariZen load.

        Parameters
        ----------
        path : Path or str
            File to write. Replaced in one step if it exists.
        """
        content = {"config": self.config.to_dict(), "state_dict": self.state_dict()}
        with replacing(Path(path)) as temporary:
            save_weights(content, temporary)

    def save_huggingface(self, folder: Path | str) -> None:
        """Write a folder that `transformers.WavLMModel.from_pretrained` loads.

        Parameters
        ----------
        folder : Path or str
            Folder to write to, created if needed. Files of the same names are replaced.

        Raises
        ------
        ValueError
            If transformers cannot hold this WavLM, for instance a pruned one.
        """
        save_huggingface(Path(folder), self.config, self.state_dict())

    def num_frames(self, num_samples: int) -> int:
        """Return the number of frames of `num_samples` samples."""
        return self.feature_extractor.num_frames(num_samples)

    def hidden_states(
        self,
        waveforms: Tensor,
        lengths: Tensor | None = None,
        transform: Transform = keep,
    ) -> Iterator[Tensor]:
        """Yield the input of the first transformer layer, then each layer's output.

        States are yielded one at a time, so that a sum needs the memory of one.

        Parameters
        ----------
        waveforms : (batch, samples) Tensor
            Any floating-point precision. The weights decide that of computation.
        lengths : (batch,) Tensor, optional
            Number of samples of each waveform before padding. Defaults to no padding:
            so DiariZen processes the zeros after the end of a file, too.
        transform : callable, optional
            Function of the index of each state and the state. Its result is yielded,
            and is the input of the next layer. Defaults to the state itself.

        Yields
        ------
        state : (batch, num_frames, embed_dim) Tensor
            Pre-LN (Large): without the final layer norm, even the last one.

        Raises
        ------
        ValueError
            If `waveforms` has another shape, or is shorter than one frame.
        """
        num_samples = waveforms.shape[-1]
        if waveforms.ndim != 2 or self.num_frames(num_samples) == 0:
            raise ValueError(
                "`waveforms` should be (batch, samples) with at least "
                f"{self.feature_extractor.receptive_field_size()} samples, "
                f"got shape {tuple(waveforms.shape)}."
            )
        if self.config.normalize_waveform:
            # half precision is too coarse for the variance of quiet recordings
            waveforms = normalize_waveforms(waveforms.float(), lengths)
        waveforms = waveforms.to(self.feature_extractor.dummy_weight.dtype)
        features = self.feature_extractor(waveforms)
        if features.requires_grad:  # TorchScript cannot hold the function
            features = ScaleGradient.apply(features)
        if lengths is None:
            return self.encoder.hidden_states(features, transform=transform)
        frames = torch.arange(features.shape[1], device=features.device)
        is_padding = frames >= self._frame_lengths(lengths).unsqueeze(-1)
        return self.encoder.hidden_states(features, is_padding, transform)

    def extract_features(
        self,
        waveforms: Tensor,
        lengths: Tensor | None = None,
        num_layers: int | None = None,
    ) -> tuple[list[Tensor], Tensor | None]:
        """Compute representations at all depths.

        Parameters
        ----------
        waveforms : (batch, samples) Tensor
        lengths : (batch,) Tensor, optional
            Number of samples of each waveform before padding. Defaults to no padding.
        num_layers : int, optional
            Number of representations. The first one is the input of the transformer:
            only `num_layers` - 1 layers are computed. Defaults to all.

        Returns
        -------
        representations : list of (batch, num_frames, embed_dim) Tensor
            Pre-LN (Large): without the final layer norm, even the last one.
        lengths : (batch,) Tensor, optional
            Number of frames before padding, None without `lengths`.

        Raises
        ------
        ValueError
            If `waveforms` has a wrong shape, or `num_layers` is out of range.
        """
        depth = self.config.encoder_num_layers + 1
        if num_layers is not None and not 1 <= num_layers <= depth:
            raise ValueError(
                f"`num_layers` should be between 1 and {depth}, got {num_layers}."
            )
        states = self.hidden_states(waveforms, lengths)
        representations = list(islice(states, num_layers))
        return representations, None if lengths is None else self._frame_lengths(
            lengths
        )

    def forward(
        self, waveforms: Tensor, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Compute the output of the last layer.

        Parameters
        ----------
        waveforms : (batch, samples) Tensor
        lengths : (batch,) Tensor, optional
            Number of samples of each waveform before padding. Defaults to no padding.

        Returns
        -------
        output : (batch, num_frames, embed_dim or aux_num_out) Tensor
            Pre-LN (Large): after the final layer norm.
        lengths : (batch,) Tensor, optional
            Number of frames before padding, None without `lengths`.
        """
        representations, lengths = self.extract_features(waveforms, lengths)
        output = representations[-1]
        if self.config.encoder_layer_norm_first:
            output = self.encoder.transformer.layer_norm(output)
        if self.aux is not None:
            output = self.aux(output)
        return output, lengths

    def _frame_lengths(self, lengths: Tensor) -> Tensor:
        frames = [self.num_frames(length) for length in lengths.tolist()]
        return torch.tensor(frames, device=lengths.device)
