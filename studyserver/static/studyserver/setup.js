// Measures the device, asks the server, and says line by line what is good and what to do.

import { decoding, device, refreshRate, sizes, speed } from "./measure.js";

const LOOK_MS = 300;
const ATTEMPTS = 3;
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

/** The server's verdict; a connection that broke off and an error of the server are tried again. */
async function ask(record, turn) {
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(form.dataset.check, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
      body: JSON.stringify(record),
    }).catch(() => null);
    // Elsewhere in another tab: the server knows the page.
    if (response?.redirected || response?.status === 403) location.reload();
    else if (response?.ok) return response.json();
    // A later check has newer sizes: this one must not arrive behind it.
    const over = attempt === ATTEMPTS || turn !== latest || response?.status < 500;
    if (over) throw new Error(String(response?.status));
    await new Promise((resolve) => setTimeout(resolve, 400 * attempt));
  }
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
    const verdict = await ask(record, turn);
    if (turn === latest) tell(verdict);
  } catch {
    if (turn !== latest) return;
    for (const line of lines) if (line.dataset.state === "checking") mark(line, "checking", "");
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
