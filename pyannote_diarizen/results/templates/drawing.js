// Timeline on a canvas. Only what is visible is drawn, once per frame at most.

const stage = $("stage"), lanes = $("lanes"), minimap = $("minimap");
const view = { from: 0, to: duration };
const MIN_SPAN = Math.min(0.2, duration);
const TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
let rows = [], theme = {}, levels = [], selected = null, stale = false, scheduled = false;

/** Show `from` to `to`, moved into the recording. */
function setView(from, to) {
  const span = Math.min(Math.max(to - from, MIN_SPAN), duration);
  const start = Math.min(Math.max(0, from), duration - span);
  if (start === view.from && start + span === view.to) return;
  view.from = start;
  view.to = start + span;
  redraw();
}

/** Zoom by `factor` (above 1: closer), keeping `time` in place. */
function zoom(factor, time = (view.from + view.to) / 2) {
  const span = Math.min(Math.max((view.to - view.from) / factor, MIN_SPAN), duration);
  const share = (time - view.from) / (view.to - view.from);
  setView(time - share * span, time + (1 - share) * span);
}

/** Move the view so that `time` is visible, as one turns a page. */
function reveal(time) {
  const span = view.to - view.from;
  if (time < view.from || time > view.to) setView(time - 0.1 * span, time + 0.9 * span);
}

function redraw() { stale = true; request(); }
function request() {
  if (!scheduled) { scheduled = true; requestAnimationFrame(frame); }
}
function frame() {
  scheduled = false;
  if (stale) { stale = false; drawLanes(); placeWindow(); }
  followSound();
  placeCursor();
}

const widthOf = (canvas) => canvas.parentElement.clientWidth;
const timeAt = (x) => view.from + (x / widthOf(lanes)) * (view.to - view.from);

function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const names = ["panel", "text", "soft", "line", "grid", "wave", "accent", "hatch", "band", "missed", "false-alarm", "confusion"];
  theme = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  const context = lanes.getContext("2d");
  theme.overlap = tile(context, (tile) => { tile.moveTo(-2, 10); tile.lineTo(10, -2); tile.moveTo(6, 10); tile.lineTo(10, 6); tile.moveTo(-2, 2); tile.lineTo(2, -2); });
  theme.patterns = [
    null,
    tile(context, (tile) => { tile.moveTo(0, 2); tile.lineTo(8, 2); tile.moveTo(0, 6); tile.lineTo(8, 6); }),
    tile(context, (tile) => { tile.moveTo(2, 0); tile.lineTo(2, 8); tile.moveTo(6, 0); tile.lineTo(6, 8); }),
    tile(context, (tile) => { tile.moveTo(0, 4); tile.lineTo(8, 4); tile.moveTo(4, 0); tile.lineTo(4, 8); }),
  ];
}

/** Pattern of lines in the colour of the background. */
function tile(context, path) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 8, height: 8 });
  const inside = canvas.getContext("2d");
  inside.strokeStyle = theme.hatch;
  inside.lineWidth = 1.6;
  inside.beginPath();
  path(inside);
  inside.stroke();
  return context.createPattern(canvas, "repeat");
}

/** Peaks of the waveform at several rates, four times fewer from one to the next. */
function readPeaks() {
  if (!data.peaks) return;
  const bytes = fromBase64(data.peaks.values);
  let values = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length), rate = data.peaks.rate;
  levels = [{ rate, values }];
  while (values.length > 4000) {
    const coarse = new Int8Array(2 * Math.ceil(values.length / 8));
    for (let to = 0; to < coarse.length; to += 2) {
      let low = 127, high = -127;
      for (let at = 4 * to; at < Math.min(4 * to + 8, values.length); at += 2) {
        if (values[at] < low) low = values[at];
        if (values[at + 1] > high) high = values[at + 1];
      }
      coarse[to] = low;
      coarse[to + 1] = high;
    }
    values = coarse;
    rate /= 4;
    levels.push({ rate, values });
  }
}

/** Rows from top to bottom, and their labels at the left. */
function layOut() {
  const many = labels.length + inReference.length > 10;
  let top = 0;
  rows = [];
  const add = (kind, height, more = {}) => { rows.push({ kind, top, height, ...more }); top += height; };
  add("axis", 24);
  if (levels.length) add("wave", 64, { name: "waveform" });
  if (data.reference) {
    add("heading", 20, { name: "Reference" });
    for (const label of referenceOrder) add("speaker", many ? 20 : 26, { label, track: reference.get(label), isReference: true });
    add("heading", 20, { name: "Diarization" });
  }
  for (const label of labels) add("speaker", many ? 20 : 28, { label, track: shown.tracks.get(label) ?? new Track([]) });
  if (data.reference) {
    add("heading", 20, { name: "Errors" });
    for (const [kind, track] of errorTracks) add("error", 20, { name: kind, track, letter: kind[0].toUpperCase() });
  }
  rows.height = top + 4;
  $("labels").replaceChildren(...rows.map(labelOf));
  stage.style.height = `${rows.height}px`;
  redraw();
}

function labelOf(row) {
  const label = element("div", { class: row.kind });
  label.style.height = `${row.height}px`;
  if (row.kind === "speaker") label.append(swatch(row.label, row.isReference));
  const text = row.kind === "speaker" ? (row.isReference ? row.label : nameOf(row.label)) : row.name ?? "";
  label.append(element("span", { title: text, dir: "auto" }, text));
  return label;
}

/** Coloured square of a speaker. */
function swatch(label, isReference) {
  const { color, pattern } = styleOf(label, isReference);
  const made = element("i", { class: "swatch" });
  made.style.backgroundColor = color;
  const lines = ["", "0deg", "90deg", "45deg"][pattern % 4];
  made.style.backgroundImage = lines ? `repeating-linear-gradient(${lines}, transparent 0 2px, ${theme.hatch} 2px 4px)` : "none";
  return made;
}

/** Context of a canvas of the right size for the screen, cleared. */
function prepare(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const context = canvas.getContext("2d");
  const size = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

function drawLanes() {
  const width = widthOf(lanes);
  if (!width) return;
  const context = prepare(lanes, width, rows.height);
  const scale = width / (view.to - view.from);
  drawAxis(context, width, scale);
  for (const row of rows) {
    if (row.kind === "wave") drawWave(context, row.top + row.height / 2, row.height / 2 - 3, width, view.from, scale);
    if (row.kind === "heading") line(context, theme.line, 0, row.top, width);
    if (row.kind === "speaker") drawSpeaker(context, row, scale, width);
    if (row.kind === "error") drawErrors(context, row, scale);
  }
  stage.dataset.from = view.from.toFixed(3);
  stage.dataset.to = view.to.toFixed(3);
}

function line(context, color, x, y, width) {
  context.fillStyle = color;
  context.fillRect(x, y, width, 1);
}

function drawAxis(context, width, scale) {
  const step = TICKS.find((each) => each * scale >= 84) ?? 14400;
  const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  for (let index = Math.ceil(view.from / step); index * step <= view.to; index++) {
    const x = (index * step - view.from) * scale;
    context.fillStyle = theme.grid;
    context.fillRect(x, 0, 1, rows.height);
    context.fillStyle = theme.soft;
    context.fillText(clock(index * step, digits), x + 4, 12);
  }
}

function drawWave(context, middle, half, width, from, scale) {
  const perPixel = 1 / scale;
  // the coarsest level with a peak for each pixel
  const level = levels.findLast((each) => each.rate * perPixel >= 1) ?? levels[0];
  const { rate, values } = level;
  context.fillStyle = theme.wave;
  for (let x = 0; x < width; x++) {
    const start = Math.max(0, Math.floor((from + x * perPixel) * rate));
    const stop = Math.max(start + 1, Math.floor((from + (x + 1) * perPixel) * rate));
    let low = 0, high = 0;
    for (let at = 2 * start; at < Math.min(2 * stop, values.length); at += 2) {
      if (values[at] < low) low = values[at];
      if (values[at + 1] > high) high = values[at + 1];
    }
    context.fillRect(x, middle - (high / 127) * half, 1, Math.max(1, ((high - low) / 127) * half));
  }
}

/**
 * Call `draw(part, x, width, alpha)` for the visible parts of a track. Parts below a
 * pixel become one pixel, as opaque as they fill it.
 */
function eachVisible(track, scale, draw) {
  let pixel = null, first = null, filled = 0;
  const drawPixel = () => {
    if (first) draw(first, pixel, 1, Math.min(1, Math.max(0.4, filled)));
    first = null;
    filled = 0;
  };
  for (let index = track.first(view.from); index < track.parts.length && track.starts[index] < view.to; index++) {
    const part = track.parts[index];
    const x = (part.start - view.from) * scale, width = (part.end - part.start) * scale;
    if (width >= 1.5) {
      drawPixel();
      draw(part, x, width, 1);
      continue;
    }
    if (Math.floor(x) !== pixel) drawPixel();
    pixel = Math.floor(x);
    first ??= part;
    filled += width;
  }
  drawPixel();
}

function drawSpeaker(context, row, scale, width) {
  const top = row.top + 3, height = row.height - 5;
  const { color, pattern } = styleOf(row.label, row.isReference);
  line(context, theme.grid, 0, row.top + row.height - 1, width);
  eachVisible(row.track, scale, (turn, x, size, alpha) => {
    const confidence = turn.confidence ?? 1;
    const solid = height * confidence;
    context.fillStyle = color;
    if (confidence < 1) {
      context.globalAlpha = 0.28 * alpha;
      context.fillRect(x, top, size, height);
    }
    context.globalAlpha = alpha;
    context.fillRect(x, top + height - solid, size, solid);
    if (theme.patterns[pattern % 4]) {
      context.fillStyle = theme.patterns[pattern % 4];
      context.fillRect(x, top, size, height);
    }
    context.globalAlpha = 1;
    if (turn === selected) outline(context, x, top, size, height);
  });
  if (!row.isReference) {
    drawOverlaps(context, row, scale, top, height);
    drawWords(context, row, scale);
  }
}

function outline(context, x, top, width, height) {
  context.strokeStyle = theme.text;
  context.lineWidth = 2;
  context.strokeRect(x, top, Math.max(width, 2), height);
}

/** Hatch the overlapped part of each turn. */
function drawOverlaps(context, row, scale, top, height) {
  context.fillStyle = theme.overlap;
  eachVisible(shown.overlaps, scale, (overlap, x, size) => {
    if (size <= 2) return;
    for (let index = row.track.first(overlap.start); index < row.track.parts.length; index++) {
      const turn = row.track.parts[index];
      if (turn.start >= overlap.end) break;
      const start = Math.max(x, (turn.start - view.from) * scale);
      const end = Math.min(x + size, (turn.end - view.from) * scale);
      if (end - start > 2) context.fillRect(start, top, end - start, height);
    }
  });
}

/** Write words into their turns where there is room. */
function drawWords(context, row, scale) {
  const track = wordTracks.get(row.label);
  if (!track || scale < 40) return;
  context.font = "12px system-ui, sans-serif";
  context.lineWidth = 3;
  context.lineJoin = "round";
  context.strokeStyle = theme.panel;
  context.fillStyle = theme.text;
  let free = -Infinity;
  eachVisible(track, scale, (word, x, size) => {
    if (x < free || context.measureText(word.text).width > Math.max(size, 12) + 8) return;
    context.strokeText(word.text, x + 1, row.top + row.height / 2 + 1);
    context.fillText(word.text, x + 1, row.top + row.height / 2 + 1);
    free = x + context.measureText(word.text).width + 2;
  });
}

function drawErrors(context, row, scale) {
  const top = row.top + 2, height = row.height - 4;
  context.font = "bold 11px system-ui, sans-serif";
  eachVisible(row.track, scale, (error, x, size, alpha) => {
    context.globalAlpha = alpha;
    context.fillStyle = theme[error.kind.replace(" ", "-")];
    context.fillRect(x, top, size, height);
    context.globalAlpha = 1;
    if (size > 12) {
      context.fillStyle = theme.panel;
      context.fillText(row.letter, x + size / 2 - 4, top + height / 2 + 1);
    }
    if (error === selected) outline(context, x, top, size, height);
  });
}

/** Whole recording above the timeline: drawn when its size or colours change. */
function drawMinimap() {
  const width = widthOf(minimap), height = minimap.parentElement.clientHeight;
  if (!width) return;
  const context = prepare(minimap, width, height);
  const scale = width / duration;
  const each = height / Math.max(1, labels.length);
  if (levels.length && labels.length <= 3) {
    context.globalAlpha = 0.45;
    drawWave(context, height / 2, height / 2 - 2, width, 0, scale);
    context.globalAlpha = 1;
  }
  labels.forEach((label, index) => {
    context.fillStyle = styleOf(label).color;
    for (const turn of shown.tracks.get(label)?.parts ?? []) {
      context.fillRect(turn.start * scale, index * each + 1, Math.max(0.75, (turn.end - turn.start) * scale), Math.max(1, each - 2));
    }
  });
  placeWindow();
}

function placeWindow() {
  const scale = widthOf(minimap) / duration;
  $("window").style.width = `${Math.max(6, (view.to - view.from) * scale)}px`;
  $("window").style.transform = `translateX(${view.from * scale}px)`;
}

/** Part of the timeline below a point of the stage, if any. */
function partAt(x, y) {
  const row = rows.find((each) => y >= each.top && y < each.top + each.height);
  if (!row?.track) return null;
  return row.track.at(timeAt(x), (2 * (view.to - view.from)) / widthOf(lanes));
}
