# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Access to published files, in a folder or a repository of the Hugging Face Hub.

Files of the hub stay in its cache, where they are found without network. Errors of the
hub are converted to built-in errors with a remedy.
"""

import re
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

from huggingface_hub import constants, hf_hub_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from pyannote_diarizen.atomic import expand_home

_HUB_ID = re.compile(r"(\w[\w.-]*/[\w.-]+)(?:@([\w./-]+))?")
FILE_SUFFIXES = (".yaml", ".yml", ".toml", ".bin", ".ckpt", ".safetensors")
"""Ends of names that are never those of a repository."""

CONNECTION_TIMEOUT = 5.0
"""Longest time until the hub answers, in seconds."""


def is_hub_id(name: str) -> bool:
    """Whether `name` has the form owner/name, or owner/name@revision."""
    is_file = name.endswith(FILE_SUFFIXES)
    return _HUB_ID.fullmatch(name) is not None and not is_file


def is_hub_reachable() -> bool:
    """Whether the hub accepts a connection; True behind a proxy, without a try.

    The client of the hub tries for half a minute before it gives up.
    """
    if getproxies():
        return True
    url = urlsplit(constants.ENDPOINT)
    port = url.port or (80 if url.scheme == "http" else 443)
    try:
        socket.create_connection((url.hostname, port), CONNECTION_TIMEOUT).close()
    except OSError:
        return False
    return True


@dataclass(frozen=True)
class Repository:
    """Folder on disk, or repository of the Hugging Face Hub.

    Parameters
    ----------
    checkpoint : Path or str
        Folder, or owner/name or owner/name@revision on the hub. An existing folder
        takes precedence.
    subfolder : str, optional
        Folder inside, to which names of files are relative.
    revision : str, optional
        Branch, tag or commit, for the hub only. Defaults to the latest.
    token : str or bool, optional
        Access token, for private or gated repositories. Defaults to the one that
        `hf auth login` stored.
    cache_dir : Path or str, optional
        Folder of the cache of the hub. Defaults to the shared one.

    Raises
    ------
    FileNotFoundError
        If `checkpoint` is neither a folder nor owner/name.
    ValueError
        If `revision` is given with a folder.
    """

    checkpoint: Path | str
    subfolder: str | None = None
    revision: str | None = None
    token: str | bool | None = None
    cache_dir: Path | str | None = None

    def __post_init__(self) -> None:
        """Check that the folder exists, or that the name is valid on the hub."""
        if self.folder is not None:
            if self.revision is not None:
                raise ValueError(
                    "`revision` is for repositories of the hub, not for folders, "
                    f"got '{self.revision}' for '{self.checkpoint}'."
                )
            return
        named = None
        if isinstance(self.checkpoint, str) and is_hub_id(self.checkpoint):
            named = _HUB_ID.fullmatch(self.checkpoint)
        if named is None:
            raise FileNotFoundError(
                f"'{self.checkpoint}' is neither a folder that exists nor owner/name "
                "on the Hugging Face Hub."
            )
        if named[2] is not None:
            if self.revision not in (None, named[2]):
                raise ValueError(
                    f"`revision` should be that of '{self.checkpoint}', got "
                    f"'{self.revision}'."
                )
            object.__setattr__(self, "checkpoint", named[1])
            object.__setattr__(self, "revision", named[2])

    def __str__(self) -> str:
        """Name it in messages."""
        parts = (str(self.checkpoint), self.subfolder)
        return "/".join(part for part in parts if part)

    @property
    def folder(self) -> Path | None:
        """The folder on disk, None for a repository of the hub."""
        folder = expand_home(self.checkpoint)
        return folder if folder.is_dir() else None

    def find(self, name: str) -> Path | None:
        """Find the file called `name`, None if it does not exist.

        Parameters
        ----------
        name : str
            Relative to the folder or repository.

        Returns
        -------
        path : Path or None
            Path on disk, after a download if needed. Also None without network, if the
            cache lacks the file.

        Raises
        ------
        OSError
            If the repository does not exist or cannot be accessed.
        """
        try:
            return self._look_up(name)
        except LocalEntryNotFoundError:
            return None

    def file(self, *names: str) -> Path:
        """Find the first file of `names` that exists.

        Parameters
        ----------
        *names : str
            Names relative to the folder or repository.

        Returns
        -------
        path : Path
            Path on disk, after a download if needed.

        Raises
        ------
        FileNotFoundError
            If no file exists, or there is no network to download it.
        OSError
            If the repository does not exist or cannot be accessed.
        """
        unreachable = None
        for name in names:
            try:
                path = self._look_up(name, from_cache=unreachable is not None)
            except LocalEntryNotFoundError as error:
                unreachable, path = error, None
            if path is not None:
                return path
        wanted = " or ".join(names)
        if unreachable is not None:
            raise FileNotFoundError(
                f"{wanted} of '{self}' is not in the cache, and the Hugging Face Hub "
                "cannot be reached: connect to a network, and unset HF_HUB_OFFLINE if "
                "it is set."
            ) from unreachable
        raise FileNotFoundError(f"'{self}' holds no {wanted}: is it complete?")

    def _look_up(self, name: str, from_cache: bool = False) -> Path | None:
        """Path of a file, None if it does not exist."""
        if self.folder is not None:
            path = self.folder / (self.subfolder or "") / name
            return path if path.is_file() else None
        try:
            return self._download(name, from_cache)
        except LocalEntryNotFoundError:
            raise
        except EntryNotFoundError:
            return None

    def _download(self, name: str, from_cache: bool) -> Path:
        try:
            path = hf_hub_download(
                str(self.checkpoint),
                name,
                subfolder=self.subfolder,
                revision=self.revision,
                token=self.token,
                cache_dir=self.cache_dir,
                local_files_only=from_cache or not is_hub_reachable(),
            )
        except EntryNotFoundError:
            raise
        except GatedRepoError as error:
            raise PermissionError(
                f"'{self.checkpoint}' is gated: accept its conditions at "
                f"https://hf.co/{self.checkpoint}, then give a `token` or run "
                "`hf auth login`."
            ) from error
        except RepositoryNotFoundError as error:
            raise FileNotFoundError(
                f"There is no '{self.checkpoint}' on disk, nor on the Hugging Face Hub "
                "unless it is private: check its name, or give a `token`."
            ) from error
        except RevisionNotFoundError as error:
            raise FileNotFoundError(
                f"'{self.checkpoint}' on the Hugging Face Hub has no revision "
                f"'{self.revision}'."
            ) from error
        except HfHubHTTPError as error:
            reason = error.server_message or str(error).splitlines()[0]
            raise ConnectionError(
                f"{name} of '{self}' cannot be downloaded: {reason}"
            ) from error
        return Path(path)
