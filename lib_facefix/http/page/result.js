/** Before and after, side by side under one line that is dragged, and what can be saved. */

import "./compare.js";
import { button, count, make } from "./dom.js";
import { fixedFile, planFile, reportFile, save } from "./files.js";

/** Return what is shown of a photo that was fixed, and its URL, to be given back when it is shown no more. */
export async function resultView(photo, before) {
  const { result, file } = photo;
  const fixed = fixedFile(result.image, file);
  const after = URL.createObjectURL(await photo.showable(fixed, () => result.result_size));
  const seen = slider(before, after, shares(result.faces, result.size));
  const saves = make(
    "div", { class: "row saves" },
    button(`Download ${fixed.name}`, () => save(fixed), { class: "main" }),
    button("Report (JSON)", () => save(reportFile(file.name, result))),
    button("Plan (JSON)", () => save(planFile(file.name, result.plan))),
  );
  return [make("div", {}, seen, make("p", { class: "sum" }, summary(result)), saves), after];
}

/** Return the slider over two pictures. */
export function slider(before, after, faces, labels) {
  const compare = document.createElement("facefix-compare");
  Object.assign(compare, { before, after, faces });
  if (labels) compare.labels = labels;
  return compare;
}

/** Return "4 faces: 3 fixed, 1 left". */
export function summary({ faces, result_size: [width, height], upscale }) {
  const parts = ["fixed", "left", "failed"]
    .map((outcome) => [faces.filter((face) => face.outcome === outcome).length, outcome])
    .filter(([many]) => many)
    .map(([many, outcome]) => `${many} ${outcome}`);
  const enlarged = upscale ? [`enlarged to ${width}x${height} by ${upscale.upscaler}`] : [];
  return `${faces.length ? count(faces.length, "face") : "No faces found"}: ${[...parts, ...enlarged].join(", ") || "left as it is"}`;
}

function shares(faces, [width, height]) {
  return faces.map(({ number, box: [left, top, right, bottom] }) => ({
    number, box: [left / width, top / height, right / width, bottom / height],
  }));
}
