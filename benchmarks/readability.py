# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Figures of how easily the code is read: sizes, layout, comments and words.

    python benchmarks/readability.py
    python benchmarks/readability.py --folder ANOTHER_CHECKOUT/pyannote_diarizen

Bodies are functions without their docstring. Colloquial words are those that describe
code as if it talked or listened, per thousand words of docstrings and messages.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Annotated

import typer

ROOT = Path(__file__).parents[1]
COLLOQUIAL = re.compile(
    r"\b(hear(s|d|ing)?|say(s|ing)?|said|tell(s|ing)?|told|nobody|somebody|those|whoever)\b",
    re.IGNORECASE,
)
WINDOW = 6
"""Lines that are the same in two places make a duplicate."""


def main(
    folder: Annotated[Path, typer.Option(help="Package.")] = ROOT / "pyannote_diarizen",
) -> None:
    """Print the figures."""
    sources = {
        path.relative_to(folder): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*.py"))
    }
    trees = {path: ast.parse(text) for path, text in sources.items()}
    sizes = [len(text.splitlines()) for text in sources.values()]
    bodies = [size for tree in trees.values() for size in body_sizes(tree)]
    figures = {
        "files": len(sources),
        "lines": sum(sizes),
        "files over 400 lines": sum(size > 400 for size in sizes),
        "median body": median(bodies),
        "95th percentile of bodies": quantiles(bodies, n=20)[-1],
        "modules with one importer": modules_with_one_importer(trees, folder.name),
        "files that share their stem": shared_stems(sources),
        "colloquial words per thousand": f"{1000 * colloquial_share(trees):.1f}",
        "comment lines per line of code": f"{comment_share(sources, trees):.2f}",
        "duplicated lines": duplicated_lines(sources),
    }
    for name, figure in figures.items():
        print(f"{name:32} {figure}")


def body_sizes(tree: ast.Module) -> Iterator[int]:
    """Yield lines of each function, without signature and docstring."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if body:
                yield (body[-1].end_lineno or 0) - body[0].lineno + 1


def modules_with_one_importer(trees: dict[Path, ast.Module], package: str) -> int:
    """Count the modules that exactly one other module of the package imports."""
    importers: Counter[str] = Counter()
    for path, tree in trees.items():
        imported = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
                imported |= {node.module, *names}
        importers.update(imported - {_dotted(path, package)})
    return sum(importers[_dotted(path, package)] == 1 for path in trees)


def _dotted(path: Path, package: str) -> str:
    return ".".join((package, *path.with_suffix("").parts))


def shared_stems(sources: dict[Path, str]) -> int:
    """Count the files that have the name of another one in another folder."""
    stems = Counter(path.stem for path in sources if path.stem != "__init__")
    return sum(count for count in stems.values() if count > 1)


def colloquial_share(trees: dict[Path, ast.Module]) -> float:
    """Share of the words of docstrings and messages that are colloquial."""
    strings = [
        node.value
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    prose = [string for string in strings if " " in string]
    words = sum(len(re.findall(r"[A-Za-z]+", string)) for string in prose)
    return sum(len(COLLOQUIAL.findall(string)) for string in prose) / words


def comment_share(sources: dict[Path, str], trees: dict[Path, ast.Module]) -> float:
    """Lines with a comment, but for licences, per line of code without docstrings."""
    comments = code = 0
    for path, text in sources.items():
        documented = set(_docstring_lines(trees[path]))
        for number, line in enumerate(text.splitlines(), start=1):
            stripped = line.strip()
            if not stripped or number in documented or "SPDX-" in stripped:
                continue
            comments += stripped.startswith("#") or "  # " in stripped
            code += not stripped.startswith("#")
    return comments / code


def _docstring_lines(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield from range(node.lineno, (node.end_lineno or node.lineno) + 1)


def duplicated_lines(sources: dict[Path, str]) -> int:
    """Count the lines of code that stand again elsewhere, in runs of `WINDOW`."""
    places: dict[tuple[str, ...], list[tuple[Path, int]]] = {}
    for path, text in sources.items():
        lines = [line.strip() for line in text.splitlines()]
        kept = [(n, line) for n, line in enumerate(lines) if len(line) > 3]
        for first in range(len(kept) - WINDOW + 1):
            run = kept[first : first + WINDOW]
            if not any(line.startswith(("import ", "from ", "#")) for _, line in run):
                key = tuple(line for _, line in run)
                places.setdefault(key, []).append((path, first))
    repeated = {
        (path, first + offset)
        for found in places.values()
        if len(found) > 1
        for path, first in found
        for offset in range(WINDOW)
    }
    return len(repeated)


if __name__ == "__main__":
    typer.run(main)
