# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Protocols by name, and the files that they need.

One lookup serves all commands: `find_protocol` looks in the `database.yml` that the
user gives, or else in the files that pyannote.database knows
(`PYANNOTE_DATABASE_CONFIG`), then in the shipped ones, whose relative paths start in
the current folder.

pyannote.database stops at the first missing file, when that file is needed.
`Database.subsets` looks for all files at once.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyannote.core import Annotation, Timeline
from pyannote.database import ProtocolFile, registry
from pyannote.database.custom import gather_loaders

from pyannote_diarizen.atomic import expand_home
from pyannote_diarizen.corpora.database_yml import (
    META,
    SUBSETS,
    DatabaseFile,
    Keys,
    brief,
    format_path,
)
from pyannote_diarizen.corpora.listings import (
    Listing,
    Region,
    Turn,
    read_lst,
    read_rttm,
    read_uem,
)
from pyannote_diarizen.corpora.recordings import (
    expected_audio,
    locate_audio,
    other_form,
)
from pyannote_diarizen.corpora.subset import Subset
from pyannote_diarizen.findings import Finding
from pyannote_diarizen.resources import resource_folder

_MAX_NAMED = 3
"""Maximum number of missing files that a finding names."""


class Database(DatabaseFile):
    """Protocols of a `database.yml`, and their files.

    Parameters
    ----------
    path : Path
    root : Path, optional
        Folder where relative paths start. Defaults to the folder of `path`.
    hint : str, optional
        How to get missing files.

    Attributes
    ----------
    audio : dict of str to list of str
        Templates of the absolute paths of audio files, by database.
    known : list of Database
        Where protocols are found that a protocol of X combines.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is not a `database.yml`.
    """

    def __init__(
        self,
        path: Path,
        root: Path | None = None,
        hint: str = "see whether the path is right",
    ) -> None:
        super().__init__(path)
        self.hint = hint
        self.root = self.path.parent if root is None else Path(root)
        self.audio = {
            name: [str(self.root / expand_home(one)) for one in templates]
            for name, templates in self.templates.items()
        }
        self.known = [self]

    def subsets(self, protocol: str) -> dict[str, Subset]:
        """Read the lists of each subset of a protocol.

        Parameters
        ----------
        protocol : str
            As in "AMI.SpeakerDiarization.only_words".

        Returns
        -------
        subsets : dict of str to Subset

        Raises
        ------
        ValueError
            If there is no such protocol; the message lists the known ones.
        """
        if protocol not in self.protocols:
            raise ValueError(
                f"'{self.path}' has no protocol called '{protocol}', only "
                f"{', '.join(self.protocols) or 'none at all'}."
            )
        entries = self.protocols[protocol]
        database = protocol.split(".")[0]
        read = self._combine if database == META else self._read_lists
        return {
            subset: read(database, subset, entries[subset])
            for subset in SUBSETS
            if isinstance(entries.get(subset), Keys)
        }

    def parts(self, protocol: str, subset: str) -> list[tuple["Database", str, str]]:
        """List the subsets that a subset of a protocol of X combines.

        Returns
        -------
        parts : list of (Database, str, str)
            Database file, protocol and subset.

        Raises
        ------
        ValueError
            If a protocol is not followed by a list of subsets, or is unknown.
        """
        parts, entries = [], self.protocols[protocol][subset]
        for other, names in entries.items():
            found = next((one for one in self.known if other in one.protocols), None)
            if found is None or not isinstance(names, list):
                self._refuse(entries, other, "subsets of a known protocol, in a list")
            parts += [(found, other, name) for name in names]
        return parts

    def _combine(self, _: str, name: str, entries: Keys) -> Subset:
        """Read the parts of a subset of a protocol of X."""
        subset = Subset([], [])
        for other, names in entries.items():
            text, where = "", f"{name} of {META}: '{other}'"
            line = entries.lines.get(other)
            found = next((one for one in self.known if other in one.protocols), None)
            if found is None:
                text = f"{where} is no known protocol"
            elif not (isinstance(names, list) and all(n in SUBSETS for n in names)):
                text = f"{where} should have a list of subsets, got {brief(names)}"
            elif len(set(names)) < len(names):
                text = f"{where} lists a subset twice: its recordings would count twice"
            elif other.startswith(f"{META}."):
                text = f"{where} combines protocols itself"
            if text or found is None:
                subset.findings.append(
                    Finding("error", text, "correct it", self.path, line)
                )
                continue
            subset.findings += found.check_entries(other, names)
            lists = found.subsets(other)
            for wanted in names:
                if wanted in lists:
                    subset.extend(lists[wanted])
                else:
                    text = f"{where} has no {wanted} subset"
                    subset.findings.append(
                        Finding("error", text, "remove it", self.path, line)
                    )
        return subset

    def _read_lists(
        self, database: str, name: str, entries: Mapping[str, Any]
    ) -> Subset:
        subset = Subset([], [])
        keys = {"database": database, "subset": name}
        if "uris" in entries:
            entries = {"uri": entries["uris"], **entries}
        # lists of recordings may have any suffix
        for path in self._find(entries, "uri", [keys], subset):
            subset.recordings.append(read_lst(path))
        each = [{"uri": uri, **keys} for uri in subset.uris]
        formats: tuple[tuple[str, str, Any, Any], ...] = (
            ("annotation", ".rttm", read_rttm, subset.turns),
            ("annotated", ".uem", read_uem, subset.regions),
        )
        for key, suffix, read, listings in formats:
            if str(entries.get(key, "")).endswith(suffix):
                for path in self._find(entries, key, each or [keys], subset):
                    listings.append(read(path))
            elif isinstance(entries.get(key), str):
                listings += self._load(entries, key, each, subset)
        self._find_audio(subset, keys)
        return subset

    def _find(
        self,
        entries: Mapping[str, Any],
        key: str,
        files: Sequence[Mapping[str, str]],
        subset: Subset,
    ) -> list[Path]:
        """Find the files of an entry, and report missing ones."""
        template = entries.get(key)
        if not isinstance(template, str):
            return []  # see `check_entries`
        if "{" in template:  # old spelling: a template begins with an underscore
            template = template.removeprefix("_")
        if "{uri}" in template and "uri" not in files[0]:
            return []  # the list of recordings is missing, which is reported already
        try:
            paths = list(dict.fromkeys(format_path(template, file) for file in files))
        except ValueError as error:
            text = f"`{key}` of {files[0]['subset']}: {error}"
            subset.findings.append(Finding("error", text, "correct it", self.path))
            return []
        found = {path: self._resolve(path) for path in paths}
        absent = [path for path, there in found.items() if not there.is_file()]
        text = f"`{key}` of {files[0]['subset']}"
        self._report_files(subset, text, "missing", absent, len(paths))
        return [there for path, there in found.items() if path not in absent]

    def _load(
        self,
        entries: Mapping[str, Any],
        key: str,
        files: Sequence[Mapping[str, str]],
        subset: Subset,
    ) -> list[Listing]:
        """Read an entry in another format, by its loader of pyannote.database."""
        listing: Listing = Listing(Path(entries[key]))
        expected = Annotation if key == "annotation" else Timeline
        try:
            loaders = gather_loaders({key: entries[key]}, self.root / "database.yml")
            for file in files:
                content, uri = ProtocolFile(dict(file), lazy=loaders)[key], file["uri"]
                if not isinstance(content, expected):
                    kind = type(content).__name__
                    raise TypeError(f"expected {expected.__name__}, got {kind}")
                if isinstance(content, Annotation):
                    listing.items += [
                        Turn(None, uri, turn.start, turn.end, str(label))
                        for turn, _, label in content.itertracks(yield_label=True)
                    ]
                else:
                    listing.items += [Region(None, uri, *region) for region in content]
        except Exception as error:  # noqa: BLE001 - of loaders of other packages
            text = f"`{key}`: {type(error).__name__}: {' '.join(str(error).split())}"
            subset.findings.append(Finding("error", text, self.hint, self.path))
            return []
        return [listing]

    def _find_audio(self, subset: Subset, keys: Mapping[str, str]) -> None:
        """Fill in the audio of recordings."""
        database = keys["database"]
        templates = self.audio.get(database, [])
        absent, ambiguous = [], []
        for listing in subset.recordings:
            for number, recording in enumerate(listing.items):
                try:
                    found = locate_audio(templates, recording.uri, database)
                except ValueError as error:
                    text = f"audio of {database}: {error}"
                    subset.findings.append(
                        Finding("error", text, "correct it", self.path)
                    )
                    return
                if len(found) == 1:
                    listing.items[number] = recording._replace(
                        audio=found[0], database=database
                    )
                elif found:
                    ambiguous.append(recording.uri)
                else:
                    absent += expected_audio(templates, recording.uri, database)[:1]
        text = f"audio of {keys['subset']}"
        self._report_files(subset, text, "missing", absent, len(subset.uris))
        self._report_files(subset, text, "found twice", ambiguous, len(subset.uris))

    def _report_files(
        self, subset: Subset, entry: str, state: str, paths: list[str], total: int
    ) -> None:
        if not paths:
            return
        count = "" if total == 1 else f"{len(paths)} of {total} "
        named = ", ".join(f"'{path}'" for path in paths[:_MAX_NAMED])
        more = len(paths) - _MAX_NAMED
        text = f"{entry}: {count}{state} {named}"
        text += f" and {more} more" if more > 0 else ""
        hint = self.hint
        for path in map(Path, paths):
            if not path.name.isascii() and path.parent.is_dir():
                there = (other.name for other in path.parent.iterdir())
                if other := other_form(path.name, there):
                    hint = f"rename {other!a} to {path.name!a}, its letters "
                    hint += "have another Unicode form"
        subset.findings.append(Finding("error", text, hint, self.path))

    def _resolve(self, path: str) -> Path:
        here = expand_home(path)
        return here if here.is_file() else self.root / here


def read_databases(path: Path, root: Path | None = None) -> list[Database]:
    """Read a `database.yml` and all files that it requires.

    Parameters
    ----------
    path, root
        See `Database`. Each required file has its own folder as root.

    Returns
    -------
    databases : list of Database
        A file redefines what later ones define, as in pyannote.database.

    Raises
    ------
    OSError, ValueError
        See `Database`.
    """
    seen: set[Path] = set()
    databases: list[Database] = []

    def read(path: Path, root: Path | None = None) -> None:
        if path.resolve() in seen:
            return
        seen.add(path.resolve())
        database = Database(path, root)
        for required in database.required:
            if not required.is_file():
                raise FileNotFoundError(
                    f"'{path}' requires '{required}', which does not exist: correct "
                    "`Requirements`."
                )
            read(required)
        databases.insert(0, database)

    read(Path(path), root)
    return databases


def find_protocol(
    name: str, database: Path | None = None, root: Path | None = None
) -> Database:
    """Find the `database.yml` that defines a protocol.

    Parameters
    ----------
    name : str
        As in "AMI-SDM.SpeakerDiarization.only_words".
    database : Path, optional
        The `database.yml` to look in. Defaults to all files that pyannote.database
        knows, then to the shipped ones.
    root : Path, optional
        Folder where relative paths start. Defaults to the folder of `database`, and to
        the current folder for a shipped protocol.

    Raises
    ------
    OSError
        If `database` cannot be opened.
    ValueError
        If there is no such protocol; the message lists the known ones.
    """
    if database is not None:
        databases = read_databases(expand_home(database), root)
    else:
        # the files of the user first: they may redefine a shipped protocol; the
        # registry keeps those that were deleted since, and later ones take precedence
        paths = [path for path in registry.configs if path.exists()]
        databases = [Database(path, root) for path in reversed(paths)]
        databases += _shipped_databases(root or Path.cwd())
    # audio may be defined in another file
    audio: dict[str, list[str]] = dict(registry.sources)
    for one in reversed(databases):
        audio |= one.audio
    for one in databases:
        one.known, one.audio = databases, audio
    for found in databases:
        if name in found.protocols:
            return found
    known = [protocol for found in databases for protocol in found.protocols]
    raise ValueError(
        f"There is no protocol called '{name}', only {', '.join(known) or 'none'}: "
        "give the database.yml that defines it, or see "
        "https://github.com/pyannote/pyannote-database."
    )


def _shipped_databases(root: Path) -> list[Database]:
    hint = f"prepare '{root}' as the head of '{{}}' describes"
    paths = sorted(resource_folder("protocols").glob("*.yml"))
    return [Database(path, root, hint.format(path.name)) for path in paths]
