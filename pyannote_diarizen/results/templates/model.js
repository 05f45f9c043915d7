// Content of the page: turns, speakers, overlapped speech, errors, and their search.
// Text of files becomes text nodes only: nothing here writes HTML.

const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
data.mapping = new Map(data.mapping);  // pairs: an object would confuse a speaker called __proto__
const duration = data.duration;
const ERROR_NAMES = { missed: "missed speech", "false alarm": "false alarm", confusion: "confusion" };

/** Parts sorted by start, searched by time. */
class Track {
  constructor(parts) {
    this.parts = parts;
    this.starts = Float64Array.from(parts, (part) => part.start);
    // latest end so far: it never decreases, even if parts overlap
    this.reach = new Float64Array(parts.length);
    let latest = -Infinity;
    parts.forEach((part, index) => { this.reach[index] = latest = Math.max(latest, part.end); });
  }

  /** Index of the first part that may end after `time`. */
  first(time) { return bisect(this.reach, time); }

  /** Index of the first part that starts after `time`. */
  after(time) { return bisect(this.starts, time); }

  /** The part that started last among those at `time`, if any. */
  at(time, tolerance = 0) {
    const lowest = this.first(time - tolerance);
    for (let index = this.after(time + tolerance) - 1; index >= lowest; index--) {
      if (this.parts[index].end > time - tolerance) return this.parts[index];
    }
    return null;
  }
}

/** Number of sorted values that are at most `limit`. */
function bisect(values, limit) {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] > limit) high = middle; else low = middle + 1;
  }
  return low;
}

/** Stretches where two or more different speakers speak. */
function findOverlaps(turns) {
  const edges = turns.flatMap((turn) => [[turn.start, 1, turn.speaker], [turn.end, -1, turn.speaker]]);
  edges.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const counts = new Map(), found = [];
  let active = 0, since = null;
  for (const [time, step, speaker] of edges) {
    const before = counts.get(speaker) || 0;
    counts.set(speaker, before + step);
    if (before === 0 || before + step === 0) active += step;
    if (active > 1 && since === null) since = time;
    if (active < 2 && since !== null) {
      if (time > since) found.push({ kind: "overlap", start: since, end: time });
      since = null;
    }
  }
  return found;
}

/** Seconds that `part` shares with a track without overlap. */
function shared(part, track) {
  let seconds = 0;
  for (let index = track.first(part.start); index < track.parts.length; index++) {
    const other = track.parts[index];
    if (other.start >= part.end) break;
    seconds += Math.min(part.end, other.end) - Math.max(part.start, other.start);
  }
  return seconds;
}

/** Seconds of speech and number of turns of each speaker, in order of appearance. */
function speakersOf(turns) {
  const speakers = new Map();
  for (const turn of turns) {
    const label = turn.speaker;
    const entry = speakers.get(label) || { label, seconds: 0, count: 0, until: 0 };
    entry.seconds += Math.max(0, turn.end - Math.max(turn.start, entry.until));
    entry.until = Math.max(entry.until, turn.end);
    entry.count += 1;
    speakers.set(label, entry);
  }
  return [...speakers.values()];
}

function groupBySpeaker(parts) {
  const groups = new Map();
  for (const part of parts) {
    if (!groups.has(part.speaker)) groups.set(part.speaker, []);
    groups.get(part.speaker).push(part);
  }
  return groups;
}

// Colours: a speaker of the diarization has that of its speaker in the reference.
const labels = data.document.speakers.map((speaker) => speaker.label);
const inReference = [...groupBySpeaker(data.reference || []).keys()];
const styles = new Map();
labels.forEach((label) => styles.set(`d${label}`, styles.size));
inReference.forEach((label) => {
  const mapped = labels.find((each) => data.mapping.get(each) === label);
  styles.set(`r${label}`, mapped === undefined ? styles.size : styles.get(`d${mapped}`));
});

// speakers of the reference in the order of the speakers found
const referenceOrder = [...inReference].sort((a, b) => styles.get(`r${a}`) - styles.get(`r${b}`));

/** Colour and number of the pattern of a speaker: colours repeat, patterns tell them apart. */
function styleOf(label, reference = false) {
  const index = styles.get((reference ? "r" : "d") + label) ?? 0;
  return { color: data.colors[index % data.colors.length], pattern: Math.floor(index / data.colors.length) };
}

const names = new Map(labels.map((label) => [label, label]));
const nameOf = (label) => names.get(label) ?? label;

/** Turns on display, all of them or one speaker at a time, and what follows from them. */
const shown = {};
function useTurns(list) {
  const turns = list.map((turn) => ({ kind: "turn", ...turn }));
  shown.turns = new Track(turns);
  shown.overlaps = new Track(findOverlaps(turns));
  for (const turn of turns) turn.overlapped = shared(turn, shown.overlaps);
  shown.tracks = new Map([...groupBySpeaker(turns)].map(([label, parts]) => [label, new Track(parts)]));
  shown.hasConfidence = turns.some((turn) => turn.confidence != null);
}

const reference = new Map([...groupBySpeaker(data.reference || [])].map(([label, parts]) => [
  label, new Track(parts.map((part) => ({ kind: "reference", ...part }))),
]));
const errors = new Track(data.errors || []);
const errorTracks = new Map(Object.keys(ERROR_NAMES).map((kind) => [
  kind, new Track(errors.parts.filter((error) => error.kind === kind)),
]));
const words = (data.document.words || []).map((word) => ({ kind: "word", ...word }));
const wordTracks = new Map([...groupBySpeaker(words)].map(([label, parts]) => [label, new Track(parts)]));
const wordTrack = new Track(words);

/** Time as text: 1:02:03.4, or 2:03.4 below an hour. */
function clock(time, digits = 1) {
  const unit = 10 ** digits;
  const ticks = Math.max(0, Math.round(time * unit));
  const whole = Math.floor(ticks / unit);
  const rest = digits ? `.${String(ticks % unit).padStart(digits, "0")}` : "";
  const minutes = Math.floor(whole / 60) % 60, hours = Math.floor(whole / 3600);
  const text = `${minutes}:${String(whole % 60).padStart(2, "0")}${rest}`;
  return hours ? `${hours}:${text.padStart(5 + rest.length, "0")}` : text;
}

const percent = (share) => `${(100 * share).toFixed(1)}%`;

/** One sentence about a part of the timeline, for the line below it and screen readers. */
function describe(part) {
  const times = `${clock(part.start, 2)} to ${clock(part.end, 2)}`;
  const length = `${(part.end - part.start).toFixed(2)} s`;
  if (part.kind === "overlap") return `Overlapped speech, ${times}, ${length}`;
  if (part.kind === "reference") return `Reference: ${part.speaker}, ${times}, ${length}`;
  if (part.kind in ERROR_NAMES) {
    const found = part.hypothesis == null ? "" : `, found: ${nameOf(part.hypothesis)}`;
    const expected = part.reference == null ? "" : `, reference: ${part.reference}`;
    return `Error: ${ERROR_NAMES[part.kind]}, ${times}, ${length}${expected}${found}`;
  }
  const confidence = part.confidence == null ? "" : `, confidence ${percent(part.confidence)}`;
  const overlap = part.overlapped > 0.005 ? `, ${part.overlapped.toFixed(2)} s overlapped` : "";
  return `${nameOf(part.speaker)}, ${times}, ${length}${confidence}${overlap}`;
}

/** Element with attributes and children; strings become text. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") made.addEventListener("click", value);
    else if (value != null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Bytes of base64 text, in slices that fit any browser. */
function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const slice = 1 << 20, parts = [];
  for (let start = 0; start < text.length; start += slice) {
    parts.push(Uint8Array.from(atob(text.slice(start, start + slice)), (byte) => byte.charCodeAt(0)));
  }
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let offset = 0;
  for (const part of parts) { whole.set(part, offset); offset += part.length; }
  return whole;
}
