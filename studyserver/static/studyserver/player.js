// One trial after the other: load both videos, play them together to the end, take the answer, send it.

import { Downloads } from "./download.js";
import { Recorder } from "./recorder.js";
import { VoteSender } from "./saving.js";

const GAP = 16;
const $ = (id) => document.getElementById(id);
const root = $("player");
const videos = [$("left"), $("right")];
const buttons = ["start", "answer-left", "answer-tie", "answer-right", "continue", "retry", "replay"].map($);
const downloads = new Downloads();
const sender = new VoteSender(root.dataset.vote, root.dataset.csrf, () => say("The connection is slow. Saving again…"));

let state = JSON.parse($("state").textContent);
let phase = "loading"; // loading, failed, ready, playing, answering, saving, feedback
let trial = null;

/** What is known about the trial on the screen. */
function newTrial() {
  return { plays: 0, hidden: 0, record: null, loadMs: [0, 0], answerableAt: 0, recorder: null };
}

function say(text) {
  $("message").textContent = text;
}

function enter(next, ...shown) {
  phase = next;
  root.dataset.phase = next;
  for (const button of buttons) button.hidden = !shown.includes(button.id);
  if (shown.length && document.activeElement?.hidden) document.activeElement.blur();
  $("loading").hidden = next !== "loading";
  $("pair").classList.toggle("veiled", next !== "playing");
  layout();
}

/** One video pixel on one device pixel; smaller only where the window has no room. */
function layout() {
  if (!state) return;
  const ratio = window.devicePixelRatio || 1;
  const width = state.trial.width / ratio;
  const height = state.trial.height / ratio;
  const roomX = document.documentElement.clientWidth - 2 * GAP;
  const below = document.querySelector(".below").offsetHeight;
  const roomY = window.innerHeight - document.querySelector(".bar").offsetHeight - below;
  const scale = Math.min(1, (roomX - GAP) / (2 * width), Math.max(roomY, 120) / height);
  for (const video of videos) {
    video.parentElement.style.width = `${width * scale}px`;
    video.parentElement.style.height = `${height * scale}px`;
  }
}

async function load() {
  trial = newTrial();
  $("heading").textContent = state.training ? "Practice pair" : `Pair ${state.number} of ${state.total}`;
  $("progress").max = state.total;
  $("progress").value = state.number - 1;
  enter("loading");
  const addresses = [state.trial.left, state.trial.right];
  downloads.keepOnly([...addresses, state.next?.left, state.next?.right]);
  say("Loading both videos…");
  const ticker = setInterval(() => ($("loading").value = downloads.progress(addresses)), 100);
  try {
    const files = await Promise.all(addresses.map((address) => downloads.get(address)));
    if (state.next) for (const side of ["left", "right"]) downloads.get(state.next[side]).catch(() => {});
    trial.loadMs = files.map((file) => file.loadMs);
    await Promise.all(videos.map((video, side) => prepare(video, files[side].url)));
  } catch (error) {
    const unplayable = error?.code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED;
    say(
      unplayable
        ? "This browser cannot play these videos. Please open this page in a current Chrome, Edge or Firefox."
        : "The videos could not be loaded. Please check your connection.",
    );
    return enter("failed", "retry");
  } finally {
    clearInterval(ticker);
  }
  say(state.training ? "Practice: watch both videos, then say which one looks better." : "Ready when you are.");
  enter("ready", "start");
}

/** Resolve when a video holds its first frame and enough to play through. */
function prepare(video, url) {
  return new Promise((resolve, reject) => {
    video.oncanplaythrough = () => resolve();
    video.onerror = () => reject(video.error);
    video.src = url;
    video.load();
  });
}

/** Bring both videos to their first frame, then start them in one task. */
async function play() {
  enter("playing");
  say("");
  await Promise.all(videos.map(rewind));
  if (phase !== "playing") return;
  trial.recorder = new Recorder(videos, state.trial.fps);
  try {
    const [left, right] = videos;
    await Promise.all([left.play(), right.play()]);
  } catch {
    if (phase !== "playing") return;
    trial.recorder.finish();
    say("The browser did not start the videos.");
    enter("ready", "start");
  }
}

function rewind(video) {
  return new Promise((resolve) => {
    if (video.currentTime === 0 && !video.ended && video.readyState >= 3) return resolve();
    video.onseeked = () => resolve();
    video.currentTime = 0;
  });
}

function finished() {
  if (phase !== "playing" || !videos.every((video) => video.ended)) return;
  const record = trial.recorder.finish();
  trial.plays += 1;
  if (!trial.record) {
    trial.record = record;
    trial.answerableAt = performance.now();
  }
  say("Which video looked better?");
  const tie = state.allowTie ? ["answer-tie"] : [];
  enter("answering", "answer-left", ...tie, "answer-right", "replay");
}

/** A hidden page shows no frames: the pair starts again. */
function interrupted() {
  if (document.visibilityState !== "hidden" || phase !== "playing") return;
  trial.hidden += 1;
  trial.recorder?.finish();
  for (const video of videos) video.pause();
  say("The page was hidden. Please watch the pair from the beginning.");
  enter("ready", "start");
}

function vote(choice) {
  const [left, right] = trial.loadMs;
  const record = trial.record;
  const ratio = window.devicePixelRatio || 1;
  submit({
    trial: state.trial.token,
    choice,
    response_ms: Math.round(performance.now() - trial.answerableAt),
    playback: {
      ...record,
      left: { ...record.left, load_ms: left },
      right: { ...record.right, load_ms: right },
      device_pixel_ratio: ratio,
      scale: (record.left.css_width * ratio) / state.trial.width,
      window_width: window.innerWidth,
      window_height: window.innerHeight,
      plays: trial.plays,
      hidden: trial.hidden,
    },
  });
}

async function submit(answer) {
  enter("saving");
  say("Saving…");
  const reply = await sender.send(answer);
  if (!reply) return location.reload();
  state = reply.state;
  if (reply.feedback) return feedback(reply);
  if (reply.location) return location.assign(reply.location);
  load();
}

function feedback({ feedback: { correct, better }, location: elsewhere }) {
  const worse = better === "left" ? "right" : "left";
  say(
    correct
      ? `Right: the ${better} video looked better, the ${worse} one was spoiled on purpose.`
      : `Look again: the ${better} video looked better, the ${worse} one was spoiled on purpose. Please watch the pair once more.`,
  );
  enter("feedback", "continue");
  $("continue").onclick = () => (elsewhere ? location.assign(elsewhere) : load());
}

function fullscreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.().catch(() => {});
}

const KEYS = {
  ready: { " ": "start", Enter: "start" },
  answering: { ArrowLeft: "answer-left", ArrowRight: "answer-right", ArrowDown: "answer-tie", " ": "answer-tie", r: "replay" },
  feedback: { " ": "continue", Enter: "continue" },
  failed: { " ": "retry", Enter: "retry" },
};

document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === "f") return fullscreen();
  // A focused button keeps its own meaning of Space and Enter.
  if ((key === " " || key === "Enter") && document.activeElement instanceof HTMLButtonElement) return;
  const button = $(KEYS[phase]?.[key] ?? "");
  if (!button || button.hidden) return;
  event.preventDefault();
  button.click();
});

$("start").onclick = play;
$("replay").onclick = play;
$("retry").onclick = load;
$("fullscreen").onclick = fullscreen;
for (const button of document.querySelectorAll(".answer")) button.onclick = () => vote(button.dataset.choice);
for (const video of videos) video.addEventListener("ended", finished);
document.addEventListener("visibilitychange", interrupted);
window.addEventListener("resize", layout);

const unsent = sender.pending(state.trial.token);
if (unsent) submit(unsent);
else load();
