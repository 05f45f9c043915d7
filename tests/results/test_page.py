# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Pages, read without a browser; `test_page_in_browser.py` opens them in one."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile
from pyannote.core import Annotation, Segment

from pyannote_diarizen.results.document import DiarizationDocument
from pyannote_diarizen.results.formats import FORMATS
from pyannote_diarizen.results.page import render_page, write_page
from pyannote_diarizen.results.turns import Turn, Word

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>&\u2028'\""
NAMES = [
    HOSTILE,
    "</title><svg onload=alert(1)>",
    "<!--<script>",
    "]]><![CDATA[",
    '" autofocus onfocus="alert(1)',
    "{{ 7 * 7 }}{% raw %}",
    "${alert(1)}`",
    "javascript:alert(1)",
    "../../etc/passwd",
    "\u202egnp.exe",
    "\x00\x1b[31m",
    "__proto__",
]


class Page(HTMLParser):
    """Elements of a page, and the text of those with an id."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.texts: dict[str, str] = {}
        self.open = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.elements.append((tag, dict(attrs)))
        self.open = dict(attrs).get("id", tag)

    def handle_endtag(self, tag: str) -> None:
        self.open = ""

    def handle_data(self, data: str) -> None:
        self.texts[self.open] = self.texts.get(self.open, "") + data

    @property
    def data(self) -> dict:
        return json.loads(self.texts["data"])


def document(speaker: str = "ann", uri: str = "call") -> DiarizationDocument:
    turns = [Turn(0, 2, speaker, 0.5), Turn(1, 2.5, "bob", 0.75)]
    return DiarizationDocument(uri, turns, words=[Word(0, 1, speaker, speaker)])


@pytest.fixture
def audio(tmp_path):
    """Three seconds of a tone."""
    path = tmp_path / "my call.wav"
    soundfile.write(path, 0.5 * np.sin(np.arange(48000) / 5), 16000)
    return path


@pytest.mark.parametrize("name", NAMES)
def test_text_of_files_is_neither_html_nor_script(name):
    hostile = replace(document(name, uri=name), pipeline={"name": name})
    true = Annotation()
    true[Segment(0, 1)] = name
    page, plain = Page(render_page(hostile, None, true)), Page(render_page(document()))
    assert page.texts["title"] == name
    assert page.data["document"] == hostile.to_dict()
    assert page.data["reference"][0]["speaker"] == name
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in plain.elements]


def test_only_the_script_of_the_page_may_run_and_nothing_is_loaded():
    html = render_page(document())
    page = Page(html)
    (policy,) = (
        attributes["content"]
        for tag, attributes in page.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    script = re.search('<script type="module">(.*)</script>', html, re.DOTALL)[1]
    for kind, content in (("script", script), ("style", page.texts["style"])):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[f"{kind}-src"] == f"'sha256-{digest}'"
    assert not re.search(r"https?:|innerHTML|insertAdjacent|\beval\b", html)
    for _, attributes in page.elements:
        assert not {"src", "style", "onclick", "onload"} & set(attributes)


def test_errors_are_those_of_the_reference():
    reference = Annotation()
    reference[Segment(0, 3)] = HOSTILE
    data = Page(render_page(document(), reference=reference)).data
    assert data["reference"] == [{"start": 0, "end": 3, "speaker": HOSTILE}]
    assert data["mapping"] == [["ann", HOSTILE]]
    kinds = [(each["kind"], each["start"], each["end"]) for each in data["errors"]]
    assert kinds == [
        ("false alarm", 1, 2), ("confusion", 2, 2.5), ("missed", 2.5, 3),
    ]  # fmt: skip
    expected = {"total": 3, "missed": 0.5, "false_alarm": 1, "confusion": 0.5}
    assert data["score"] == expected


def test_sound_is_embedded_linked_or_absent(audio, tmp_path):
    pages = {}
    for sound in ("embed", "link", "none"):
        path = tmp_path / f"{sound}.html"
        write_page(path, document(), audio, sound=sound)
        pages[sound] = Page(path.read_text(encoding="utf-8"))
        assert pages[sound].data["duration"] == 3.0
        assert pages[sound].data["peaks"]["rate"] == 200
    assert base64.b64decode(pages["embed"].texts["sound"]).startswith(b"\x1aE\xdf\xa3")
    assert pages["embed"].data["audio"] == {"type": "audio/webm"}
    assert pages["link"].data["audio"] == {"url": "my%20call.wav"}
    assert pages["none"].data["audio"] is None
    assert "sound" not in pages["link"].texts


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a #1?.wav", "a%20%231%3F.wav"), ("b:c.wav", "b%3Ac.wav"), ("\udce9", "%E9")],
)
def test_a_page_elsewhere_links_the_way_to_the_audio(audio, tmp_path, name, expected):
    path = tmp_path / "pages" / "a.html"
    write_page(path, document(), audio.rename(tmp_path / name), sound="link")
    url = Page(path.read_text(encoding="utf-8")).data["audio"]["url"]
    assert url == f"../{expected}"


def test_peaks_are_those_of_the_recording(audio):
    peaks = Page(render_page(document(), audio)).data["peaks"]["values"]
    values = np.frombuffer(base64.b64decode(peaks), np.int8).reshape(-1, 2)
    assert values.shape == (600, 2)
    assert np.abs(values).max() == 127


def test_names_of_files_in_any_encoding_give_a_page(tmp_path):
    path = tmp_path / "a.html"
    write_page(path, document("caf\udce9", uri="caf\udce9"))
    page = Page(path.read_text(encoding="utf-8"))
    assert page.texts["title"] == "caf?"


def test_silence_gives_a_page():
    assert Page(render_page(DiarizationDocument("call", []))).data["duration"] > 0


def test_the_format_html_embeds_the_audio_of_the_document(audio):
    call = replace(document(), audio=str(audio))
    page = Page(FORMATS["html"].render(call, False))
    assert page.data["audio"] == {"type": "audio/webm"}
    assert page.data["document"]["audio"] == audio.name  # no folder
    exclusive = Page(FORMATS["html"].render(call, True)).data["document"]
    assert exclusive["turns"] == exclusive["exclusive_turns"]
    assert Page(FORMATS["html"].render(document(), False)).data["peaks"] is None


def test_the_format_png_is_a_picture():
    picture = FORMATS["png"].render(document(), False)
    assert picture.startswith(b"\x89PNG")
