/** What a person does with `<facefix-compare>`: mouse, fingers, wheel, and keys. */

/** @import { Face, Look, Spot } from "./compare_look.js" */
/**
 * @typedef {object} View  What gestures change.
 * @property {() => Look} look
 * @property {(seen: Look) => void} see  Show another part of the images.
 * @property {(times: number, spot: Spot) => void} zoom
 * @property {(number: number | null) => void} choose  Choose a face. null: the whole image.
 * @property {() => Face[]} faces
 * @property {() => number} position  Where the line is, percent from the left.
 * @property {(percent: number) => void} move  Move the line.
 * @property {() => void} begin  Called before the line or the images are moved.
 */

const QUERY = new URL(import.meta.url).search;
/** @type {typeof import("./compare_look.js")} */
const { moved } = await import(`./compare_look.js${QUERY}`);
/** @type {typeof import("./compare_frame.js")} */
const { ZOOM_STEP } = await import(`./compare_frame.js${QUERY}`);

const STEP = 1; // percent by which an arrow key moves the line
const STRIDE = 10; // percent by which it moves with Shift or a page key
/** @type {Spot} */
const MIDDLE = { x: 0.5, y: 0.5 };

export class Gestures {
  /** Positions of pressed fingers or the mouse, by pointer. @type {Map<number, Spot>} */ #held = new Map();
  /** The part that a drag moves. @type {"line" | "picture" | "unknown"} */ #drags = "line";

  /** Listen in the element's shadow root. @param {ShadowRoot} root @param {View} view */
  constructor(root, view) {
    this.root = root;
    this.view = view;
    this.frame = /** @type {HTMLElement} */ (root.querySelector(".frame"));
    this.line = /** @type {HTMLElement} */ (root.querySelector(".line"));
    this.#listen();
  }

  #listen() {
    this.root.addEventListener("click", (event) => this.#pressed(event.target));
    this.frame.addEventListener("pointerdown", (event) => this.#down(event));
    this.frame.addEventListener("pointermove", (event) => this.#dragged(event));
    this.frame.addEventListener("pointerup", (event) => this.#up(event));
    this.frame.addEventListener("pointercancel", (event) => this.#held.delete(event.pointerId));
    this.frame.addEventListener("mousedown", (event) => event.preventDefault()); // keeps the focus on the line
    this.frame.addEventListener("wheel", (event) => this.#wheeled(event), { passive: false });
    this.root.addEventListener("keydown", (event) => this.#typed(/** @type {KeyboardEvent} */ (event)));
  }

  /** A button, or a number on the picture. @param {EventTarget | null} target */
  #pressed(target) {
    const button = target instanceof Element ? target.closest("[data-face], [data-zoom]") : null;
    if (!(button instanceof HTMLElement)) return;
    if (button.dataset.zoom) this.view.zoom(Number(button.dataset.zoom), MIDDLE);
    else this.view.choose(button.dataset.face ? Number(button.dataset.face) : null);
  }

  /** @param {PointerEvent} event */
  #down(event) {
    const target = /** @type {Element} */ (event.target);
    if (event.button !== 0 || target.closest("[data-face]")) return;
    this.view.begin();
    this.frame.setPointerCapture(event.pointerId);
    this.line.focus({ preventScroll: true });
    this.frame.classList.remove("gliding");
    this.#held.set(event.pointerId, this.#spot(event));
    this.#drags = this.#meant(target, event.pointerType);
    if (this.#drags === "line") this.#pull(event);
  }

  /** Return the part that a drag from here moves. @param {Element} target @param {string} kind */
  #meant(target, kind) {
    if (target.closest(".line")) return "line";
    if (this.view.look().scale > 1) return "picture";
    return kind === "mouse" ? "line" : "unknown"; // the user may want to scroll
  }

  /** @param {PointerEvent} event */
  #dragged(event) {
    const before = this.#held.get(event.pointerId);
    if (!before) return;
    const now = this.#spot(event);
    const [other] = [...this.#held].filter(([id]) => id !== event.pointerId).map(([, spot]) => spot);
    if (this.#drags === "unknown" && !other) {
      if (Math.abs(now.x - before.x) <= Math.abs(now.y - before.y)) return;
      this.#drags = "line";
    }
    this.#held.set(event.pointerId, now);
    if (other) this.#pinched(other, before, now);
    else if (this.#drags === "line") this.#pull(event);
    else this.view.see(moved(this.view.look(), now.x - before.x, now.y - before.y));
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (this.#held.delete(event.pointerId) && this.#drags !== "picture") this.#pull(event);
  }

  /** Move the line to the pointer. @param {PointerEvent} event */
  #pull(event) {
    this.view.move(this.#spot(event).x * 100);
  }

  /** Zoom and move the image after one of two fingers has moved. @param {Spot} other @param {Spot} before @param {Spot} now */
  #pinched(other, before, now) {
    const { width, height } = this.frame.getBoundingClientRect();
    const apart = (/** @type {Spot} */ spot) => Math.hypot((spot.x - other.x) * width, (spot.y - other.y) * height);
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    this.#drags = "picture";
    this.view.see(moved(this.view.look(), (now.x - before.x) / 2, (now.y - before.y) / 2));
    this.view.zoom(apart(now) / Math.max(apart(before), 1), middle);
  }

  /**
   * Zoom with the wheel if the image was clicked before. Otherwise the page scrolls.
   * @param {WheelEvent} event
   */
  #wheeled(event) {
    const zooms = event.ctrlKey || this.view.look().scale > 1 || this.root.activeElement;
    if (!zooms || (this.view.look().scale === 1 && event.deltaY > 0)) return;
    event.preventDefault();
    this.view.zoom(event.deltaY < 0 ? ZOOM_STEP : 1 / ZOOM_STEP, this.#spot(event));
  }

  /** @param {KeyboardEvent} event */
  #typed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    this.view.begin();
    if (!this.#typedOnLine(event) && !this.#typedOnPicture(event) && !this.#typedAnywhere(event)) return;
    event.preventDefault();
    event.stopPropagation(); // the host page has its own shortcuts
  }

  /** Return whether a key moved the line. @param {KeyboardEvent} event */
  #typedOnLine(event) {
    if (event.target !== this.line) return false;
    const step = event.shiftKey ? STRIDE : STEP;
    /** @type {Record<string, number>} */
    const steps = {
      ...{ ArrowLeft: -step, ArrowDown: -step, ArrowRight: step, ArrowUp: step },
      ...{ PageDown: -STRIDE, PageUp: STRIDE },
    };
    if (event.key in steps) this.view.move(Math.round(this.view.position() + steps[event.key]));
    else if (event.key === "Home") this.view.move(0);
    else if (event.key === "End") this.view.move(100);
    else return false;
    return true;
  }

  /** Return whether a key moved the magnified image. @param {KeyboardEvent} event */
  #typedOnPicture(event) {
    /** @type {Record<string, [number, number]>} */
    const ways = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (event.target !== this.frame || !(event.key in ways)) return false;
    const [right, down] = ways[event.key];
    this.view.see(moved(this.view.look(), right / 10, down / 10));
    return true;
  }

  /** Return whether a key chose a face or zoomed. @param {KeyboardEvent} event */
  #typedAnywhere(event) {
    if (event.key === "+" || event.key === "=") this.view.zoom(ZOOM_STEP, MIDDLE);
    else if (event.key === "-") this.view.zoom(1 / ZOOM_STEP, MIDDLE);
    else if (event.key === "0" || (event.key === "Escape" && this.view.look().scale > 1)) this.view.choose(null);
    else if (this.view.faces().some((face) => String(face.number) === event.key)) this.view.choose(Number(event.key));
    else return false;
    return true;
  }

  /** @param {MouseEvent} event @returns {Spot} */
  #spot(event) {
    const { left, top, width, height } = this.frame.getBoundingClientRect();
    return { x: (event.clientX - left) / width, y: (event.clientY - top) / height };
  }
}
