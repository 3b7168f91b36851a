/** The fixed faces of a photo as layers over it. Fidelity and visibility only change their opacity, in the browser. */

import { bytes, decoded } from "./files.js";

/** @import { Api, Box, Face, Identity, Plan, Settings, Size } from "./api.js" */
/** @import { Layer } from "./compare.js" */
/**
 * @typedef {object} Result  A face fixed at one fidelity, at full visibility.
 * @property {Box} box
 * @property {[number, number][] | null} shares  Fidelities, and its share of the face at each. null: fidelity changes the pixels.
 * @property {number} held  Part of the change that the pixels hold: less than 1 if the identity guard reduced it.
 * @property {Identity | null} identity  Finding of the identity guard at full visibility.
 * @property {string | null} error
 * @property {string} url  Blank if no pixel changes.
 * @property {HTMLImageElement | null} image
 */
/** @typedef {Pick<Result, "box" | "shares" | "held" | "identity" | "error"> & { number: number, image: string }} Entry  One of the server's answer. */
/**
 * @typedef {object} Fixed  A face.
 * @property {string} key  The part of its settings that changes its pixels.
 * @property {Result[]} results  To be drawn in this order.
 */

export class Layers {
  /** @type {Map<number, Fixed>} */ #fixed = new Map();

  /** @param {Api} api */
  constructor(api) {
    this.api = api;
  }

  /** Return the faces whose layers are missing or were made with other settings. @param {Face[]} faces */
  stale(faces) {
    return faces.filter((face) => {
      const fixed = this.#fixed.get(face.number);
      return face.decision !== "leave" && fixed?.key !== keyOf(face, fixed?.results);
    });
  }

  /** Whether each of these faces has layers, even old ones. @param {Face[]} faces */
  has(faces) {
    return faces.every((face) => face.decision === "leave" || this.#fixed.has(face.number));
  }

  /** Return the reason why a face could not be fixed, or blank. @param {number} number */
  error(number) {
    return this.#fixed.get(number)?.results.find(({ error }) => error)?.error ?? "";
  }

  /** Return what the identity guard found at full visibility in the layer that changes the face most. @param {number} number */
  identity(number) {
    const found = (this.#fixed.get(number)?.results ?? []).flatMap(({ identity }) => identity ?? []);
    return found.sort((one, other) => (other.first ?? 0) - (one.first ?? 0))[0] ?? null;
  }

  /**
   * Request the layers of these faces. image: the photo, encoded. plan: the plan that contains the faces.
   * @param {string} image @param {Plan} plan @param {Face[]} faces @param {AbortSignal} signal
   */
  async load(image, plan, faces, signal) {
    const answer = await this.api.post("layers", { image, plan: { ...plan, upscale: null, faces } }, signal);
    const entries = /** @type {Entry[]} */ (answer.faces);
    const blobs = entries.map(({ image: png }) => (png ? new Blob([bytes(png)], { type: "image/png" }) : null));
    const pictures = await Promise.all(blobs.map((blob) => blob && decoded(blob)));
    signal.throwIfAborted();
    for (const face of faces) {
      this.#drop(face.number);
      const results = entries.flatMap(({ number, box, shares, held, identity, error }, i) => {
        if (number !== face.number) return [];
        const blob = blobs[i];
        const url = blob ? URL.createObjectURL(blob) : "";
        return [{ box, shares, held, identity, error, url, image: pictures[i] }];
      });
      if (results.length) this.#fixed.set(face.number, { key: keyOf(face, results), results });
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
    return this.#drawn(faces, settings).map(([{ url, box: [l, t, r, b] }, opacity]) => ({
      url,
      box: /** @type {Box} */ ([(l - x) / width, (t - y) / height, (r - x) / width, (b - y) / height]),
      opacity,
    }));
  }

  /**
   * Draw the layers onto a canvas that shows a part of the photo.
   * @param {CanvasRenderingContext2D} pen @param {Face[]} faces @param {Box} within
   * @param {(face: Face) => Settings} settings
   */
  draw(pen, faces, [x, y, right, bottom], settings) {
    const [across, down] = [pen.canvas.width / (right - x), pen.canvas.height / (bottom - y)];
    for (const [{ image, box: [l, t, r, b] }, opacity] of this.#drawn(faces, settings)) {
      pen.globalAlpha = opacity;
      if (image) pen.drawImage(image, (l - x) * across, (t - y) * down, (r - l) * across, (b - t) * down);
    }
    pen.globalAlpha = 1;
  }

  /** Free all layers. */
  close() {
    for (const number of [...this.#fixed.keys()]) this.#drop(number);
  }

  /**
   * Return the results to draw, each with its opacity.
   * @param {Face[]} faces @param {(face: Face) => Settings} settings
   * @returns {[Result, number][]}
   */
  #drawn(faces, settings) {
    return faces.flatMap((face) => {
      if (face.decision === "leave") return [];
      const results = (this.#fixed.get(face.number)?.results ?? []).filter(({ url }) => url);
      const opacities = stacked(results.map(({ shares, held }) => Math.min(1, shareAt(settings(face), shares) / held)));
      return results.map((result, i) => /** @type {[Result, number]} */ ([result, opacities[i]]));
    });
  }

  /** @param {number} number */
  #drop(number) {
    for (const { url } of this.#fixed.get(number)?.results ?? []) if (url) URL.revokeObjectURL(url);
    this.#fixed.delete(number);
  }
}

/** Return a result's share of the face, 0 to 1. @param {Settings} settings @param {[number, number][] | null} shares */
function shareAt({ fidelity, visibility }, shares) {
  if (!shares) return Number(visibility);
  const at = Number(fidelity);
  const i = Math.min(Math.max(1, shares.findIndex(([point]) => point >= at)), shares.length - 1);
  const [[low, before], [high, after]] = [shares[i - 1], shares[i]];
  return (before + ((after - before) * (at - low)) / (high - low)) * Number(visibility);
}

/**
 * Return the opacities that give pictures drawn one over the other these shares: the later ones cover the earlier.
 * @param {number[]} shares
 */
export function stacked(shares) {
  let left = 1;
  return shares.reduceRight((/** @type {number[]} */ opacities, share) => {
    const opacity = left > 0 ? Math.min(1, share / left) : 0;
    left -= share;
    return [opacity, ...opacities];
  }, []);
}

/** Return the part of a face's plan that changes the pixels of its layers, as text. @param {Face} face @param {Result[]} [results] */
function keyOf({ box, decision, parameters }, results) {
  const { visibility: _visibility, fidelity, ...others } = parameters;
  const blends = results?.every(({ shares }) => shares) ?? false;
  return JSON.stringify([box, decision, blends ? null : fidelity, others]);
}
