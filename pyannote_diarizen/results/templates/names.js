// Names of speakers, and files with them.

let unsaved = false;

function rename(label, text) {
  names.set(label, text.trim() || label);
  unsaved = true;
  $("unsaved").hidden = false;
  layOut();
}

/** Show changed names everywhere, and warn if two speakers became one. */
function namesChanged() {
  nameMenu();
  turnPages.show();
  wordPages.show();
  errorPages.show();
  select(selected);
  const same = labels.find((label, index) => labels.slice(0, index).some((other) => nameOf(other) === nameOf(label)));
  announce(same === undefined ? "Names changed." : `Two speakers are called ${nameOf(same)}: they become one speaker in saved files.`);
}

/** Name as readers of RTTM keep it: without invisible characters, quotation marks, and missing values. */
const invisible = new RegExp(data.invisible, "gu");
function rttmName(name) {
  const text = name.replace(/"/g, "'").replace(invisible, "_");
  return data.missing_names.includes(text) ? `${text}_` : text;
}

/** RTTM of the turns on display. */
function toRTTM() {
  const written = new Map();
  const all = [...new Set(shown.turns.parts.map((turn) => nameOf(turn.speaker)))];
  // a name that needs no change is given first, as in "Ann_B" and "Ann B"
  for (const name of all.sort((a, b) => (rttmName(a) !== a) - (rttmName(b) !== b))) {
    let text = rttmName(name);
    while ([...written.values()].includes(text)) text += "_";
    written.set(name, text);
  }
  const uri = rttmName(data.document.uri);
  return shown.turns.parts.map((turn) => {
    const times = `${turn.start.toFixed(3)} ${(turn.end - turn.start).toFixed(3)}`;
    return `SPEAKER ${uri} 1 ${times} <NA> <NA> ${written.get(nameOf(turn.speaker))} <NA> <NA>\n`;
  }).join("");
}

/** The document of this page with the names of the page. */
function toJSON() {
  const renamed = (parts) => parts.map((part) => (part.speaker == null ? part : { ...part, speaker: nameOf(part.speaker) }));
  const saved = { ...data.document };
  for (const key of ["turns", "exclusive_turns", "review", "words"]) if (saved[key]) saved[key] = renamed(saved[key]);
  saved.speakers = speakersOf(saved.turns).map((speaker) => {
    const merged = data.document.speakers.filter((each) => nameOf(each.label) === speaker.label);
    const confidence = merged.length === 1 ? merged[0].confidence : undefined;
    return { label: speaker.label, speaking_time: Number(speaker.seconds.toFixed(3)), num_turns: speaker.count, confidence };
  });
  return `${JSON.stringify(saved, null, 1)}\n`;
}

function save(text, suffix, type) {
  const name = data.document.uri.replace(/[\\/:*?"<>|\x00-\x1f]/g, "_");
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = element("a", { href: url, download: `${name}${suffix}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
  unsaved = false;
  $("unsaved").hidden = true;
  announce(`Saved as ${name}${suffix}.`);
}
