/** The fixed faces of a photo as layers over it. Fidelity and visibility only change their opacity, in the browser. */

import { bytes, decoded } from "./files.js";

/** @import { Api, Box, Face, Plan, Settings, Size } from "./api.js" */
/** @import { Layer } from "./compare.js" */
/**
 * @typedef {object} Fixed  One face at full strength.
 * @property {string} key  The part of its settings that changes its pixels.
 * @property {Box} box
 * @property {number | null} exponent  Opacity is (1 - fidelity^exponent) x visibility. null: fidelity changes the pixels.
 * @property {string | null} error
 * @property {string} url  Blank if no pixel changes.
 * @property {HTMLImageElement | null} image
 */

export class Layers {
  /** @type {Map<number, Fixed>} */ #fixed = new Map();

  /** @param {Api} api */
  constructor(api) {
    this.api = api;
  }

  /** Return the faces whose layer is missing or was made with other settings. @param {Face[]} faces */
  stale(faces) {
    return faces.filter((face) => {
      const fixed = this.#fixed.get(face.number);
      return face.decision !== "leave" && fixed?.key !== keyOf(face, fixed?.exponent ?? null);
    });
  }

  /** Whether each of these faces has a layer, even an old one. @param {Face[]} faces */
  has(faces) {
    return faces.every((face) => face.decision === "leave" || this.#fixed.has(face.number));
  }

  /** Return the reason why a face could not be fixed, or blank. @param {number} number */
  error(number) {
    return this.#fixed.get(number)?.error ?? "";
  }

  /**
   * Request the layers of these faces. image: the photo, encoded. plan: the plan that contains the faces.
   * @param {string} image @param {Plan} plan @param {Face[]} faces @param {AbortSignal} signal
   */
  async load(image, plan, faces, signal) {
    const answer = await this.api.post("layers", { image, plan: { ...plan, upscale: null, faces } }, signal);
    for (const { number, box, exponent, error, image: png } of answer.faces) {
      const face = faces.find((one) => one.number === number);
      const blob = png ? new Blob([bytes(png)], { type: "image/png" }) : null;
      const picture = blob && (await decoded(blob));
      signal.throwIfAborted();
      this.#drop(number);
      const url = blob ? URL.createObjectURL(blob) : "";
      if (face) this.#fixed.set(number, { key: keyOf(face, exponent), box, exponent, error, url, image: picture });
    }
  }

  /**
   * Return the layers for a slider. within: the visible part of the photo, in pixels.
   * settings: returns the current settings of a face.
   * @param {Face[]} faces @param {Box} within @param {(face: Face) => Settings} settings
   * @returns {Layer[]}
   */
  over(faces, [x, y, right, bottom], settings) {
    const [width, height] = [right - x, bottom - y];
    return faces.flatMap((face) => {
      const fixed = this.#fixed.get(face.number);
      if (!fixed?.url || face.decision === "leave") return [];
      const [l, t, r, b] = fixed.box;
      return [{
        url: fixed.url,
        box: /** @type {Box} */ ([(l - x) / width, (t - y) / height, (r - x) / width, (b - y) / height]),
        opacity: opacity(settings(face), fixed.exponent),
      }];
    });
  }

  /**
   * Draw the layers onto a canvas that shows a part of the photo.
   * @param {CanvasRenderingContext2D} pen @param {Face[]} faces @param {Box} within
   * @param {(face: Face) => Settings} settings
   */
  draw(pen, faces, [x, y, right, bottom], settings) {
    const [across, down] = [pen.canvas.width / (right - x), pen.canvas.height / (bottom - y)];
    for (const face of faces) {
      const fixed = this.#fixed.get(face.number);
      if (!fixed?.image || face.decision === "leave") continue;
      const [l, t, r, b] = fixed.box;
      pen.globalAlpha = opacity(settings(face), fixed.exponent);
      pen.drawImage(fixed.image, (l - x) * across, (t - y) * down, (r - l) * across, (b - t) * down);
    }
    pen.globalAlpha = 1;
  }

  /** Free all layers. */
  close() {
    for (const number of [...this.#fixed.keys()]) this.#drop(number);
  }

  /** @param {number} number */
  #drop(number) {
    const url = this.#fixed.get(number)?.url;
    if (url) URL.revokeObjectURL(url);
    this.#fixed.delete(number);
  }
}

/** @param {Settings} settings @param {number | null} exponent */
function opacity({ fidelity, visibility }, exponent) {
  return (exponent === null ? 1 : 1 - Number(fidelity) ** exponent) * Number(visibility);
}

/** Return the part of a face's plan that changes the pixels of its layer, as text. @param {Face} face @param {number | null} exponent */
function keyOf({ box, decision, parameters }, exponent) {
  const { visibility: _visibility, fidelity, ...others } = parameters;
  return JSON.stringify([box, decision, exponent === null ? fidelity : null, others]);
}
