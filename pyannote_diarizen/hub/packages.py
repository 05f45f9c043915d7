# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Which packages are installed, whether they go together, and what to type if not.

Read from what pip wrote beside them; nothing is imported, so that it works where an
import fails.
"""

import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import distributions

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

DISTRIBUTION = "pyannote-diarizen"
TORCHCODEC = {
    "2.8": ("0.7", "0.6"),
    "2.9": ("0.9", "0.8"),
    "2.10": ("0.10",),
    "2.11": ("0.11",),
}
"""Versions of torchcodec that are built for one of torch, the latest first."""

TORCH_PACKAGES = ("torch", "torchaudio", "torchcodec")
"""Compiled against one another, which none of them declares."""


@dataclass(frozen=True)
class Package:
    """An installed package.

    Parameters
    ----------
    name : str
        As pip writes it.
    version : Version
    requirements : tuple of Requirement
        Those that matter for this Python and system.
    """

    name: str
    version: Version
    requirements: tuple[Requirement, ...] = ()

    @property
    def minor(self) -> str:
        """First two numbers of the version."""
        return f"{self.version.major}.{self.version.minor}"

    def __str__(self) -> str:
        """Name it in messages."""
        return f"{self.name} {self.version}"


Installed = Mapping[str, Package]
"""Packages by canonical name."""


@dataclass(frozen=True)
class Clash:
    """A package that is missing, or does not go with another.

    Parameters
    ----------
    package : str
        Canonical name of what to install in its place.
    reason : str
    """

    package: str
    reason: str


def read_installed(path: list[str] | None = None) -> dict[str, Package]:
    """Find packages as Python would.

    Parameters
    ----------
    path : list of str, optional
        Folders to look into. Defaults to `sys.path`.

    Returns
    -------
    installed : dict of str to Package
        By canonical name.
    """
    found: dict[str, Package] = {}
    for distribution in distributions(path=sys.path if path is None else path):
        try:
            requirements = map(Requirement, distribution.requires or [])
            version = Version(distribution.version)
            package = Package(distribution.name, version, tuple(requirements))
        # what an interrupted installation leaves
        except (InvalidRequirement, InvalidVersion, TypeError):
            continue
        # the first one is imported
        found.setdefault(canonicalize_name(package.name), package)
    return found


def find_clashes(installed: Installed) -> list[Clash]:
    """List what this package needs, directly or not, and does not get.

    Parameters
    ----------
    installed : mapping of str to Package
        See `read_installed`.

    Returns
    -------
    clashes : list of Clash
        Empty if all is well.
    """
    clashes = []
    for wanting, requirement in _requirements(installed):
        name = canonicalize_name(requirement.name)
        there = installed.get(name)
        if there is None:
            clashes.append(Clash(name, f"{wanting} needs {_named(requirement)}"))
        elif not requirement.specifier.contains(there.version, prereleases=True):
            reason = f"{there} is there, but {wanting} needs {_named(requirement)}"
            clashes.append(Clash(name, reason))
    return [*clashes, *_torch_clashes(installed)]


def _requirements(installed: Installed) -> Iterator[tuple[Package, Requirement]]:
    """Yield what our package requires, then what that requires, each once."""
    ahead: list[tuple[str, frozenset[str]]] = [(DISTRIBUTION, frozenset())]
    seen = set(ahead)
    for name, extras in ahead:  # which grows
        package = installed.get(name)
        for requirement in package.requirements if package else ():
            if package is None or not _applies(requirement, extras):
                continue
            yield package, requirement
            step = (canonicalize_name(requirement.name), frozenset(requirement.extras))
            if step not in seen:
                seen.add(step)
                ahead.append(step)


def _applies(requirement: Requirement, extras: Iterable[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(
        marker.evaluate({"extra": extra}) for extra in ("", *extras)
    )


def _named(requirement: Requirement) -> str:
    return f"{requirement.name}{requirement.specifier}"


def _torch_clashes(installed: Installed) -> Iterator[Clash]:
    torch, torchaudio, torchcodec = map(installed.get, TORCH_PACKAGES)
    if torch and torchaudio and torchaudio.minor != torch.minor:
        yield Clash("torchaudio", f"{torchaudio} was not built for {torch}")
    if torch and torchcodec:
        suitable = TORCHCODEC.get(torch.minor, (torchcodec.minor,))
        if torchcodec.minor not in suitable:
            yield Clash("torchcodec", f"{torchcodec} was not built for {torch}")


def pip_line(installed: Installed, names: Iterable[str]) -> str:
    """Say what to type to get packages that go together.

    Parameters
    ----------
    installed : mapping of str to Package
    names : iterable of str
        Packages that are wrong or missing. One of `TORCH_PACKAGES` brings along the
        others, in versions that go with the torch that is there if we support it.

    Returns
    -------
    line : str
    """
    wanted = {name: _wanted(installed, name) for name in sorted(set(names))}
    options = ""
    if wanted.keys() & set(TORCH_PACKAGES):
        wanted |= _torch_versions(installed)
        torch = installed.get("torch")
        if torch and torch.version.local:  # as in 2.11.0+cu130
            index = f"https://download.pytorch.org/whl/{torch.version.local}"
            options = f" --extra-index-url {index}"
    named = " ".join(f'"{name}{versions}"' for name, versions in wanted.items())
    return f"pip install {named}{options}"


def _wanted(installed: Installed, name: str) -> SpecifierSet:
    """Versions of a package that suit everyone who needs it."""
    specifiers = [
        requirement.specifier
        for _, requirement in _requirements(installed)
        if canonicalize_name(requirement.name) == name
    ]
    wanted = SpecifierSet()
    for specifier in specifiers:
        wanted &= specifier
    return wanted


def _torch_versions(installed: Installed) -> dict[str, SpecifierSet]:
    torch = installed.get("torch")
    allowed = _wanted(installed, "torch")
    supported = [minor for minor in TORCHCODEC if allowed.contains(f"{minor}.0")]
    minor = supported[-1]
    if torch and torch.minor in supported:
        minor = torch.minor
    versions = (minor, minor, TORCHCODEC[minor][0])
    return {
        name: SpecifierSet(f"=={version}.*")
        for name, version in zip(TORCH_PACKAGES, versions, strict=True)
    }


def describe_installed(installed: Installed) -> str:
    """Name the packages that matter most, and their versions."""
    shown = (DISTRIBUTION, "pyannote-audio", *TORCH_PACKAGES)
    packages = ", ".join(str(installed[name]) for name in shown if name in installed)
    return f"{packages}, Python {platform.python_version()} on {platform.system()}"
