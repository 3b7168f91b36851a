/** The photo before and after: as the server fixed it, or blended here from its layers while settings change. */

import { FacefixCompare } from "./compare.js";
import { count } from "./dom.js";
import { decoded, fixedFile } from "./files.js";
import { OUTCOMES } from "./words.js";

/** @import { Box, Face, Plan, Report, Settings } from "./api.js" */
/** @import { Layers } from "./layers.js" */
/** @import { Output } from "./output.js" */
/** @import { Photo } from "./photo.js" */

export class Result {
  /** The image of the last fix, decoded. @type {HTMLImageElement | null} */ image = null;
  /** Whether the view shows the image of the last fix, and not a blend. */ exact = true;
  #url = "";

  /**
   * before: URL of the photo before. settings(face): returns the current settings of a face.
   * @param {Photo} photo @param {Layers} layers @param {string} before @param {(face: Face) => Settings} settings
   */
  constructor(photo, layers, before, settings) {
    this.photo = photo;
    this.layers = layers;
    this.before = before;
    this.settings = settings;
    this.compare = slider(before, before, []);
    this.compare.toggleAttribute("compact", true);
  }

  /** Load the image of a report, and show it. @param {Report & {output: Output}} report */
  async load(report) {
    const fixed = fixedFile(report.image, this.photo.file, report.output);
    const blob = await this.photo.showable(fixed, async () => report.result_size);
    this.image = await decoded(blob);
    this.#free();
    this.#url = URL.createObjectURL(blob);
    this.showExact();
  }

  /** Show the image of the last fix. */
  showExact() {
    this.exact = true;
    this.compare.layers = [];
    this.compare.after = this.#url;
    this.#showFaces();
  }

  /** Show the photo with the layers of its faces, by their current settings. */
  showBlend() {
    const [width, height] = this.photo.size;
    this.exact = false;
    this.compare.layers = this.layers.over(this.photo.faces, [0, 0, width, height], this.settings);
    this.compare.after = this.before;
    this.#showFaces();
  }

  /**
   * Draw a part of the photo as it is shown after.
   * @param {CanvasRenderingContext2D} pen @param {HTMLImageElement} source  The photo before. @param {Box} within
   */
  draw(pen, source, within) {
    const image = this.exact && this.image ? this.image : source;
    drawPart(pen, image, within, this.photo.size);
    if (!this.exact) this.layers.draw(pen, this.photo.faces, within, this.settings);
  }

  close() {
    this.#free();
    this.compare.remove();
  }

  #free() {
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = "";
  }

  #showFaces() {
    const [width, height] = this.photo.size;
    const { face } = this.compare;
    const shown = this.photo.faces.map(({ number, box: [left, top, right, bottom] }) => ({
      number, box: /** @type {Box} */ ([left / width, top / height, right / width, bottom / height]),
    }));
    if (JSON.stringify(shown) === JSON.stringify(this.compare.faces)) return;
    this.compare.faces = shown;
    if (face !== null) this.compare.face = face;
  }
}

/**
 * Draw a part of a photo onto the whole canvas. size: size of the photo that `within` refers to.
 * @param {CanvasRenderingContext2D} pen @param {HTMLImageElement} image @param {Box} within @param {[number, number]} size
 */
export function drawPart(pen, image, [x, y, right, bottom], [width, height]) {
  const [across, down] = [image.naturalWidth / width, image.naturalHeight / height];
  pen.imageSmoothingQuality = "high";
  const { width: w, height: h } = pen.canvas;
  pen.drawImage(image, x * across, y * down, (right - x) * across, (bottom - y) * down, 0, 0, w, h);
}

/** For canvases whose pixels are read again. @type {CanvasRenderingContext2DSettings} */
export const READ = { willReadFrequently: true };

/** Return the mean difference of two canvases of one size, in levels. @param {HTMLCanvasElement} one @param {HTMLCanvasElement} other */
export function difference(one, other) {
  const [a, b] = [one, other].map((canvas) => canvas.getContext("2d", READ)?.getImageData(0, 0, canvas.width, canvas.height).data);
  if (!a || !b) return 0;
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += Math.abs(a[i] - b[i]);
  return sum / a.length;
}

/**
 * Return the slider over two images.
 * @param {string} before @param {string} after @param {{number: number, box: Box}[]} faces  Boxes relative to the size.
 */
export function slider(before, after, faces) {
  return Object.assign(new FacefixCompare(), { before, after, faces });
}

/** Return whether a plan does the same as the plan of a result. @param {Plan} plan @param {Plan} done */
export function sameWork(plan, done) {
  const work = (/** @type {Plan} */ { upscale, faces }) =>
    JSON.stringify([upscale, faces.map(({ number, box, decision, parameters }) => [number, box, decision, decision !== "leave" && parameters])]);
  return work(plan) === work(done);
}

/** Return "4 faces: 3 enhanced, 1 unchanged". @param {Report} report */
export function summary({ faces, result_size: [width, height], upscale, fixed_before: before }) {
  const parts = Object.entries(OUTCOMES)
    .map(([outcome, word]) => ({ word, many: faces.filter((face) => face.outcome === outcome).length }))
    .filter(({ many }) => many)
    .map(({ many, word }) => `${many} ${word}`);
  const upscaled = upscale ? [`upscaled to ${width}x${height} with ${upscale.upscaler}`] : [];
  const done = [...parts, ...upscaled].join(", ") || "photo unchanged";
  return `${faces.length ? count(faces.length, "face") : "No faces found"}: ${done}${before ? " (enhanced before)" : ""}`;
}
