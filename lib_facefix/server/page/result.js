/** Before and after, side by side under one line that is dragged, and what can be saved. */

import { FacefixCompare } from "./compare.js";
import { button, count, make } from "./dom.js";
import { fixedFile, planFile, reportFile, save } from "./files.js";

/** @import { Box, Face, Plan, Report, Size } from "./api.js" */
/** @import { Photo } from "./photo.js" */

/**
 * Return what is shown of a photo that was fixed, and its URL, to be given back when it is shown no more.
 * @param {Photo} photo @param {Report & {plan: Plan}} result @param {string} before  URL of the picture before.
 * @returns {Promise<[HTMLElement, string]>}
 */
export async function resultView(photo, result, before) {
  const { file } = photo;
  const fixed = fixedFile(result.image, file);
  const after = URL.createObjectURL(await photo.showable(fixed, async () => result.result_size));
  const seen = slider(before, after, shares(result.faces, result.size));
  const saves = make(
    "div", { class: "row saves" },
    button(`Download ${fixed.name}`, () => save(fixed), { class: "main" }),
    button("Report (JSON)", () => save(reportFile(file.name, result))),
    button("Plan (JSON)", () => save(planFile(file.name, result.plan))),
  );
  return [make("div", {}, seen, make("p", { class: "sum" }, summary(result)), saves), after];
}

/**
 * Return the slider over two pictures.
 * @param {string} before @param {string} after @param {{number: number, box: Box}[]} faces  Boxes in shares.
 */
export function slider(before, after, faces) {
  return Object.assign(new FacefixCompare(), { before, after, faces });
}

/** Return "4 faces: 3 fixed, 1 left". @param {Report} report */
export function summary({ faces, result_size: [width, height], upscale }) {
  const parts = ["fixed", "left", "failed"]
    .map((outcome) => ({ outcome, many: faces.filter((face) => face.outcome === outcome).length }))
    .filter(({ many }) => many)
    .map(({ many, outcome }) => `${many} ${outcome}`);
  const enlarged = upscale ? [`enlarged to ${width}x${height} by ${upscale.upscaler}`] : [];
  return `${faces.length ? count(faces.length, "face") : "No faces found"}: ${[...parts, ...enlarged].join(", ") || "left as it is"}`;
}

/** @param {Face[]} faces @param {Size} size @returns {{number: number, box: Box}[]} */
function shares(faces, [width, height]) {
  return faces.map(({ number, box: [left, top, right, bottom] }) => ({
    number, box: [left / width, top / height, right / width, bottom / height],
  }));
}
