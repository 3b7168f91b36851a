/**
 * `<facefix-compare>`: a slider that compares an image before and after.
 *
 * An ES module in one file without dependencies, so that pages that request it by its date never mix two versions.
 * Set the properties `before` and `after` (URLs), `faces`, and optionally `labels` and `layers`.
 * Drag the line, or move it with the arrow keys, Home, and End. A button for each face magnifies both sides.
 * The event `facefix-face` reports the number of the chosen face, or null for the whole image.
 *
 * The attribute `compact` hides the buttons of the faces, for pages that have their own.
 *
 * CSS variables set the colours and the largest height: --facefix-accent, --facefix-text, --facefix-surface,
 * --facefix-border, --facefix-compare-height.
 */

/**
 * @typedef {{number: number, box: [number, number, number, number]}} Face
 *   box: left, top, right, and bottom, relative to the image's width and height, 0..1.
 * @typedef {{url: string, box: [number, number, number, number], opacity: number}} Layer
 *   An image that is blended over the image after. box: as for a face. opacity: 0..1.
 * @typedef {{scale: number, x: number, y: number}} Look
 *   The visible part of the image. scale: magnification, 1 for the whole image. x, y: its centre, relative to the image.
 * @typedef {{x: number, y: number}} Spot  A position relative to the frame, 0..1.
 */

const FACE_MARGIN = 1.8; // side of the visible part around a face, relative to its box
const MAX_SCALE = 40; // largest magnification
const ZOOM_STEP = 1.25; // magnification by one press of +
const STEP = 1; // percent by which an arrow key moves the line
const STRIDE = 10; // percent by which it moves with Shift or a page key
const MIDDLE = 50; // percent from the left where the line rests
const WIPE_TIME = 1400; // milliseconds that one wipe takes
const MAX_RATIO_DIFFERENCE = 0.02; // relative difference of two aspect ratios that is ignored, as upscaling rounds sizes

/** @type {Look} */
const WHOLE = { scale: 1, x: 0.5, y: 0.5 };

/** Return a share of a movement that begins and ends slowly. @param {number} share */
const ease = (share) => share * share * (3 - 2 * share);

/** @param {number} value @param {number} low @param {number} high */
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/**
 * Return the look, limited so that the image fills the frame.
 * @param {number} scale @param {number} x @param {number} y
 * @returns {Look}
 */
function look(scale, x, y) {
  const kept = clamp(scale, 1, MAX_SCALE);
  const edge = 0.5 / kept;
  return { scale: kept, x: clamp(x, edge, 1 - edge), y: clamp(y, edge, 1 - edge) };
}

/** Return the look at a face with a margin. @param {Face} face @returns {Look} */
function lookAt({ box: [left, top, right, bottom] }) {
  const size = Math.max(right - left, bottom - top, 1e-6);
  return look(1 / (size * FACE_MARGIN), (left + right) / 2, (top + bottom) / 2);
}

/**
 * Return the look magnified further. The point under the spot stays in place.
 * @param {Look} old @param {number} times @param {Spot} spot
 */
function closer(old, times, spot) {
  const scale = clamp(old.scale * times, 1, MAX_SCALE);
  const shift = 1 / old.scale - 1 / scale;
  return look(scale, old.x + (spot.x - 0.5) * shift, old.y + (spot.y - 0.5) * shift);
}

/**
 * Return the look with the image moved, relative to the frame.
 * @param {Look} old @param {number} right @param {number} down
 */
function moved(old, right, down) {
  return look(old.scale, old.x - right / old.scale, old.y - down / old.scale);
}

/**
 * Return the position in the frame of a position in the image, both relative.
 * @param {Look} seen @param {"x" | "y"} axis @param {number} place
 */
const inFrame = (seen, axis, place) => (place - seen[axis]) * seen.scale + 0.5;

/** Return the element's own CSS. */
function styleSheet() {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  return sheet;
}

/** HTMLElement without the methods that FacefixCompare replaces with properties. */
const Plain = /** @type {new () => Omit<HTMLElement, "before" | "after">} */ (HTMLElement);

/** The element. Its properties `before` and `after` hide the methods of these names, which are not needed. */
export class FacefixCompare extends Plain {
  /** @type {Face[]} */ #faces = [];
  /** @type {number | null} */ #face = null;
  /** @type {Look} */ #look = WHOLE;
  #position = MIDDLE;
  /** Layers over the image after, each with its element. @type {{layer: Layer, image: HTMLImageElement}[]} */ #layers = [];
  /** Whether only the image before is visible for the moment. */ #peeking = false;
  /** Number of the next animation frame of the running wipe, 0 without one. */ #wiping = 0;
  /** @type {HTMLElement} */ #tools;
  /** @type {HTMLElement} */ #buttons;
  /** @type {HTMLElement} */ #frame;
  /** @type {HTMLElement} */ #badges;
  /** @type {HTMLElement} */ #line;
  /** @type {HTMLElement} */ #note;
  /** @type {{before: HTMLElement, after: HTMLElement}} */ #sides;
  /** @type {{before: HTMLElement, after: HTMLElement}} */ #words;
  /** @type {{before: HTMLImageElement, after: HTMLImageElement}} */ #images;
  #urls = { before: "", after: "" };
  #labels = { before: "Before", after: "After" };
  /** Positions of pressed fingers or the mouse, by pointer. @type {Map<number, Spot>} */ #held = new Map();
  /** The part that a drag moves. @type {"line" | "picture" | "unknown"} */ #drags = "line";

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.innerHTML = FRAME;
    root.adoptedStyleSheets = [styleSheet()]; // allowed even if the page's policy forbids inline styles
    const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (root.querySelector(name));
    this.#tools = part(".tools");
    this.#buttons = part(".faces");
    this.#frame = part(".frame");
    this.#badges = part(".badges");
    this.#line = part(".line");
    this.#note = part(".note");
    this.#sides = { before: part(".before"), after: part(".after") };
    this.#words = { before: part(".before .word"), after: part(".after .word") };
    this.#images = { before: this.#image("before"), after: this.#image("after") };
    this.#listen();
    this.#showFaces();
    this.#showPosition();
    this.#showLook();
    this.#showPictures();
  }

  /** Apply properties that were set before the browser knew this element. */
  connectedCallback() {
    const self = /** @type {Record<string, any>} */ (this);
    for (const name of ["labels", "before", "after", "layers", "faces", "position", "face"]) {
      if (Object.hasOwn(this, name)) {
        const value = self[name];
        delete self[name];
        self[name] = value;
      }
    }
  }

  /** URL of the image before, or blank. */
  get before() { return this.#urls.before; }
  set before(url) { this.#setPicture("before", url); }

  /** URL of the image after, or blank. */
  get after() { return this.#urls.after; }
  set after(url) { this.#setPicture("after", url); }

  /** Images blended over the image after. Changing only the opacity is cheap. @type {Layer[]} */
  get layers() { return this.#layers.map(({ layer }) => layer); }
  set layers(layers) {
    const same = layers.length === this.#layers.length && layers.every(({ url }, i) => url === this.#layers[i].layer.url);
    if (!same) {
      for (const { image } of this.#layers) image.remove();
      this.#layers = layers.map((layer) => ({ layer, image: Object.assign(new Image(), { src: layer.url, alt: "", draggable: false }) }));
      this.#images.after.after(...this.#layers.map(({ image }) => image));
    }
    this.#layers.forEach((one, i) => {
      one.layer = layers[i];
      one.image.style.opacity = String(layers[i].opacity);
    });
    this.#showLook();
  }

  /** The faces that have a button. @type {Face[]} */
  get faces() { return this.#faces; }
  set faces(faces) {
    this.#faces = [...(faces ?? [])];
    if (this.#face !== null) this.face = this.#face;
    this.#showFaces();
    this.#showLook();
  }

  /** Number of the magnified face, or null for the whole image. Setting it fires no event. */
  get face() { return this.#face; }
  set face(number) {
    this.#endWipe();
    const face = this.#faces.find((known) => known.number === number);
    this.#face = face ? face.number : null;
    this.#frame.classList.add("gliding");
    this.#see(face ? lookAt(face) : WHOLE);
    if (face) this.#cross(face);
  }

  /** Where the line is, percent from the left; what lies left of it shows the picture before. */
  get position() { return this.#position; }
  set position(percent) {
    this.#endWipe();
    this.#place(percent);
  }

  /** What the two sides are called. @type {{before?: string, after?: string}} */
  get labels() { return this.#labels; }
  set labels(labels) {
    this.#labels = { before: "Before", after: "After", ...labels };
    this.#showPosition();
    this.#showPictures();
  }

  /** Show the whole picture again, with the line in the middle. */
  reset() {
    this.face = null;
    this.position = MIDDLE;
  }

  /** Show only the image before, or both again. @param {boolean} whether */
  peek(whether) {
    if (whether) this.#endWipe();
    this.#peeking = whether;
    this.#showPosition();
  }

  /** Give the line the focus. */
  focusLine() {
    this.#line.focus({ preventScroll: true });
  }

  /**
   * Move the line once across the frame, from the image before to the image after, and back to the middle.
   * What a person or the page does to the comparison ends it, with the line in the middle.
   */
  wipe() {
    this.#endWipe();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const start = performance.now();
    const step = (/** @type {number} */ now) => {
      const share = clamp((now - start) / WIPE_TIME, 0, 1);
      this.#place(share < 0.6 ? 100 - 100 * ease(share / 0.6) : MIDDLE * ease((share - 0.6) / 0.4));
      this.#wiping = share < 1 ? requestAnimationFrame(step) : 0;
    };
    step(start);
  }

  // What a person does

  #listen() {
    this.#tools.addEventListener("click", (event) => this.#pressed(event.target));
    this.#badges.addEventListener("click", (event) => this.#pressed(event.target));
    this.#frame.addEventListener("pointerdown", (event) => this.#down(event));
    this.#frame.addEventListener("pointermove", (event) => this.#dragged(event));
    this.#frame.addEventListener("pointerup", (event) => this.#up(event));
    this.#frame.addEventListener("pointercancel", (event) => this.#held.delete(event.pointerId));
    this.#frame.addEventListener("mousedown", (event) => event.preventDefault()); // keeps the focus on the line
    this.#frame.addEventListener("wheel", (event) => this.#wheeled(event), { passive: false });
    this.shadowRoot?.addEventListener("keydown", (event) => this.#typed(/** @type {KeyboardEvent} */ (event)));
  }

  /** A button, or a number on the picture. @param {EventTarget | null} target */
  #pressed(target) {
    const button = target instanceof Element ? target.closest("[data-face], [data-zoom]") : null;
    if (!(button instanceof HTMLElement)) return;
    if (button.dataset.zoom) this.#zoom(Number(button.dataset.zoom));
    else this.#choose(button.dataset.face ? Number(button.dataset.face) : null);
  }

  /** @param {number | null} number */
  #choose(number) {
    this.face = number;
    this.dispatchEvent(new CustomEvent("facefix-face", { detail: this.#face, bubbles: true, composed: true }));
  }

  /** @param {number} times @param {Spot} [spot] */
  #zoom(times, spot = { x: 0.5, y: 0.5 }) {
    this.#frame.classList.remove("gliding");
    this.#see(closer(this.#look, times, spot));
    if (this.#look.scale === 1 && this.#face !== null) this.#choose(null);
  }

  /** @param {PointerEvent} event */
  #down(event) {
    const target = /** @type {Element} */ (event.target);
    if (event.button !== 0 || target.closest("[data-face]")) return;
    this.#endWipe();
    this.#frame.setPointerCapture(event.pointerId);
    this.#line.focus({ preventScroll: true });
    this.#frame.classList.remove("gliding");
    this.#held.set(event.pointerId, this.#spot(event));
    this.#drags = this.#meant(target, event.pointerType);
    if (this.#drags === "line") this.#pull(event);
  }

  /** Return the part that a drag from here moves. @param {Element} target @param {string} kind */
  #meant(target, kind) {
    if (target.closest(".line")) return "line";
    if (this.#look.scale > 1) return "picture";
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
    else this.#see(moved(this.#look, now.x - before.x, now.y - before.y));
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (this.#held.delete(event.pointerId) && this.#drags !== "picture") this.#pull(event);
  }

  /** Move the line to the pointer. @param {PointerEvent} event */
  #pull(event) {
    this.position = this.#spot(event).x * 100;
  }

  /** Zoom and move the image after one of two fingers has moved. @param {Spot} other @param {Spot} before @param {Spot} now */
  #pinched(other, before, now) {
    const { width, height } = this.#frame.getBoundingClientRect();
    const apart = (/** @type {Spot} */ spot) => Math.hypot((spot.x - other.x) * width, (spot.y - other.y) * height);
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    this.#drags = "picture";
    this.#see(moved(this.#look, (now.x - before.x) / 2, (now.y - before.y) / 2));
    this.#zoom(apart(now) / Math.max(apart(before), 1), middle);
  }

  /**
   * Zoom with the wheel if the image was clicked before. Otherwise the page scrolls.
   * @param {WheelEvent} event
   */
  #wheeled(event) {
    const zooms = event.ctrlKey || this.#look.scale > 1 || this.shadowRoot?.activeElement;
    if (!zooms || (this.#look.scale === 1 && event.deltaY > 0)) return;
    event.preventDefault();
    this.#zoom(event.deltaY < 0 ? ZOOM_STEP : 1 / ZOOM_STEP, this.#spot(event));
  }

  /** @param {KeyboardEvent} event */
  #typed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    this.#endWipe();
    if (!this.#typedOnLine(event) && !this.#typedOnPicture(event) && !this.#typedAnywhere(event)) return;
    event.preventDefault();
    event.stopPropagation(); // the host page has its own shortcuts
  }

  /** Return whether a key moved the line. @param {KeyboardEvent} event */
  #typedOnLine(event) {
    if (event.target !== this.#line) return false;
    const step = event.shiftKey ? STRIDE : STEP;
    /** @type {Record<string, number>} */
    const steps = {
      ...{ ArrowLeft: -step, ArrowDown: -step, ArrowRight: step, ArrowUp: step },
      ...{ PageDown: -STRIDE, PageUp: STRIDE },
    };
    if (event.key in steps) this.position = Math.round(this.position + steps[event.key]);
    else if (event.key === "Home") this.position = 0;
    else if (event.key === "End") this.position = 100;
    else return false;
    return true;
  }

  /** Return whether a key moved the magnified image. @param {KeyboardEvent} event */
  #typedOnPicture(event) {
    /** @type {Record<string, [number, number]>} */
    const ways = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (event.target !== this.#frame || !(event.key in ways)) return false;
    const [right, down] = ways[event.key];
    this.#see(moved(this.#look, right / 10, down / 10));
    return true;
  }

  /** Return whether a key chose a face or zoomed. @param {KeyboardEvent} event */
  #typedAnywhere(event) {
    if (event.key === "+" || event.key === "=") this.#zoom(ZOOM_STEP);
    else if (event.key === "-") this.#zoom(1 / ZOOM_STEP);
    else if (event.key === "0" || (event.key === "Escape" && this.#look.scale > 1)) this.#choose(null);
    else if (this.#faces.some((face) => String(face.number) === event.key)) this.#choose(Number(event.key));
    else return false;
    return true;
  }

  /** @param {MouseEvent} event @returns {Spot} */
  #spot(event) {
    const { left, top, width, height } = this.#frame.getBoundingClientRect();
    return { x: (event.clientX - left) / width, y: (event.clientY - top) / height };
  }

  // Display

  /** End a wipe, as if it had run to its end. */
  #endWipe() {
    if (!this.#wiping) return;
    cancelAnimationFrame(this.#wiping);
    this.#wiping = 0;
    this.#place(MIDDLE);
  }

  /** Move the line, which ends no wipe. @param {number} percent */
  #place(percent) {
    this.#position = clamp(Number(percent) || 0, 0, 100);
    this.#showPosition();
  }

  /** Move the line to a face, unless it is at an end, where only one side is visible. @param {Face} face */
  #cross({ box: [left, , right] }) {
    const [from, to] = [left, right].map((edge) => inFrame(this.#look, "x", edge) * 100);
    const aside = this.position < from || this.position > to;
    if (aside && this.position > 0 && this.position < 100) this.position = (from + to) / 2;
  }

  /** @param {"before" | "after"} side */
  #image(side) {
    const image = /** @type {HTMLImageElement} */ (this.#sides[side].querySelector("img"));
    image.addEventListener("load", () => this.#showPictures());
    image.addEventListener("error", () => this.#showPictures());
    return image;
  }

  /** @param {"before" | "after"} side @param {string} url */
  #setPicture(side, url) {
    this.#urls[side] = url ?? "";
    if (url) this.#images[side].src = url;
    else this.#images[side].removeAttribute("src");
    this.#showPictures();
  }

  /** Show the images when both are loaded, or a message if one is missing. */
  #showPictures() {
    const sides = /** @type {const} */ (["before", "after"]);
    for (const side of sides) this.#images[side].alt = this.#labels[side];
    const problem = this.#problem(sides);
    const there = !problem && sides.every((side) => this.#urls[side]);
    if (there && !sides.every((side) => this.#images[side].complete)) return; // keep the old images until then
    this.#frame.hidden = this.#tools.hidden = !there;
    this.#note.textContent = there ? this.#shapes() : problem;
  }

  /**
   * Return a message about a missing or damaged image, or blank.
   * @param {readonly ("before" | "after")[]} sides
   */
  #problem(sides) {
    const missing = sides.filter((side) => !this.#urls[side]);
    if (missing.length === 1) return `The image “${this.#labels[missing[0]]}” is missing, so there is nothing to compare.`;
    const images = sides.filter((side) => this.#urls[side] && this.#images[side].complete);
    const broken = images.filter((side) => this.#images[side].naturalWidth === 0);
    const names = broken.map((side) => `“${this.#labels[side]}”`).join(" and ");
    return names && `The image ${names} cannot be shown. It was deleted, or this browser does not support its format.`;
  }

  /** Give the frame the aspect ratio of the image after. Return a message if the other one differs. */
  #shapes() {
    const [before, after] = [this.#images.before, this.#images.after].map((i) => i.naturalWidth / i.naturalHeight);
    for (const part of [this.#frame, this.#tools]) part.style.setProperty("--ratio", String(after));
    const alike = Math.abs(before / after - 1) < MAX_RATIO_DIFFERENCE;
    return alike ? "" : "The two images differ in shape, so one is stretched.";
  }

  #showPosition() {
    const percent = Math.round(this.#position);
    this.#frame.style.setProperty("--position", `${this.#peeking ? 100 : this.#position}%`);
    for (const side of /** @type {const} */ (["before", "after"])) {
      this.#words[side].textContent = this.#labels[side];
    }
    const { before, after } = this.#labels;
    this.#line.setAttribute("aria-label", `Line between “${before}” and “${after}”`);
    this.#line.setAttribute("aria-valuenow", String(percent));
    this.#line.setAttribute("aria-valuetext", `${percent} % ${before}, ${100 - percent} % ${after}`);
  }

  /** Make a button and a number on the image for each face. */
  #showFaces() {
    const button = (/** @type {number | ""} */ number, /** @type {string} */ text, /** @type {string} */ told) =>
      `<button type="button" data-face="${number}" aria-label="${told}">${text}</button>`;
    const numbers = this.#faces.map((face) => Number(face.number));
    const each = numbers.map((number) => button(number, String(number), `Face ${number}`));
    this.#buttons.innerHTML = [button("", "Whole image", "Whole image"), ...each].join("");
    this.#badges.innerHTML = numbers.map((number) => `<span data-face="${number}">${number}</span>`).join("");
  }

  /** @param {Look} seen */
  #see(seen) {
    this.#look = seen;
    this.#showLook();
  }

  /** Magnify both sides, move the numbers to the faces, and mark the button of the chosen face. */
  #showLook() {
    const { scale, x, y } = this.#look;
    this.#frame.classList.toggle("zoomed", scale > 1);
    this.#frame.tabIndex = scale > 1 ? 0 : -1; // not removed, as the frame would lose the focus
    const magnified = `translate(${(0.5 - x * scale) * 100}%, ${(0.5 - y * scale) * 100}%) scale(${scale})`;
    for (const image of Object.values(this.#images)) image.style.transform = magnified;
    for (const { image, layer: { box: [left, top, right, bottom] } } of this.#layers) {
      // the box of the whole image, shrunk by a transform: `left` and `width` would be rounded to pixels of the screen
      image.style.transform = `${magnified} translate(${left * 100}%, ${top * 100}%) scale(${right - left}, ${bottom - top})`;
    }
    this.#faces.forEach(({ box: [left, top] }, at) => {
      const badge = /** @type {HTMLElement} */ (this.#badges.children[at]);
      if (!badge) return;
      badge.style.left = `${inFrame(this.#look, "x", left) * 100}%`;
      badge.style.top = `${inFrame(this.#look, "y", top) * 100}%`;
    });
    for (const button of this.#buttons.children) {
      const chosen = /** @type {HTMLElement} */ (button).dataset.face === String(this.#face ?? "");
      button.setAttribute("aria-pressed", String(chosen));
    }
  }
}

const FRAME = `
  <div class="tools" role="group" aria-label="Zoom">
    <span class="faces"></span>
    <span class="zoom">
      <button type="button" data-zoom="${1 / ZOOM_STEP}" aria-label="Zoom out">−</button>
      <button type="button" data-zoom="${ZOOM_STEP}" aria-label="Zoom in">+</button>
    </span>
  </div>
  <div class="frame" role="group" aria-label="Image. When magnified, move it with the arrow keys." hidden>
    <div class="side before"><img alt="" draggable="false"><span class="word"></span></div>
    <div class="side after"><img alt="" draggable="false"><span class="word"></span></div>
    <div class="line" role="slider" tabindex="0" aria-valuemin="0" aria-valuemax="100"></div>
    <div class="badges" aria-hidden="true"></div>
  </div>
  <p class="note" role="status"></p>`;

const STYLE = `
  :host {
    display: block;
    --accent: var(--facefix-accent, #2563eb);
    --text: var(--facefix-text, #1f2937);
    --surface: var(--facefix-surface, #ffffff);
    --border: var(--facefix-border, #6b7280);
    color: var(--text);
    font-size: 1rem;
  }
  :host([hidden]), [hidden] { display: none !important; }
  @media (prefers-color-scheme: dark) {
    :host {
      --accent: var(--facefix-accent, #60a5fa);
      --text: var(--facefix-text, #f3f4f6);
      --surface: var(--facefix-surface, #1f2937);
      --border: var(--facefix-border, #9ca3af);
    }
  }

  .tools { display: flex; flex-wrap: wrap; gap: 0.5em; justify-content: space-between; margin-bottom: 0.5em; }
  .faces, .zoom { display: flex; flex-wrap: wrap; gap: 0.25em; }
  button {
    min-width: 2.5em;
    min-height: 2.5em;
    padding: 0.25em 0.75em;
    border: 1px solid var(--border);
    border-radius: 0.375em;
    background: var(--surface);
    color: var(--text);
    font: inherit;
    cursor: pointer;
    touch-action: manipulation;
  }
  button[aria-pressed="true"] { border-color: var(--accent); box-shadow: inset 0 0 0 2px var(--accent); }
  :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }

  .frame, :host([compact]) .tools {
    width: min(100%, calc(var(--facefix-compare-height, 80vh) * var(--ratio, 1)));
    margin: 0 auto;
  }
  .frame {
    position: relative;
    aspect-ratio: var(--ratio, 1);
    overflow: hidden;
    direction: ltr;
    cursor: ew-resize;
    touch-action: pan-y;
    user-select: none;
    -webkit-user-select: none;
  }
  .frame.zoomed { cursor: grab; touch-action: none; }
  .frame.zoomed:active { cursor: grabbing; }
  .side { position: absolute; inset: 0; overflow: hidden; }
  .before { clip-path: inset(0 calc(100% - var(--position)) 0 0); }
  .after { clip-path: inset(0 0 0 var(--position)); }
  img { width: 100%; height: 100%; display: block; transform-origin: 0 0; }
  .after img + img { position: absolute; inset: 0; }
  :host([compact]) { position: relative; }
  :host([compact]) .faces { display: none; }
  :host([compact]) .tools { position: absolute; z-index: 1; inset: 0.5em 0 auto; justify-content: flex-end; pointer-events: none; }
  :host([compact]) .zoom { margin-right: 0.5em; pointer-events: auto; }

  .word, .badges span {
    position: absolute;
    padding: 0.15em 0.5em;
    border-radius: 0.25em;
    background: rgb(0 0 0 / 65%);
    color: #ffffff;
    font-size: 0.875em;
    line-height: 1.3;
  }
  .word { bottom: 0.5em; pointer-events: none; }
  .before .word { left: 0.5em; }
  .after .word { right: 0.5em; }
  .badges span { transform: translate(-25%, -75%); cursor: zoom-in; }

  .line {
    position: absolute;
    top: 0;
    bottom: 0;
    left: var(--position);
    width: 2.75em;
    transform: translateX(-50%);
    cursor: ew-resize;
    outline: none;
  }
  .line::before, .line::after { position: absolute; left: 50%; transform: translateX(-50%); background: #ffffff; }
  .line::before { content: ""; top: 0; bottom: 0; width: 3px; box-shadow: 0 0 0 1px rgb(0 0 0 / 60%); }
  .line::after {
    content: "↔";
    bottom: 3.5em;
    width: 1.6em;
    height: 1.6em;
    border-radius: 50%;
    color: #374151;
    font-size: 1.25em;
    line-height: 1.6em;
    text-align: center;
    box-shadow: 0 0 0 1px rgb(0 0 0 / 60%), 0 1px 4px rgb(0 0 0 / 40%);
  }
  .line:focus-visible::after { box-shadow: 0 0 0 1px #000000, 0 0 0 5px var(--accent); }

  .note { margin: 0.5em 0 0; }
  .note:empty { display: none; }

  @media (prefers-reduced-motion: no-preference) {
    .gliding img { transition: transform 0.2s ease-out; }
    .gliding .badges span { transition: left 0.2s ease-out, top 0.2s ease-out; }
  }
  @media (forced-colors: active) {
    .line::before, .line::after { background: Highlight; forced-color-adjust: none; }
  }`;

if (!customElements.get("facefix-compare")) {
  customElements.define("facefix-compare", /** @type {CustomElementConstructor} */ (/** @type {unknown} */ (FacefixCompare)));
}
