# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Chromium without a window, for tests of pages."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

webdriver = pytest.importorskip(
    "selenium.webdriver", reason="pip install selenium to test pages in a browser"
)


@contextmanager
def open_chromium(folder: Path) -> Iterator[Any]:
    """Start Chromium; files are saved to `folder`."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("Chromium or chromedriver is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in ("--headless=new", "--no-sandbox", "--window-size=1280,900"):
        options.add_argument(argument)
    options.add_experimental_option(
        "prefs", {"download.default_directory": str(folder)}
    )
    options.set_capability(
        "goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"}
    )
    # Chromium leaves files behind
    environment = {**os.environ, "TMPDIR": str(folder)}
    service = webdriver.ChromeService(driver, env=environment)
    with webdriver.Chrome(options=options, service=service) as chromium:
        chromium.set_script_timeout(60)
        yield chromium
