# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Results in notebooks: a timeline and a table of speakers, without script.

Documents are shown so by themselves. The outputs of pipelines belong to pyannote.audio:

    %load_ext pyannote_diarizen.results.notebook

shows them in the same way.
"""

from typing import Any

from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput

from pyannote_diarizen.results.document import DiarizationDocument
from pyannote_diarizen.results.page import TEMPLATES
from pyannote_diarizen.results.timelines import draw_timeline, to_png
from pyannote_diarizen.rttm import valid_text


def load_ipython_extension(ipython: Any) -> None:
    """Show outputs of pipelines; IPython calls this for `%load_ext`."""
    formatter = ipython.display_formatter.formatters["text/html"]
    formatter.for_type(DiarizeOutput, output_html)


def output_html(output: DiarizeOutput) -> str:
    """Summarize the output of a pipeline as HTML."""
    return summary_html(DiarizationDocument.from_output(output))


def summary_html(document: DiarizationDocument) -> str:
    """Summarize a result as HTML.

    Parameters
    ----------
    document : DiarizationDocument

    Returns
    -------
    html : str
        Timeline as PNG, and table of speakers.
    """
    speakers = document.speakers
    html = TEMPLATES.get_template("summary.html").render(
        uri=document.uri,
        end=document.end,
        speakers=speakers,
        num_turns=len(document.turns),
        confident=any(speaker.confidence is not None for speaker in speakers),
        picture=to_png(draw_timeline(document.annotation())),
    )
    return valid_text(html)
