# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Content of `database.yml` files, with the errors of each key.

pyannote.database stops at the first error, often with an error of Python, and ignores
misspelt keys. Here, a value of the wrong type is a `ValueError` that names file and
key. Other errors are findings, so that all of them are reported at once.
"""

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from numbers import Number
from pathlib import Path
from reprlib import Repr
from typing import Any, NoReturn

import yaml
from pyannote.database import protocol as protocol_classes
from pyannote.database.custom import LOADERS

from pyannote_diarizen.atomic import expand_home
from pyannote_diarizen.findings import Finding

SUBSETS = ("train", "development", "test")
SCOPES = ("file", "database", "global")
META = "X"
"""Name of the database whose protocols combine other protocols."""

_SECTIONS = ("Databases", "Protocols", "Requirements")
_FILES = ("uri", "annotation", "annotated")
ENTRIES = (*SUBSETS, *(f"{subset}_trial" for subset in SUBSETS), "scope", "classes")
"""Known keys of a protocol."""
_OTHER_NAMES = {
    **dict.fromkeys(("dev", "valid", "validation", "val"), "development"),
    **dict.fromkeys(("training", "trn"), "train"),
    **dict.fromkeys(("eval", "evaluation", "tst"), "test"),
    **dict.fromkeys(("rttm", "reference"), "annotation"),
    **dict.fromkeys(("lst", "list"), "uri"),
    "uem": "annotated",
}
"""Names that other tools use, and the key of `database.yml`."""


class _Brief(Repr):
    """Short texts of mappings of a YAML file, too: `Repr` goes by names of classes."""

    repr_Keys = Repr.repr_dict  # noqa: N815

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxstring, self.maxother = 2, 200, 200


def brief(value: Any) -> str:
    """Return the `repr` of a value, without the inner part if it is long or nested.

    A few lines of YAML may hold aliases of aliases that make gigabytes of text.
    """
    return _Brief().repr(value)


class Keys(dict):
    """Mapping of a YAML file, with the line of each key."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[Any, int] = {}


class _Loader(yaml.SafeLoader):
    """Loader that keeps lines, and lists keys that are in a mapping twice."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.repeated: list[tuple[str, int]] = []

    def construct_keys(self, node: yaml.MappingNode) -> Iterator[Keys]:
        """Construct a mapping."""
        keys = Keys()
        yield keys
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # cannot be hashed, which `construct_mapping` reports
            name, line = key.value, key.start_mark.line + 1
            if name in lines and (name, line) not in self.repeated:
                self.repeated.append((name, line))
            lines[name] = line
        keys.update(self.construct_mapping(node))
        keys.lines = {key: lines[str(key)] for key in keys if str(key) in lines}


_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.construct_keys)


class DatabaseFile:
    """Content of a `database.yml`.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    protocols : dict of str to Keys
        Entries of each protocol, by its full name.
    templates : dict of str to list of str
        Templates of the paths of audio files, by database.
    required : list of Path
        Other files that this file requires.
    findings : list of Finding
        Errors of the file as a whole.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is not a `database.yml`; the message names the wrong key.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.findings: list[Finding] = []
        content = self._read()
        self.findings += self._misspelt(content, _SECTIONS, "the file", "warning")
        self.protocols = {
            f"{database}.{task}.{name}": entries
            for database, tasks in self._items(content, "Protocols")
            for task in tasks
            for name, entries in self._items(tasks, task)
        }
        sources = self._keys(content, "Databases")
        self.templates = {str(name): self._texts(sources, name) for name in sources}
        self.required = [
            self.path.parent / expand_home(other)
            for other in self._texts(content, "Requirements")
        ]

    def _read(self) -> Keys:
        try:
            loader = _Loader(self.path.read_text(encoding="utf-8"))
            content = loader.get_single_data()
        # ValueError: such as a day 31 of February
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"'{self.path}' is not YAML: {reason}") from error
        if not isinstance(content, Keys):
            raise ValueError(
                f"'{self.path}' is not a `database.yml`: it lacks `Protocols`."
            )
        for key, line in loader.repeated:
            self._report("error", f"`{key}` is there twice", "delete one", line)
        return content

    def _keys(self, parent: Keys, key: Any) -> Keys:
        """Value of a key that should be a mapping; an empty one if there is none."""
        value = Keys() if parent.get(key) is None else parent[key]
        if not isinstance(value, Keys):
            self._refuse(parent, key, "names, each followed by a colon")
        return value

    def _items(self, parent: Keys, key: Any) -> list[tuple[str, Keys]]:
        """Names and mappings of a mapping of mappings."""
        inside = self._keys(parent, key)
        return [(str(name), self._keys(inside, name)) for name in inside]

    def _texts(self, parent: Keys, key: Any) -> list[str]:
        """Value of a key that should be one text, or a list of texts."""
        value = parent.get(key) or []
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not all(isinstance(x, str) for x in texts):
            self._refuse(parent, key, "a path, or a list of paths")
        return texts

    def _refuse(self, parent: Keys, key: Any, expected: str) -> NoReturn:
        line = parent.lines.get(key)
        raise ValueError(
            f"'{self.path}'{'' if line is None else f', line {line}'}: `{key}` should "
            f"hold {expected}, got {brief(parent[key])}."
        )

    def check_entries(
        self, protocol: str, subsets: Collection[str] = SUBSETS
    ) -> Iterator[Finding]:
        """Find errors in the keys of a protocol.

        Parameters
        ----------
        protocol : str
            One of `protocols`.
        subsets : collection of str, optional
            Subsets to check. Defaults to all.

        Yields
        ------
        finding : Finding
        """
        entries = self.protocols[protocol]
        yield from self.check_name(protocol)
        database, task, *_ = protocol.split(".")
        diarization = task in ("SpeakerDiarization", "SpeakerVerification")
        yield from self._misspelt(entries, ENTRIES, f"'{protocol}'", "warning")
        scope = entries.get("scope")
        if scope is not None and scope not in SCOPES:
            text = f"`scope` of '{protocol}' is {brief(scope)}"
            remedy = f"use {', '.join(SCOPES)}"
            yield self._finding("error", text, remedy, entries.lines.get("scope"))
        elif scope is None and diarization and database != META:
            text = f"'{protocol}' lacks `scope`: labels are those of one file each"
            yield self._finding("warning", text, f"add `scope`: {', '.join(SCOPES)}")
        if not any(subset in entries for subset in SUBSETS):
            text = f"'{protocol}' defines no subset"
            yield self._finding("error", text, f"add {', '.join(SUBSETS)}")
        for subset in filter(entries.__contains__, subsets):
            where, line = f"{subset} of '{protocol}'", entries.lines.get(subset)
            files = entries[subset]
            if not isinstance(files, Keys):
                expected = "other protocols" if database == META else ", ".join(_FILES)
                text = f"{where} should hold {expected}, got {brief(files)}"
                yield self._finding("error", text, "write one per line", line)
            elif database != META:
                yield from self._check_subset(where, files, line)

    def check_name(self, protocol: str) -> Iterator[Finding]:
        """Find errors in the name of a protocol."""
        _, task, *names = protocol.split(".")
        if len(names) != 1:
            text = f"'{protocol}' has a dot in a name, so that it cannot be found"
            yield self._finding("error", text, "use another character")
        elif not hasattr(protocol_classes, f"{task}Protocol"):
            text = f"'{protocol}': pyannote.database has no task `{task}`"
            yield self._finding("error", text, "use `SpeakerDiarization`")

    def _check_subset(
        self, where: str, files: Keys, line: int | None
    ) -> Iterator[Finding]:
        combined = [key for key in files if str(key).count(".") == 2]
        if combined:
            text = f"{where} combines protocols such as '{combined[0]}'"
            remedy = f"move it to the database {META}, the only one that can"
            yield self._finding("error", text, remedy, line)
            return
        yield from self._misspelt(files, (*_FILES, "uris"), where, None)
        if "uris" in files:
            text = f"`uris` of {where} is the old spelling"
            yield self._finding("warning", text, "write `uri`", files.lines.get("uris"))
        elif "uri" not in files:
            text = f"{where} lacks `uri`, the list of its recordings"
            yield self._finding("error", text, "add it", line)
        if "annotation" not in files:
            text = f"{where} lacks `annotation`, the turns of speakers"
            yield self._finding("error", text, "add it", line)
        for key, value in files.items():
            yield from self._check_file(f"`{key}` of {where}", key, value, files)

    def _check_file(
        self, where: str, key: str, value: Any, files: Keys
    ) -> Iterator[Finding]:
        line, is_list = files.lines.get(key), key in ("uri", "uris", "trial")
        if isinstance(value, Number) and not is_list and key not in _FILES:
            return  # a number that all files have in common
        suffix = Path(value).suffix if isinstance(value, str) else ""
        if not isinstance(value, str) or not value:
            text = f"{where} should be the path of a file, got {brief(value)}"
            yield self._finding("error", text, "write one path", line)
        elif not is_list and suffix not in LOADERS:
            text = f"{where} is '{value}', and no loader reads {suffix or 'that'}"
            remedy = f"use a file that ends in {', '.join(sorted(LOADERS))}"
            yield self._finding("error", text, remedy, line)

    def _misspelt(
        self, keys: Keys, known: Collection[str], where: str, others: Any
    ) -> Iterator[Finding]:
        """Report unknown keys; those unlike any known key have the status `others`."""
        for key in keys:
            if key in known:
                continue
            meant = _OTHER_NAMES.get(str(key).lower())
            close = get_close_matches(str(key), known, 1, 0.8)
            close += [name for name in known if name.lower() == str(key).lower()]
            guess = meant if meant in known else next(iter(close), None)
            text, line = f"unknown key `{key}` in {where}", keys.lines.get(key)
            if guess:
                yield self._finding("error", text, f"did you mean `{guess}`?", line)
            elif others:
                remedy = f"known keys are {', '.join(known)}"
                yield self._finding(others, text, remedy, line)

    def _finding(
        self, status: Any, text: str, remedy: str, line: int | None = None
    ) -> Finding:
        return Finding(status, text, remedy, self.path, line)

    def _report(self, *args: Any) -> None:
        self.findings.append(self._finding(*args))


def format_path(template: str, keys: Mapping[str, str]) -> str:
    """Replace the keys in braces of the template of a path.

    Parameters
    ----------
    template : str
    keys : mapping of str to str

    Raises
    ------
    ValueError
        If the template is wrong, or has another key.
    """
    try:
        return template.format(**keys)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        known = ", ".join(f"{{{key}}}" for key in keys)
        raise ValueError(f"'{template}' may hold {known}, no other key") from error
