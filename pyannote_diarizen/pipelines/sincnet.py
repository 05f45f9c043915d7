# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""First layer of `PyanNet`, computed once for chunks that overlap.

SincNet [1]_ normalises the waveform of a chunk, applies band-pass filters and takes the
maximum of their absolute values over three steps. The normalisation differs from chunk
to chunk, the filters do not. With x a sample, m and s the mean and deviation of a
chunk, g and b weights, and h a filter, the output of a filter is

    sum h (g (x - m) / s + b)  =  a (sum h x) + c,  a = g / s,  c = (b - a m) sum h.

The maximum of |a y + c| over several y is at the largest or the smallest y. So the
convolution and both extremes are shared, and each chunk needs its own `a` and `c` only:
the same numbers, up to rounding.

References
----------
.. [1] M. Ravanelli, Y. Bengio, "Speaker Recognition from Raw Waveform with SincNet",
   SLT 2018.
"""

import copy

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from pyannote.audio import Inference
from pyannote.audio.models.segmentation import PyanNet
from torch import Tensor, nn


class SharedSincNet:
    """Front end of a `PyanNet`, for chunks at equal distances.

    Parameters
    ----------
    inference : Inference
        Segmentation model.
    window, step : int
        Length of chunks and their distance, in samples.
    """

    def __init__(self, inference: Inference, window: int, step: int) -> None:
        self._sincnet = inference.model.sincnet
        self.window, self.step = window, step
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
    def infer(self, waveform: Tensor) -> np.ndarray:
        """Segment the chunks of a (1, num_samples) waveform, see `Inference.infer`."""
        return self._rest.infer(self.features(waveform))

    @torch.inference_mode()
    def features(self, waveform: Tensor) -> Tensor:
        """Map (1, num_samples) to the (num_chunks, 60, num_frames) of SincNet."""
        sincnet = self._sincnet
        norm, filters, pool = (
            sincnet.wav_norm1d,
            sincnet.conv1d[0],
            sincnet.pool1d[0],
        )
        sums = filters.filterbank.filters().sum(dim=2)  # (80, 1)
        mean, variance = self._statistics(waveform)
        scale = norm.weight / torch.sqrt(variance + norm.eps)  # a
        offset = sums * (norm.bias - scale * mean)  # c, (80, num_chunks)

        filtered = filters(waveform[None])  # (1, 80, num_steps)
        num_steps = (self.window - filters.filterbank.kernel_size) // sincnet.stride + 1
        num_pooled = num_steps // pool.stride
        extremes = [
            (pool(filtered[..., phase:]), -pool(-filtered[..., phase:]))
            for phase in range(pool.stride)
        ]
        features = []
        for chunk, (a, c) in enumerate(zip(scale.tolist(), offset.T, strict=True)):
            position, phase = divmod(chunk * self.step // sincnet.stride, pool.stride)
            inside = slice(position, position + num_pooled)
            largest, smallest = (
                torch.add(c[:, None], extreme[..., inside], alpha=a).abs_()
                for extreme in extremes[phase]
            )
            features.append(self._later_layers(torch.maximum(largest, smallest)))
        return torch.cat(features)

    def _statistics(self, waveform: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the mean and variance of each chunk, as InstanceNorm does."""
        samples = waveform[0].double()
        # sums over all samples before each sample; float32 would lose digits
        sums = F.pad(torch.stack([samples, samples.square()]).cumsum(dim=1), (1, 0))
        first = torch.arange(0, len(samples) - self.window + 1, self.step)
        mean, power = (sums[:, first + self.window] - sums[:, first]) / self.window
        variance = (power - mean.square()).clamp(min=0)
        return mean.to(waveform), variance.to(waveform)

    def _later_layers(self, pooled: Tensor) -> Tensor:
        """Apply the layers after the first pooling to one chunk: it fits the cache."""
        sincnet = self._sincnet
        outputs = F.leaky_relu(sincnet.norm1d[0](pooled))
        for convolution, pool, norm in zip(
            sincnet.conv1d[1:], sincnet.pool1d[1:], sincnet.norm1d[1:], strict=True
        ):
            outputs = F.leaky_relu(norm(pool(convolution(outputs))))
        return outputs
