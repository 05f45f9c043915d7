# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Losses of powerset segmentation, one value per frame.

Models return log-probabilities of powerset classes, that is, of sets of speakers who
are active together. Class *k* of a frame has probability :math:`p_k`.

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

_MIN_ERROR = 1e-6
"""Minimum of :math:`1 - p`, whose powers below 1 have no gradient at 0."""


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
    (1 - p_k)^\gamma \log p_k`, where :math:`q_k = (1 - \epsilon) [k = t] + \epsilon/K`.
    By default, it is :math:`-\log p_t`.

    Parameters
    ----------
    log_probabilities : (batch_size, num_frames, num_classes) Tensor
    target : (batch_size, num_frames) Tensor of int64
        Class of each frame.
    class_weights : (num_classes,) Tensor, optional
        Weight :math:`w` of each class. Defaults to 1.
    label_smoothing : float, optional
        Part :math:`\epsilon` of the target probability that all classes share [3]_,
        between 0 and 1. Defaults to 0.
    focal_gamma : float, optional
        Exponent :math:`\gamma` of the focal loss, which gives more weight to hard
        frames [2]_. Defaults to 0; 2 is usual.

    Returns
    -------
    loss : (batch_size, num_frames) Tensor
    """
    loss = -log_probabilities  # (batch_size, num_frames, num_classes)
    if focal_gamma:
        error = -torch.expm1(log_probabilities)  # 1 - p, exact where p is close to 1
        loss = loss * error.clamp_min(_MIN_ERROR) ** focal_gamma
    if class_weights is not None:
        loss = loss * class_weights
    hard = loss.gather(-1, target.unsqueeze(-1)).squeeze(-1)  # the term k = t
    if not label_smoothing:
        return hard
    return (1 - label_smoothing) * hard + label_smoothing * loss.mean(dim=-1)


def balanced_class_weights(
    num_frames: Tensor, cardinality: Tensor, exponent: float = 1.0
) -> Tensor:
    r"""Compute class weights that balance frequent and rare classes.

    Speakers of a chunk have no order, so that classes with the same number of speakers
    are equally frequent: frames with two speakers are divided among all pairs.

    Parameters
    ----------
    num_frames : (max_speakers_per_frame + 1,) Tensor
        Number of frames, or seconds, with no speaker, one speaker, two speakers, ...
    cardinality : (num_classes,) Tensor
        Number of speakers of each class.
    exponent : float, optional
        Weights are frequencies to the power of minus `exponent`: 1 (default) gives all
        classes the same share of the loss, 0 the same weight.

    Returns
    -------
    weights : (num_classes,) Tensor
        Weight of each class, 1 on average over frames. Classes without a frame get
        the highest weight of the others.

    Raises
    ------
    ValueError
        If there is no frame at all.

    Examples
    --------
    Half silence, half one speaker, with at most two speakers:

    >>> balanced_class_weights(torch.tensor([10, 10, 0]), torch.tensor([0, 1, 1, 2]))
    tensor([0.6667, 1.3333, 1.3333, 1.3333])
    """
    if not num_frames.sum() > 0:
        raise ValueError("`num_frames` should hold at least one frame, got none.")
    cardinality = cardinality.long()
    num_classes = torch.bincount(cardinality, minlength=len(num_frames))
    # frequency of one class, (num_classes,)
    frequency = (num_frames / num_frames.sum() / num_classes)[cardinality]
    seen = frequency > 0
    weights = frequency.where(seen, frequency[seen].min()) ** -exponent
    return weights / (weights * frequency).sum()


def multilabel_cross_entropy(
    log_probabilities: Tensor,
    mapping: Tensor,
    target: Tensor,
    pos_weight: float = 1.0,
) -> Tensor:
    r"""Compute the binary cross-entropy of the activity of each speaker [4]_.

    The probability of a speaker is the sum over the classes with that speaker.

    Parameters
    ----------
    log_probabilities : (batch_size, num_frames, num_classes) Tensor
    mapping : (num_classes, num_speakers) Tensor
        1 where a speaker is in a class, else 0.
    target : (batch_size, num_frames, num_speakers) Tensor
        1 where a speaker is active, else 0.
    pos_weight : float, optional
        Weight of active speakers, as in `torch.nn.BCEWithLogitsLoss`. Defaults to 1.

    Returns
    -------
    loss : (batch_size, num_frames) Tensor
        Mean over speakers.
    """
    classes = log_probabilities.unsqueeze(-1)  # (..., num_classes, 1)
    member = mapping.bool()
    absent = torch.finfo(classes.dtype).min
    # log of the sum over classes with and without the speaker, (..., num_speakers)
    active = classes.masked_fill(~member, absent).logsumexp(dim=-2)
    inactive = classes.masked_fill(member, absent).logsumexp(dim=-2)
    return -torch.where(target.bool(), pos_weight * active, inactive).mean(dim=-1)


def change_between_frames(log_probabilities: Tensor) -> Tensor:
    r"""Squared difference between the probabilities of neighbouring frames.

    Parameters
    ----------
    log_probabilities : (batch_size, num_frames, num_classes) Tensor

    Returns
    -------
    loss : (batch_size, num_frames) Tensor
        Sum over classes, 0 for the first frame; 2 where all the probability moves to
        another class.
    """
    probabilities = log_probabilities.exp()
    change = probabilities.diff(dim=1).square().sum(dim=-1)
    return F.pad(change, (1, 0))


def distance_to_smoothed(log_probabilities: Tensor, sigma: float) -> Tensor:
    r"""Squared difference between probabilities and their smoothing by a Gaussian.

    Unlike `change_between_frames`, it penalises activity or pauses shorter than a few
    `sigma` most, and a single change hardly.

    Parameters
    ----------
    log_probabilities : (batch_size, num_frames, num_classes) Tensor
    sigma : float
        Standard deviation of the Gaussian, in frames; the kernel ends at 3 `sigma`.

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
    # one channel per class, (num_classes, 1, 2 * reach + 1)
    kernel = (kernel / kernel.sum()).expand(probabilities.shape[1], 1, -1)
    # the first and the last frame are repeated beyond the chunk
    padded = F.pad(probabilities, (reach, reach), mode="replicate")
    smoothed = F.conv1d(padded, kernel, groups=len(kernel))
    return (probabilities - smoothed).square().sum(dim=1)
