/** Makes a picture to share: a photo before and after, side by side and labelled. */

import { make } from "./dom.js";
import { packed, penOf } from "./pairs.js";

const LONGEST = 2400; // longer side of the picture without its labels, in pixels
const QUALITY = 0.92;
const [INK, PAPER] = ["#202020", "#fafaf8"];

/**
 * Return "old.before-after.jpg" for "old.png": the photo before on the left, after on the right, or above each other if
 * the photo is wide. Throws an error if the browser cannot show one of them.
 * @param {Blob} before @param {Blob} after @param {string} name
 */
export async function besides(before, after, name) {
  const images = await Promise.all([before, after].map((photo) => createImageBitmap(photo)));
  const [shape] = images.map((image) => image.width / image.height).slice(1);
  const wide = shape > 1.6; // two such photos beside each other would be a thin strip
  const [across, down] = wide ? [1, 2] : [2, 1];
  const largest = Math.max(...images.map((image) => image.width)); // nothing is enlarged
  const width = Math.round(Math.min(largest, LONGEST / across, (LONGEST / down) * shape));
  const height = Math.max(1, Math.round(width / shape));
  const gap = Math.max(4, Math.round(Math.max(width, height) / 60));
  const line = Math.max(24, Math.round(Math.max(width, height) / 18));
  const picture = make("canvas", {
    width: width * across + gap * (across + 1), height: (height + line) * down + gap * (down + 1),
  });
  const pen = penOf(picture);
  pen.fillStyle = PAPER;
  pen.fillRect(0, 0, picture.width, picture.height);
  pen.imageSmoothingQuality = "high";
  pen.font = `600 ${Math.round(line * 0.62)}px system-ui, sans-serif`;
  pen.textBaseline = "middle";
  for (const [index, image] of images.entries()) {
    const x = gap + (wide ? 0 : index * (width + gap));
    const y = gap + (wide ? index * (height + line + gap) : 0);
    pen.fillStyle = INK;
    pen.fillText(["Before", "After"][index], x, y + line / 2);
    pen.drawImage(image, x, y + line, width, height);
    image.close();
  }
  const file = await packed(picture, QUALITY);
  return new File([file], `${name.replace(/(.)\.[^.]*$/, "$1")}.before-after.jpg`, { type: file.type });
}
