# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""File formats by name: the one table of writers and readers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pyannote_diarizen.errors import unknown_keys
from pyannote_diarizen.installation import require_packages
from pyannote_diarizen.results import annotation_tools, text_formats, text_readers
from pyannote_diarizen.results.document import DiarizationDocument

_PRAATIO, _PYMPI = {"praatio": "praatio"}, {"pympi": "pympi-ling"}


@dataclass(frozen=True)
class Format:
    """Writer and reader of a format.

    Parameters
    ----------
    suffix : str
        Suffix of files, with its dot.
    render : callable
        Maps a document, and whether one speaker at a time is wanted, to the content of
        a file.
    read : callable, optional
        Maps the path of a file to documents.
    needs_words : bool, optional
        Whether a document without words cannot be written.
    is_binary : bool, optional
        Whether `render` returns bytes.
    packages : Mapping of str, optional
        Modules to import, and what pip calls them.
    """

    suffix: str
    render: text_formats.Render
    read: Callable[[Path], list[DiarizationDocument]] | None = None
    needs_words: bool = False
    is_binary: bool = False
    packages: Mapping[str, str] = field(default_factory=dict)


def _to_page(document: DiarizationDocument, exclusive: bool) -> str:
    """Page with the sound of the recording, if its path is known."""
    # imported where used: other formats need neither jinja2 nor matplotlib
    from pyannote_diarizen.results.page import render_page

    if exclusive:
        document = replace(document, turns=document.exclusive_turns or ())
    return render_page(document, document.audio, with_sound=True)


def _to_picture(document: DiarizationDocument, exclusive: bool) -> bytes:
    """Timeline of all speakers."""
    from pyannote_diarizen.results.timelines import draw_timeline, to_png

    return to_png(draw_timeline(document.annotation(exclusive)))


FORMATS: dict[str, Format] = {
    "rttm": Format(".rttm", text_formats.to_rttm, text_readers.read_rttm_documents),
    "json": Format(".json", text_formats.to_json, text_readers.read_json),
    "srt": Format(".srt", text_formats.to_srt),
    "vtt": Format(".vtt", text_formats.to_vtt),
    "csv": Format(".csv", text_formats.to_csv, text_readers.read_csv),
    "ctm": Format(".ctm", text_formats.to_ctm, needs_words=True),
    "audacity": Format(".txt", text_formats.to_audacity, text_readers.read_audacity),
    "textgrid": Format(
        ".TextGrid",
        annotation_tools.to_textgrid,
        annotation_tools.read_textgrid,
        packages=_PRAATIO,
    ),
    "eaf": Format(
        ".eaf", annotation_tools.to_eaf, annotation_tools.read_eaf, packages=_PYMPI
    ),
    "seglst": Format(".seglst.json", text_formats.to_seglst, text_readers.read_json),
    "html": Format(".html", _to_page),
    "png": Format(".png", _to_picture, is_binary=True),
    "lhotse": Format(".jsonl", text_formats.to_lhotse, text_readers.read_lhotse),
}
"""All formats."""

READABLE = sorted({known.suffix for known in FORMATS.values() if known.read})
"""Suffixes of files that `read_documents` reads."""


def find_formats(names: str | Iterable[str]) -> dict[str, Format]:
    """Find formats by name.

    Parameters
    ----------
    names : str or iterable of str
        Names, or names separated by commas.

    Returns
    -------
    formats : dict of Format
        Each once, in order.

    Raises
    ------
    MissingPackagesError
        If a format needs a package that is not installed.
    ValueError
        If a name is unknown.
    """
    split = names.split(",") if isinstance(names, str) else list(names)
    wanted = [name.strip().lower() for name in split]
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown or not wanted:
        raise ValueError(unknown_keys("in --format", unknown or [""], list(FORMATS)))
    for name in wanted:
        require_packages(f"Format {name}", FORMATS[name].packages)
    return {name: FORMATS[name] for name in wanted}


def read_documents(path: Path | str) -> list[DiarizationDocument]:
    """Read the recordings of a file, whose suffix gives the format.

    Parameters
    ----------
    path : Path or str

    Returns
    -------
    documents : list of DiarizationDocument
        Formats that hold no name of the recording have one, called as the file.

    Raises
    ------
    MissingPackagesError
        If the format needs a package that is not installed.
    OSError
        If the file cannot be opened.
    ValueError
        If the content is wrong; the message gives file, place and remedy.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    for name, known in FORMATS.items():
        if known.read is not None and known.suffix.lower() == suffix:
            require_packages(f"Format {name}", known.packages)
            try:
                return known.read(path)
            except (TypeError, ValueError) as error:
                message = " ".join(str(error).split())
                separator = ", " if message.startswith("line ") else " "
                raise ValueError(f"'{path}'{separator}{message}") from error
    raise ValueError(f"'{path}': expected a file that ends in {', '.join(READABLE)}.")


def read_document(
    path: Path | str, uri: str | None = None, preferred: str | None = None
) -> DiarizationDocument:
    """Read one recording of a file.

    Parameters
    ----------
    path : Path or str
    uri : str, optional
        Name of the recording. Needed if the file holds several.
    preferred : str, optional
        Name of the recording to choose if the file holds several and `uri` is None.

    Raises
    ------
    ValueError
        If the file holds no such recording, or several and `uri` is None. See also
        `read_documents`.
    """
    found = {document.uri: document for document in read_documents(path)}
    if uri is None and len(found) == 1:
        return next(iter(found.values()))
    if (wanted := uri or preferred) in found:
        return found[wanted]
    if not found:  # no speech was detected
        return DiarizationDocument(wanted or Path(path).stem, [])
    names = ", ".join([*found][:5]) + (", ..." if len(found) > 5 else "")
    if wanted is None:
        raise ValueError(f"'{path}': expected one recording, got {names}.")
    raise ValueError(f"'{path}' has no recording '{wanted}', only {names}.")
