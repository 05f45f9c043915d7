# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Batches that are split to fit in memory, and whose gradients are accumulated.

`task.batch_size` stays the number of chunks that each step of the optimizer sees.
`auto_batch_size` is false, true, or the number of chunks that are computed at once; a
run stores the number that it found in its `config.yaml`.
"""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from pyannote_diarizen.composition import CONFIG
from pyannote_diarizen.errors import check_at_least


def stored_size(config: DictConfig) -> bool | int:
    """`auto_batch_size` of a configuration, with the number that its run has found.

    Parameters
    ----------
    config : DictConfig
        `config.run` is the folder.

    Raises
    ------
    ValueError
        If `task.batch_size` is "auto".
    """
    if config.task.get("batch_size") == "auto":
        raise ValueError(
            "`task.batch_size` should be a number of chunks, got 'auto': with "
            "auto_batch_size=true, batches of this number are split until they fit."
        )
    path = Path(config.run) / CONFIG
    if config.auto_batch_size is True and path.is_file():
        return OmegaConf.select(OmegaConf.load(path), "auto_batch_size") or True
    return config.auto_batch_size


def split_batches(config: DictConfig) -> DictConfig:
    """Split the batches of a configuration, so that steps and epochs stay the same.

    Parameters
    ----------
    config : DictConfig
        Its `auto_batch_size` is the maximum number of chunks of a part.

    Returns
    -------
    split : DictConfig
        `config` itself unless `auto_batch_size` is a number.

    Raises
    ------
    ValueError
        If this number is below 1.
    """
    task, trainer, size = config.task, config.trainer, config.auto_batch_size
    if isinstance(size, bool):
        return config
    check_at_least(1, auto_batch_size=size)
    part = _largest_divisor(task.batch_size, size)
    num_parts = task.batch_size // part
    changed: dict[str, Any] = {
        "task": {"batch_size": part},
        "trainer": {
            "accumulate_grad_batches": num_parts * trainer.accumulate_grad_batches
        },
    }
    # numbers of batches, not shares or None
    for group, name in (("task", "batches_per_epoch"), ("trainer", _LIMIT)):
        if isinstance(config[group].get(name), int):
            changed[group][name] = num_parts * config[group][name]
    return OmegaConf.merge(config, changed)  # type: ignore[return-value]


_LIMIT = "limit_train_batches"


def smaller_size(config: DictConfig) -> int | None:
    """Maximum number of chunks at once after lack of memory, None if there is none."""
    batch_size = split_batches(config).task.batch_size
    if not config.auto_batch_size or batch_size == 1:
        return None
    return _largest_divisor(config.task.batch_size, batch_size // 2)


def describe_split(config: DictConfig) -> str:
    """Describe the split of batches after lack of memory."""
    split = split_batches(config)
    size, num = split.task.batch_size, split.trainer.accumulate_grad_batches
    return (
        f"Not enough memory: the training goes on with batches of {size}, and "
        f"accumulates the gradients of {num} of them. A step has {size * num} chunks, "
        "as before."
    )


def _largest_divisor(number: int, at_most: int) -> int:
    return max(n for n in range(1, min(number, at_most) + 1) if number % n == 0)
