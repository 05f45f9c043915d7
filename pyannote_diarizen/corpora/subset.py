# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Lists, annotations and annotated regions of one subset of a protocol."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pyannote_diarizen.corpora.listings import Item, Listing, Recording, Region, Turn
from pyannote_diarizen.findings import Finding


@dataclass
class Subset:
    """Recordings, turns and annotated regions of one subset of a protocol.

    Parameters
    ----------
    recordings, turns, regions : list of Listing
        Without `regions`, recordings are annotated from beginning to end.
    findings : list of Finding
        Files that could not be found.
    """

    recordings: list[Listing[Recording]]
    turns: list[Listing[Turn]]
    regions: list[Listing[Region]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def extend(self, other: "Subset") -> None:
        """Add the content of another subset."""
        self.recordings += other.recordings
        self.turns += other.turns
        self.regions += other.regions
        self.findings += other.findings

    @property
    def uris(self) -> list[str]:
        """Names of recordings, in order."""
        return [recording.uri for _, recording in iter_items(self.recordings)]

    @property
    def audio(self) -> dict[str, Path]:
        """Audio file of each recording whose audio is known."""
        return {
            recording.uri: recording.audio
            for _, recording in iter_items(self.recordings)
            if recording.audio is not None
        }


def iter_items(listings: Iterable[Listing[Item]]) -> Iterator[tuple[Path, Item]]:
    """Yield the file and the item of each line of some listings."""
    for listing in listings:
        for item in listing.items:
            yield listing.path, item
