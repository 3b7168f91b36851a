/** The picture with numbered boxes over it, and a row of its faces to choose from. */

import { button, make } from "./dom.js";

/** @import { Box, Face, Size } from "./api.js" */

const THUMBNAIL = 144; // pixels of a thumbnail's side; shown at half that
const NEAR_TOP = 0.06; // share of the picture's height above a face that its number does not fit into
const AROUND = 0.25; // how much around a face its thumbnail shows, as a share of its size

export class Sight {
  /** @type {HTMLImageElement | null} */ #source = null;
  /** @type {HTMLImageElement | null} */ #image = null;
  /** @type {Map<number, HTMLElement>} */ #boxes = new Map();

  /**
   * choose(number): a face was chosen; null: all faces.
   * @param {HTMLElement} stage @param {HTMLElement} row @param {(number: number | null) => void} choose
   */
  constructor(stage, row, choose) {
    this.stage = stage;
    stage.classList.remove("masked");
    this.row = row;
    this.choose = choose;
  }

  /** What thumbnails are made of, whatever is drawn on the picture shown. */
  get source() {
    if (!this.#source) throw new Error("No picture is shown.");
    return this.#source;
  }

  /** Show a picture by its URL; returns once it is there, raises where the browser cannot show it. @param {string} url */
  async open(url) {
    const source = make("img", { src: url });
    await source.decode();
    this.#source = source;
    this.#image = make("img", { alt: "The picture, before", src: url });
    this.stage.style.setProperty("--ratio", String(source.naturalWidth / source.naturalHeight));
    this.stage.replaceChildren(this.#image);
  }

  /**
   * Show the plan's faces; size: of the picture that their boxes are in.
   * @param {Face[]} faces @param {Size} size @param {number | null} chosen
   */
  show(faces, size, chosen) {
    this.stage.querySelectorAll(".box").forEach((box) => box.remove());
    this.#boxes = new Map(faces.map((face) => [face.number, this.#box(face, size)]));
    this.stage.append(...this.#boxes.values());
    const focused = [...this.#inputs()].find((input) => input === document.activeElement);
    const [legend] = this.row.children;
    const items = faces.map((face) => this.#item(face.number, thumbnail(this.source, face.box, size), face));
    const everyone = faces.length ? [this.#item(null, make("span", { class: "everyone" }, "All"))] : [];
    this.row.replaceChildren(legend, ...everyone, ...items);
    this.mark(chosen);
    if (focused) this.#input(focused.value)?.focus();
  }

  /** Show no faces any more. */
  close() {
    const [legend] = this.row.children;
    this.row.replaceChildren(legend);
  }

  /** Show which face is chosen. @param {number | null} chosen */
  mark(chosen) {
    for (const [number, box] of this.#boxes) box.classList.toggle("chosen", number === chosen);
    const input = this.#input(String(chosen ?? ""));
    if (input) input.checked = true;
  }

  #inputs() {
    return this.row.querySelectorAll("input");
  }

  /** @param {string} value */
  #input(value) {
    return [...this.#inputs()].find((input) => input.value === value);
  }

  /** Show another picture in its place: one with masks drawn in, or the picture itself. @param {string} url @param {boolean} masks */
  draw(url, masks) {
    if (this.#image) this.#image.src = url;
    this.stage.classList.toggle("masked", masks);
  }

  /** A box is for the mouse; by keyboard the row of faces does the same. @param {Face} face @param {Size} size */
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
      ? [make("b", {}, `Face ${number}`), make("span", {}, `${Math.round(face.size)} px · ${face.decision}`)]
      : [make("b", {}, "All faces"), make("span", {}, "for every face")];
    const why = face ? make("span", { class: "unseen" }, `: ${face.reason}`) : null;
    return make("label", { class: `face ${face?.decision ?? ""}` }, input, picture, make("span", { class: "words" }, ...words, why));
  }
}

/**
 * Return a canvas with one face of a shown picture; size: of the picture that the box is in.
 * @param {HTMLImageElement} image @param {Box} box @param {Size} size
 */
export function thumbnail(image, box, size, side = THUMBNAIL, around = AROUND) {
  const canvas = make("canvas", { width: side, height: side, "aria-hidden": "true" });
  const [x, y, reach] = square(box, around);
  const [across, down] = [image.naturalWidth / size[0], image.naturalHeight / size[1]];
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("The browser draws on no canvas.");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(image, x * across, y * down, reach * across, reach * down, 0, 0, side, side);
  return canvas;
}

/** Return left, top and side of the square around a box. @param {Box} box @param {number} around */
function square([left, top, right, bottom], around) {
  const side = Math.max(right - left, bottom - top) * (1 + 2 * around);
  return [(left + right - side) / 2, (top + bottom - side) / 2, side];
}
