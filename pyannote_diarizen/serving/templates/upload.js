"use strict";
// Upload page: sends files one after the other, and follows their jobs. Text from files
// and from the server is only ever set as text.
const element = (id) => document.getElementById(id);
const rows = new Map();
const FORMATS = { Page: "html", RTTM: "rttm", JSON: "json", SRT: "srt" };
let timer = 0;

function headers() {
  const token = element("token").value;
  return token ? { Authorization: `Bearer ${token}` } : {};
}

async function request(path, options = {}) {
  const response = await fetch(path, { ...options, headers: headers() });
  if (response.status === 401) {
    element("secret").hidden = false;
    throw new Error(element("token").value ? "The token is wrong." : "Enter the token of the server.");
  }
  if (!response.ok) {
    const body = await response.json().catch(() => ({}));
    const detail = body.detail;
    throw new Error(typeof detail === "string" ? detail : `Error ${response.status}`);
  }
  return response;
}

function clock(seconds) {
  const parts = [Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  if (seconds >= 3600) parts.unshift(Math.floor(seconds / 3600));
  return parts.map((part, place) => String(part).padStart(place ? 2 : 1, "0")).join(":");
}

function describe(job) {
  if (job.state === "queued") return `waits, place ${job.position}`;
  if (job.state === "failed") return job.error;
  if (job.state === "running" && job.progress) return job.progress.stage.replaceAll("_", " ");
  return job.state;
}

function button(text, job, action) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.setAttribute("aria-label", `${text}: ${job.uri}`);
  made.addEventListener("click", () => action().catch(report));
  return made;
}

async function open(job, format) {
  // not a link: a token is sent in a header
  const response = await request(`jobs/${job.id}/result?format=${format}`);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = `${job.uri}.${format}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

async function remove(job) {
  await request(`jobs/${job.id}`, { method: "DELETE" });
  await refresh();
}

function show(job) {
  let row = rows.get(job.id);
  if (!row) {
    row = element("jobs").insertRow(0);
    for (let cell = 0; cell < 4; cell += 1) row.insertCell();
    rows.set(job.id, row);
    row.cells[0].textContent = job.uri;
    row.cells[1].textContent = clock(job.duration);
  }
  row.cells[2].textContent = describe(job);
  if (job.state === "running" && job.progress && job.progress.total) {
    const bar = document.createElement("progress");
    bar.max = job.progress.total;
    bar.value = job.progress.completed;
    bar.setAttribute("aria-label", `Progress of ${job.uri}`);
    row.cells[2].append(" ", bar);
  }
  if (row.dataset.state === job.state) return; // keeps the focus on a button
  row.dataset.state = job.state;
  const buttons = [];
  if (job.state === "done") {
    for (const [text, format] of Object.entries(FORMATS)) {
      buttons.push(button(text, job, () => open(job, format)));
    }
  }
  buttons.push(button("Remove", job, () => remove(job)));
  row.cells[3].replaceChildren(...buttons);
}

// One request for all jobs: browsers open six connections to a server, no more.
async function refresh() {
  clearTimeout(timer);
  const jobs = await (await request("jobs")).json();
  jobs.forEach(show);
  const ids = new Set(jobs.map((job) => job.id));
  for (const [id, row] of rows) {
    if (!ids.has(id)) {
      row.remove();
      rows.delete(id);
    }
  }
  const active = jobs.some((job) => job.state === "queued" || job.state === "running");
  if (active) timer = setTimeout(() => refresh().catch(retry), 1000);
}

function inform(text, failed = false) {
  element("message").textContent = text;
  element("message").classList.toggle("failed", failed);
}

function report(error) {
  inform(error.message, true);
}

function retry(error) {
  report(error);
  timer = setTimeout(() => refresh().then(() => inform(""), retry), 5000);
}

async function send(chosen) {
  const failures = [];
  for (const file of chosen) {
    inform(`Uploading ${file.name} ...`);
    const query = new URLSearchParams({ name: file.name });
    if (element("speakers").value) query.set("num_speakers", element("speakers").value);
    try {
      await request(`jobs?${query}`, { method: "POST", body: file });
      await refresh();
    } catch (error) {
      failures.push(`${file.name}: ${error.message}`);
    }
  }
  inform(failures.join("\n") || (chosen.length > 1 ? "All are uploaded." : `${chosen[0].name} is uploaded.`), failures.length > 0);
}

function start() {
  refresh().then(() => inform(""), report);
}

element("form").addEventListener("submit", (event) => event.preventDefault());
element("file").addEventListener("change", (event) => {
  if (event.target.files.length) send([...event.target.files]);
  event.target.value = "";
});
element("token").addEventListener("change", start);
for (const kind of ["dragover", "dragleave", "drop"]) {
  element("drop").addEventListener(kind, (event) => {
    event.preventDefault();
    element("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files.length) send([...event.dataTransfer.files]);
  });
}
start();
