/**
 * `<facefix-compare>`: a picture before and after, one over the other, and between them a line that is moved.
 *
 * An ES module without dependencies, in one file: pages that ask for it by its date never mix two versions.
 * Set the properties `before` and `after` (URLs), `faces`, and perhaps `labels`.
 * The line is dragged, or moved with the arrow keys, Home and End; a button for each face magnifies both sides alike.
 * When a person chooses a face the event `facefix-face` tells its number, or null for the whole picture.
 *
 * Colours and size are CSS variables: --facefix-accent, --facefix-text, --facefix-surface, --facefix-border,
 * --facefix-compare-height (of the picture, at most).
 */

/**
 * @typedef {{number: number, box: [number, number, number, number]}} Face
 *   box: left, top, right, bottom, as shares of the picture's width and height, 0..1.
 * @typedef {{scale: number, x: number, y: number}} Look
 *   What is seen of the picture: magnified how much, 1 for the whole; its middle, as shares of the picture.
 * @typedef {{x: number, y: number}} Spot  In shares of the frame, 0..1.
 */

const ROOM = 1.8; // side of what is shown of a face, in sizes of its box
const MOST = 40; // times that a picture can be magnified
const CLOSER = 1.25; // times that one press of + magnifies
const STEP = 1; // percent that an arrow key moves the line
const STRIDE = 10; // percent with Shift, or by a page key
const ALIKE = 0.02; // share by which the shapes of two pictures may differ unnoticed: enlarging rounds sizes

/** @type {Look} */
const WHOLE = { scale: 1, x: 0.5, y: 0.5 };

/** @param {number} value @param {number} low @param {number} high */
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/**
 * Return the look with nothing beside the picture in the frame.
 * @param {number} scale @param {number} x @param {number} y
 * @returns {Look}
 */
function look(scale, x, y) {
  const kept = clamp(scale, 1, MOST);
  const edge = 0.5 / kept;
  return { scale: kept, x: clamp(x, edge, 1 - edge), y: clamp(y, edge, 1 - edge) };
}

/** Return the look at a face, with some room around. @param {Face} face @returns {Look} */
function lookAt({ box: [left, top, right, bottom] }) {
  const size = Math.max(right - left, bottom - top, 1e-6);
  return look(1 / (size * ROOM), (left + right) / 2, (top + bottom) / 2);
}

/**
 * Return the look magnified further; what is at the spot stays there.
 * @param {Look} old @param {number} times @param {Spot} spot
 */
function closer(old, times, spot) {
  const scale = clamp(old.scale * times, 1, MOST);
  const shift = 1 / old.scale - 1 / scale;
  return look(scale, old.x + (spot.x - 0.5) * shift, old.y + (spot.y - 0.5) * shift);
}

/**
 * Return the look with the picture moved by shares of the frame.
 * @param {Look} old @param {number} right @param {number} down
 */
function moved(old, right, down) {
  return look(old.scale, old.x - right / old.scale, old.y - down / old.scale);
}

/**
 * Return where a place of the picture lies in the frame, both as shares.
 * @param {Look} seen @param {"x" | "y"} axis @param {number} place
 */
const inFrame = (seen, axis, place) => (place - seen[axis]) * seen.scale + 0.5;

/** Return the element's own CSS. */
function styleSheet() {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  return sheet;
}

/** An element without what FacefixCompare puts in its place. */
const Plain = /** @type {new () => Omit<HTMLElement, "before" | "after">} */ (HTMLElement);

/** The element. Its `before` and `after` hide methods of these names, which all elements have and nobody needs here. */
export class FacefixCompare extends Plain {
  /** @type {Face[]} */ #faces = [];
  /** @type {number | null} */ #face = null;
  /** @type {Look} */ #look = WHOLE;
  #position = 50;
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
  /** Where fingers, or the mouse, are held down, by pointer. @type {Map<number, Spot>} */ #held = new Map();
  /** What a drag moves. @type {"line" | "picture" | "unknown"} */ #drags = "line";

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.innerHTML = FRAME;
    root.adoptedStyleSheets = [styleSheet()]; // a page that allows no inline styles allows these
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

  /** Take over what was set before the browser knew this element. */
  connectedCallback() {
    const self = /** @type {Record<string, any>} */ (this);
    for (const name of ["labels", "before", "after", "faces", "position", "face"]) {
      if (Object.hasOwn(this, name)) {
        const value = self[name];
        delete self[name];
        self[name] = value;
      }
    }
  }

  /** URL of the picture before; blank for none. */
  get before() { return this.#urls.before; }
  set before(url) { this.#setPicture("before", url); }

  /** URL of the picture after; blank for none. */
  get after() { return this.#urls.after; }
  set after(url) { this.#setPicture("after", url); }

  /** The faces that have a button. @type {Face[]} */
  get faces() { return this.#faces; }
  set faces(faces) {
    this.#faces = [...(faces ?? [])];
    if (this.#face !== null) this.face = this.#face;
    this.#showFaces();
    this.#showLook();
  }

  /** The number of the face that is looked at, null for the whole picture; setting it fires no event. */
  get face() { return this.#face; }
  set face(number) {
    const face = this.#faces.find((known) => known.number === number);
    this.#face = face ? face.number : null;
    this.#frame.classList.add("gliding");
    this.#see(face ? lookAt(face) : WHOLE);
    if (face) this.#cross(face);
  }

  /** Where the line is, percent from the left; what lies left of it shows the picture before. */
  get position() { return this.#position; }
  set position(percent) {
    this.#position = clamp(Number(percent) || 0, 0, 100);
    this.#showPosition();
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
    this.position = 50;
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
    this.#frame.setPointerCapture(event.pointerId);
    this.#line.focus({ preventScroll: true });
    this.#frame.classList.remove("gliding");
    this.#held.set(event.pointerId, this.#spot(event));
    this.#drags = this.#meant(target, event.pointerType);
    if (this.#drags === "line") this.#pull(event);
  }

  /** Return what a drag that starts here moves. @param {Element} target @param {string} kind */
  #meant(target, kind) {
    if (target.closest(".line")) return "line";
    if (this.#look.scale > 1) return "picture";
    return kind === "mouse" ? "line" : "unknown"; // a finger may be about to scroll
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

  /** Bring the line to where the pointer is. @param {PointerEvent} event */
  #pull(event) {
    this.position = this.#spot(event).x * 100;
  }

  /** One of two fingers moved. @param {Spot} other @param {Spot} before @param {Spot} now */
  #pinched(other, before, now) {
    const { width, height } = this.#frame.getBoundingClientRect();
    const apart = (/** @type {Spot} */ spot) => Math.hypot((spot.x - other.x) * width, (spot.y - other.y) * height);
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    this.#drags = "picture";
    this.#see(moved(this.#look, (now.x - before.x) / 2, (now.y - before.y) / 2));
    this.#zoom(apart(now) / Math.max(apart(before), 1), middle);
  }

  /**
   * The wheel zooms where the picture was clicked before, so that scrolling past it scrolls.
   * @param {WheelEvent} event
   */
  #wheeled(event) {
    const asked = event.ctrlKey || this.#look.scale > 1 || this.shadowRoot?.activeElement;
    if (!asked || (this.#look.scale === 1 && event.deltaY > 0)) return;
    event.preventDefault();
    this.#zoom(event.deltaY < 0 ? CLOSER : 1 / CLOSER, this.#spot(event));
  }

  /** @param {KeyboardEvent} event */
  #typed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (!this.#typedOnLine(event) && !this.#typedOnPicture(event) && !this.#typedAnywhere(event)) return;
    event.preventDefault();
    event.stopPropagation(); // hosts have keys of their own
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

  /** Return whether a key moved the magnified picture. @param {KeyboardEvent} event */
  #typedOnPicture(event) {
    /** @type {Record<string, [number, number]>} */
    const ways = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (event.target !== this.#frame || !(event.key in ways)) return false;
    const [right, down] = ways[event.key];
    this.#see(moved(this.#look, right / 10, down / 10));
    return true;
  }

  /** Return whether a key chose a face, or magnified. @param {KeyboardEvent} event */
  #typedAnywhere(event) {
    if (event.key === "+" || event.key === "=") this.#zoom(CLOSER);
    else if (event.key === "-") this.#zoom(1 / CLOSER);
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

  // What is shown

  /** Let the line go through a face, unless it was put to an end: one side alone is looked at. @param {Face} face */
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

  /** Show the pictures once both are there, or the sentence on why they are not. */
  #showPictures() {
    const sides = /** @type {const} */ (["before", "after"]);
    for (const side of sides) this.#images[side].alt = this.#labels[side];
    const problem = this.#problem(sides);
    const there = !problem && sides.every((side) => this.#urls[side]);
    if (there && !sides.every((side) => this.#images[side].complete)) return; // what was shown stays until then
    this.#frame.hidden = this.#tools.hidden = !there;
    this.#note.textContent = there ? this.#shapes() : problem;
  }

  /**
   * Return the sentence on a picture that is missing or broken, else blank.
   * @param {readonly ("before" | "after")[]} sides
   */
  #problem(sides) {
    const missing = sides.filter((side) => !this.#urls[side]);
    if (missing.length === 1) return `There is no picture “${this.#labels[missing[0]]}” to compare with.`;
    const images = sides.filter((side) => this.#urls[side] && this.#images[side].complete);
    const broken = images.filter((side) => this.#images[side].naturalWidth === 0);
    const names = broken.map((side) => `“${this.#labels[side]}”`).join(" and ");
    return names && `The picture ${names} cannot be shown: it is gone, or it is no picture that this browser knows.`;
  }

  /** Give the frame the shape of the picture after; return a sentence where the other has a different one. */
  #shapes() {
    const [before, after] = [this.#images.before, this.#images.after].map((i) => i.naturalWidth / i.naturalHeight);
    this.#frame.style.setProperty("--ratio", String(after));
    const alike = Math.abs(before / after - 1) < ALIKE;
    return alike ? "" : "The two pictures differ in shape; one is stretched to lie over the other.";
  }

  #showPosition() {
    const percent = Math.round(this.#position);
    this.#frame.style.setProperty("--position", `${this.#position}%`);
    for (const side of /** @type {const} */ (["before", "after"])) {
      this.#words[side].textContent = this.#labels[side];
    }
    const { before, after } = this.#labels;
    this.#line.setAttribute("aria-label", `Line between “${before}” and “${after}”`);
    this.#line.setAttribute("aria-valuenow", String(percent));
    this.#line.setAttribute("aria-valuetext", `${percent} % ${before}, ${100 - percent} % ${after}`);
  }

  /** Make a button for each face, and a number on the picture. */
  #showFaces() {
    const button = (/** @type {number | ""} */ number, /** @type {string} */ text, /** @type {string} */ told) =>
      `<button type="button" data-face="${number}" aria-label="${told}">${text}</button>`;
    const numbers = this.#faces.map((face) => Number(face.number));
    const each = numbers.map((number) => button(number, String(number), `Face ${number}`));
    this.#buttons.innerHTML = [button("", "Whole picture", "Whole picture"), ...each].join("");
    this.#badges.innerHTML = numbers.map((number) => `<span data-face="${number}">${number}</span>`).join("");
  }

  /** @param {Look} seen */
  #see(seen) {
    this.#look = seen;
    this.#showLook();
  }

  /** Magnify both sides alike, put the numbers where the faces are, and mark the button of the face. */
  #showLook() {
    const { scale, x, y } = this.#look;
    this.#frame.classList.toggle("zoomed", scale > 1);
    this.#frame.tabIndex = scale > 1 ? 0 : -1; // not taken away: what has the focus would lose it
    for (const image of Object.values(this.#images)) {
      image.style.transform = `translate(${(0.5 - x * scale) * 100}%, ${(0.5 - y * scale) * 100}%) scale(${scale})`;
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
  <div class="tools" role="group" aria-label="What is looked at">
    <span class="faces"></span>
    <span class="zoom">
      <button type="button" data-zoom="${1 / CLOSER}" aria-label="Zoom out">−</button>
      <button type="button" data-zoom="${CLOSER}" aria-label="Zoom in">+</button>
    </span>
  </div>
  <div class="frame" role="group" aria-label="Picture; when it is magnified, the arrow keys move it" hidden>
    <div class="side before"><img alt="" draggable="false"><span class="word"></span></div>
    <div class="side after"><img alt="" draggable="false"><span class="word"></span></div>
    <div class="badges" aria-hidden="true"></div>
    <div class="line" role="slider" tabindex="0" aria-valuemin="0" aria-valuemax="100"></div>
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

  .frame {
    position: relative;
    width: min(100%, calc(var(--facefix-compare-height, 80vh) * var(--ratio, 1)));
    aspect-ratio: var(--ratio, 1);
    margin: 0 auto;
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
    bottom: 12%;
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
