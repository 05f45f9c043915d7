# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The page for uploads in Chromium, with the bundled pipeline."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="pip install 'pyannote-diarizen[serve]'")
pytest.importorskip("selenium", reason="pip install selenium")
from chromium import open_chromium
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from pyannote_diarizen.audio.sample import sample_file

pytestmark = pytest.mark.slow

TOKEN = "0123456789abcdef"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def recording(folder) -> Path:
    return Path(shutil.copy(sample_file()["audio"], folder / "our meeting.wav"))


@pytest.fixture(scope="module")
def browser(folder) -> Iterator:
    with open_chromium(folder) as chromium:
        yield chromium


@pytest.fixture(scope="module")
def address(folder) -> Iterator[str]:
    """Address of a server with a token, which ends with code 0 after SIGTERM."""
    code = "from pyannote_diarizen.cli.main import app; app()"
    command = [sys.executable, "-c", code, "serve", "--port", "0"]
    command += ["--token", TOKEN, "--folder", str(folder / "queue")]
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stderr=output, env=os.environ)
    try:
        pattern = re.compile(r"running on (http://\S+)")
        deadline = time.monotonic() + 120
        while not (found := pattern.search(log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield found[1]
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(90) == 0, log.read_text()


def wait(browser, condition, seconds: float = 60) -> None:
    WebDriverWait(browser, seconds, 0.1).until(lambda _: condition())


def text(browser, name: str) -> str:
    return browser.find_element(By.ID, name).text


def press(browser, name: str) -> None:
    browser.find_element(By.XPATH, f"//tbody//button[text()='{name}']").click()


def test_a_recording_is_uploaded_and_its_result_opened(
    browser, address, recording, folder
):
    browser.get(address)
    wait(browser, lambda: text(browser, "message") == "Enter the token of the server.")
    token = browser.find_element(By.ID, "token")
    token.send_keys("wrong", "\t")
    wait(browser, lambda: text(browser, "message") == "The token is wrong.")
    token.clear()
    token.send_keys(TOKEN, "\t")
    wait(browser, lambda: text(browser, "message") == "")
    assert not browser.find_element(By.TAG_NAME, "table").is_displayed()
    browser.find_element(By.ID, "speakers").send_keys("2")
    browser.find_element(By.ID, "file").send_keys(str(recording))
    wait(browser, lambda: "our_meeting" in text(browser, "jobs"))
    assert "0:30" in text(browser, "jobs")
    bars = (By.TAG_NAME, "progress")
    wait(browser, lambda: browser.find_elements(*bars))
    wait(browser, lambda: " done" in text(browser, "jobs"), 120)
    press(browser, "RTTM")
    press(browser, "JSON")
    press(browser, "Page")
    rttm, page = folder / "our_meeting.rttm", folder / "our_meeting.html"
    result = folder / "our_meeting.json"
    wait(browser, lambda: all(map(Path.exists, (rttm, page, result))))
    assert rttm.read_text().startswith("SPEAKER our_meeting 1 ")
    assert len(json.loads(result.read_text())["speakers"]) == 2
    window = browser.current_window_handle
    browser.switch_to.new_window("tab")
    browser.get(page.as_uri())
    assert browser.title == "our_meeting"
    assert "SPEAKER_01" in text(browser, "labels")
    browser.close()
    browser.switch_to.window(window)
    press(browser, "Remove")
    wait(browser, lambda: text(browser, "jobs") == "")


def test_refused_files_are_named_and_the_others_sent(
    browser, address, recording, folder
):
    (folder / "notes.txt").write_text("no audio")
    files = f"{folder / 'notes.txt'}\n{recording}"
    browser.find_element(By.ID, "file").send_keys(files)
    wait(browser, lambda: "notes.txt: " in text(browser, "message"))
    wait(browser, lambda: "our_meeting" in text(browser, "jobs"))
    press(browser, "Remove")
    wait(browser, lambda: text(browser, "jobs") == "")


def test_nothing_is_wider_than_a_phone(browser, address):
    screen = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.get(address)
    width = browser.execute_script("return document.documentElement.scrollWidth")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert width == 390
