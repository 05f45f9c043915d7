# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Which files a `database.yml` asks for, and which of them are missing.

pyannote.database stops at the first file that it misses, and at each only once it is
asked for. Here all of them are looked for, before a training is.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pyannote.database import registry

from pyannote_diarizen.corpora.listings import Defect, read_lst, read_rttm, read_uem
from pyannote_diarizen.corpora.protocols import SUBSETS
from pyannote_diarizen.corpora.subset import Subset

SHOWN = 3
"""How many of those that are missing alike are named."""


class Database:
    """A `database.yml`.

    Parameters
    ----------
    path : Path
    root : Path, optional
        Where its relative paths start. Defaults to its folder.
    hint : str, optional
        How to get files that are missing.

    Raises
    ------
    OSError
        If it cannot be opened.
    ValueError
        If it is no such file.
    """

    def __init__(self, path: Path, root: Path | None = None, hint: str = "") -> None:
        self.path = Path(path)
        self.hint = hint
        self.root = self.path.parent if root is None else Path(root)
        try:
            content = yaml.safe_load(self.path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ValueError(f"'{path}' is not YAML: {error}") from error
        if not isinstance(content, dict):
            raise ValueError(f"'{path}' is no `database.yml`: it lacks `Protocols`.")
        self.protocols: dict[str, Mapping[str, Any]] = {
            f"{database}.{task}.{name}": entries or {}
            for database, tasks in (content.get("Protocols") or {}).items()
            if database != "X"  # made of other protocols
            for task, protocols in (tasks or {}).items()
            for name, entries in (protocols or {}).items()
        }
        self.audio = {
            database: [str(self.root / template) for template in _several(templates)]
            for database, templates in (content.get("Databases") or {}).items()
        }
        self.required = [
            self.path.parent / required
            for required in _several(content.get("Requirements") or [])
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
            If there is no such protocol; the message lists those that exist.
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
            text = f"{name} lacks `uri`, the list of its recordings: add it."
            subset.defects.append(Defect(self.path, None, text))
        # which may end in anything
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
        """Find the files of an entry, and tell which are missing."""
        template = str(entries.get(key, ""))
        if "{" in template:  # the underscore was once needed to say so
            template = template.removeprefix("_")
        if not template or not template.endswith(suffix):
            return []  # not there, or of another format
        if "{uri}" in template and "uri" not in files[0]:
            return []  # of recordings that nobody knows, which was told
        paths = list(dict.fromkeys(template.format(**file) for file in files))
        found = {path: self._resolve(path) for path in paths}
        absent = [path for path, there in found.items() if not there.is_file()]
        if absent:
            text = f"`{key}` of {files[0]['subset']}: {_count(absent, paths)}"
            text += f"missing {_name(absent)}.{self.hint}"
            subset.defects.append(Defect(self.path, None, text))
        return [there for path, there in found.items() if path not in absent]

    def _find_audio(self, subset: Subset, keys: Mapping[str, str]) -> None:
        """Fill in audio as `pyannote.database.FileFinder` finds it."""
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
        for what, wrong in (("missing", absent), ("found twice", ambiguous)):
            if wrong:
                text = f"audio of {keys['subset']}: {_count(wrong, subset.uris)}"
                text += f"{what} {_name(wrong)}.{self.hint}"
                subset.defects.append(Defect(self.path, None, text))

    def _resolve(self, path: str) -> Path:
        here = Path(path).expanduser()
        return here if here.is_file() else self.root / here


def read_databases(
    path: Path, root: Path | None = None, hint: str = ""
) -> list[Database]:
    """Read a `database.yml`, and those that it requires.

    Parameters
    ----------
    path, root, hint
        See `Database`. What is required has its own root.

    Raises
    ------
    OSError, ValueError
        See `Database`.
    """
    read = {path.resolve(): Database(path, root, hint)}
    ahead = list(read.values())
    for database in ahead:  # which grows
        for required in database.required:
            if required.resolve() not in read:
                read[required.resolve()] = Database(required)
                ahead.append(read[required.resolve()])
    return ahead


def _several(values: Any) -> list[str]:
    return [values] if isinstance(values, str) else list(values)


def _glob(path: str) -> list[Path]:
    parts = Path(path).expanduser().parts
    if "*" not in path:
        return [Path(*parts)] if Path(*parts).is_file() else []
    root = next(number for number, part in enumerate(parts) if "*" in part)
    return sorted(Path(*parts[:root]).glob(str(Path(*parts[root:]))))


def _count(wrong: Sequence[str], of: Sequence[str]) -> str:
    return "" if len(of) == 1 else f"{len(wrong)} of {len(of)} "


def _name(wrong: Sequence[str]) -> str:
    more = len(wrong) - SHOWN
    named = ", ".join(f"'{path}'" for path in wrong[:SHOWN])
    return f"{named} and {more} more" if more > 0 else named
