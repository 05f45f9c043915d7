# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Reports as Markdown and HTML."""

from pyannote_diarizen.results.report_page import Link, Report, Section, to_markdown

TABLE = Section("Files", "In seconds.", ("file", "DER"), [[Link("a|b", "x.html"), "1"]])
REPORT = Report("<Mine>", ["A & B."], [TABLE, Section("Figure", figure=b"png")])


def test_markdown_holds_tables_and_links():
    assert REPORT.to_markdown() == (
        "# <Mine>\n\nA & B.\n\n## Files\n\nIn seconds.\n\n"
        "| file | DER |\n| --- | ---: |\n| [a\\|b](x.html) | 1 |\n"
    )
    assert to_markdown(["x"], [["a|b"]]).endswith("| a\\|b |\n")


def test_html_holds_all_and_escapes_text(tmp_path):
    REPORT.write(tmp_path / "a.html")
    html = (tmp_path / "a.html").read_text()
    assert html == REPORT.to_html()
    assert "<h1>&lt;Mine&gt;</h1>" in html
    assert '<td><a href="x.html">a|b</a></td><td class="number">1</td>' in html
    assert 'src="data:image/png;base64,cG5n"' in html
    assert "script" not in html
