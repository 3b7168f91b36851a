/** The visible part of the images in `<facefix-compare>`: how it is magnified and moved. */

/**
 * @typedef {{number: number, box: [number, number, number, number]}} Face
 *   box: left, top, right, and bottom, relative to the image's width and height, 0..1.
 * @typedef {{scale: number, x: number, y: number}} Look
 *   The visible part of the image. scale: magnification, 1 for the whole image. x, y: its centre, relative to the image.
 * @typedef {{x: number, y: number}} Spot  A position relative to the frame, 0..1.
 */

const FACE_MARGIN = 1.8; // side of the visible part around a face, relative to its box
const MAX_SCALE = 40; // largest magnification

/** @type {Look} */
export const WHOLE = { scale: 1, x: 0.5, y: 0.5 };

/** @param {number} value @param {number} low @param {number} high */
export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

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
export function lookAt({ box: [left, top, right, bottom] }) {
  const size = Math.max(right - left, bottom - top, 1e-6);
  return look(1 / (size * FACE_MARGIN), (left + right) / 2, (top + bottom) / 2);
}

/**
 * Return the look magnified further. The point under the spot stays in place.
 * @param {Look} old @param {number} times @param {Spot} spot
 */
export function closer(old, times, spot) {
  const scale = clamp(old.scale * times, 1, MAX_SCALE);
  const shift = 1 / old.scale - 1 / scale;
  return look(scale, old.x + (spot.x - 0.5) * shift, old.y + (spot.y - 0.5) * shift);
}

/**
 * Return the look with the image moved, relative to the frame.
 * @param {Look} old @param {number} right @param {number} down
 */
export function moved(old, right, down) {
  return look(old.scale, old.x - right / old.scale, old.y - down / old.scale);
}

/**
 * Return the position in the frame of a position in the image, both relative.
 * @param {Look} seen @param {"x" | "y"} axis @param {number} place
 */
export const inFrame = (seen, axis, place) => (place - seen[axis]) * seen.scale + 0.5;
