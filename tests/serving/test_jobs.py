# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Jobs: the queue, failures, crashes, a full disk."""

import errno
import time
from dataclasses import replace

import pytest

pytest.importorskip("fastapi", reason="pip install 'pyannote-diarizen[serve]'")
from one_speaker import connect, upload, wait

from pyannote_diarizen.serving.jobs import FullQueueError, Job, Jobs


def test_a_full_queue_refuses(client, pipeline):
    pipeline.release.clear()
    first = upload(client).json()["id"]
    wait(client, first, "running")
    second, third = upload(client).json(), upload(client).json()
    assert (second["position"], third["position"]) == (1, 2)
    response = upload(client)
    assert response.status_code == 429
    assert response.headers["retry-after"]
    assert client.get(f"/jobs/{third['id']}/result").status_code == 409
    pipeline.release.set()
    assert wait(client, third["id"])["state"] == "done"


def test_state_and_place_are_of_one_instant(client, pipeline, monkeypatch):
    """The job begins between the search for it and its description."""
    pipeline.release.clear()
    wait(client, upload(client).json()["id"], "running")
    second = upload(client).json()["id"]
    jobs = client.app.state.service.jobs
    search = jobs.get

    def get(job_id):
        job = search(job_id)
        if job_id == second:
            jobs.update(second, state="running")
        return job

    monkeypatch.setattr(jobs, "get", get)
    job = client.get(f"/jobs/{second}").json()
    assert (job["state"], job.get("position")) == ("running", None)
    monkeypatch.undo()
    jobs.update(second, state="queued")
    pipeline.release.set()


def test_a_page_that_is_removed_meanwhile_is_not_found(client, settings):
    job_id = upload(client).json()["id"]
    wait(client, job_id)
    (settings.folder / job_id / "result.html").unlink()
    response = client.get(f"/jobs/{job_id}/result", params={"format": "html"})
    assert response.status_code == 404


def test_errors_of_the_pipeline_are_those_of_the_job(client, settings):
    job = wait(client, upload(client, "broken.wav").json()["id"])
    assert job["error"] == "'broken' cannot be diarized"
    response = client.get(f"/jobs/{job['id']}/result")
    assert response.status_code == 410
    assert wait(client, upload(client).json()["id"])["state"] == "done"


def test_a_job_that_takes_too_long_fails(pipeline, settings):
    pipeline.release.clear()
    with connect(pipeline, replace(settings, max_seconds=0.05)) as client:
        job = wait(client, upload(client).json()["id"])
    assert "longer than 0.05 s" in job["error"]


def test_a_removed_job_is_interrupted(client, pipeline):
    pipeline.release.clear()
    first = upload(client).json()["id"]
    wait(client, first, "running")
    client.delete(f"/jobs/{first}")
    pipeline.release.set()
    assert wait(client, upload(client).json()["id"])["state"] == "done"


def test_jobs_survive_the_end_of_the_server(pipeline, settings):
    pipeline.release.clear()
    with connect(pipeline, settings) as client:
        first, second = (upload(client).json()["id"] for _ in range(2))
        wait(client, first, "running")
    pipeline.release.set()
    with connect(pipeline, settings) as client:
        assert wait(client, first)["state"] == "done"
        assert wait(client, second)["state"] == "done"


def test_after_a_crash_jobs_wait_again_or_are_lost(settings):
    jobs = Jobs(settings.folder, 5, 60.0)
    for name, attempts in zip("abcde", (1, 2, 1, 1, 1), strict=True):
        with jobs.receiving() as part:
            (part / "audio.wav").touch()
            jobs.add(part, Job(name, name, "audio.wav", 1.0))
        jobs.update(name, state="running", attempts=attempts)
    folder = settings.folder
    (folder / ".half").mkdir()
    (folder / "removed").mkdir()
    (folder / "removed" / "result.json").touch()
    (folder / "a" / ".half.json").touch()
    (folder / "c" / "audio.wav").unlink()
    (folder / "d" / "result.json").touch()
    (folder / "e" / "job.json").write_text("{")
    jobs.close()
    jobs = Jobs(folder, 5, 60.0)
    states = {job.id: job.state for job in jobs.all()}
    lost = dict.fromkeys("bce", "failed")
    assert states == {"a": "queued", **lost, "d": "done"}
    assert "stopped twice" in jobs.get("b").error
    assert "is gone" in jobs.get("c").error
    assert "is gone" in jobs.get("e").error
    names = sorted(str(path.relative_to(folder)) for path in folder.glob("*/*"))
    assert names == [
        *("a/audio.wav", "a/job.json", "b/job.json", "c/job.json"),
        *("d/job.json", "d/result.json", "e/job.json"),
    ]
    assert {each.name for each in folder.iterdir()} == {*"abcde", "serve.lock"}
    assert folder.stat().st_mode & 0o077 == 0
    with pytest.raises(OSError, match="Another server uses"):
        Jobs(settings.folder, 5, 60.0)
    jobs.close()


def test_a_folder_of_other_files_is_not_touched(tmp_path):
    (tmp_path / ".ssh").mkdir()
    with pytest.raises(OSError, match="not of a server"):
        Jobs(tmp_path, 5, 60.0)
    assert [path.name for path in tmp_path.iterdir()] == [".ssh"]


def test_uploads_have_a_place_in_the_queue(settings):
    jobs = Jobs(settings.folder, 1, 60.0)
    with jobs.receiving(), pytest.raises(FullQueueError), jobs.receiving():
        pass
    with jobs.receiving():
        pass
    jobs.close()


def test_a_full_disk_does_not_stop_the_server(client, pipeline, monkeypatch):
    pipeline.release.clear()
    first = upload(client).json()["id"]

    def fail(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pyannote_diarizen.serving.jobs.write_file", fail)
        response = upload(client)
        assert response.status_code == 507
        assert response.json()["detail"] == "The disk of the server is full."
        pipeline.release.set()
        assert wait(client, first)["state"] == "done"
    assert wait(client, upload(client).json()["id"])["state"] == "done"


def test_nothing_stays_of_a_job_that_is_removed_while_it_is_written(
    client, pipeline, settings, monkeypatch
):
    def render(document, audio, with_sound):
        (job,) = client.app.state.service.jobs.all()
        client.app.state.service.jobs.remove(job.id)
        return "page"

    with monkeypatch.context() as patch:
        patch.setattr("pyannote_diarizen.serving.worker.render_page", render)
        job_id = upload(client).json()["id"]
        while client.get(f"/jobs/{job_id}").is_success:
            time.sleep(0.01)
    wait(client, upload(client).json()["id"])
    assert len([*settings.folder.glob("*/*")]) == 3


def test_old_results_are_removed(settings):
    jobs = Jobs(settings.folder, 5, max_age=0.0)
    with jobs.receiving() as part:
        jobs.add(part, Job("a", "a", "audio.wav", 1.0))
    jobs.remove_old()
    assert len(jobs.all()) == 1
    jobs.finish("a")
    time.sleep(0.01)
    jobs.remove_old()
    assert not jobs.all()
    jobs.close()
