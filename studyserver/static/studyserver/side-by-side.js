// Both videos beside each other, in step.

import { PairPlay, warmUp } from "./playback.js";

export class SideBySide {
  static columns = 2;
  static needsFrameTimes = true;

  constructor(stage) {
    this.stage = stage;
  }

  async prepare() {
    await Promise.all(this.stage.videos.map(warmUp));
  }

  /** Resolves to {record, firstFrameMs, inStep}. */
  play() {
    this.stage.show([0, 1]);
    this.running = new PairPlay(this.stage.videos, this.stage.fps);
    return this.running.run();
  }

  stop() {
    this.running?.stop();
  }
}
