# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Learning rate schedules, as factors of the configured learning rate.

Each function takes the current step of the optimizer and the total number of steps.
During `warm_up` steps, the rate grows linearly from 0; below 1, `warm_up` is a share of
the steps.

References
----------
.. [1] L. N. Smith, N. Topin, "Super-Convergence: Very Fast Training of Neural Networks
   Using Large Learning Rates", arXiv 1708.07120.
.. [2] A. Vaswani et al., "Attention Is All You Need", NeurIPS 2017, equation 3.
.. [3] I. Loshchilov, F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts",
   ICLR 2017, equation 5.
"""

import math


def constant(step: int, num_steps: float, warm_up: float = 0) -> float:
    """Constant rate after the warm-up.

    Examples
    --------
    >>> [constant(step, 8, warm_up=2) for step in range(4)]
    [0.0, 0.5, 1.0, 1.0]
    """
    warm_up = warm_up_steps(warm_up, num_steps)
    return step / warm_up if step < warm_up else 1.0


def linear(step: int, num_steps: float, warm_up: float = 0) -> float:
    """Rate that decreases linearly, to 0 at the last step.

    Examples
    --------
    >>> [linear(step, 6, warm_up=2) for step in range(7)]
    [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0]
    """
    warm_up = warm_up_steps(warm_up, num_steps)
    if step < warm_up:
        return step / warm_up
    return max(0.0, 1.0 - _progress(step, num_steps, warm_up))


def cosine(
    step: int,
    num_steps: float,
    warm_up: float = 0,
    floor: float = 0.0,
    cycles: int = 1,
) -> float:
    """Rate that decreases on half a cosine, to `floor` at the last step.

    With several `cycles`, all of the same length, it restarts from 1 [3]_.

    Examples
    --------
    >>> [round(cosine(step, 6, warm_up=2), 2) for step in range(7)]
    [0.0, 0.5, 1.0, 0.85, 0.5, 0.15, 0.0]
    >>> [round(cosine(step, 6, cycles=2), 2) for step in range(7)]
    [1.0, 0.75, 0.25, 1.0, 0.75, 0.25, 0.0]
    """
    warm_up = warm_up_steps(warm_up, num_steps)
    if step < warm_up:
        return step / warm_up
    progress = _progress(step, num_steps, warm_up)
    progress = progress * cycles % 1 if progress < 1 else 1.0
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress))


def one_cycle(
    step: int,
    num_steps: float,
    warm_up: float | None = None,
    start: float = 0.04,
    end: float = 4e-6,
) -> float:
    """Rate that grows from `start` to 1 on half a cosine, then decreases to `end` [1]_.

    By default equal to `torch.optim.lr_scheduler.OneCycleLR`, where `warm_up` is 30 %
    of the steps.
    """
    warm_up = (
        0.3 * num_steps - 1 if warm_up is None else warm_up_steps(warm_up, num_steps)
    )
    if step < warm_up:
        progress, first, last = step / warm_up, start, 1.0
    else:
        progress, first, last = _progress(step, num_steps - 1, warm_up), 1.0, end
    return last + (first - last) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


def noam(step: int, num_steps: float, warm_up: float = 4000) -> float:
    """Inverse square root of the step [2]_, scaled to 1 at the end of the warm-up.

    Examples
    --------
    >>> [round(noam(step, 8, warm_up=2), 2) for step in range(8)]
    [0.5, 1.0, 0.82, 0.71, 0.63, 0.58, 0.53, 0.5]
    """
    warm_up = max(1.0, warm_up_steps(warm_up, num_steps))
    count = step + 1
    return math.sqrt(warm_up) * min(count**-0.5, count * warm_up**-1.5)


def _progress(step: int, num_steps: float, warm_up: float) -> float:
    """Completed share of the steps after the warm-up."""
    _check_end(num_steps)
    return (step - warm_up) / max(1.0, num_steps - warm_up)


def warm_up_steps(warm_up: float, num_steps: float) -> float:
    """Compute the number of steps of a warm-up.

    Parameters
    ----------
    warm_up : float
        Number of steps, or a share of all steps if below 1.
    num_steps : float
        Number of all steps; infinite if unknown.

    Returns
    -------
    steps : float

    Raises
    ------
    ValueError
        If `warm_up` is negative, or a share of an unknown number.
    """
    if not warm_up >= 0:
        raise ValueError(f"`warm_up` should be at least 0, got {warm_up}.")
    if not 0 < warm_up < 1:
        return warm_up
    _check_end(num_steps)
    return warm_up * num_steps


def _check_end(num_steps: float) -> None:
    if math.isinf(num_steps):
        raise ValueError(
            "This schedule needs the number of steps of training: set "
            "trainer.max_epochs."
        )
