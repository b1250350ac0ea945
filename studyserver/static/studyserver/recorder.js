// How both videos of a trial really played; sent with the vote.

/** Records one playback of two videos: frames shown and dropped, stalls, and the distance between the two in frames. */
export class Recorder {
  constructor(videos, fps) {
    this.fps = fps;
    this.offsets = {};
    this.offsetMax = 0;
    this.running = true;
    this.begun = performance.now();
    this.sides = videos.map((video) => this.#follow(video));
    if (videos.every((video) => "requestVideoFrameCallback" in video)) requestAnimationFrame(() => this.#compare());
  }

  #follow(video) {
    const quality = video.getVideoPlaybackQuality();
    const side = {
      video,
      mediaTime: null,
      fresh: false,
      firstFrame: null,
      lastFrame: null,
      stalls: 0,
      droppedBefore: quality.droppedVideoFrames,
      totalBefore: quality.totalVideoFrames,
    };
    side.onWaiting = () => (side.stalls += this.running && !video.ended ? 1 : 0);
    video.addEventListener("waiting", side.onWaiting);
    const onFrame = (_, frame) => {
      side.firstFrame ??= frame.presentedFrames;
      side.lastFrame = frame.presentedFrames;
      side.mediaTime = frame.mediaTime;
      side.fresh = true;
      if (this.running) video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback?.(onFrame);
    return side;
  }

  // Video frame callbacks of one screen update all run before its animation frame callbacks, so
  // here both sides tell what is on the screen at the same moment.
  #compare() {
    if (!this.running) return;
    const [left, right] = this.sides;
    if ((left.fresh || right.fresh) && left.mediaTime !== null && right.mediaTime !== null) {
      const offset = Math.round((left.mediaTime - right.mediaTime) * this.fps);
      this.offsets[offset] = (this.offsets[offset] ?? 0) + 1;
      this.offsetMax = Math.max(this.offsetMax, Math.abs(offset));
    }
    left.fresh = right.fresh = false;
    requestAnimationFrame(() => this.#compare());
  }

  /** Stop recording and return the playback record's part about frames. */
  finish() {
    this.running = false;
    const [left, right] = this.sides.map((side) => {
      side.video.removeEventListener("waiting", side.onWaiting);
      const quality = side.video.getVideoPlaybackQuality();
      const dropped = quality.droppedVideoFrames - side.droppedBefore;
      const total = quality.totalVideoFrames - side.totalBefore;
      const shown = side.firstFrame === null ? total - dropped : side.lastFrame - side.firstFrame + 1;
      const box = side.video.getBoundingClientRect();
      return { shown, dropped, total, stalls: side.stalls, css_width: box.width, css_height: box.height };
    });
    return {
      left,
      right,
      offsets: this.offsets,
      offset_max: this.offsetMax,
      play_ms: Math.round(performance.now() - this.begun),
    };
  }
}
