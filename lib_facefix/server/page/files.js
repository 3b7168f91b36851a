/** Reads and writes files in the browser. Nothing in this module is sent anywhere. */

import { inFormat } from "./output.js";

/** @import { Plan, Report } from "./api.js" */
/** @import { Output } from "./output.js" */

/** Return the file as a data URL. @param {Blob & {name?: string}} file @returns {Promise<string>} */
export function dataUrl(file) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => done(String(reader.result)));
    reader.addEventListener("error", () => failed(new Error(`Cannot read ${file.name}: ${reader.error?.message}`)));
    reader.readAsDataURL(file);
  });
}

/** Return the bytes of a base64 text. @param {string} base64 */
export const bytes = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/**
 * Return the fixed image as a file, named like "old.fixed.jpg". output: its format, if not that of the source.
 * @param {string} base64 @param {File} source @param {Output} [output]
 */
export function fixedFile(base64, source, output = {}) {
  return new File([bytes(base64)], resultName(source, output), { type: inFormat(source, output).type });
}

/** Return "old.fixed.webp" for the result of "old.jpg" as WebP. @param {File} source @param {Output} output */
export const resultName = (source, output) => fixedName(inFormat(source, output).name);

/**
 * Return the file as a loaded image. Throws the browser's error if it cannot show the file.
 * @param {Blob} file
 */
export async function decoded(file) {
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await image.decode();
  } finally {
    URL.revokeObjectURL(image.src);
  }
  return image;
}

/** Return "old.fixed.jpg" for "old.jpg". @param {string} name */
export function fixedName(name) {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? `${name.slice(0, dot)}.fixed${name.slice(dot)}` : `${name}.fixed`;
}

/** Return the plan as a file for `facefix fix --plan`. @param {string} name @param {Plan} plan */
export const planFile = (name, plan) => document_(`${name}.plan.json`, { path: name, ...plan });

/** Return the report as `facefix fix --report` writes it. @param {string} name @param {Report} result */
export const reportFile = (name, result) => document_(`${name}.report.json`, reportRecord(name, result, fixedName(name)));

/** Return the report of several photos. records: one of each, as `reportRecord` returns it. @param {object[]} records */
export const albumReport = (records) => document_("photos.report.json", ...records);

/** Return what a report says of one photo. output: path of the result. @param {string} path @param {Report} result @param {string} output */
export function reportRecord(path, result, output) {
  const { version: _version, image: _image, plan: _plan, ...report } = result;
  return { path, ...report, output, error: null };
}

/** Return whether the result has other bytes than the photo. @param {Report} result */
export const changed = (result) => Boolean(result.upscale) || result.faces.some((face) => face.outcome === "fixed");

/** @param {string} name @param {...object} pictures */
function document_(name, ...pictures) {
  const text = `${JSON.stringify({ version: 1, pictures }, null, 2)}\n`;
  return new File([text], name, { type: "application/json" });
}

/** Let the browser save a file. @param {File} file */
export function save(file) {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
