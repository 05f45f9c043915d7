# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Learning rate schedules, as factors of the configured learning rate.

Each function takes the current step of the optimizer and the total number of steps.
`warm_up` is the number of steps during which the rate grows linearly from 0.

References
----------
.. [1] L. N. Smith, N. Topin, "Super-Convergence: Very Fast Training of Neural Networks
   Using Large Learning Rates", arXiv 1708.07120.
.. [2] A. Vaswani et al., "Attention Is All You Need", NeurIPS 2017, equation 3.
"""

import math


def constant(step: int, num_steps: float, warm_up: int = 0) -> float:
    """Constant rate after the warm-up.

    Examples
    --------
    >>> [constant(step, 8, warm_up=2) for step in range(4)]
    [0.0, 0.5, 1.0, 1.0]
    """
    return step / warm_up if step < warm_up else 1.0


def linear(step: int, num_steps: float, warm_up: int = 0) -> float:
    """Rate that decreases linearly, to 0 at the last step.

    Examples
    --------
    >>> [linear(step, 6, warm_up=2) for step in range(7)]
    [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0]
    """
    if step < warm_up:
        return step / warm_up
    return max(0.0, 1.0 - _progress(step, num_steps, warm_up))


def cosine(step: int, num_steps: float, warm_up: int = 0, floor: float = 0.0) -> float:
    """Rate that decreases on half a cosine, to `floor` at the last step.

    Examples
    --------
    >>> [round(cosine(step, 6, warm_up=2), 2) for step in range(7)]
    [0.0, 0.5, 1.0, 0.85, 0.5, 0.15, 0.0]
    """
    if step < warm_up:
        return step / warm_up
    progress = min(_progress(step, num_steps, warm_up), 1.0)
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
    if warm_up is None:
        warm_up = 0.3 * num_steps - 1
    if step < warm_up:
        progress, first, last = step / warm_up, start, 1.0
    else:
        progress, first, last = _progress(step, num_steps - 1, warm_up), 1.0, end
    return last + (first - last) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


def noam(step: int, num_steps: float, warm_up: int = 4000) -> float:
    """Inverse square root of the step [2]_, scaled to 1 at the end of the warm-up.

    Examples
    --------
    >>> [round(noam(step, 8, warm_up=2), 2) for step in range(8)]
    [0.5, 1.0, 0.82, 0.71, 0.63, 0.58, 0.53, 0.5]
    """
    count = step + 1
    return math.sqrt(warm_up) * min(count**-0.5, count * warm_up**-1.5)


def _progress(step: int, num_steps: float, warm_up: float) -> float:
    """Completed share of the steps after the warm-up."""
    if math.isinf(num_steps):
        raise ValueError(
            "This schedule needs the number of steps of training: set "
            "trainer.max_epochs."
        )
    return (step - warm_up) / max(1.0, num_steps - warm_up)
