// Reference and stimulus side by side: started together, looped together, stepped together, pixel for pixel.

const card = document.querySelector(".card");
const videos = [...card.querySelectorAll("video")];
const fps = Number(card.dataset.fps);
const element = (id) => document.getElementById(id);
// What was asked for: between the end of a loop and its next beginning the videos themselves say that they pause.
let playing = false;

function frameOf(video) {
  return Math.round(video.currentTime * fps - 0.5);
}

function show() {
  element("card-frame").textContent = Math.max(frameOf(videos.at(-1)), 0);
  element("card-play").textContent = playing ? "Pause" : "Play";
}

function toSize() {
  for (const video of videos) {
    if (video.videoWidth) {
      video.style.width = `${video.videoWidth / devicePixelRatio}px`;
      video.style.height = `${video.videoHeight / devicePixelRatio}px`;
    }
  }
}

// The middle of a frame: its edge may show either neighbour.
function seek(frame) {
  playing = false;
  for (const video of videos) {
    video.pause();
    video.currentTime = (Math.max(frame, 0) + 0.5) / fps;
  }
}

function play() {
  playing = true;
  for (const video of videos) video.currentTime = videos[0].currentTime;
  return Promise.all(videos.map((video) => video.play())).catch(() => {});
}

function toggle() {
  if (!playing) return play();
  playing = false;
  for (const video of videos) video.pause();
  show();
}

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else card.querySelector(".card-videos").requestFullscreen();
}

// A loop of its own per video would let them drift apart.
function again() {
  if (playing && videos.every((video) => video.ended)) {
    for (const video of videos) video.currentTime = 0;
    play();
  }
}

for (const video of videos) {
  video.loop = false;
  video.controls = false;
  video.addEventListener("loadedmetadata", toSize);
  video.addEventListener("ended", again);
  for (const event of ["timeupdate", "seeked", "play", "pause"]) video.addEventListener(event, show);
}
const actions = {
  "card-play": toggle,
  "card-start": () => seek(0),
  "card-back": () => seek(frameOf(videos.at(-1)) - 1),
  "card-next": () => seek(frameOf(videos.at(-1)) + 1),
  "card-full": fullScreen,
};
for (const [id, action] of Object.entries(actions)) element(id).addEventListener("click", action);
const here = element("card-here");
if (here) {
  here.hidden = false;
  here.addEventListener("click", () => {
    element("card-chosen").value = Math.max(frameOf(videos.at(-1)), 0);
    here.form.submit();
  });
}
const keys = {
  " ": "card-play",
  Home: "card-start",
  ArrowLeft: "card-back",
  ArrowRight: "card-next",
  f: "card-full",
};
document.addEventListener("keydown", (event) => {
  const key = event.key === "F" ? "f" : event.key;
  const typing = event.target.closest("input, select, textarea, button, a, summary, nav");
  if (typing || event.ctrlKey || event.altKey || event.metaKey || !keys[key]) return;
  event.preventDefault();
  actions[keys[key]]();
});
addEventListener("resize", toSize);
element("card-controls").hidden = false;
toSize();
show();
