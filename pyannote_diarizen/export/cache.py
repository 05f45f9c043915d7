# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Networks of a pipeline in another runtime: exported once, then kept on disk.

They are in `pyannote-diarizen/` of the folder of caches (`XDG_CACHE_HOME`, or
`~/.cache`), under a name that depends on the model, the format and the versions.
"""

import hashlib
from contextlib import suppress
from importlib.metadata import version
from typing import Any

from pyannote.audio.core.model import Model

from pyannote_diarizen.atomic import new_folder
from pyannote_diarizen.export.exporter import find_exporter
from pyannote_diarizen.export.network import (
    DESCRIPTION,
    ExportedModel,
    load_exported,
    write_network,
)
from pyannote_diarizen.models.checkpoint import fingerprint
from pyannote_diarizen.resources import cache_folder


def run_by(backend: str, model: Any) -> Model:
    """Run a model in another runtime than torch.

    Parameters
    ----------
    backend : str
        Name of an exporter, as in "onnx".
    model : Model
        Model of torch, which is exported unless the cache holds it; or an exported
        model of this format, which is returned.

    Returns
    -------
    model : Model

    Raises
    ------
    MissingPackagesError
        If the runtime is not installed.
    ValueError
        If the model cannot be exported, or was exported to another format.
    """
    find_exporter(backend).check()
    if isinstance(model, ExportedModel):
        if model.description["format"] != backend:
            raise ValueError(
                f"'{model.path}' should be run by backend='{backend}', but has the "
                f"format {model.description['format']}: give the model of torch."
            )
        return model
    if not isinstance(model, Model):
        raise ValueError(f"`backend` needs a model of pyannote.audio, got '{model}'.")
    folder = cache_folder() / _name(model, backend)
    if not (folder / DESCRIPTION).is_file():
        # another process may have been faster
        with suppress(FileExistsError), new_folder(folder) as temporary:
            write_network(model, temporary, backend)
    exported = load_exported(folder)
    if exported is None:
        raise ValueError(f"'{folder}' is damaged: delete it.")
    return exported


def _name(model: Model, backend: str) -> str:
    """Name of the folder of a network: a digest of all that it depends on."""
    versions = [version("torch"), version("pyannote-diarizen")]
    # the structure holds constants that are no weights, as those of normalisations
    parts = [fingerprint(model), str(model), backend, *versions]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
