// One video after the other in the same place, with a grey pause between them.

import { SinglePlay, Stopped, warmUp } from "./playback.js";

const PAUSE_MS = 700;

export class Sequential {
  static columns = 1;
  static needsFrameTimes = false;

  constructor(stage) {
    this.stage = stage;
  }

  async prepare() {
    await Promise.all(this.stage.videos.map(warmUp));
  }

  /** Resolves to {record, firstFrameMs, inStep}; there is nothing to be in step with. */
  async play() {
    const first = await this.#one(0);
    const { running } = this;
    this.stage.show([]);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    // Stopped in the pause, or another play has begun since.
    if (running.stopped || this.running !== running) throw new Stopped();
    const second = await this.#one(1);
    const playMs = Math.round(first.playMs + second.playMs);
    return {
      record: { left: first.side, right: second.side, play_ms: playMs },
      firstFrameMs: first.firstFrameMs ?? 0,
      inStep: true,
    };
  }

  #one(side) {
    this.stage.show([side]);
    this.running = new SinglePlay(this.stage.videos[side], this.stage.fps);
    return this.running.run();
  }

  stop() {
    this.running?.stop();
  }
}
