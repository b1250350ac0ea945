// The outline of a bank card follows the slider; the buttons move it by one pixel, for long as they are held.

const $ = (id) => document.getElementById(id);
const form = $("calibration");
const slider = $("card_css_px");
const ratio = Number(form.dataset.cmHeight) / Number(form.dataset.cmWidth);
const HOLD_MS = 350;
const REPEAT_MS = 40;

function draw() {
  const width = Number(slider.value);
  $("card").style.width = `${width}px`;
  $("card").style.height = `${width * ratio}px`;
}

function move(step) {
  slider.value = Number(slider.value) + step;
  draw();
}

for (const button of document.querySelectorAll("[data-step]")) {
  const step = Number(button.dataset.step);
  let timer = null;
  const stop = () => clearTimeout(timer);
  const again = () => {
    move(step);
    timer = setTimeout(again, REPEAT_MS);
  };
  button.onpointerdown = () => (timer = setTimeout(again, HOLD_MS));
  button.onpointerup = button.onpointerleave = button.onpointercancel = stop;
  button.onclick = () => move(step);
}
slider.addEventListener("input", draw);
form.addEventListener("submit", () => ($("device_pixel_ratio").value = window.devicePixelRatio || 1));
draw();
