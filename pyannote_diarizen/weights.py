# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Files of weights: read without running code, loaded without anything left over."""

import errno
import re
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from textwrap import shorten
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from pyannote_diarizen.errors import CheckpointMismatchError

# How much of a list of keys goes into a message: a wrong file differs in hundreds.
MAX_LINES, MAX_LINE_LENGTH = 12, 400

_DAMAGED = (UnpicklingError, RuntimeError, EOFError, SafetensorError)


def read_weights(path: Path | str, weights_only: bool = True) -> Any:
    """Content of a file that `torch.save` or safetensors wrote.

    Parameters
    ----------
    path : Path or str
        Its suffix tells safetensors from the rest.
    weights_only : bool, optional
        Read nothing but tensors, numbers, text and containers of them. False reads
        anything and runs the code that the file asks for. Defaults to True.

    Returns
    -------
    content : Any
        Often a dictionary of tensors; in memory, not on a GPU.

    Raises
    ------
    FileNotFoundError
        If `path` does not exist.
    ValueError
        If it is damaged or something else, or holds more than weights.
    """
    path = Path(path)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=weights_only)
    except (*_DAMAGED, OSError) as error:
        # what the reader of zip archives says of a file that ends too early
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        if code := re.search(r"GLOBAL (\S+)", str(error)):
            raise ValueError(
                f"'{path}' holds Python objects ({code[1]}) besides weights, and to "
                "read those runs the code of whoever made it. If you trust them, pass "
                "`weights_only=False`."
            ) from error
        raise ValueError(
            f"'{path}' is damaged or no file of weights: fetch it again. Is it "
            "complete, and not a web page or the pointer of Git LFS?"
        ) from error


def save_weights(content: Any, path: Path) -> None:
    """Write a file that `read_weights` reads.

    Parameters
    ----------
    content : Any
        Often a dictionary of tensors.
    path : Path
        File to write, in the format of `torch.save`.

    Raises
    ------
    OSError
        If it cannot be written: Python writes it, since torch tells a full disk as an
        error of its own.
    """
    buffer = BytesIO()
    torch.save(content, buffer)
    path.write_bytes(buffer.getbuffer())


def load_weights(
    module: nn.Module, state_dict: Mapping[str, Tensor], source: Path | str
) -> None:
    """Give `module` the weights of a checkpoint, all of them and no other.

    Parameters
    ----------
    module : nn.Module
        Whose weights are replaced.
    state_dict : mapping of str to Tensor
        Weights under the names of `module`.
    source : Path or str
        Where they come from, for the message.

    Raises
    ------
    CheckpointMismatchError
        If a weight is missing, unknown or of another shape; the message lists them.
    """
    try:
        module.load_state_dict(state_dict)
    except RuntimeError as error:
        _, *lines = str(error).splitlines()
        shown = [shorten(line, MAX_LINE_LENGTH) for line in lines[:MAX_LINES]]
        if len(lines) > MAX_LINES:
            shown.append(f"and {len(lines) - MAX_LINES} more")
        raise CheckpointMismatchError(
            f"'{source}' does not hold the weights of a {type(module).__name__} of "
            "this structure: is it complete, and of the same model?\n"
            + "\n".join(shown)
        ) from error
