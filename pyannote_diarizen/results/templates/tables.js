// Tables below the timeline, in pages, so that thousands of rows stay light.

/** Rows of a section, one page at a time. */
class Pages {
  constructor(section, size, render) {
    this.size = size;
    this.render = render;
    this.body = section.querySelector("tbody, .body");
    this.pager = section.querySelector(".pager");
    this.range = element("span", { "aria-live": "polite" });
    this.buttons = [
      element("button", { onclick: () => this.show(this.start - this.size) }, "Previous page"),
      element("button", { onclick: () => this.show(this.start + this.size) }, "Next page"),
    ];
    this.pager.append(...this.buttons, this.range);
  }

  use(items) { this.items = items; this.show(0); }

  show(start = this.start) {
    this.start = start < this.items.length ? Math.max(0, start) : 0;
    const stop = Math.min(this.start + this.size, this.items.length);
    this.body.replaceChildren(...this.items.slice(this.start, stop).map(this.render));
    this.buttons[0].disabled = this.start === 0;
    this.buttons[1].disabled = stop === this.items.length;
    for (const button of this.buttons) button.hidden = this.items.length <= this.size;
    const range = `${this.start + 1} to ${stop} of ${this.items.length}`;
    this.range.textContent = this.items.length ? range : "None.";
    markCurrentTurn();
    markCurrentWord();
  }
}

const cell = (text, kind) => element("td", { class: kind }, text);

function partButton(part) {
  const verb = hasSound ? "Play" : "Show";
  return element("td", {}, element("button", { onclick: () => playPart(part), "aria-label": `${verb}: ${describe(part)}` }, hasSound ? "▶" : "→"));
}

const timeCells = (part) => [
  cell(clock(part.start, 2), "number"), cell(clock(part.end, 2), "number spare"),
  cell(`${(part.end - part.start).toFixed(2)} s`, "number"),
];

const rowOfPart = new WeakMap();
const turnPages = new Pages($("turns"), 50, (turn) => {
  const name = element("td", { class: "long" }, swatch(turn.speaker), nameOf(turn.speaker));
  const row = element("tr", {}, partButton(turn), ...timeCells(turn), name);
  if (shown.hasConfidence) row.append(cell(turn.confidence == null ? "" : percent(turn.confidence), "number"));
  if (hasOverlap) row.append(cell(turn.overlapped > 0.005 ? `${turn.overlapped.toFixed(2)} s` : "", "number"));
  rowOfPart.set(turn, row);
  return row;
});

const errorPages = new Pages($("errors"), 20, (error) => element(
  "tr", {}, partButton(error), ...timeCells(error),
  element("td", {}, element("i", { class: `swatch ${error.kind.replace(" ", "-")}` }, error.kind[0].toUpperCase()), ERROR_NAMES[error.kind]),
  cell(error.reference ?? "", "long"), cell(error.hypothesis == null ? "" : nameOf(error.hypothesis), "long"),
));

// Words: a paragraph for each speaker in turn, whole even where another one interrupts.
const paragraphs = [], openParagraphs = new Map();
for (const word of words) {
  let open = openParagraphs.get(word.speaker);
  if (!open || word.start > open.end + 1.5 || open.words.length >= 80) {
    open = { speaker: word.speaker, words: [] };
    openParagraphs.set(word.speaker, open);
    paragraphs.push(open);
  }
  open.words.push(word);
  open.end = word.end;
}
const buttonOfWord = new WeakMap();
const wordPages = new Pages($("words"), 20, (paragraph) => {
  const made = element("p");
  if (paragraph.speaker != null) made.append(swatch(paragraph.speaker));
  made.append(element("b", {}, paragraph.speaker == null ? "no speaker" : nameOf(paragraph.speaker)));
  for (const word of paragraph.words) {
    const button = element("button", { title: clock(word.start, 2), onclick: () => { seek(word.start); if (hasSound) play(); } }, word.text);
    buttonOfWord.set(word, button);
    made.append(button, " ");
  }
  return made;
});

let markedRow = null, markedWord = null;
function markCurrentTurn() {
  markedRow?.classList.remove("current");
  markedRow = currentTurn ? rowOfPart.get(currentTurn) : null;
  markedRow?.classList.add("current");
}

function markCurrentWord() {
  const word = wordTrack.at(cursor);
  markedWord?.classList.remove("current");
  markedWord = word ? buttonOfWord.get(word) : null;
  markedWord?.classList.add("current");
}

const ORDERS = {
  "in order of time": (turns) => turns,
  "least confident first": (turns) => turns.filter((turn) => turn.confidence != null).sort((a, b) => a.confidence - b.confidence),
  "overlapped, longest first": (turns) => turns.filter((turn) => turn.overlapped > 0.005).sort((a, b) => b.overlapped - a.overlapped),
  "shortest first": (turns) => [...turns].sort((a, b) => a.end - a.start - (b.end - b.start)),
};

/** Options of the two menus above the table of turns. */
function fillMenus() {
  const orders = Object.keys(ORDERS).filter((order) => (shown.hasConfidence || !order.startsWith("least")) && (hasOverlap || !order.startsWith("over")));
  $("order").replaceChildren(...orders.map((order) => element("option", {}, order)));
  nameMenu();
}

function nameMenu() {
  const chosen = $("who").value;
  const options = labels.map((label, index) => element("option", { value: index }, nameOf(label)));
  $("who").replaceChildren(element("option", { value: "" }, "all"), ...options);
  $("who").value = chosen;
}

function fillTurns() {
  const who = $("who").value;
  const turns = shown.turns.parts.filter((turn) => who === "" || turn.speaker === labels[who]);
  turnPages.use(ORDERS[$("order").value](turns));
}

/** Table of speakers, with their time, their share, and names to edit. */
function fillSpeakers() {
  const speakers = speakersOf(shown.turns.parts);
  const total = speakers.reduce((sum, speaker) => sum + speaker.seconds, 0) || 1;
  const confidence = new Map(data.document.speakers.map((speaker) => [speaker.label, speaker.confidence]));
  $("speakers").querySelector("tbody").replaceChildren(...speakers.map((speaker) => {
    const input = element("input", { type: "text", "aria-label": `Name of ${speaker.label}`, dir: "auto", spellcheck: "false", autocomplete: "off" });
    input.value = nameOf(speaker.label);
    input.addEventListener("input", () => rename(speaker.label, input.value));
    input.addEventListener("change", () => { input.value = nameOf(speaker.label); namesChanged(); });
    const bar = element("i");
    bar.style.width = `calc(${speaker.seconds / total} * (100% - 3.5rem))`;
    bar.style.backgroundColor = styleOf(speaker.label).color;
    const share = element("div", { class: "share" }, bar, percent(speaker.seconds / total));
    const row = element("tr", {},
      element("th", { scope: "row" }, element("div", { class: "who" }, swatch(speaker.label), input)),
      cell(clock(speaker.seconds), "number"), element("td", {}, share), cell(String(speaker.count), "number"));
    if (hasSpeakerConfidence) row.append(cell(confidence.get(speaker.label) == null ? "" : percent(confidence.get(speaker.label)), "number"));
    return row;
  }));
}

function fillScore() {
  const score = data.score;
  if (!score) return;
  const line = (name, seconds, kind, letter) => {
    const title = element("th", { scope: "row" });
    if (letter) title.append(element("i", { class: `swatch ${kind}` }, letter));
    title.append(name);
    const rate = score.total ? percent(seconds / score.total) : "";
    return element("tr", { class: letter ? null : kind }, title, cell(seconds.toFixed(2), "number"), cell(rate, "number"));
  };
  $("score").querySelector("tbody").replaceChildren(
    line("Missed speech", score.missed, "missed", "M"), line("False alarm", score.false_alarm, "false-alarm", "F"),
    line("Speaker confusion", score.confusion, "confusion", "C"),
    line("Diarization error rate", score.missed + score.false_alarm + score.confusion, "total"),
    line("Speech in the reference", score.total));
}
