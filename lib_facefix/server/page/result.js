/** The before/after view of a fixed photo, and its downloads. */

import { FacefixCompare } from "./compare.js";
import { button, count, make } from "./dom.js";
import { fixedFile, planFile, reportFile, save } from "./files.js";

/** @import { Box, Face, Plan, Report, Size } from "./api.js" */
/** @import { Output } from "./output.js" */
/** @import { Photo } from "./photo.js" */

/**
 * Return the view of a fixed photo, and the URL of its image, which the caller must revoke.
 * @param {Photo} photo @param {Report & {plan: Plan, output: Output}} result @param {string} before  URL of the photo before.
 * @returns {Promise<[HTMLElement, string]>}
 */
export async function resultView(photo, result, before) {
  const { file } = photo;
  const fixed = fixedFile(result.image, file, result.output);
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
 * Return the slider over two images.
 * @param {string} before @param {string} after @param {{number: number, box: Box}[]} faces  Boxes relative to the size.
 */
export function slider(before, after, faces) {
  return Object.assign(new FacefixCompare(), { before, after, faces });
}

const OUTCOMES = { fixed: "fixed", left: "unchanged", failed: "failed" };

/** Return "4 faces: 3 fixed, 1 unchanged". @param {Report} report */
export function summary({ faces, result_size: [width, height], upscale }) {
  const parts = Object.entries(OUTCOMES)
    .map(([outcome, word]) => ({ word, many: faces.filter((face) => face.outcome === outcome).length }))
    .filter(({ many }) => many)
    .map(({ many, word }) => `${many} ${word}`);
  const upscaled = upscale ? [`upscaled to ${width}x${height} with ${upscale.upscaler}`] : [];
  return `${faces.length ? count(faces.length, "face") : "No faces found"}: ${[...parts, ...upscaled].join(", ") || "photo unchanged"}`;
}

/** @param {Face[]} faces @param {Size} size @returns {{number: number, box: Box}[]} */
function shares(faces, [width, height]) {
  return faces.map(({ number, box: [left, top, right, bottom] }) => ({
    number, box: [left / width, top / height, right / width, bottom / height],
  }));
}
