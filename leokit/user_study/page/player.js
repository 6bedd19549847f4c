/* Two videos that start together, wait for each other at the end, and begin again. */

const LOOP_PAUSE_MS = 350; // the last frames stand still for a moment, so that the repeat is seen as one
const WATCHED_SHARE = 0.85; // of a video's length must have been played for it to count as watched

/** Turn an embedded video into an address for a video element. */
function videoAddress(id) {
  const text = atob(document.getElementById(`video-${id}`).textContent);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  return URL.createObjectURL(new Blob([bytes], { type: 'video/mp4' }));
}

class PairPlayer {
  /**
   * @param {HTMLElement[]} figures  The left and the right figure.
   * @param {function} onChange      Called whenever something that the page shows has changed.
   */
  constructor(figures, onChange) {
    this.onChange = onChange;
    this.generation = 0;
    this.sides = figures.map((figure) => ({
      figure,
      video: figure.querySelector('video'),
      bar: figure.querySelector('.playhead > div'),
      seen: figure.querySelector('.seen'),
      plays: 0,
      atEnd: false,
    }));
    for (const side of this.sides) {
      side.video.addEventListener('ended', () => this.ended(side));
      side.video.addEventListener('error', () => this.failed());
      side.video.addEventListener('loadedmetadata', () => {
        side.figure.style.setProperty('--aspect', side.video.videoWidth / side.video.videoHeight);
      });
      side.video.addEventListener('contextmenu', (event) => event.preventDefault());
    }
    const draw = () => { this.drawBars(); requestAnimationFrame(draw); };
    requestAnimationFrame(draw);
  }

  get watched() { return this.released || this.sides.every((side) => side.plays > 0); }
  get plays() { return this.sides.map((side) => side.plays); }

  /** Show a pair. @param {boolean} released  It was answered before: it need not be watched again. */
  load({ left, right }, released) {
    this.unload();
    this.released = released;
    this.broken = false;
    this.paused = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
    const generation = this.generation;
    const ready = this.sides.map((side, i) => new Promise((resolve) => {
      side.plays = 0;
      side.video.addEventListener('canplaythrough', resolve, { once: true });
      side.video.src = side.address = videoAddress([left, right][i]);
    }));
    Promise.all(ready).then(() => {
      if (generation === this.generation) this.restart();
    });
    this.onChange();
  }

  unload() {
    this.generation += 1;
    clearTimeout(this.timer);
    for (const side of this.sides) {
      side.video.pause();
      if (side.address) URL.revokeObjectURL(side.address);
    }
  }

  /** Play both from the start; a paused pair only goes back to its first frames. */
  restart() {
    clearTimeout(this.timer);
    for (const side of this.sides) {
      side.atEnd = false;
      side.video.currentTime = 0;
    }
    this.run();
  }

  replay() {
    this.paused = false;
    this.restart();
  }

  toggle() {
    this.paused = !this.paused;
    if (!this.paused && this.sides.every((side) => side.atEnd)) this.restart();
    else this.run();
  }

  run() {
    for (const { video, atEnd } of this.sides) {
      if (this.paused) {
        video.pause();
      } else if (!atEnd) {
        // refused where the browser allows no automatic playing: then the rater starts it
        video.play().catch((error) => {
          if (error.name === 'NotAllowedError') { this.paused = true; this.onChange(); }
        });
      }
    }
    if (this.paused) clearTimeout(this.timer);
    this.onChange();
  }

  ended(side) {
    side.atEnd = true;
    let played = 0;
    for (let i = 0; i < side.video.played.length; i += 1) {
      played += side.video.played.end(i) - side.video.played.start(i);
    }
    if (played >= WATCHED_SHARE * side.video.duration) side.plays += 1;
    if (this.sides.every((other) => other.atEnd) && !this.paused) {
      this.timer = setTimeout(() => this.restart(), LOOP_PAUSE_MS);
    }
    this.onChange();
  }

  failed() {
    this.broken = true;
    this.onChange();
  }

  drawBars() {
    for (const { video, bar } of this.sides) {
      bar.style.width = `${100 * (video.duration ? video.currentTime / video.duration : 0)}%`;
    }
  }
}
