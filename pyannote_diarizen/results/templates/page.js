// Start, buttons, keys, mouse and touch.

const overlaps = findOverlaps(data.document.turns);
const hasOverlap = overlaps.length > 0;
const hasSpeakerConfidence = data.document.speakers.some((speaker) => speaker.confidence != null);

/** Hide what the recording does not have. */
function hideAbsent() {
  const present = {
    audio: hasSound, reference: Boolean(data.reference), overlap: hasOverlap, words: words.length > 0,
    confidence: shown.hasConfidence, "speaker-confidence": hasSpeakerConfidence,
  };
  for (const each of document.querySelectorAll("[data-needs]")) each.hidden = !present[each.dataset.needs];
}

function writeSummary() {
  const { pipeline, turns, speakers } = data.document;
  const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  const parts = [clock(duration, 0), count(speakers.length, "speaker"), count(turns.length, "turn")];
  if (hasOverlap) {
    const seconds = overlaps.reduce((sum, part) => sum + part.end - part.start, 0);
    parts.push(`${percent(seconds / duration)} overlapped`);
  }
  if (data.score?.total) parts.push(`error rate ${percent((data.score.missed + data.score.false_alarm + data.score.confusion) / data.score.total)}`);
  $("summary").textContent = parts.join(" · ");
  const models = Object.entries(pipeline?.models ?? {}).map(([role, name]) => `${role} ${name}`);
  const made = [pipeline?.name ? `Pipeline ${pipeline.name}` : "", ...models].filter(Boolean);
  $("made").textContent = [...made, `page by pyannote-diarizen ${data.version}`].join(" · ");
}

function showTurns() {
  useTurns($("exclusive").checked ? data.document.exclusive_turns : data.document.turns);
  selected = currentTurn = null;
  fillSpeakers();
  fillTurns();
  layOut();
  drawMinimap();
}

// Keys. A letter never acts while a name is typed.
const moves = {
  " ": togglePlay,
  ArrowLeft: (event) => seek(cursor - (event.shiftKey ? 1 : 5)),
  ArrowRight: (event) => seek(cursor + (event.shiftKey ? 1 : 5)),
  Home: () => seek(0),
  End: () => seek(duration),
  n: () => jump(shown.turns, false, "turn"),
  p: () => jump(shown.turns, true, "turn"),
  o: () => jump(shown.overlaps, false, "overlapped speech"),
  e: () => data.reference && jump(errors, false, "error"),
  "+": () => zoom(1.6, zoomCenter()),
  "=": () => zoom(1.6, zoomCenter()),
  "-": () => zoom(1 / 1.6, zoomCenter()),
  "0": () => setView(0, duration),
};
const zoomCenter = () => (cursor >= view.from && cursor <= view.to ? cursor : (view.from + view.to) / 2);

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input[type=text], select");
  // space activates a button that the keyboard reached, and plays after a click
  const activates = event.key === " " && event.target.matches("button:focus-visible, input");
  const move = moves[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  // elsewhere, these keys scroll the page
  const scrolls = ["Home", "End"].includes(event.key) && event.target !== stage;
  if (!move || typing || activates || scrolls || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  move(event);
});

const buttons = {
  play: moves[" "], previous: moves.p, next: moves.n, "next-overlap": moves.o, "next-error": moves.e,
  "zoom-in": moves["+"], "zoom-out": moves["-"], fit: moves["0"],
  "save-rttm": () => save(toRTTM(), ".rttm", "text/plain"),
  "save-json": () => save(toJSON(), ".json", "application/json"),
};
for (const [id, act] of Object.entries(buttons)) $(id).addEventListener("click", act);
$("speed").addEventListener("change", () => { audio.playbackRate = Number($("speed").value); });
$("order").addEventListener("change", fillTurns);
$("who").addEventListener("change", fillTurns);
$("exclusive").addEventListener("change", showTurns);
window.addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });

stage.addEventListener("wheel", (event) => {
  event.preventDefault();
  const unit = event.deltaMode === 1 ? 30 : 1;  // lines or pixels
  const [across, along] = [event.deltaX * unit, event.deltaY * unit];
  if (event.shiftKey || Math.abs(across) > Math.abs(along)) {
    const seconds = ((across || along) / widthOf(lanes)) * (view.to - view.from);
    setView(view.from + seconds, view.to + seconds);
  } else zoom(Math.exp(-along * (event.ctrlKey ? 0.01 : 0.002)), timeAt(event.offsetX));
}, { passive: false });

// Drag, click and pinch: positions of the pointers that are down.
const pointers = new Map();
let grip = null;
const inside = (event) => {
  const box = stage.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
};

function takeGrip(moved) {
  const xs = [...pointers.values()].map((point) => point.x);
  grip = xs.length ? { times: xs.map(timeAt), x: xs[0], moved } : null;
}

stage.addEventListener("pointerdown", (event) => {
  if (event.button > 0) return;
  stage.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, inside(event));
  takeGrip(pointers.size > 1);
});

stage.addEventListener("pointermove", (event) => {
  const point = inside(event);
  if (!pointers.has(event.pointerId)) {
    const part = partAt(point.x, point.y);
    stage.classList.toggle("turn", Boolean(part));
    $("detail").textContent = part ? describe(part) : selected ? describe(selected) : "";
    return;
  }
  pointers.set(event.pointerId, point);
  const xs = [...pointers.values()].map((each) => each.x);
  if (Math.abs(xs[0] - grip.x) > 5) grip.moved = true;
  if (!grip.moved) return;
  let span = view.to - view.from;
  if (xs.length > 1 && Math.abs(xs[1] - xs[0]) > 8) {
    // the times below both fingers stay below them
    span = (Math.abs(grip.times[1] - grip.times[0]) / Math.abs(xs[1] - xs[0])) * widthOf(lanes);
    span = Math.min(Math.max(span, MIN_SPAN), duration);
  }
  const from = grip.times[0] - (xs[0] / widthOf(lanes)) * span;
  setView(from, from + span);
});

function release(event) {
  if (!pointers.delete(event.pointerId)) return;
  const clicked = event.type === "pointerup" && !grip.moved;
  const { x, y } = inside(event);
  takeGrip(true);
  if (!clicked) return;
  const part = partAt(x, y);
  if (part) playPart(part);
  else { select(null); seek(timeAt(x)); }
}
stage.addEventListener("pointerup", release);
stage.addEventListener("pointercancel", release);

// Overview: the window follows the pointer.
const overview = $("overview");
function centerWindow(event) {
  const box = overview.getBoundingClientRect();
  const time = ((event.clientX - box.left) / box.width) * duration;
  const half = (view.to - view.from) / 2;
  setView(time - half, time + half);
}
overview.addEventListener("pointerdown", (event) => { overview.setPointerCapture(event.pointerId); centerWindow(event); });
overview.addEventListener("pointermove", (event) => { if (event.buttons) centerWindow(event); });

function start() {
  useTurns(data.document.turns);
  readTheme();
  readPeaks();
  hideAbsent();
  writeSummary();
  fillMenus();
  fillScore();
  errorPages.use([...errors.parts].sort((a, b) => b.end - b.start - (a.end - a.start)));
  wordPages.use(paragraphs);
  stage.setAttribute("aria-valuemax", duration.toFixed(1));
  showTurns();
  loadSound();
  new ResizeObserver(() => { drawMinimap(); redraw(); }).observe(stage);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    readTheme();
    showTurns();
  });
}
start();
