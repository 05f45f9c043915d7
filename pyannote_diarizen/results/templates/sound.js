// Position in the recording, and its sound where there is one.

const audio = $("audio");
const hasSound = Boolean(data.audio);
let cursor = 0, stopAt = null, currentTurn = null;

function loadSound() {
  if (!hasSound) return;
  audio.addEventListener("error", () => fail(
    data.audio.url
      ? `The browser cannot play '${data.audio.url}': keep that file beside this page, in a format that browsers know.`
      : "The browser cannot play the sound of this page: try another one."));
  for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, soundChanged);
  audio.addEventListener("timeupdate", followSound);  // also in hidden tabs
  if (data.audio.url) audio.src = data.audio.url;
  else {
    const bytes = fromBase64($("sound").textContent.trim());
    $("sound").remove();  // frees the memory of the text
    audio.src = URL.createObjectURL(new Blob([bytes], { type: data.audio.type }));
  }
}

function soundChanged() {
  $("play").textContent = audio.paused ? "Play" : "Pause";
  request();
}

function play() {
  audio.playbackRate = Number($("speed").value);
  audio.play().catch((error) => { if (error.name !== "AbortError") fail(`The sound does not play: ${error.message}`); });
}

function togglePlay() {
  if (!hasSound) return;
  stopAt = null;
  if (audio.paused) play(); else audio.pause();
}

/** Move to `time`, and show it. */
function seek(time) {
  cursor = Math.min(Math.max(0, time), duration);
  stopAt = null;
  if (hasSound) audio.currentTime = cursor;
  reveal(cursor);
  request();
}

/** Select a part of the timeline, and play it to its end. */
function playPart(part) {
  select(part);
  seek(part.start);
  if (!hasSound) return;
  stopAt = part.end;
  play();
}

/** Read the position of the sound; keep drawing while it plays. */
function followSound() {
  if (!hasSound || audio.paused) return;
  cursor = audio.currentTime;
  if (stopAt !== null && cursor >= stopAt) { audio.pause(); stopAt = null; }
  reveal(cursor);
  request();
}

function placeCursor() {
  const x = ((cursor - view.from) / (view.to - view.from)) * widthOf(lanes);
  $("playhead").style.transform = `translateX(${x}px)`;
  const text = `${clock(cursor)} / ${clock(duration)}`;
  if ($("clock").textContent === text) return;
  $("clock").textContent = text;
  const turn = shown.turns.at(cursor);
  if (turn !== currentTurn) { currentTurn = turn; markCurrentTurn(); }
  stage.setAttribute("aria-valuenow", cursor.toFixed(1));
  stage.setAttribute("aria-valuetext", `${clock(cursor)}, ${turn ? nameOf(turn.speaker) : "no speaker"}`);
  markCurrentWord();
}

/** Mark a part of the timeline and describe it. */
function select(part) {
  selected = part;
  $("detail").textContent = part ? describe(part) : "";
  redraw();
}

/** Go to the next part of a track, or the previous one. */
function jump(track, backwards = false, what = "part") {
  // the tolerance makes "next" leave the part where the last jump ended
  let index = track.after(cursor + 0.001);
  if (backwards) index = track.after(cursor - (hasSound && !audio.paused ? 0.7 : 0.001)) - 1;
  const part = track.parts[index];
  if (!part) { announce(`No ${backwards ? "earlier" : "later"} ${what}.`); return; }
  select(part);
  seek(part.start);
  announce(describe(part));
}

function announce(text) { $("live").textContent = text; $("detail").textContent = text; }
function fail(text) { $("failure").textContent = text; $("failure").hidden = false; }
