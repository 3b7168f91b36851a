/** The photo with numbered boxes, and the row of its faces. */

import { button, make } from "./dom.js";
import { READ, drawPart } from "./result.js";
import { abbreviateIdentity, describeIdentity } from "./words.js";

/** @import { Box, Face, Size } from "./api.js" */

const THUMBNAIL = 144; // side of a thumbnail in pixels; displayed at half the size
const NEAR_TOP = 0.06; // share of the photo's height that is too small for a number above a face
const AROUND = 0.25; // margin around a face in its thumbnail, as a share of the face's size

export class Stage {
  /** @type {HTMLImageElement | null} */ #source = null;
  /** @type {HTMLImageElement | null} */ #image = null;
  /** @type {Map<number, HTMLElement>} */ #boxes = new Map();

  /**
   * choose(number): called when a face is chosen. null: all faces.
   * @param {HTMLElement} element @param {HTMLElement} row @param {(number: number | null) => void} choose
   */
  constructor(element, row, choose) {
    this.element = element;
    element.classList.remove("masked");
    this.row = row;
    this.choose = choose;
  }

  /** The original photo, without masks, from which thumbnails are made. */
  get source() {
    if (!this.#source) throw new Error("No photo is shown.");
    return this.#source;
  }

  /** Show a photo and wait until it is loaded. Throws an error if the browser cannot show it. @param {string} url */
  async open(url) {
    const source = make("img", { src: url });
    await source.decode();
    this.#source = source;
    this.#image = make("img", { alt: "Photo before", src: url });
    this.element.style.setProperty("--ratio", String(source.naturalWidth / source.naturalHeight));
    this.element.replaceChildren(this.#image);
  }

  /**
   * Show the faces of a plan. size: size of the photo that the boxes refer to.
   * @param {Face[]} faces @param {Size} size @param {number | null} chosen
   */
  show(faces, size, chosen) {
    this.element.querySelectorAll(".box").forEach((box) => box.remove());
    this.#boxes = new Map(faces.map((face) => [face.number, this.#box(face, size)]));
    this.element.append(...this.#boxes.values());
    const focused = [...this.#inputs()].find((input) => input === document.activeElement);
    const [legend] = this.row.children;
    const items = faces.map((face) => this.#item(face.number, this.#shots(face, size), face));
    const everyone = faces.length ? [this.#item(null, make("span", { class: "everyone" }, "All"))] : [];
    this.row.replaceChildren(legend, ...everyone, ...items);
    this.mark(chosen);
    if (focused) this.#input(focused.value)?.focus();
  }

  /** Return the canvases of a face before and after. @param {number} number @returns {HTMLCanvasElement[]} */
  canvases(number) {
    return [...(this.#input(String(number))?.parentElement?.querySelectorAll("canvas") ?? [])];
  }

  /** Show below each thumbnail what the identity guard found; nothing for faces of a plan. @param {Face[]} faces */
  tell(faces) {
    for (const { number, identity } of faces) {
      const line = this.#input(String(number))?.parentElement?.querySelector(".identity");
      if (!line) continue;
      line.textContent = identity ? abbreviateIdentity(identity) : "";
      line.setAttribute("title", identity ? `Identity ${describeIdentity(identity)}` : "");
    }
  }

  /** Remove all faces. */
  close() {
    const [legend] = this.row.children;
    this.row.replaceChildren(legend);
  }

  /** Highlight the chosen face. @param {number | null} chosen */
  mark(chosen) {
    for (const [number, box] of this.#boxes) box.classList.toggle("chosen", number === chosen);
    const input = this.#input(String(chosen ?? ""));
    if (!input) return;
    input.checked = true;
    const [item, row] = [input.parentElement?.getBoundingClientRect(), this.row.getBoundingClientRect()];
    if (item && (item.left < row.left || item.right > row.right)) this.row.scrollLeft += item.left - row.left - row.width / 3;
  }

  /** Make the canvases of a face before and after. The one after is empty. @param {Face} face @param {Size} size */
  #shots(face, size) {
    const after = make("canvas", { width: THUMBNAIL, height: THUMBNAIL, "aria-hidden": "true", hidden: true });
    return make("span", { class: "shots" }, thumbnail(this.source, thumbnailPart(face.box), size), after);
  }

  #inputs() {
    return this.row.querySelectorAll("input");
  }

  /** @param {string} value */
  #input(value) {
    return [...this.#inputs()].find((input) => input.value === value);
  }

  /** Show the photo with masks, or without them. @param {string} url @param {boolean} masks */
  draw(url, masks) {
    if (this.#image) this.#image.src = url;
    this.element.classList.toggle("masked", masks);
  }

  /** Make the box of a face. It is for the mouse only; with the keyboard, use the row of faces. @param {Face} face @param {Size} size */
  #box(face, [width, height]) {
    const [left, top, right, bottom] = face.box;
    const high = top < NEAR_TOP * height ? "high" : "";
    const box = button(make("span", {}, face.number), () => this.choose(face.number), {
      class: `box ${face.decision} ${high}`, tabindex: -1, "aria-label": `Face ${face.number}`,
    });
    const place = { left: left / width, top: top / height, width: (right - left) / width, height: (bottom - top) / height };
    for (const [side, share] of Object.entries(place)) box.style.setProperty(side, `${100 * share}%`);
    return box;
  }

  /** @param {number | null} number @param {HTMLElement} picture @param {Face} [face] */
  #item(number, picture, face) {
    const input = make("input", { type: "radio", name: "face", value: number ?? "" });
    input.addEventListener("change", () => this.choose(number));
    const words = face
      ? [make("b", {}, `Face ${number}`), make("span", {}, face.decision === "leave" ? "skipped" : "")]
      : [make("b", {}, "All faces")];
    const why = face ? make("span", { class: "unseen" }, `: ${face.reason}`) : null;
    const told = face ? make("span", { class: "identity" }) : null;
    return make("label", { class: `face ${face?.decision ?? ""}` }, input, picture, make("span", { class: "words" }, ...words, why, told));
  }
}

/**
 * Return a canvas with a part of an image. size: size of the photo that the part refers to.
 * @param {HTMLImageElement} image @param {Box} part @param {Size} size
 */
export function thumbnail(image, part, size, side = THUMBNAIL) {
  const canvas = make("canvas", { width: side, height: side, "aria-hidden": "true" });
  const pen = canvas.getContext("2d", READ);
  if (!pen) throw new Error("The browser does not support canvas drawing.");
  drawPart(pen, image, part, size);
  return canvas;
}

/** Return the square around a face that its thumbnail shows. @param {Box} box @returns {Box} */
export function thumbnailPart([left, top, right, bottom], around = AROUND) {
  const half = Math.max(right - left, bottom - top) * (0.5 + around);
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  return [x - half, y - half, x + half, y + half];
}
