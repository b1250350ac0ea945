// How one video of a trial really played; sent with the vote.

export const HAS_FRAME_TIMES = "requestVideoFrameCallback" in HTMLVideoElement.prototype;

/** Records one playback of one video: frames shown and dropped, and stalls. */
export class Recorder {
  /** Media time in seconds of the frame on the screen; null before the first. */
  mediaTime = null;
  /** Whether a frame came since somebody last set this to false. */
  fresh = false;
  /** Milliseconds from the start of the recording to the first frame; null before. */
  firstFrameMs = null;

  #first = null;
  #last = null;
  #stalls = 0;
  #running = true;
  #begun = performance.now();

  constructor(video, fps) {
    this.video = video;
    this.fps = fps;
    this.before = quality(video);
    video.addEventListener("waiting", this.#waiting);
    video.addEventListener("playing", this.#playing, { once: true });
    if (HAS_FRAME_TIMES) video.requestVideoFrameCallback(this.#frame);
  }

  #waiting = () => {
    if (this.#running && !this.video.ended) this.#stalls += 1;
  };

  #playing = () => {
    if (!HAS_FRAME_TIMES) this.firstFrameMs = performance.now() - this.#begun;
  };

  #frame = (now, frame) => {
    this.#first ??= frame;
    this.#last = frame;
    this.firstFrameMs ??= performance.now() - this.#begun;
    this.mediaTime = frame.mediaTime;
    this.fresh = true;
    if (this.#running) this.video.requestVideoFrameCallback(this.#frame);
  };

  /** Frames shown, among them the one that stood there before the start. */
  get #shown() {
    const counted = this.#last.presentedFrames - this.#first.presentedFrames + 1;
    return this.#first.mediaTime > 0.5 / this.fps ? counted + 1 : counted;
  }

  /** Stop recording and return this side's part of the certificate. */
  finish() {
    this.#running = false;
    this.video.removeEventListener("waiting", this.#waiting);
    const after = quality(this.video);
    const dropped = after.dropped - this.before.dropped;
    const total = after.total - this.before.total;
    const box = this.video.getBoundingClientRect();
    return {
      shown: this.#last ? this.#shown : total - dropped,
      dropped,
      total,
      stalls: this.#stalls,
      css_width: box.width,
      css_height: box.height,
    };
  }
}

function quality(video) {
  const counts = video.getVideoPlaybackQuality();
  return { dropped: counts.droppedVideoFrames, total: counts.totalVideoFrames };
}

/** Measures how often the screen is updated, while it runs. */
export class Refresh {
  #times = [];
  #running = true;

  constructor() {
    requestAnimationFrame(this.#tick);
  }

  #tick = (now) => {
    this.#times.push(now);
    if (this.#running) requestAnimationFrame(this.#tick);
  };

  /** Stop and return updates per second (of the median interval), 0 where too few were seen. */
  finish() {
    this.#running = false;
    const gaps = this.#times.slice(1).map((time, index) => time - this.#times[index]);
    gaps.sort((a, b) => a - b);
    return gaps.length > 4 ? Math.round(10_000 / gaps[gaps.length >> 1]) / 10 : 0;
  }
}
