// Both videos in the same place, in step; the participant switches between them.

import { PairPlay, Stopped, warmUp } from "./playback.js";

// Share of the clip for which each must have been on the screen before an answer, and the least for short clips.
const MIN_SHARE = 0.25;
const MIN_SECONDS = 0.25;

export class Toggle {
  static columns = 1;
  static needsFrameTimes = true;

  switches = 0;
  #seen = [0, 0];
  #since = null;

  constructor(stage) {
    this.stage = stage;
    this.top = 0;
  }

  async prepare() {
    await Promise.all(this.stage.videos.map(warmUp));
  }

  /** Plays the pair again and again until both were seen; resolves to the last play's {record, firstFrameMs, inStep}. */
  async play() {
    this.#seen = [0, 0];
    let firstFrameMs = null;
    for (let pass = 0; ; pass += 1) {
      if (pass > 0) this.stage.hint();
      const result = await this.#pass();
      firstFrameMs ??= result.firstFrameMs;
      if (this.#bothSeen || !result.inStep) return { ...result, firstFrameMs };
    }
  }

  /** Goes on playing the pair, until it is stopped. */
  async linger() {
    try {
      for (;;) await this.#pass();
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    }
  }

  /** Put the other video on the screen. */
  turn() {
    this.#count();
    this.top = 1 - this.top;
    this.switches += 1;
    this.stage.show([this.top]);
  }

  async #pass() {
    this.stage.show([this.top]);
    this.running = new PairPlay(this.stage.videos, this.stage.fps);
    this.#since = performance.now();
    const result = await this.running.run();
    this.#count();
    this.#since = null;
    for (const side of [result.record.left, result.record.right]) {
      // A video behind the other is decoded and timed, but not drawn: the browser calls such frames dropped.
      side.dropped = Math.min(side.dropped, Math.max(0, side.total - side.shown));
    }
    return result;
  }

  #count() {
    if (this.#since === null) return;
    const now = performance.now();
    this.#seen[this.top] += (now - this.#since) / 1000;
    this.#since = now;
  }

  get #bothSeen() {
    const least = Math.max(MIN_SECONDS, MIN_SHARE * this.stage.seconds);
    return this.#seen.every((seconds) => seconds >= least);
  }

  stop() {
    this.running?.stop();
    this.#since = null;
  }
}
