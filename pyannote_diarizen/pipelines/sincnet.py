# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""First layer of `PyanNet`, computed once for chunks that overlap.

SincNet [1]_ normalises the waveform of a chunk, applies band-pass filters and takes the
maximum of their absolute values over three steps. The normalisation differs from chunk
to chunk, the filters do not. With x a sample, m and s the mean and deviation of a
chunk, g and b weights, and h a filter, the output of a filter is

    sum h (g (x - m) / s + b)  =  a (sum h x) + c,  a = g / s,  c = (b - a m) sum h.

The maximum of |a y + c| over several y is at the largest or the smallest y. The next
normalisation removes the scale |a| and the mean. So the convolution and both extremes
are shared, and each chunk adds c / a: the same numbers, up to rounding.

Arrays have frames first, then channels: all layers but the first are twice as fast on
CPUs as in the order of the model.

References
----------
.. [1] M. Ravanelli, Y. Bengio, "Speaker Recognition from Raw Waveform with SincNet",
   SLT 2018.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from pyannote.audio import Inference
from pyannote.audio.models.segmentation import PyanNet
from torch import Tensor, nn


@dataclass(frozen=True)
class Filtered:
    """Outputs of the filters, which chunks of a recording share.

    Attributes
    ----------
    recording : object
        Identity of the recording.
    first : int
        Index of the first step of the filters in the recording.
    highest, lowest : (num_steps, 80) Tensor
        Maximum of each filter over three steps, and minus the minimum.
    scales, offsets : (num_chunks,) Tensor
        a, and c / a divided by the sum of h.
    """

    recording: object
    first: int
    highest: Tensor
    lowest: Tensor
    scales: Tensor
    offsets: Tensor


class SharedSincNet:
    """Front end of a `PyanNet`, for chunks at equal distances.

    Parameters
    ----------
    inference : Inference
        Segmentation model.
    window, step : int
        Length of chunks and their distance, in samples.
    """

    @torch.inference_mode()
    def __init__(self, inference: Inference, window: int, step: int) -> None:
        self._sincnet = inference.model.sincnet
        self.window, self.step = window, step
        self._filters = self._sincnet.conv1d[0].filterbank.filters()  # (80, 1, 251)
        self._width = self._sincnet.pool1d[0].kernel_size
        # (out_channels, in_channels, 1, kernel_size), in the memory order of frames
        self._kernels = [
            convolution.weight.unsqueeze(2).contiguous(
                memory_format=torch.channels_last
            )
            for convolution in self._sincnet.conv1d[1:]
        ]
        self._last: Filtered | None = None
        # the same model without its front end, the weights shared
        rest = copy.copy(inference.model)
        rest._modules = {**rest._modules, "sincnet": nn.Identity()}
        self._rest = copy.copy(inference)
        self._rest.model = rest

    @staticmethod
    def supports(inference: Inference, step: int) -> bool:
        """Whether chunks can share the filters of a model, on a CPU.

        A GPU computes all chunks of a batch at once faster than what they do not share.
        """
        model = inference.model
        return (
            isinstance(model, PyanNet)
            and inference.device.type == "cpu"
            and step % model.sincnet.stride == 0
        )

    @torch.inference_mode()
    def filter(
        self, waveform: Tensor, start: int = 0, recording: object = None
    ) -> Filtered:
        """Filter some chunks of a recording, but for what the last call has filtered.

        Parameters
        ----------
        waveform : (1, num_samples) Tensor
            Waveform of all these chunks.
        start : int, optional
            Index of its first sample in the recording, a multiple of `step`.
        recording : object, optional
            Identity of the recording.

        Returns
        -------
        filtered : Filtered
        """
        norm, stride = self._sincnet.wav_norm1d, self._sincnet.stride
        means, variances = self._statistics(waveform)
        scales = norm.weight / torch.sqrt(variances + norm.eps)  # a, (num_chunks,)
        offsets = norm.bias / scales - means

        first, last = start // stride, self._last
        kept: tuple[Tensor, ...] = ()  # each of shape (num_kept, 80)
        if (
            last is not None
            and last.recording is recording
            # a batch that is halved starts again where it started
            and 0 < first - last.first < len(last.highest)
        ):
            kept = last.highest[first - last.first :], last.lowest[first - last.first :]
        rest = waveform[:, stride * len(kept[0]) :] if kept else waveform
        filtered = F.conv1d(rest[None], self._filters, stride=stride)  # (1, 80, ...)
        frames = filtered[0].T.contiguous()
        highest = _pool(frames, self._width, torch.maximum)
        lowest = _pool(frames, self._width, torch.minimum).neg_()
        if kept:
            highest = torch.cat([kept[0], highest])
            lowest = torch.cat([kept[1], lowest])
        self._last = Filtered(recording, first, highest, lowest, scales, offsets)
        return self._last

    @torch.inference_mode()
    def infer(self, batch: list[Filtered]) -> np.ndarray:
        """Segment chunks of some recordings, see `Inference.infer`."""
        return self._rest.infer(torch.cat([*map(self.features, batch)]))

    @torch.inference_mode()
    def features(self, filtered: Filtered) -> Tensor:
        """Compute the (num_chunks, 60, num_frames) output of SincNet."""
        sincnet = self._sincnet
        sums = self._filters.sum(dim=(1, 2))  # (80,)
        num_steps = (self.window - self._filters.shape[2]) // sincnet.stride + 1
        features = []
        for chunk, (a, offset) in enumerate(
            zip(filtered.scales.tolist(), filtered.offsets.tolist(), strict=True)
        ):
            start = chunk * self.step // sincnet.stride
            inside = slice(start, start + num_steps - self._width + 1, self._width)
            # max |y + c / a| + c / a: the constant does not matter
            pooled = filtered.highest[inside] + 2 * offset * sums
            torch.maximum(pooled, filtered.lowest[inside], out=pooled)
            outputs = _normalize(pooled, sincnet.norm1d[0], scale=a)
            features.append(self._later_layers(outputs))
        return torch.stack(features).transpose(1, 2)

    def _statistics(self, waveform: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the mean and variance of each chunk, as InstanceNorm does."""
        # chunks start and end at multiples of the size of blocks
        size = math.gcd(self.window, self.step)
        blocks = waveform[0].view(-1, size).double()  # float32 would lose digits
        sums = torch.stack([blocks.sum(dim=1), blocks.square().sum(dim=1)])
        sums = F.pad(sums.cumsum(dim=1), (1, 0))  # over all blocks before each block
        length, step = self.window // size, self.step // size
        first = torch.arange(0, len(blocks) - length + 1, step)
        mean, power = (sums[:, first + length] - sums[:, first]) / self.window
        variance = (power - mean.square()).clamp(min=0)
        return mean.to(waveform), variance.to(waveform)

    def _later_layers(self, frames: Tensor) -> Tensor:
        """Apply the layers after the first norm to one chunk: it fits the cache."""
        sincnet = self._sincnet
        for convolution, kernel, pool, norm in zip(
            *(sincnet.conv1d[1:], self._kernels),
            *(sincnet.pool1d[1:], sincnet.norm1d[1:]),
            strict=True,
        ):
            # (num_frames, channels) to (1, channels, 1, num_frames), without a copy
            image = frames.T[None, :, None]
            frames = F.conv2d(image, kernel, convolution.bias)[0, :, 0].T
            pooled = _pool(frames, pool.kernel_size, torch.maximum, pool.stride)
            frames = _normalize(pooled, norm)
        return frames


def _pool(
    frames: Tensor, width: int, extreme: Callable[..., Tensor], stride: int = 1
) -> Tensor:
    """Extreme (num_pooled, channels) of `width` frames, each `stride` frames."""
    num_pooled = (len(frames) - width) // stride + 1
    shifted = [
        frames[start : start + (num_pooled - 1) * stride + 1 : stride]
        for start in range(width)
    ]
    pooled = extreme(shifted[0], shifted[1])
    for other in shifted[2:]:
        extreme(pooled, other, out=pooled)
    return pooled


def _normalize(frames: Tensor, norm: nn.InstanceNorm1d, scale: float = 1.0) -> Tensor:
    """Normalise the (num_frames, channels) of a chunk over time, times `scale`."""
    normalized = F.batch_norm(
        *(frames, None, None, norm.weight, norm.bias),
        training=True,
        eps=norm.eps / scale**2,
    )
    return F.leaky_relu_(normalized)
