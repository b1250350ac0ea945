// The place of the videos: one video pixel on one device pixel, on whole device pixels.

// Between the two, in CSS pixels; less where both fit only without it.
const GAP = 16;
const LEAST_HEIGHT = 120;

/** Two videos in their frames; presentations say which are shown, and never where. */
export class Stage {
  scale = 1;

  constructor(pair, frames, room) {
    this.pair = pair;
    this.frames = frames;
    this.videos = frames.map((frame) => frame.querySelector("video"));
    this.room = room;
    this.hint = () => {};
    this.shown = () => {};
  }

  /** Make room for a trial's videos in one column or two. */
  begin(trial, columns) {
    Object.assign(this, { columns, width: trial.width, height: trial.height, fps: trial.fps });
    this.seconds = trial.frames / trial.fps;
    this.show(columns === 2 ? [0, 1] : [0]);
    this.layout();
  }

  /** Put these videos (0 left or first, 1 right or second) on the screen. */
  show(sides) {
    this.frames.forEach((frame, side) => frame.classList.toggle("behind", !sides.includes(side)));
    this.pair.classList.toggle("blank", sides.length === 0);
    this.shown(sides);
  }

  layout() {
    if (!this.columns) return;
    const ratio = window.devicePixelRatio || 1;
    const { width: roomX, height: roomY } = this.room();
    const across = Math.floor(roomX * ratio);
    const spare = across - this.columns * this.width;
    const between = (this.columns - 1) * Math.round(GAP * ratio);
    this.scale = Math.min(
      1,
      (spare < 0 ? across - between : across) / (this.columns * this.width),
      Math.floor(Math.max(roomY, LEAST_HEIGHT) * ratio) / this.height,
    );
    const width = Math.round(this.width * this.scale);
    const height = Math.round(this.height * this.scale);
    this.pair.style.minHeight = `${Math.ceil(height / ratio)}px`;
    const place = this.pair.getBoundingClientRect();
    const all = this.columns * width + Math.min(between, across - this.columns * width);
    // Device pixels from the corner of the page, where the browser's own grid begins.
    const left = Math.round(((place.left + place.right) * ratio - all) / 2);
    const top = Math.round(((place.top + place.bottom + 2 * window.scrollY) * ratio - height) / 2);
    this.frames.forEach((frame, side) => {
      const x = left + (this.columns === 2 ? side * (all - width) : 0);
      frame.style.left = `${x / ratio - place.left}px`;
      frame.style.top = `${top / ratio - place.top - window.scrollY}px`;
      frame.style.width = `${width / ratio}px`;
      frame.style.height = `${height / ratio}px`;
    });
  }
}
