// Bringing videos to their first frame, and playing them to their end.

import { HAS_FRAME_TIMES, Recorder } from "./recorder.js";
import { Synchrony } from "./synchrony.js";

const WARM_UP_MS = 1500;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Why a play did not come to its end: the page was hidden, or another play took its place. */
export class Stopped extends Error {}

/** Resolve when a video holds its first frame and enough to play through; rejects with its MediaError. */
export function loadVideo(video, url) {
  return new Promise((resolve, reject) => {
    video.oncanplaythrough = () => resolve();
    video.onerror = () => reject(video.error);
    video.src = url;
    video.load();
  });
}

/**
 * Let a decoder start, then bring it back to the first frame. Without it the first start of a video takes several
 * frames longer on one side than on the other. A browser that plays nothing before a key or click passes over it.
 */
export async function warmUp(video) {
  try {
    await Promise.race([video.play().then(() => nextFrame(video)).then(() => nextFrame(video)), pause(WARM_UP_MS)]);
  } catch {
    // Not allowed yet.
  }
  video.pause();
  video.currentTime = 0;
  await rewind(video);
}

function nextFrame(video) {
  return HAS_FRAME_TIMES ? new Promise((resolve) => video.requestVideoFrameCallback(resolve)) : pause(50);
}

/** Resolve when the first frame is on the screen. */
export function rewind(video) {
  return new Promise((resolve) => {
    if (video.currentTime === 0 && !video.seeking && !video.ended && video.readyState >= 3) return resolve();
    video.onseeked = () => resolve();
    if (video.currentTime !== 0 || video.ended) video.currentTime = 0;
  });
}

/** One play of one video, from its first frame to its end. */
export class SinglePlay {
  constructor(video, fps) {
    this.video = video;
    this.fps = fps;
  }

  /** Resolves to {side, playMs, firstFrameMs}; rejects with Stopped. */
  async run() {
    await rewind(this.video);
    if (this.stopped) throw new Stopped();
    this.recorder = new Recorder(this.video, this.fps);
    const begun = performance.now();
    await endOf([this.video], this);
    const playMs = performance.now() - begun;
    return { side: this.recorder.finish(), playMs, firstFrameMs: this.recorder.firstFrameMs };
  }

  stop() {
    this.stopped = true;
    this.video.pause();
    this.recorder?.finish();
    this.interrupt?.();
  }
}

/** One play of two videos in step. */
export class PairPlay {
  constructor(videos, fps) {
    this.videos = videos;
    this.fps = fps;
  }

  /** Resolves to {record, inStep}, the certificate's part about this play; rejects with Stopped. */
  async run() {
    await Promise.all(this.videos.map(rewind));
    if (this.stopped) throw new Stopped();
    const begun = performance.now();
    this.recorders = this.videos.map((video) => new Recorder(video, this.fps));
    this.synchrony = new Synchrony(this.recorders, this.fps);
    await endOf(this.videos, this);
    const playMs = performance.now() - begun;
    const [left, right] = this.recorders.map((recorder) => recorder.finish());
    const firstFrameMs = Math.max(...this.recorders.map((recorder) => recorder.firstFrameMs ?? 0));
    return {
      record: { left, right, ...this.synchrony.finish(), play_ms: Math.round(playMs) },
      firstFrameMs,
      inStep: this.synchrony.inStep,
    };
  }

  stop() {
    this.stopped = true;
    for (const video of this.videos) video.pause();
    for (const recorder of this.recorders ?? []) recorder.finish();
    this.synchrony?.finish();
    this.interrupt?.();
  }
}

/**
 * Start videos in one task; resolves when all have ended. `play.interrupt()` rejects it with Stopped, a video that
 * breaks off with its MediaError.
 */
function endOf(videos, play) {
  return new Promise((resolve, reject) => {
    play.interrupt = () => reject(new Stopped());
    const ended = () => videos.every((video) => video.ended) && resolve();
    for (const video of videos) {
      video.addEventListener("ended", ended, { once: true });
      video.onerror = () => reject(video.error);
    }
    // A video that is paused before it began rejects; that is for who paused it.
    Promise.all(videos.map((video) => video.play())).catch((error) => error.name !== "AbortError" && reject(error));
  });
}
