/**
 * `<facefix-compare>`: a slider that compares an image before and after.
 *
 * An ES module without dependencies. Its parts are requested with the query of its own address, so that pages that
 * request it by its date never mix two versions.
 * Set the properties `before` and `after` (URLs), `faces`, and optionally `labels` and `layers`.
 * Drag the line, or move it with the arrow keys, Home, and End. A button for each face magnifies both sides.
 * The event `facefix-face` reports the number of the chosen face, or null for the whole image.
 *
 * The attribute `compact` hides the buttons of the faces, for pages that have their own.
 *
 * CSS variables set the colours and the largest height: --facefix-accent, --facefix-text, --facefix-surface,
 * --facefix-border, --facefix-compare-height.
 */

/** @import { Face, Look, Spot } from "./compare_look.js" */
/**
 * @typedef {{url: string, box: [number, number, number, number], opacity: number}} Layer
 *   An image that is blended over the image after. box: as for a face. opacity: 0..1.
 */

const QUERY = new URL(import.meta.url).search;
/** @type {typeof import("./compare_look.js")} */
const { WHOLE, clamp, closer, inFrame, lookAt } = await import(`./compare_look.js${QUERY}`);
/** @type {typeof import("./compare_frame.js")} */
const { FRAME, badges, brokenImages, buttons, missingImage, styleSheet } = await import(`./compare_frame.js${QUERY}`);
/** @type {typeof import("./compare_gestures.js")} */
const { Gestures } = await import(`./compare_gestures.js${QUERY}`);
/** @type {typeof import("./compare_wipe.js")} */
const { MIDDLE, Wipe } = await import(`./compare_wipe.js${QUERY}`);

const MAX_RATIO_DIFFERENCE = 0.02; // relative difference of two aspect ratios that is ignored, as upscaling rounds sizes

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
  #wipe = new Wipe((percent) => this.#place(percent));
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
    new Gestures(root, {
      look: () => this.#look,
      see: (seen) => this.#see(seen),
      zoom: (times, spot) => this.#zoom(times, spot),
      choose: (number) => this.#choose(number),
      faces: () => this.#faces,
      position: () => this.#position,
      move: (percent) => (this.position = percent),
      begin: () => this.#wipe.end(),
    });
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
    this.#wipe.end();
    const face = this.#faces.find((known) => known.number === number);
    this.#face = face ? face.number : null;
    this.#frame.classList.add("gliding");
    this.#see(face ? lookAt(face) : WHOLE);
    if (face) this.#cross(face);
  }

  /** Where the line is, percent from the left; what lies left of it shows the picture before. */
  get position() { return this.#position; }
  set position(percent) {
    this.#wipe.end();
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
    if (whether) this.#wipe.end();
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
    this.#wipe.start();
  }

  // What gestures change

  /** Choose a face as a person does, which is reported. @param {number | null} number */
  #choose(number) {
    this.face = number;
    this.dispatchEvent(new CustomEvent("facefix-face", { detail: this.#face, bubbles: true, composed: true }));
  }

  /** Zoom. spot: what stays in place. @param {number} times @param {Spot} spot */
  #zoom(times, spot) {
    this.#frame.classList.remove("gliding");
    this.#see(closer(this.#look, times, spot));
    if (this.#look.scale === 1 && this.#face !== null) this.#choose(null);
  }

  // Display

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

  /** Return a message about a missing or damaged image, or blank. @param {readonly ("before" | "after")[]} sides */
  #problem(sides) {
    const missing = sides.filter((side) => !this.#urls[side]).map((side) => this.#labels[side]);
    if (missing.length === 1) return missingImage(missing[0]);
    const loaded = sides.filter((side) => this.#urls[side] && this.#images[side].complete);
    const broken = loaded.filter((side) => !this.#images[side].naturalWidth).map((side) => this.#labels[side]);
    return broken.length ? brokenImages(broken) : "";
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
    const numbers = this.#faces.map((face) => Number(face.number));
    this.#buttons.innerHTML = buttons(numbers);
    this.#badges.innerHTML = badges(numbers);
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

if (!customElements.get("facefix-compare")) {
  customElements.define("facefix-compare", /** @type {CustomElementConstructor} */ (/** @type {unknown} */ (FacefixCompare)));
}
