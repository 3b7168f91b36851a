/** Draws small pictures of photos: the whole photo, or its most changed face before and after. */

import { make } from "./dom.js";

/** @import { Box, Face, Size } from "./api.js" */

const WIDTH = 480; // width of a small picture of a whole photo, in pixels; displayed at about half of it
const FACE = 320; // side of a face before and after, in pixels
const AROUND = 0.35; // margin around a face, as a share of its size
const COMPARED = 48; // side at which faces are compared, in pixels
const MOST = 24; // number of faces of a photo that are compared, from the largest on
const QUALITY = 0.85;

/** Photos are decoded one after another, as each may need 100 MB. @type {Promise<unknown>} */
let queue = Promise.resolve();

/**
 * Run a function when all earlier ones have ended.
 * @template Result
 * @param {() => Promise<Result>} work
 * @returns {Promise<Result>}
 */
function inTurn(work) {
  const done = queue.then(work);
  queue = done.catch(() => {});
  return done;
}

/** Return a small picture of a whole photo. Throws an error if the browser cannot show it. @param {Blob} photo */
export function small(photo) {
  return inTurn(async () => {
    const image = await createImageBitmap(photo);
    const scale = Math.min(1, WIDTH / image.width, WIDTH / image.height);
    const size = [image.width, image.height].map((side) => Math.max(1, Math.round(side * scale)));
    const picture = drawn(image, [0, 0, image.width, image.height], [size[0], size[1]]);
    image.close();
    return packed(picture);
  });
}

/**
 * Return the face that changed most, before and after. null: no face was fixed.
 * size: size of the photo that the boxes refer to.
 * @param {Blob} before @param {Blob} after @param {Face[]} faces @param {Size} size
 * @returns {Promise<{number: number, before: Blob, after: Blob} | null>}
 */
export function pair(before, after, faces, size) {
  const largest = faces.filter((face) => face.outcome === "fixed").sort((one, other) => other.size - one.size).slice(0, MOST);
  if (!largest.length) return Promise.resolve(null);
  return inTurn(async () => {
    const images = await Promise.all([before, after].map((photo) => createImageBitmap(photo)));
    const [most] = largest
      .map((face) => ({ face, change: difference(images.map((image) => cut(image, face.box, size, COMPARED))) }))
      .sort((one, other) => other.change - one.change);
    const sides = images.map((image) => cut(image, most.face.box, size, FACE));
    for (const image of images) image.close();
    const [was, now] = await Promise.all(sides.map((side) => packed(side)));
    return { number: most.face.number, before: was, after: now };
  });
}

/** Return a face of a photo, with a margin, as a square. @param {ImageBitmap} image @param {Box} box @param {Size} size @param {number} side */
function cut(image, [left, top, right, bottom], size, side) {
  const reach = Math.max(right - left, bottom - top) * (1 + 2 * AROUND);
  const [across, down] = [image.width / size[0], image.height / size[1]];
  const x = Math.max(0, Math.min((left + right - reach) / 2, size[0] - reach));
  const y = Math.max(0, Math.min((top + bottom - reach) / 2, size[1] - reach));
  return drawn(image, [x * across, y * down, reach * across, reach * down], [side, side]);
}

/** Return the mean absolute difference of two pictures of equal size, 0..255. @param {HTMLCanvasElement[]} pictures */
function difference(pictures) {
  const [one, other] = pictures.map((picture) => penOf(picture).getImageData(0, 0, picture.width, picture.height).data);
  return one.reduce((sum, value, index) => sum + Math.abs(value - other[index]), 0) / one.length;
}

/** @param {CanvasImageSource} image @param {Box} part  Left, top, width, and height. @param {Size} size */
function drawn(image, [x, y, across, down], [width, height]) {
  const picture = make("canvas", { width, height });
  const pen = penOf(picture);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(image, x, y, across, down, 0, 0, width, height);
  return picture;
}

/** Return what draws on a canvas. @param {HTMLCanvasElement} picture */
export function penOf(picture) {
  const pen = picture.getContext("2d");
  if (!pen) throw new Error("The browser does not support canvas drawing.");
  return pen;
}

/** Return a canvas as a JPEG. @param {HTMLCanvasElement} picture @returns {Promise<Blob>} */
export function packed(picture, quality = QUALITY) {
  return new Promise((done, failed) => {
    picture.toBlob((file) => (file ? done(file) : failed(new Error("The browser cannot make this picture."))), "image/jpeg", quality);
  });
}
