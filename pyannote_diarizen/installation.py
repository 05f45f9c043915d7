# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Installed packages: versions, clashes, and the pip line that mends them.

Versions and requirements are read from the metadata of packages. Whether compiled
packages load together is not in the metadata, so it is found by importing them in
another process. This module imports nothing compiled and works where an import fails.
"""

import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import distributions
from importlib.util import find_spec

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from pyannote_diarizen.errors import MissingPackagesError

DISTRIBUTION = "pyannote-diarizen"

MODULES = {
    "numpy": "numpy",
    "torch": "torch",
    "torchaudio": "torchaudio",
    "soundfile": "soundfile",
    "av": "av",
    "pyannote.audio": "pyannote-audio",
}
"""Required modules and their packages, each after the modules that it imports."""

TORCHAUDIO_WITH_STABLE_ABI = Version("2.11.1")
"""First torchaudio built once for all later versions of torch.

Each earlier one loads beside the torch of the same number only."""

TORCH_WITH_STABLE_ABI = Version("2.13")
"""First torch beside which `TORCHAUDIO_WITH_STABLE_ABI` loads."""

LAST_TORCH_WITH_OWN_TORCHAUDIO = Version("2.11")
"""Last torch for which a torchaudio of its own was built."""

IMPORT_ERRORS = (ImportError, OSError, RuntimeError, AttributeError, ValueError)
"""Exceptions of importing a package that was compiled for another one."""

_IMPORT_IN_ORDER = """
import importlib, sys, warnings
warnings.simplefilter("ignore")
out, sys.stdout = sys.stdout, sys.stderr  # modules may print, too
for module in sys.argv[1:]:
    print(module, file=out, flush=True)
    try:
        importlib.import_module(module)
    except BaseException as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        print(reason, file=out)
        sys.exit(1)
"""


@dataclass(frozen=True)
class Package:
    """An installed package.

    Parameters
    ----------
    name : str
        Name on PyPI.
    version : Version
        Installed version.
    requirements : tuple of Requirement
        Requirements for this Python and system.
    """

    name: str
    version: Version
    requirements: tuple[Requirement, ...] = ()

    def __str__(self) -> str:
        """Name and version, for messages."""
        return f"{self.name} {self.version}"


Installed = Mapping[str, Package]
"""Packages by canonical name."""


@dataclass(frozen=True)
class Clash:
    """A package that is missing, or has a version that another one excludes.

    Parameters
    ----------
    package : str
        Canonical name of the package to install.
    reason : str
        Explanation for the message.
    """

    package: str
    reason: str


@dataclass(frozen=True)
class ImportFailure:
    """A module that cannot be imported.

    Parameters
    ----------
    module : str
        Name of the module.
    reason : str
        First line of its error, or the signal that ended the process.
    """

    module: str
    reason: str


def find_import_failure(modules: Iterable[str] = MODULES) -> ImportFailure | None:
    """Import modules one after the other in another process.

    Parameters
    ----------
    modules : iterable of str, optional
        Names of modules. Default to `MODULES`.

    Returns
    -------
    failure : ImportFailure or None
        First module that fails, None if all are imported.
    """
    command = [sys.executable, "-c", _IMPORT_IN_ORDER, *modules]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode == 0:
        return None
    printed = ran.stdout.splitlines()
    if ran.returncode == 1 and len(printed) > 1:
        return ImportFailure(printed[-2], printed[-1])
    # for example an instruction that the CPU lacks
    return ImportFailure(printed[-1], f"Python ended with code {ran.returncode}")


def explain_import_failure(failure: ImportFailure, installed: "Installed") -> str:
    """Explain in two lines which versions clash, and the remedy.

    Parameters
    ----------
    failure : ImportFailure
    installed : mapping of str to Package

    Returns
    -------
    explanation : str
        A sentence and a pip line.
    """
    name = MODULES[failure.module]
    package = installed.get(name)
    if package is None:
        text = f"{failure.module} is not installed"
    elif name == "torchaudio" and "torch" in installed:
        text = f"{package} cannot be loaded beside {installed['torch']}"
    else:
        text = f"{package} cannot be imported"
    return f"{text}: {failure.reason}\n{pip_line(installed, [name], reinstall=True)}"


def read_installed(path: list[str] | None = None) -> dict[str, Package]:
    """Read the metadata of installed packages.

    Parameters
    ----------
    path : list of str, optional
        Folders to search. Defaults to `sys.path`.

    Returns
    -------
    installed : dict of str to Package
        Packages by canonical name.
    """
    found: dict[str, Package] = {}
    for distribution in distributions(path=sys.path if path is None else path):
        try:
            requirements = map(Requirement, distribution.requires or [])
            version = Version(distribution.version)
            package = Package(distribution.name, version, tuple(requirements))
        # remainder of an interrupted installation
        except (InvalidRequirement, InvalidVersion, TypeError):
            continue
        # Python imports the first one
        found.setdefault(canonicalize_name(package.name), package)
    return found


def find_clashes(installed: Installed) -> list[Clash]:
    """List the requirements of this package, direct or not, that are not met.

    Parameters
    ----------
    installed : mapping of str to Package
        See `read_installed`.

    Returns
    -------
    clashes : list of Clash
        Empty if all requirements are met.
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
    return clashes


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


def pip_line(
    installed: Installed, names: Iterable[str], reinstall: bool = False
) -> str:
    """Compose the pip line that installs packages in versions that go together.

    Parameters
    ----------
    installed : mapping of str to Package
    names : iterable of str
        Packages that are wrong or missing.
    reinstall : bool, optional
        Replace files that are there, in the same version if need be.

    Returns
    -------
    line : str
    """
    wanted = {name: _wanted(installed, name) for name in sorted(set(names))}
    torch = installed.get("torch")
    if "torchaudio" in wanted and torch:
        wanted |= _load_together(torch.version)
    named = " ".join(f'"{name}{versions}"' for name, versions in wanted.items())
    options = " --force-reinstall" if reinstall else ""
    if wanted.keys() & {"torch", "torchaudio"} and torch and torch.version.local:
        # as in 2.11.0+cu130
        index = f"https://download.pytorch.org/whl/{torch.version.local}"
        options += f" --extra-index-url {index}"
    return f"pip install {named}{options}"


def _load_together(torch: Version) -> dict[str, SpecifierSet]:
    """Versions of torchaudio that load beside a torch, and of torch if none does."""
    minor = f"{torch.major}.{torch.minor}"
    if Version(minor) <= LAST_TORCH_WITH_OWN_TORCHAUDIO:
        same = SpecifierSet(f"~={minor}.0,<{TORCHAUDIO_WITH_STABLE_ABI}")
        return {"torchaudio": same}
    latest = {"torchaudio": SpecifierSet(f">={TORCHAUDIO_WITH_STABLE_ABI}")}
    if torch < TORCH_WITH_STABLE_ABI:
        latest["torch"] = SpecifierSet(f">={TORCH_WITH_STABLE_ABI}")
    return latest


def _wanted(installed: Installed, name: str) -> SpecifierSet:
    """Versions of a package that meet the requirements of all others."""
    wanted = SpecifierSet()
    for _, requirement in _requirements(installed):
        if canonicalize_name(requirement.name) == name:
            wanted &= requirement.specifier
    return wanted


def describe_installed(installed: Installed) -> str:
    """Name the most important packages and their versions."""
    shown = (DISTRIBUTION, "pyannote-audio", "torch", "torchaudio")
    packages = ", ".join(str(installed[name]) for name in shown if name in installed)
    return f"{packages}, Python {platform.python_version()} on {platform.system()}"


def require_packages(what: str, packages: Mapping[str, str]) -> None:
    """Refuse to go on without optional packages.

    Parameters
    ----------
    what : str
        Component that needs them, for the message.
    packages : Mapping of str
        Modules, and what pip calls them.

    Raises
    ------
    MissingPackagesError
        If a package is missing; the message has the pip line.
    """
    missing = [pip for module, pip in packages.items() if not _is_found(module)]
    if missing:
        raise MissingPackagesError(
            f"{what} needs packages that are not installed: "
            f"pip install {' '.join(dict.fromkeys(missing))}"
        )


def _is_found(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the parent of a submodule
        return False
