// One trial after the other: load both videos, have them played to the end, take the answer, send it.

import { Downloads } from "./download.js";
import { Stopped, loadVideo } from "./playback.js";
import { HAS_FRAME_TIMES, Refresh } from "./recorder.js";
import { Sender } from "./saving.js";
import { Sequential } from "./sequential.js";
import { SideBySide } from "./side-by-side.js";
import { Stage } from "./stage.js";
import { Toggle } from "./toggle.js";

const PRESENTATIONS = { "side-by-side": SideBySide, sequential: Sequential, toggle: Toggle };
// Before the first pair that counts, so many further ones are loaded, too.
const PAIRS_BEFORE_THE_FIRST = 2;
const NOTICE_MS = 1800;

const $ = (id) => document.getElementById(id);
const root = $("player");
const TEXTS = JSON.parse($("texts").textContent);
const buttons = [...document.querySelectorAll("#player .below button")];
const downloads = new Downloads();
const sender = new Sender(root.dataset.csrf, () => say(TEXTS.savingAgain));
const stage = new Stage($("pair"), [$("left").parentElement, $("right").parentElement], () => ({
  width: document.documentElement.clientWidth,
  height: window.innerHeight - document.querySelector(".bar").offsetHeight - document.querySelector(".below").offsetHeight,
}));

let state = JSON.parse($("state").textContent);
let phase = "loading"; // loading, failed, ready, playing, again, answering, saving, feedback
let trial = null;
let presentation = null;
let notice = "";
let askedForFullscreen = false;

/** What is known about the trial on the screen. */
function newTrial() {
  return { plays: 0, outOfStep: 0, hidden: 0, result: null, loadMs: [0, 0], answerableAt: 0, refreshHz: 0 };
}

function say(text) {
  $("message").textContent = text;
}

function fill(text, values) {
  return text.replace(/{(\w+)}/g, (_, name) => values[name]);
}

/** Texts that name the two videos, in the presentation's own words. */
function words() {
  return TEXTS[state.presentation];
}

function enter(next, ...shown) {
  phase = next;
  root.dataset.phase = next;
  for (const button of buttons) button.hidden = !shown.includes(button.id);
  $("loading").hidden = next !== "loading";
  $("pair").classList.toggle("veiled", !(next === "playing" || (next === "answering" && lingers())));
  $("which").hidden = $("pair").classList.contains("veiled") || state.presentation !== "toggle";
  // The keyboard goes on where the eye does; among answers none is chosen beforehand.
  const main = { answering: $("controls"), playing: root, saving: root }[next] ?? $(shown[0]);
  if (main && document.activeElement !== main) main.focus({ preventScroll: true });
  // Afterwards nothing moves: a toggle's pair stays on the screen while the answers are there.
  if (["loading", "ready", "playing"].includes(next)) stage.layout();
}

/** The pair of a toggle goes on while the participant decides. */
function lingers() {
  return state.presentation === "toggle" && state.allowReplay;
}

async function load() {
  const apartBefore = trial?.token === state.trial.token ? trial.outOfStep : 0;
  trial = { ...newTrial(), token: state.trial.token, outOfStep: apartBefore };
  presentation?.stop();
  presentation = new PRESENTATIONS[state.presentation](stage);
  if (presentation.constructor.needsFrameTimes && !HAS_FRAME_TIMES) return fallBack("no-frame-times");
  root.dataset.presentation = state.presentation;
  stage.begin(state.trial, presentation.constructor.columns);
  label();
  enter("loading");
  const addresses = [state.trial, ...state.next].map(({ left, right }) => [left, right]);
  downloads.keepOnly(addresses.flat());
  const needed = addresses.slice(0, !state.training && state.number === 1 ? 1 + PAIRS_BEFORE_THE_FIRST : 1).flat();
  say(TEXTS.loading);
  const ticker = setInterval(() => ($("loading").value = downloads.progress(needed)), 100);
  try {
    const files = downloads.getFirst(addresses[0]);
    const ahead = addresses.slice(1).flat().map((address) => downloads.get(address));
    for (const file of ahead) file.catch(() => {});
    const [left, right] = await files;
    await Promise.allSettled(ahead.slice(0, needed.length - 2));
    trial.loadMs = [left.loadMs, right.loadMs];
    await Promise.all([left, right].map((file, side) => loadVideo(stage.videos[side], file.url)));
    await presentation.prepare();
  } catch (error) {
    return failed(error);
  } finally {
    clearInterval(ticker);
  }
  enter("ready", "start");
  invite();
}

/** Say what is to do before the pair starts. The first start makes the page fill the screen by itself. */
function invite() {
  const mayGrow = document.fullscreenEnabled && !askedForFullscreen;
  say(notice || (stage.scale < 1 && !mayGrow ? TEXTS.small : state.training ? words().practice : TEXTS.ready));
  notice = "";
}

function failed(error) {
  const codes = [MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED, MediaError.MEDIA_ERR_DECODE];
  if (codes.includes(error?.code)) {
    say(TEXTS.unplayable);
    enter("failed", "retry", "give-up");
  } else {
    say(TEXTS.notLoaded);
    enter("failed", "retry");
  }
}

function label() {
  const { training, number, total, minutesLeft } = state;
  $("heading").textContent = training ? TEXTS.practiceHeading : fill(TEXTS.heading, { number, total });
  $("progress").max = total;
  $("progress").value = training ? 0 : number - 1;
  $("time-left").textContent = fill(minutesLeft === 1 ? TEXTS.minuteLeft : TEXTS.minutesLeft, { minutes: minutesLeft });
  ["left", "right"].forEach((side) => {
    $(`answer-${side}`).querySelector("span").textContent = words().answer[side];
    $(side).setAttribute("aria-label", words().video[side]);
    $(`veil-${side}`).textContent = words().name[side];
  });
  $("start").querySelector("span").textContent = words().start;
}

/** What stands on the screen changed: say it where the participant has to know. */
stage.shown = (sides) => {
  if (state.presentation === "side-by-side" || sides.length !== 1) return;
  const side = ["left", "right"][sides[0]];
  for (const name of ["left", "right"]) $(`which-${name}`).classList.toggle("on", name === side);
  if (state.presentation === "sequential" && phase === "playing") say(words().video[side]);
};
stage.hint = () => say(TEXTS.toggle.lookAtBoth);

async function start() {
  const pressed = performance.now();
  if (!askedForFullscreen && document.fullscreenEnabled && !document.fullscreenElement) {
    askedForFullscreen = true;
    await document.documentElement.requestFullscreen({ navigationUI: "hide" }).catch(() => {});
  }
  return play(pressed);
}

async function play(pressed = performance.now()) {
  presentation.stop();
  say("");
  enter("playing", ...(state.presentation === "toggle" ? ["switch"] : []));
  if (state.presentation === "toggle") say(TEXTS.toggle.playing);
  const refresh = new Refresh();
  let result;
  try {
    const waited = performance.now() - pressed;
    result = await presentation.play();
    result.firstFrameMs += waited;
  } catch (error) {
    if (error instanceof Stopped) return;
    if (error instanceof MediaError) return failed(error);
    say(TEXTS.notStarted);
    return enter("ready", "start");
  } finally {
    trial.refreshHz = refresh.finish() || trial.refreshHz;
  }
  if (!result.inStep && !trial.result) return apart();
  trial.plays += 1;
  if (!trial.result) {
    trial.result = { ...result, scale: stage.scale, fullscreen: document.fullscreenElement !== null };
    trial.answerableAt = performance.now();
  }
  ask();
}

function ask() {
  say(words().question);
  const tie = state.allowTie ? ["answer-tie"] : [];
  const again = lingers() ? ["switch"] : state.allowReplay ? ["replay"] : [];
  enter("answering", "answer-left", ...tie, "answer-right", ...again);
  if (lingers()) presentation.linger();
}

/** The two videos were not on the same frame: the pair is played again, or shown in another way. */
async function apart() {
  trial.outOfStep += 1;
  if (trial.outOfStep > state.syncAttempts) return fallBack("out-of-step");
  enter("again");
  say(TEXTS.apart);
  const here = trial;
  await new Promise((resolve) => setTimeout(resolve, NOTICE_MS));
  if (phase === "again" && trial === here) play();
}

/** This machine cannot show pairs in this way: the server says how to go on. */
async function fallBack(trouble) {
  enter("saving");
  say(TEXTS.changing);
  notice = TEXTS.changed;
  follow(await sender.post(root.dataset.trouble, { presentation: state.presentation, trouble }));
}

/** A hidden page shows no frames: the pair starts again. */
function interrupted() {
  const hidden = document.visibilityState === "hidden";
  if (phase === "answering" && lingers()) return hidden ? presentation.stop() : presentation.linger();
  if (!hidden) return;
  if (phase !== "playing" && phase !== "again") return;
  trial.hidden += 1;
  presentation.stop();
  say(TEXTS.hidden);
  enter("ready", "start");
}

function vote(choice) {
  presentation.stop();
  const { record, firstFrameMs, scale, fullscreen } = trial.result;
  const [left, right] = trial.loadMs;
  submit({
    trial: state.trial.token,
    choice,
    response_ms: Math.round(performance.now() - trial.answerableAt),
    playback: {
      ...record,
      left: { ...record.left, load_ms: left },
      right: { ...record.right, load_ms: right },
      first_frame_ms: Math.round(firstFrameMs),
      plays: trial.plays,
      out_of_step: trial.outOfStep,
      hidden: trial.hidden,
      ...(presentation.switches === undefined ? {} : { switches: presentation.switches }),
      scale,
      device_pixel_ratio: window.devicePixelRatio || 1,
      window_width: window.innerWidth,
      window_height: window.innerHeight,
      fullscreen,
      refresh_hz: trial.refreshHz,
    },
  });
}

async function submit(answer) {
  enter("saving");
  say(TEXTS.saving);
  const reply = await sender.vote(root.dataset.vote, answer);
  if (reply?.feedback) return feedback(reply);
  follow(reply);
}

/** Go where the server says; a refusal (answered in another tab, say) leads to the server's own page. */
function follow(reply) {
  if (!reply) return location.reload();
  if (reply.location) return location.assign(reply.location);
  state = reply.state;
  load();
}

function feedback(reply) {
  const { correct, better } = reply.feedback;
  say(fill(correct ? TEXTS.right : TEXTS.wrong, { better: words().better[better] }));
  enter("feedback", "continue");
  $("continue").onclick = () => follow(reply);
}

function fullscreen() {
  askedForFullscreen = true;
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.().catch(() => {});
}

const ANSWERS = { ArrowLeft: "answer-left", ArrowRight: "answer-right", ArrowDown: "answer-tie" };
const KEYS = {
  ready: { " ": "start", Enter: "start" },
  playing: { " ": "switch", t: "switch" },
  answering: { ...ANSWERS, t: "switch", r: "replay" },
  feedback: { " ": "continue", Enter: "continue" },
  failed: { " ": "retry", Enter: "retry" },
};

document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === "f") return fullscreen();
  // A focused button keeps its own meaning of Space and Enter.
  if ((key === " " || key === "Enter") && document.activeElement instanceof HTMLButtonElement) return;
  const space = key === " " && phase === "answering" ? (lingers() ? "switch" : "answer-tie") : "";
  const button = $(KEYS[phase]?.[key] ?? space);
  if (!button || button.hidden) return;
  event.preventDefault();
  button.click();
});

$("start").onclick = start;
$("replay").onclick = () => play();
$("retry").onclick = load;
$("give-up").onclick = () => fallBack("unplayable");
$("switch").onclick = () => presentation.turn();
$("fullscreen").onclick = fullscreen;
for (const button of document.querySelectorAll(".answer")) button.onclick = () => vote(button.dataset.choice);
document.addEventListener("visibilitychange", interrupted);
window.addEventListener("resize", () => {
  stage.layout();
  if (phase === "ready") invite();
});
// A page out of the browser's own memory may be behind: the server knows where the participant is.
window.addEventListener("pageshow", (event) => event.persisted && location.reload());

const unsent = sender.pending(root.dataset.vote, state.trial.token);
if (unsent) submit(unsent);
else load();
