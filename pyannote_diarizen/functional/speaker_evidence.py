# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What each speaker adds to the evidence of VBx.

With responsibilities held fixed, the evidence lower bound of VBx is a sum over
speakers. The term of a speaker at its best mean and variance depends only on how many
embeddings it has and on their sum, so that what a merge or a split costs is known in
closed form.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class SpeakerEvidence:
    """Term of one speaker in the evidence lower bound of VBx.

    Attributes
    ----------
    phi : (dimension,) np.ndarray
        Variances between speakers, where the variance within a speaker is 1.
    Fa, Fb : float
        Weights of the embeddings and of the prior on speakers.
    """

    phi: np.ndarray
    Fa: float
    Fb: float

    def __call__(self, counts: np.ndarray, sums: np.ndarray) -> np.ndarray:
        """Evidence of speakers, up to a constant per embedding.

        Parameters
        ----------
        counts : (...) np.ndarray
            Embeddings of each speaker; responsibilities make them fractional.
        sums : (..., dimension) np.ndarray
            Sum of the embeddings of each speaker, in the PLDA space.

        Returns
        -------
        evidence : (...) np.ndarray
        """
        # (16) and (17) of VBx put into its bound (25)
        ratio = self.Fa / self.Fb
        variances = 1 / (1 + ratio * counts[..., None] * self.phi)
        fit = self.Fa * ratio * variances * self.phi * sums**2
        return 0.5 * np.sum(fit + self.Fb * np.log(variances), axis=-1)
