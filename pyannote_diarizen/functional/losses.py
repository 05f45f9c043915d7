# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Losses of segmentation: one value per frame, so that callers average as they need.

Models give log-probabilities of powerset classes, that is, of sets of speakers who
speak at once. Class *k* of a frame has probability :math:`p_k`.

References
----------
.. [1] A. Plaquet, H. Bredin, "Powerset multi-class cross entropy loss for neural
   speaker diarization", Interspeech 2023.
.. [2] T.-Y. Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017.
.. [3] C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision",
   CVPR 2016.
.. [4] Y. Fujita et al., "End-to-End Neural Speaker Diarization with
   Permutation-Free Objectives", Interspeech 2019.
"""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

_LEAST_DOUBT = 1e-6
"""Where powers of :math:`1 - p` below 1 would have no gradient."""


def cross_entropy(
    log_probabilities: Tensor,
    target: Tensor,
    *,
    class_weights: Tensor | None = None,
    label_smoothing: float = 0.0,
    focal_gamma: float = 0.0,
) -> Tensor:
    r"""Compute the cross-entropy of powerset classes [1]_.

    With target class :math:`t` and :math:`K` classes, it is :math:`-\sum_k w_k q_k
    (1 - p_k)^\gamma \log p_k`, where :math:`q_k = (1 - \epsilon) [k = t] + \epsilon/K`:
    :math:`-\log p_t` as long as nothing else is asked.

    Parameters
    ----------
    log_probabilities : (batch_size, num_frames, num_classes) Tensor
    target : (batch_size, num_frames) Tensor of int64
        Class of each frame.
    class_weights : (num_classes,) Tensor, optional
        :math:`w`. Defaults to 1 for each class.
    label_smoothing : float, optional
        :math:`\epsilon`, what the target leaves to all classes alike [3]_. Between 0
        and 1, defaults to 0.
    focal_gamma : float, optional
        :math:`\gamma` of the focal loss, which turns to frames that are hard [2]_.
        Defaults to 0, 2 is usual.

    Returns
    -------
    loss : (batch_size, num_frames) Tensor
    """
    loss = -log_probabilities
    if focal_gamma:
        doubt = -torch.expm1(log_probabilities)  # 1 - p, exact where p is close to 1
        loss = loss * doubt.clamp_min(_LEAST_DOUBT) ** focal_gamma
    if class_weights is not None:
        loss = loss * class_weights
    hard = loss.gather(-1, target.unsqueeze(-1)).squeeze(-1)
    if not label_smoothing:
        return hard
    return (1 - label_smoothing) * hard + label_smoothing * loss.mean(dim=-1)


def balanced_class_weights(
    num_frames: Tensor, cardinality: Tensor, exponent: float = 1.0
) -> Tensor:
    r"""Compute weights that make up for classes that are rare.

    Speakers of a chunk have no order, so that classes of as many speakers are as
    frequent: the frames of two speakers at once are divided among all pairs.

    Parameters
    ----------
    num_frames : (max_speakers_per_frame + 1,) Tensor
        Frames, or seconds, of silence, of one speaker, of two at once, and so on.
    cardinality : (num_classes,) Tensor
        Number of speakers of each class.
    exponent : float, optional
        Weights are frequencies to the power of minus this: 1 (default) gives all
        classes the same part in the loss, 0 leaves frequent ones theirs.

    Returns
    -------
    weights : (num_classes,) Tensor
        Weigh 1 on average over frames. Classes without a frame get the greatest
        weight of the others.

    Raises
    ------
    ValueError
        If there is no frame at all.

    Examples
    --------
    Half of silence, and half of one of two speakers:

    >>> balanced_class_weights(torch.tensor([10, 10, 0]), torch.tensor([0, 1, 1, 2]))
    tensor([0.6667, 1.3333, 1.3333, 1.3333])
    """
    if not num_frames.sum() > 0:
        raise ValueError("Classes cannot be weighed by their frequency without frames.")
    cardinality = cardinality.long()
    num_classes = torch.bincount(cardinality, minlength=len(num_frames))
    frequency = (num_frames / num_frames.sum() / num_classes)[cardinality]
    seen = frequency > 0
    weights = frequency.where(seen, frequency[seen].min()) ** -exponent
    return weights / (weights * frequency).sum()


def multilabel_cross_entropy(
    log_probabilities: Tensor, mapping: Tensor, target: Tensor
) -> Tensor:
    r"""Compute the binary cross-entropy of the activity of speakers [4]_.

    A speaker is active with the probability of all classes that he or she is in.

    Parameters
    ----------
    log_probabilities : (batch_size, num_frames, num_classes) Tensor
    mapping : (num_classes, num_speakers) Tensor
        1 where a speaker is in a class, else 0.
    target : (batch_size, num_frames, num_speakers) Tensor
        1 where a speaker is active, else 0.

    Returns
    -------
    loss : (batch_size, num_frames) Tensor
        Mean over speakers.
    """
    classes = log_probabilities.unsqueeze(-1)  # (..., num_classes, 1)
    member = mapping.bool()
    absent = torch.finfo(classes.dtype).min
    active = classes.masked_fill(~member, absent).logsumexp(dim=-2)
    inactive = classes.masked_fill(member, absent).logsumexp(dim=-2)
    return -torch.where(target.bool(), active, inactive).mean(dim=-1)


def change_between_frames(log_probabilities: Tensor) -> Tensor:
    r"""Measure how much probabilities change from a frame to the next.

    Parameters
    ----------
    log_probabilities : (batch_size, num_frames, num_classes) Tensor

    Returns
    -------
    loss : (batch_size, num_frames) Tensor
        Sum over classes of squared differences with the frame before, 0 for the first:
        2 where all the probability goes to another class.
    """
    probabilities = log_probabilities.exp()
    change = probabilities.diff(dim=1).square().sum(dim=-1)
    return F.pad(change, (1, 0))


def distance_to_smoothed(log_probabilities: Tensor, sigma: float) -> Tensor:
    r"""Measure how far probabilities are from themselves smoothed by a Gaussian.

    Unlike `change_between_frames`, what happens over a few `sigma` costs next to
    nothing, however steep; what lasts less costs most.

    Parameters
    ----------
    log_probabilities : (batch_size, num_frames, num_classes) Tensor
    sigma : float
        Standard deviation of the Gaussian, in frames. It is cut at three times that.

    Returns
    -------
    loss : (batch_size, num_frames) Tensor
        Sum over classes of squared differences.

    Raises
    ------
    ValueError
        If `sigma` is not greater than 0.
    """
    if not sigma > 0:
        raise ValueError(f"`sigma` should be greater than 0 frames, got {sigma}.")
    probabilities = log_probabilities.exp().transpose(1, 2)
    reach = int(3 * sigma + 0.5)
    offsets = torch.arange(-reach, reach + 1).to(probabilities)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = (kernel / kernel.sum()).expand(probabilities.shape[1], 1, -1)
    # the first frame and the last one go on beyond the chunk
    padded = F.pad(probabilities, (reach, reach), mode="replicate")
    smoothed = F.conv1d(padded, kernel, groups=len(kernel))
    return (probabilities - smoothed).square().sum(dim=1)
