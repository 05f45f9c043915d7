# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Files of weights: read without running code, loaded with a strict check of keys."""

import errno
import re
from collections.abc import Mapping
from io import BufferedWriter, FileIO
from pathlib import Path
from pickle import UnpicklingError
from struct import error as StructError  # noqa: N812
from textwrap import shorten
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from pyannote_diarizen.errors import CheckpointMismatchError

# Limits of the list of keys in a message: a wrong file differs in hundreds.
MAX_LINES, MAX_LINE_LENGTH = 12, 400

# Other bytes than weights make the unpickler of torch fail at random.
_DAMAGED = (
    *(UnpicklingError, EOFError, SafetensorError, StructError, RuntimeError),
    *(ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError),
)


def read_weights(path: Path | str, weights_only: bool = True) -> Any:
    """Read a file of `torch.save` or safetensors.

    Parameters
    ----------
    path : Path or str
        File to read, in the format of safetensors if its suffix is ".safetensors".
    weights_only : bool, optional
        Accept only tensors, numbers, text and containers of them. False accepts any
        object and runs code from the file. Defaults to True.

    Returns
    -------
    content : Any
        Often a dictionary of tensors, on the CPU.

    Raises
    ------
    FileNotFoundError
        If `path` does not exist.
    ValueError
        If it is damaged, in another format, or holds more than weights.
    """
    path = Path(path)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=weights_only)
    except (*_DAMAGED, OSError) as error:
        # error of the zip reader for a truncated file
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        if code := re.search(r"GLOBAL (\S+)", str(error)):
            raise ValueError(
                f"'{path}' holds Python objects ({code[1]}) besides weights. Reading "
                "them runs code from the file. If you trust its author, pass "
                "`weights_only=False`."
            ) from error
        raise ValueError(
            f"'{path}' is damaged or no file of weights: download it again. Is it "
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
        If it cannot be written.
    """
    with _Writer(FileIO(path, "wb")) as file:
        try:
            torch.save(content, file)
        except RuntimeError as error:
            raise file.error or error from error


class _Writer(BufferedWriter):
    """File that keeps the reason why it could not be written.

    torch replaces it by a RuntimeError about positions in the file.
    """

    error: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.error = error
            raise


def save_safetensors(
    weights: Mapping[str, Tensor], path: Path, metadata: dict[str, str] | None = None
) -> None:
    """Write weights in the format of safetensors.

    Parameters
    ----------
    weights : mapping of str to Tensor
        Tensors may share memory.
    path : Path
        File to write.
    metadata : dict of str to str, optional

    Raises
    ------
    OSError
        If it cannot be written.
    """
    # Python writes the file: its errors are OSErrors
    apart = {k: v.detach().cpu().clone().contiguous() for k, v in weights.items()}
    path.write_bytes(save(apart, metadata))


def load_weights(
    module: nn.Module, state_dict: Mapping[str, Tensor], source: Path | str
) -> None:
    """Load a state dictionary with exactly the keys and shapes of `module`.

    Parameters
    ----------
    module : nn.Module
        Module whose weights are replaced.
    state_dict : mapping of str to Tensor
        Weights under the names of `module`.
    source : Path or str
        File of the weights, for the message.

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
