# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Diagnosis of a machine: what is installed, what is wrong, and how to fix it.

This module imports neither PyTorch nor pyannote.audio at the top, and works where their
import fails.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from pyannote_diarizen._host import import_databases
from pyannote_diarizen.atomic import expand_home
from pyannote_diarizen.findings import Finding
from pyannote_diarizen.hub.bundled import WEIGHTS
from pyannote_diarizen.installation import (
    IMPORT_ERRORS,
    MODULES,
    Installed,
    describe_installed,
    explain_import_failure,
    find_clashes,
    find_import_failure,
    pip_line,
    read_installed,
)
from pyannote_diarizen.resources import PUBLISHED, published_config


def examine(
    checkpoint: Path | str | None = None,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: Path | str | None = None,
    weights_only: bool = True,
) -> Iterator[Finding]:
    """Check packages, imports, audio, GPU, cache, hub, and a checkpoint.

    Parameters
    ----------
    checkpoint, revision, token, cache_dir, weights_only : optional
        See `inspection.load_checkpoint`. No checkpoint is loaded by default.

    Yields
    ------
    finding : Finding
        Result of each check, at once: some checks take seconds.
    """
    installed = read_installed()
    yield _packages(installed)
    yield _imports(installed)
    yield _guarded("audio", _audio)
    yield _guarded("GPU", _gpu, installed)
    yield _guarded("cache", _cache, cache_dir)
    yield _guarded("hub", _hub, token)
    if checkpoint is not None:
        yield _guarded(
            f"'{checkpoint}' cannot be loaded",
            _checkpoint,
            checkpoint,
            revision=revision,
            token=token,
            cache_dir=cache_dir,
            weights_only=weights_only,
        )


def _guarded(
    topic: str, check: Callable[..., Finding], *args: Any, **options: Any
) -> Finding:
    """Run a check, and convert its exception to a finding."""
    try:
        return check(*args, **options)
    except IMPORT_ERRORS as error:
        return Finding("error", f"{topic}: {' '.join(str(error).split())}")


def _packages(installed: Installed) -> Finding:
    clashes = find_clashes(installed)
    described = describe_installed(installed)
    if not clashes:
        return Finding("ok", f"packages: {described}")
    reasons = "; ".join(clash.reason for clash in clashes)
    remedy = pip_line(installed, [clash.package for clash in clashes])
    return Finding("error", f"packages: {reasons}; found {described}", remedy)


def _imports(installed: Installed) -> Finding:
    """Import compiled packages together, which no metadata can replace."""
    try:
        import_databases()
    except ValueError as error:
        return Finding("error", f"imports: {error}")
    failure = find_import_failure()
    if failure is None:
        return Finding("ok", f"imports: {', '.join(MODULES)}")
    text, remedy = explain_import_failure(failure, installed).splitlines()
    return Finding("error", f"imports: {text}", remedy)


def _audio() -> Finding:
    formats = "WAV, FLAC, OGG, Opus and MP3"
    try:
        version = import_module("av").__version__
    except IMPORT_ERRORS as error:
        reason, *_ = str(error).strip().splitlines() or [type(error).__name__]
        return Finding(
            "error",
            f"audio: {formats} are read; M4A, WMA, AMR, WebM and video are not, since "
            f"av cannot be imported: {reason}",
            "pip install --force-reinstall av",
        )
    others = "M4A, AAC, WMA, AMR, WebM and the sound of videos"
    return Finding("ok", f"audio: {formats}; {others} by av {version}, without FFmpeg")


def _gpu(installed: Installed) -> Finding:
    torch = import_module("torch")
    if torch.cuda.is_available():
        devices = [
            torch.cuda.get_device_properties(number)
            for number in range(torch.cuda.device_count())
        ]
        named = [f"{gpu.name}, {gpu.total_memory / 2**30:.0f} GB" for gpu in devices]
        return Finding("ok", f"GPU: {'; '.join(named)}")
    if torch.backends.mps.is_available():
        return Finding("ok", "GPU: Apple, with --device mps")
    if shutil.which("nvidia-smi") is None:
        return Finding("ok", f"GPU: none, {os.cpu_count()} CPU cores")
    if torch.version.cuda is None:
        remedy = pip_line(installed, ["torch", "torchaudio"], reinstall=True)
        reason = "is built for CPUs"
    else:
        remedy = "check that `nvidia-smi` lists a GPU, and update its driver"
        reason = f"is built for CUDA {torch.version.cuda}"
    text = f"GPU: there is an NVIDIA driver, but torch {torch.__version__}, which "
    return Finding("warning", f"{text}{reason}, finds no GPU", remedy)


def _cache(cache_dir: Path | str | None) -> Finding:
    from huggingface_hub import constants

    folder = expand_home(cache_dir or constants.HF_HUB_CACHE)
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free / 1e9
    names = [name for name, parts in _published() if _is_cached(parts, cache_dir)]
    text = (
        f"cache: {folder}, {free:.1f} GB free, holds "
        f"{', '.join(names) or 'none of the published pipelines'}"
    )
    if there.is_dir() and os.access(there, os.W_OK):
        return Finding("ok", text)
    return Finding(
        "warning",
        f"{text}; it cannot be written to, nothing can be downloaded",
        "set HF_HOME to a folder that you can write to",
    )


def _published() -> Iterator[tuple[str, list[str]]]:
    """Yield the names of published pipelines, and their repositories."""
    for name in PUBLISHED:
        params = published_config(name)["pipeline"]["params"]
        yield name, [params["segmentation"], params["embedding"]]


def _is_cached(repositories: list[str], cache_dir: Path | str | None) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return all(
        isinstance(try_to_load_from_cache(name, WEIGHTS, cache_dir=cache_dir), str)
        for name in repositories
    )


def _hub(token: str | bool | None) -> Finding:
    from huggingface_hub import constants, get_token

    with_token = "with" if token or get_token() else "without"
    if constants.HF_HUB_OFFLINE:
        return Finding("ok", "hub: offline, since HF_HUB_OFFLINE is set: cache only")
    return Finding("ok", f"hub: online when an owner/name is given, {with_token} token")


def _checkpoint(checkpoint: Path | str, **options: Any) -> Finding:
    from pyannote_diarizen.diagnosis.inspection import (
        describe,
        load_checkpoint,
        network,
    )
    from pyannote_diarizen.diagnosis.summary import summarize_model, summary_table

    loaded = load_checkpoint(checkpoint, **options)
    model = network(loaded)
    return Finding(
        "ok",
        f"'{checkpoint}' can be loaded: {describe(loaded)}",
        details="" if model is None else summary_table(summarize_model(model)),
    )
