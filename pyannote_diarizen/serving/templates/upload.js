"use strict";
// Upload page: sends files one after the other, and follows their jobs. Text from files
// and from the server is only ever set as text.
const element = (id) => document.getElementById(id);
const rows = new Map();

function headers() {
  const token = element("token").value;
  return token ? { Authorization: `Bearer ${token}` } : {};
}

async function request(path, options = {}) {
  const response = await fetch(path, { ...options, headers: headers() });
  if (response.status === 401) element("secret").hidden = false;
  if (!response.ok) {
    const body = await response.json().catch(() => ({}));
    const detail = body.detail;
    throw new Error(typeof detail === "string" ? detail : `Error ${response.status}`);
  }
  return response;
}

function clock(seconds) {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

function describe(job) {
  if (job.state === "queued") return `waits, place ${job.position}`;
  if (job.state === "failed") return job.error;
  if (job.state === "running" && job.progress) return job.progress.stage.replaceAll("_", " ");
  return job.state;
}

function button(text, action) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
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
  rows.get(job.id)?.remove();
  rows.delete(job.id);
}

function show(job) {
  let row = rows.get(job.id);
  if (!row) {
    row = element("jobs").insertRow(0);
    for (let cell = 0; cell < 4; cell += 1) row.insertCell();
    rows.set(job.id, row);
  }
  row.dataset.state = job.state;
  row.cells[0].textContent = job.uri;
  row.cells[1].textContent = clock(job.duration);
  row.cells[2].textContent = describe(job);
  if (job.state === "running" && job.progress && job.progress.total) {
    const bar = document.createElement("progress");
    bar.max = job.progress.total;
    bar.value = job.progress.completed;
    row.cells[2].append(" ", bar);
  }
  const buttons = [];
  if (job.state === "done") {
    for (const format of ["html", "rttm", "json", "srt"]) {
      buttons.push(button(format.toUpperCase(), () => open(job, format)));
    }
  }
  buttons.push(button("Remove", () => remove(job)));
  row.cells[3].replaceChildren(...buttons);
}

async function follow(job) {
  const response = await request(`jobs/${job.id}/events`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      const data = JSON.parse(event.slice(event.indexOf("data: ") + 6));
      if (data.id) show(data);
    }
  }
}

function report(error) {
  element("message").textContent = error.message;
}

async function send(chosen) {
  for (const file of chosen) {
    element("message").textContent = `Uploading ${file.name} ...`;
    const query = new URLSearchParams({ name: file.name });
    if (element("speakers").value) query.set("num_speakers", element("speakers").value);
    try {
      const response = await request(`jobs?${query}`, { method: "POST", body: file });
      const job = await response.json();
      element("message").textContent = `${file.name} is uploaded.`;
      show(job);
      follow(job).catch(report);
    } catch (error) {
      report(new Error(`${file.name}: ${error.message}`));
      return;
    }
  }
}

async function start() {
  const jobs = await (await request("jobs")).json();
  element("message").textContent = "";
  for (const job of jobs) {
    show(job);
    if (job.state === "queued" || job.state === "running") follow(job).catch(report);
  }
}

element("form").addEventListener("submit", (event) => event.preventDefault());
element("file").addEventListener("change", (event) => {
  send([...event.target.files]);
  event.target.value = "";
});
element("token").addEventListener("change", () => start().catch(report));
for (const kind of ["dragover", "dragleave", "drop"]) {
  element("drop").addEventListener(kind, (event) => {
    event.preventDefault();
    element("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop") send([...event.dataTransfer.files]);
  });
}
start().catch(report);
