// Measures the device, asks the server, and says line by line what is good and what to do.

import { decoding, device, refreshRate, sizes, speed } from "./measure.js";

const LOOK_MS = 300;
const $ = (id) => document.getElementById(id);
const form = $("setup");
const lines = [...document.querySelectorAll("[data-check]")].filter((line) => line.tagName === "LI");
const texts = JSON.parse($("texts").textContent);
const videos = JSON.parse($("videos").textContent);

let slow = null; // What takes time is measured once, and again when the person asks for it.
let latest = 0;
let asked = ""; // The sizes that the server was asked about, as text.
let seen = "";

function show(...ids) {
  for (const id of ["continue", "again", "fullscreen", "give-up"]) $(id).hidden = !ids.includes(id);
}

function say(text) {
  $("verdict").textContent = text;
}

function mark(line, state, text) {
  line.dataset.state = state;
  line.querySelector("p").textContent = text;
}

async function measure() {
  const [refresh_hz, answers] = await Promise.all([refreshRate(), decoding(videos)]);
  return { refresh_hz, decoding: answers, speed_mbps: await speed(form.dataset.sample), ...device() };
}

async function ask(record) {
  const response = await fetch(form.dataset.check, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
    body: JSON.stringify(record),
  });
  // Elsewhere in another tab: the server knows the page.
  if (response.redirected || response.status === 403) location.reload();
  if (!response.ok || response.redirected) throw new Error(String(response.status));
  return response.json();
}

/** Check everything, or after a change of the window only what changes with it. */
async function check(everything) {
  const turn = ++latest;
  asked = JSON.stringify(sizes());
  show();
  say(texts.checking);
  if (everything) for (const line of lines) mark(line, "checking", texts.checking);
  try {
    if (everything || !slow) slow = measure();
    const record = { ...(await slow), ...sizes() };
    asked = JSON.stringify(sizes());
    const verdict = await ask(record);
    if (turn === latest) tell(verdict);
  } catch {
    if (turn !== latest) return;
    say(texts.trouble);
    show("again");
    $("again").focus();
  }
}

function tell({ ready, lasting, moved, lines: verdicts }) {
  for (const line of lines) {
    const { good, text } = verdicts[line.dataset.check];
    mark(line, good ? "good" : "stop", text);
  }
  if ($("moved")) $("moved").hidden = !(ready && moved);
  const titles = lines.filter((line) => line.dataset.state === "stop").map((line) => line.querySelector("strong").textContent);
  const text = ready ? (moved ? texts.moved : texts.good) : lasting ? texts.lasting : texts.mend;
  say(text.replace("{lines}", titles.join(", ")));
  const small = !verdicts.window.good && document.fullscreenEnabled;
  if (ready) show("continue");
  else show("again", ...(small ? ["fullscreen"] : []), ...(lasting ? ["give-up"] : []));
  // Who is somewhere else on the page stays there.
  if (document.activeElement === document.body) $(ready ? "continue" : "again").focus({ preventScroll: ready && moved });
}

// Not every browser tells of a new zoom or another screen, so the page looks by itself; while a window is being drawn
// larger nothing is asked.
function look() {
  const now = JSON.stringify(sizes());
  const steady = now === seen;
  seen = now;
  if (steady && now !== asked) check(false);
}

$("again").onclick = () => check(true);
$("fullscreen").onclick = () => document.documentElement.requestFullscreen().catch(() => {});
setInterval(look, LOOK_MS);
check(true);
