# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""HTTP interface of the server; `/openapi.json` describes it while it runs."""

import asyncio
import json
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import FileResponse, Response, StreamingResponse
from starlette.requests import ClientDisconnect

from pyannote_diarizen.atomic import is_full
from pyannote_diarizen.functional.speaker_bounds import SpeakerBounds
from pyannote_diarizen.results.document import DiarizationDocument
from pyannote_diarizen.results.formats import FORMATS
from pyannote_diarizen.serving.jobs import PAGE, RESULT, FullQueueError, Job, Jobs
from pyannote_diarizen.serving.service import Service
from pyannote_diarizen.serving.uploads import check_audio, receive

_POLL = 0.3
"""Seconds between two looks at a job whose events are sent."""

_QUIET = 15.0
"""Seconds without a change after which a comment is sent."""

_FILE = {"type": "string", "format": "binary"}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": _FILE},
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"audio": _FILE}}
            },
        },
    }
}
_TYPES = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "png": "image/png",
    "seglst": "application/json",
}
_CHALLENGE = {"WWW-Authenticate": "Bearer"}
_RETRY = {"Retry-After": "30"}
_Speakers = Annotated[int | None, Query(ge=1)]


def _find_service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


_Service = Annotated[Service, Depends(_find_service)]


def _authorize(request: Request, service: _Service) -> None:
    """Refuse requests of other sites, and those without the token."""
    origin = request.headers.get("origin")
    if origin and origin.partition("://")[2] != request.headers.get("host"):
        raise HTTPException(403, "Requests of other sites are refused.")
    token = service.settings.token
    if token is None:
        return
    scheme, _, sent = request.headers.get("authorization", "").partition(" ")
    is_right = secrets.compare_digest(sent.encode(), token.encode())
    if not is_right or scheme.lower() != "bearer":
        detail = "Send the header 'Authorization: Bearer TOKEN'."
        raise HTTPException(401, detail, _CHALLENGE)


def _find_job(job_id: str, service: _Service) -> Job:
    if (job := service.jobs.get(job_id)) is None:
        raise HTTPException(404, f"There is no job '{job_id[:64]}'.")
    return job


_Job = Annotated[Job, Depends(_find_job)]
router = APIRouter()
_authorized = APIRouter(dependencies=[Depends(_authorize)])


@_authorized.post("/jobs", status_code=202, openapi_extra=_BODY)
async def upload(
    request: Request,
    service: _Service,
    num_speakers: _Speakers = None,
    min_speakers: _Speakers = None,
    max_speakers: _Speakers = None,
) -> dict[str, Any]:
    """Upload a recording: as the body, or as the only file of a form.

    `?name=monday.mp3` names a recording that is the body.
    """
    jobs, limits = service.jobs, service.settings.limits
    try:
        bounds = SpeakerBounds(num_speakers, min_speakers, max_speakers)
        with jobs.receiving() as part:
            audio, uri = await receive(request, part, limits)
            duration = await to_thread.run_sync(
                check_audio, audio, uri, limits, limiter=service.decoding
            )
            options = {k: v for k, v in vars(bounds).items() if v is not None}
            job = Job(uuid.uuid4().hex, uri, audio.name, duration, options)
            jobs.add(part, job)
    except FullQueueError:
        detail = f"{jobs.max_queue} recordings wait already: try again later."
        raise HTTPException(429, detail, _RETRY) from None
    except ClientDisconnect:
        raise HTTPException(400, "The upload was interrupted.") from None
    except OSError as error:
        if not is_full(error):
            raise
        raise HTTPException(507, "The disk of the server is full.") from error
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    return _describe_now(job, jobs)


@_authorized.get("/jobs")
def list_jobs(service: _Service) -> list[dict[str, Any]]:
    """Describe all jobs, the oldest first."""
    with service.jobs.changed:  # both of one instant
        jobs, places = service.jobs.all(), _places(service.jobs)
    return [describe(job, places) for job in jobs]


@_authorized.get("/jobs/{job_id}")
def describe_job(job: _Job, service: _Service) -> dict[str, Any]:
    """Describe a job: its state, place in the queue, progress, error."""
    return _describe_now(job, service.jobs)


@_authorized.get("/jobs/{job_id}/events")
async def send_events(job: _Job, service: _Service) -> StreamingResponse:
    """Send the description after each change, as server-sent events."""
    return StreamingResponse(
        _events(job.id, service),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@_authorized.get("/jobs/{job_id}/result")
def send_result(
    job: _Job, service: _Service, format: str = "json", exclusive: bool = False
) -> Response:
    """Return the diarization: json, rttm, srt, html, ..."""
    if not job.is_finished:
        raise HTTPException(409, f"The job is {job.state}: wait for its end.")
    if job.state == "failed":
        raise HTTPException(410, f"The job failed: {job.error}")
    known = [name for name, each in FORMATS.items() if not each.needs_words]
    if format not in known:
        raise HTTPException(422, f"Expected a format of {', '.join(known)}.")
    name = quote(f"{job.uri}{FORMATS[format].suffix}")
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "X-Content-Type-Options": "nosniff",
    }
    kind = _TYPES.get(format, "text/plain; charset=utf-8")
    try:
        if format == "html":  # made while the recording was there
            path = service.jobs.path(job, PAGE)
            status = path.stat()
            return FileResponse(
                path, headers=headers, media_type=kind, stat_result=status
            )
        text = service.jobs.path(job, RESULT).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise HTTPException(404, "The job was removed.") from None
    document = DiarizationDocument.from_json(text)
    content = FORMATS[format].render(document, exclusive)
    return Response(content, media_type=kind, headers=headers)


@_authorized.delete("/jobs/{job_id}", status_code=204)
def remove(job: _Job, service: _Service) -> None:
    """Remove a job and its result; a running one is interrupted."""
    service.jobs.remove(job.id)


@_authorized.get("/metrics")
def send_metrics(service: _Service) -> Response:
    """Return metrics in the format of Prometheus."""
    return Response(service.metrics.text(), media_type="text/plain; version=0.0.4")


@router.get("/health")
def check_health(service: _Service) -> dict[str, str]:
    """Answer that the server runs and processes jobs."""
    if not service.is_working:
        raise HTTPException(503, "Jobs are not processed: see the log of the server.")
    return {"status": "ok"}


router.include_router(_authorized)


def _places(jobs: Jobs) -> dict[str, int]:
    """Place of each waiting job in the queue, from 1."""
    return {job.id: place for place, job in enumerate(jobs.waiting(), 1)}


def describe(job: Job, places: Mapping[str, int]) -> dict[str, Any]:
    """Describe a job for users.

    Parameters
    ----------
    job : Job
    places : Mapping
        Place in the queue of each waiting job.

    Returns
    -------
    description : dict
        `id`, `uri`, `duration`, `state`, `options`, `created`; also `position` in the
        queue, `progress`, `finished` and `error`, if they have a value.
    """
    values = {
        "position": places.get(job.id),
        "progress": job.progress or None,
        "finished": job.finished,
        "error": job.error,
    }
    return {
        "id": job.id,
        "uri": job.uri,
        "duration": round(job.duration, 3),
        "state": job.state,
        "options": job.options,
        "created": job.created,
        **{name: value for name, value in values.items() if value is not None},
    }


def _describe_now(job: Job, jobs: Jobs) -> dict[str, Any]:
    """Describe a job as it is now, with its place in the queue of the same instant."""
    with jobs.changed:
        return describe(jobs.get(job.id) or job, _places(jobs))


async def _events(job_id: str, service: Service) -> AsyncIterator[str]:
    """Yield the description of a job after each change, until its end.

    Between changes, comments keep proxies from closing the connection.
    """
    last, sent = None, time.monotonic()
    while job := service.jobs.get(job_id):
        if (described := _describe_now(job, service.jobs)) != last:
            last, sent = described, time.monotonic()
            state = described["state"]
            yield f"event: {state}\ndata: {json.dumps(described)}\n\n"
        if job.is_finished or service.is_stopping:
            return
        if time.monotonic() - sent > _QUIET:
            sent = time.monotonic()
            yield ": the job goes on\n\n"
        await asyncio.sleep(_POLL)
    yield "event: removed\ndata: {}\n\n"
