/** The wipe of `<facefix-compare>`: the line moves across the images by itself, once. */

export const MIDDLE = 50; // percent from the left where the line rests
const TIME = 1400; // milliseconds that one wipe takes
const BACK = 0.6; // share of the time after which the line turns back at the left end

/** Return a share of a movement that begins and ends slowly. @param {number} share */
const ease = (share) => share * share * (3 - 2 * share);

export class Wipe {
  /** Number of the next animation frame of the running wipe, 0 without one. */ #frame = 0;

  /** place: moves the line. @param {(percent: number) => void} place */
  constructor(place) {
    this.place = place;
  }

  /** Start at the right end, unless the user prefers no motion. */
  start() {
    this.end();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const start = performance.now();
    const step = (/** @type {number} */ now) => {
      const share = Math.min(Math.max((now - start) / TIME, 0), 1);
      this.place(share < BACK ? 100 - 100 * ease(share / BACK) : MIDDLE * ease((share - BACK) / (1 - BACK)));
      this.#frame = share < 1 ? requestAnimationFrame(step) : 0;
    };
    step(start);
  }

  /** End a running wipe, as if it had run to its end. */
  end() {
    if (!this.#frame) return;
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.place(MIDDLE);
  }
}
