# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Cut the sample of pyannote.audio into utterances for `pyannote-diarizen simulate`.

    python sample_speech.py speech
    pyannote-diarizen simulate speech conversations --num 20 --num-development 4 \
        --duration 30 --speakers 2 2

The sample holds two speakers on the telephone: enough to run commands, too little to
train a useful model.
"""

import shutil
import sys
from pathlib import Path

from pyannote_diarizen.audio.sample import sample_file

SAMPLE_RATE = 16000


def main(folder: Path) -> None:
    """Write `utterances.tsv` and a copy of the sample into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    sample = sample_file()
    shutil.copy(sample["audio"], folder / "sample.wav")
    annotation = sample["annotation"]
    overlap = annotation.get_overlap()
    lines = ["source\tspeaker\tsplit\tfile\tstart_sample\tnum_samples"]
    for turn, _, speaker in annotation.itertracks(yield_label=True):
        for part in overlap.gaps(support=turn):
            start, end = round(part.start * SAMPLE_RATE), round(part.end * SAMPLE_RATE)
            if part.duration < 0.5:
                continue
            for split in ("train", "dev"):
                fields = ("sample", speaker, split, "sample.wav", start, end - start)
                lines.append("\t".join(map(str, fields)))
    (folder / "utterances.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
