# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""A Hugging Face Hub on this machine, serving folders to the real client."""

import hashlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from huggingface_hub import constants, file_download, utils

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_BAD_TOKEN = "Invalid credentials in Authorization header"


class FakeHub(ThreadingHTTPServer):
    """Serves `root/owner/name/file` as `/owner/name/resolve/revision/file`.

    Attributes
    ----------
    requests : list of str
        Method and path of each request so far.
    gated : set of str
        Repositories that open to `token` only.
    """

    token = "hf_opens_sesame"

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.requests: list[str] = []
        self.gated: set[str] = set()
        self._thread = Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def stop(self) -> None:
        """Be unreachable from now on."""
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: FakeHub

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        content = self._answer()
        if content is not None:
            self.wfile.write(content)

    def _answer(self) -> bytes | None:
        hub = self.server
        hub.requests.append(f"{self.command} {self.path}")
        repository, _, rest = self.path.lstrip("/").partition("/resolve/")
        revision, _, name = rest.partition("/")
        folder = hub.root / repository
        if not folder.is_dir():
            return self._refuse(404, "RepoNotFound")
        given = self.headers.get("authorization")
        if given not in (None, f"Bearer {hub.token}"):
            return self._refuse(401, message=_BAD_TOKEN)
        if repository in hub.gated and given is None:
            return self._refuse(403, "GatedRepo")
        if revision not in ("main", COMMIT):
            return self._refuse(404, "RevisionNotFound")
        if not (folder / name).is_file():
            return self._refuse(404, "EntryNotFound")
        content = (folder / name).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        return content

    def _refuse(self, status: int, code: str = "", message: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", message)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """Yield a hub that serves what is put into its root; the cache is empty."""
    root = tmp_path / "hub"
    root.mkdir()
    hub = FakeHub(root)
    template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    for module in (constants, file_download):  # that of 0.x has a copy
        monkeypatch.setattr(
            module, "HUGGINGFACE_CO_URL_TEMPLATE", template, raising=False
        )
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    # 0.x keeps sessions, which refuse to connect if made offline
    getattr(utils, "reset_sessions", lambda: None)()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no token"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    yield hub
    hub.stop()
