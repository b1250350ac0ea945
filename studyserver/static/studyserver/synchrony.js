// Two videos on the same frame: measured at every screen update, and brought together again where they part.

// Screen updates looked at, and the mean distance in frames from which the leader is held back. A steady distance of
// one frame is left alone: stopping a video costs more than that for a moment.
const WINDOW = 8;
const TOO_FAR = 1.2;
const SETTLE_MS = 200;
// A pair was in step when 9 in 10 updates were at most one frame apart, as the server's rule of use has it.
const MAX_OFFSET = 1;
const MIN_SHARE = 0.9;

/** Watches two recorders whose videos play together; `left` ahead counts as positive. */
export class Synchrony {
  offsets = {};
  #recent = [];
  #holding = false;
  #running = true;

  constructor(recorders, fps) {
    [this.left, this.right] = recorders;
    this.fps = fps;
    requestAnimationFrame(() => this.#compare());
  }

  // Video frame callbacks of one screen update all run before its animation frame callbacks, so
  // here both sides tell what is on the screen at the same moment.
  #compare() {
    if (!this.#running) return;
    const { left, right } = this;
    if ((left.fresh || right.fresh) && left.mediaTime !== null && right.mediaTime !== null) {
      const offset = Math.round((left.mediaTime - right.mediaTime) * this.fps);
      this.offsets[offset] = (this.offsets[offset] ?? 0) + 1;
      this.#correct(offset);
    }
    left.fresh = right.fresh = false;
    requestAnimationFrame(() => this.#compare());
  }

  #correct(offset) {
    this.#recent = [...this.#recent, offset].slice(-WINDOW);
    const mean = this.#recent.reduce((sum, frames) => sum + frames, 0) / WINDOW;
    if (this.#holding || this.#recent.length < WINDOW || Math.abs(mean) < TOO_FAR) return;
    const leader = (mean > 0 ? this.left : this.right).video;
    if (leader.ended) return;
    this.#holding = true;
    leader.pause();
    setTimeout(() => {
      // A play that was stopped meanwhile is not to go on, and one that came to its end is not to begin again.
      if (this.#running && !leader.ended) leader.play().catch(() => {});
      setTimeout(() => {
        this.#recent = [];
        this.#holding = false;
      }, SETTLE_MS);
    }, (1000 * Math.abs(mean)) / this.fps);
  }

  /** Whether both were together for most of the time. */
  get inStep() {
    const all = Object.entries(this.offsets);
    const counted = all.reduce((sum, [, count]) => sum + count, 0);
    const near = all.reduce((sum, [offset, count]) => sum + (Math.abs(offset) <= MAX_OFFSET ? count : 0), 0);
    return near >= MIN_SHARE * counted;
  }

  /** Stop watching and return the certificate's part about the distance. */
  finish() {
    this.#running = false;
    const distances = Object.keys(this.offsets).map((offset) => Math.abs(offset));
    return { offsets: this.offsets, offset_max: Math.max(0, ...distances) };
  }
}
