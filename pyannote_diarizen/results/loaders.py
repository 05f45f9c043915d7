# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Loaders of pyannote.database: any format that `formats` reads, as annotation.

Registered by suffix in `pyproject.toml`, so that a `database.yml` may refer to such
files.
"""

import string
from pathlib import Path
from typing import Any

from pyannote.core import Annotation

from pyannote_diarizen.results.document import DiarizationDocument
from pyannote_diarizen.results.formats import read_documents


class AnnotationLoader:
    """Loader of annotations.

    Parameters
    ----------
    path : Path or str
        File, or a template such as "{uri}.TextGrid". The annotation of a file that
        holds one recording, and is called after it, may have another name inside.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = str(path)
        fields = string.Formatter().parse(self.path)
        self._keys = {name for _, name, _, _ in fields if name is not None}
        self._loaded = {} if self._keys else _by_uri(self.path)

    def __call__(self, file: Any) -> Annotation:
        """Return the annotation of a file of a protocol; empty if it has no turn."""
        uri, path, loaded = file["uri"], self.path, self._loaded
        if self._keys:
            path = path.format(**{key: file[key] for key in self._keys})
            loaded = _by_uri(path)
        document = loaded.get(uri)
        if document is None and len(loaded) == 1:
            (name, only), stem = *loaded.items(), Path(path).stem
            document = only if name == stem or Path(uri).name in stem else None
        if document is None:
            return Annotation(uri=uri)
        annotation = document.annotation()
        annotation.uri = uri
        return annotation


def _by_uri(path: str) -> dict[str, DiarizationDocument]:
    return {document.uri: document for document in read_documents(path)}
