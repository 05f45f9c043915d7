# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Protocols of pyannote.database by name, and the files that they need.

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

import yaml
from pyannote.core import Segment, Timeline
from pyannote.database import FileFinder, ProtocolFile, registry
from pyannote.database.custom import create_protocol
from pyannote.database.protocol.protocol import Protocol
from pyannote.database.registry import Registry

from pyannote_diarizen.audio.reader import audio_info
from pyannote_diarizen.corpora.listings import Subset, read_lst, read_rttm, read_uem
from pyannote_diarizen.findings import Finding
from pyannote_diarizen.resources import resource_folder

SUBSETS = ("train", "development", "test")
_MAX_NAMED = 3
"""Maximum number of missing files that a finding names."""


class Database:
    """Content of a `database.yml`.

    Parameters
    ----------
    path : Path
    root : Path, optional
        Folder where relative paths start. Defaults to the folder of `path`.
    hint : str, optional
        How to get missing files.

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
        self.path = Path(path)
        self.hint = hint
        self.root = self.path.parent if root is None else Path(root)
        try:
            content = yaml.safe_load(self.path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ValueError(f"'{path}' is not YAML: {error}") from error
        if not isinstance(content, dict):
            raise ValueError(f"'{path}' is not a `database.yml`: it lacks `Protocols`.")
        self.protocols: dict[str, Mapping[str, Any]] = {
            f"{database}.{task}.{name}": entries or {}
            for database, tasks in (content.get("Protocols") or {}).items()
            if database != "X"  # made of other protocols
            for task, protocols in (tasks or {}).items()
            for name, entries in (protocols or {}).items()
        }
        self.audio = {
            database: [str(self.root / template) for template in _as_list(templates)]
            for database, templates in (content.get("Databases") or {}).items()
        }
        self.required = [
            self.path.parent / required
            for required in _as_list(content.get("Requirements") or [])
        ]

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
        return {
            subset: self._read(protocol.split(".")[0], subset, entries[subset])
            for subset in SUBSETS
            if isinstance(entries.get(subset), dict)
        }

    def _read(self, database: str, name: str, entries: Mapping[str, Any]) -> Subset:
        subset = Subset([], [])
        keys = {"database": database, "subset": name}
        entries = {"uri": entries["uris"], **entries} if "uris" in entries else entries
        if "uri" not in entries:
            text = f"{name} lacks `uri`, the list of its recordings"
            subset.findings.append(Finding("error", text, "add it", self.path))
        # lists of recordings may have any suffix
        for path in self._find(entries, "uri", [keys], subset, ""):
            subset.recordings.append(read_lst(path))
        each = [{**keys, "uri": uri} for uri in subset.uris] or [keys]
        for path in self._find(entries, "annotation", each, subset, ".rttm"):
            subset.turns.append(read_rttm(path))
        for path in self._find(entries, "annotated", each, subset, ".uem"):
            subset.regions.append(read_uem(path))
        self._find_audio(subset, keys)
        return subset

    def _find(
        self,
        entries: Mapping[str, Any],
        key: str,
        files: Sequence[Mapping[str, str]],
        subset: Subset,
        suffix: str,
    ) -> list[Path]:
        """Find the files of an entry, and report missing ones."""
        template = str(entries.get(key, ""))
        if "{" in template:  # old spelling: a template begins with an underscore
            template = template.removeprefix("_")
        if not template or not template.endswith(suffix):
            return []  # no such entry, or another format
        if "{uri}" in template and "uri" not in files[0]:
            return []  # the list of recordings is missing, which is reported already
        paths = list(dict.fromkeys(template.format(**file) for file in files))
        found = {path: self._resolve(path) for path in paths}
        absent = [path for path, there in found.items() if not there.is_file()]
        text = f"`{key}` of {files[0]['subset']}"
        self._report(subset, text, "missing", absent, len(paths))
        return [there for path, there in found.items() if path not in absent]

    def _find_audio(self, subset: Subset, keys: Mapping[str, str]) -> None:
        """Fill in the audio of recordings, as `pyannote.database.FileFinder` does."""
        name = keys["database"]
        templates = self.audio.get(name) or registry.sources.get(name, [])
        absent, ambiguous = [], []
        for listing in subset.recordings:
            for number, recording in enumerate(listing.items):
                wanted = [
                    template.format(**keys, uri=recording.uri) for template in templates
                ]
                found = [path for one in wanted for path in _glob(one)]
                if len(found) == 1:
                    listing.items[number] = recording._replace(audio=found[0])
                elif found:
                    ambiguous.append(recording.uri)
                else:
                    absent.append((wanted or ["no template in `Databases`"])[0])
        text = f"audio of {keys['subset']}"
        self._report(subset, text, "missing", absent, len(subset.uris))
        self._report(subset, text, "found twice", ambiguous, len(subset.uris))

    def _report(
        self, subset: Subset, entry: str, state: str, paths: list[str], total: int
    ) -> None:
        if not paths:
            return
        count = "" if total == 1 else f"{len(paths)} of {total} "
        named = ", ".join(f"'{path}'" for path in paths[:_MAX_NAMED])
        more = len(paths) - _MAX_NAMED
        text = f"{entry}: {count}{state} {named}"
        text += f" and {more} more" if more > 0 else ""
        subset.findings.append(Finding("error", text, self.hint, self.path))

    def _resolve(self, path: str) -> Path:
        here = Path(path).expanduser()
        return here if here.is_file() else self.root / here


def _as_list(values: Any) -> list[str]:
    return [values] if isinstance(values, str) else list(values)


def _glob(path: str) -> list[Path]:
    parts = Path(path).expanduser().parts
    if "*" not in path:
        return [Path(*parts)] if Path(*parts).is_file() else []
    root = next(number for number, part in enumerate(parts) if "*" in part)
    return sorted(Path(*parts[:root]).glob(str(Path(*parts[root:]))))


def read_databases(path: Path, root: Path | None = None) -> list[Database]:
    """Read a `database.yml` and all files that it requires.

    Parameters
    ----------
    path, root
        See `Database`. Each required file has its own folder as root.

    Raises
    ------
    OSError, ValueError
        See `Database`.
    """
    read = {path.resolve(): Database(path, root)}
    queue = list(read.values())
    for database in queue:  # grows while it is read
        for required in database.required:
            if required.resolve() not in read:
                read[required.resolve()] = Database(required)
                queue.append(read[required.resolve()])
    return queue


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
        databases = read_databases(Path(database), root)
    else:
        # the files of the user first: they may redefine a shipped protocol; the
        # registry keeps those that were deleted since
        databases = [Database(path, root) for path in registry.configs if path.exists()]
        databases += _shipped_databases(root or Path.cwd())
    for found in databases:
        if name in found.protocols:
            for other in databases:  # audio may be defined in another file
                found.audio = {**other.audio, **found.audio}
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


def load_protocol(name: str, database: Path | str | None = None) -> Protocol:
    """Load a protocol whose files have "audio" and "annotated".

    Parameters
    ----------
    name : str
        As in "AMI.SpeakerDiarization.only_words".
    database : Path or str, optional
        See `find_protocol`.

    Raises
    ------
    FileNotFoundError
        If `database` does not exist.
    ValueError
        If there is no such protocol; the message lists the known ones.
    """
    path = None if database is None else Path(database)
    if path is not None:
        registry.load_database(path)
    if name in set(registry):
        preprocessors = {"audio": FileFinder(), "annotated": _annotated}
        return registry.get_protocol(name, preprocessors)
    return _load_shipped(find_protocol(name, path), name)


def _load_shipped(database: Database, name: str) -> Protocol:
    """Load a protocol whose relative paths start elsewhere than beside its file.

    The registry of pyannote.database knows no other root than the folder of a file.
    """
    entries = dict(database.protocols[name])
    kind = create_protocol(*name.split("."), entries, database.root / "database.yml")
    sources = Registry()
    sources.sources = database.audio
    protocol = kind({"audio": FileFinder(sources), "annotated": _annotated})
    protocol.name = name
    return protocol


def _annotated(file: ProtocolFile) -> Timeline | None:
    """Annotated part of a file: its UEM, or else the whole file.

    The host has None for files without UEM, and stops there when it trains.
    """
    given = abs(file).get("annotated")  # `file.get` would call this function again
    if given is not None:
        return given
    try:
        return Timeline([Segment(0, audio_info(file).duration)], uri=file["uri"])
    except (FileNotFoundError, KeyError):  # an error is raised if audio is asked for
        return None


def subset_files(protocol: Protocol, subset: str) -> list[ProtocolFile]:
    """List the files of a subset; their content is read on first access.

    Parameters
    ----------
    protocol : Protocol
    subset : {"train", "development", "test"}

    Raises
    ------
    FileNotFoundError
        If the list of recordings is missing.
    ValueError
        If the protocol has no such subset.
    """
    if subset not in SUBSETS:
        raise ValueError(
            f"`subset` should be one of {', '.join(SUBSETS)}, got '{subset}'."
        )
    try:
        return list(getattr(protocol, subset)())
    except NotImplementedError as error:
        raise ValueError(f"'{protocol.name}' has no {subset} subset.") from error
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"Subset {subset} of '{protocol.name}': {error} `pyannote-diarizen "
            f"validate {protocol.name}` lists what is missing."
        ) from error
