// What the device can do, as far as a browser tells: sizes, zoom, refresh rate, decoding, speed of the connection.

const FRAMES = 50;
const PATIENCE_MS = 4000;
const SPEED_MS = 3000;
// Steps of the zoom in browsers' menus, in percent.
const ZOOMS = [25, 30, 33.3333, 50, 66.6667, 75, 80, 85, 90, 100, 110, 115, 120, 125, 133.3333, 150, 170, 175, 200, 240, 250, 300, 400, 500];

/** Sizes in CSS pixels and what turns them into pixels of the screen. */
export function sizes() {
  const zoomed = zoom();
  return {
    // A zoom changes the pixels of the page, not the points in which Chrome and Safari give the screen.
    screen_width: window.screen.width / (zoomed ?? 1),
    screen_height: window.screen.height / (zoomed ?? 1),
    window_width: window.innerWidth,
    window_height: window.innerHeight,
    device_pixel_ratio: window.devicePixelRatio || 1,
    browser_zoom: zoomed,
    fullscreen: Boolean(document.fullscreenElement),
  };
}

// A window is measured outside in points of the screen, inside in pixels of the page; a bar at its side spoils the
// ratio, and then nothing is said. Firefox counts everything in pixels of the page.
function zoom() {
  if (navigator.userAgent.includes("Firefox/")) return null;
  const percent = (100 * window.outerWidth) / window.innerWidth;
  const nearest = ZOOMS.reduce((best, step) => (Math.abs(step - percent) < Math.abs(best - percent) ? step : best));
  return Math.abs(percent / nearest - 1) <= 0.03 ? nearest / 100 : null;
}

/** Kind of device and name of the browser; no more than that. */
export function device() {
  const agent = navigator.userAgent;
  const [, name = "", version = ""] = agent.match(/(Firefox|Edg|OPR|Chrome|Version)\/(\d+)/) ?? [];
  const known = { Edg: "Edge", OPR: "Opera", Version: "Safari" };
  return {
    mobile: navigator.userAgentData?.mobile ?? /Mobi|Android/.test(agent),
    touch_only: matchMedia("(any-pointer: coarse)").matches && !matchMedia("(any-pointer: fine)").matches,
    touch_points: navigator.maxTouchPoints ?? 0,
    browser: `${known[name] ?? name} ${version}`.trim(),
  };
}

/** Pictures per second of the screen: the median of many; a hidden page is waited for and begun again. */
export function refreshRate() {
  return new Promise((resolve) => {
    let times = [];
    let visibleMs = 0;
    const done = () => {
      const gaps = times.slice(1).map((time, index) => time - times[index]);
      gaps.sort((a, b) => a - b);
      resolve(gaps.length < 10 ? null : 1000 / Math.max(gaps[gaps.length >> 1], 0.5));
    };
    const restart = () => (times = []);
    document.addEventListener("visibilitychange", restart);
    const ticker = setInterval(() => {
      visibleMs += document.hidden ? 0 : 100;
      if (visibleMs >= PATIENCE_MS) finish();
    }, 100);
    const finish = () => {
      clearInterval(ticker);
      document.removeEventListener("visibilitychange", restart);
      done();
      times = null;
    };
    const onFrame = (time) => {
      if (!times) return;
      times.push(time);
      if (times.length > FRAMES) return finish();
      requestAnimationFrame(onFrame);
    };
    requestAnimationFrame(onFrame);
  });
}

/** Whether the browser plays each of these videos, and how well, by its own word. */
export function decoding(videos) {
  return Promise.all(videos.map(decodes));
}

async function decodes(video) {
  // Only a name with its codec is understood; older sets do not have it, older browsers cannot be asked.
  if (video.contentType.includes("codecs=") && navigator.mediaCapabilities) {
    const answer = await navigator.mediaCapabilities.decodingInfo({ type: "file", video }).catch(() => null);
    if (answer) return { supported: answer.supported, smooth: answer.smooth, power_efficient: answer.powerEfficient };
  }
  const supported = document.createElement("video").canPlayType(video.contentType) !== "";
  return { supported, smooth: null, power_efficient: null };
}

/** Megabits per second of a real download, null where it fails; a slow one is measured for a few seconds only. */
export async function speed(address) {
  try {
    const response = await fetch(address, { cache: "no-store", credentials: "same-origin" });
    if (!response.ok || response.redirected) return null;
    const reader = response.body.getReader();
    const begun = performance.now();
    let bytes = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.length;
      if (performance.now() - begun > SPEED_MS) {
        reader.cancel();
        break;
      }
    }
    return bytes ? (bytes * 8) / 1000 / Math.max(performance.now() - begun, 1) : null;
  } catch {
    return null;
  }
}
