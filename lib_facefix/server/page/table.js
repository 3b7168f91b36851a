/** The table that summarizes all faces. */

import { button, make } from "./dom.js";
import { DECISIONS, OUTCOMES, describeIdentity } from "./words.js";

/** @import { Face, Overrides, Settings, Value } from "./api.js" */
/** @typedef {{name: string, title: string, labels: Map<string, string>}} Column  A setting. labels: of its choices, by name. */

/**
 * Return the table. faces: faces of a plan or report. columns: settings to show. own: settings of single faces, by
 * number.
 * @param {Face[]} faces @param {Column[]} columns @param {Overrides} own @param {(number: number) => void} choose
 */
export function table(faces, columns, own, choose) {
  const done = faces.some((face) => face.outcome);
  const guarded = faces.some((face) => face.identity);
  const found = [...(done ? ["Outcome"] : []), ...(guarded ? ["Identity"] : [])];
  const heads = ["Face", "Size", "Sharpness", "Decision", ...found, ...columns.map(({ title }) => title), "Reason"];
  const rows = inOrder(faces).map((face) => row(face, columns, own[face.number] ?? {}, done, guarded, choose));
  return make(
    "table", {},
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
    make("tbody", {}, ...rows),
  );
}

/**
 * @param {Face} face @param {Column[]} columns @param {Settings} own
 * @param {boolean} done  Whether there are outcomes. @param {boolean} guarded  Whether identities were measured.
 * @param {(number: number) => void} choose
 */
function row(face, columns, own, done, guarded, choose) {
  const left = face.decision === "leave";
  const cells = columns.map(({ name, labels }) =>
    make("td", { class: name in own ? "own" : "" }, left ? "–" : shown(face.parameters[name], labels)),
  );
  const outcome = done ? make("td", { class: face.outcome }, OUTCOMES[face.outcome ?? ""] ?? face.outcome) : null;
  return make(
    "tr", { class: face.decision },
    make("th", { scope: "row" }, button(face.number, () => choose(face.number), { class: "quiet", "aria-label": `Face ${face.number}` })),
    make("td", {}, `${Math.round(face.size)} px`),
    make("td", {}, face.sharpness.toFixed(2)),
    make("td", { class: "method" in own ? "own" : "" }, DECISIONS[face.decision] ?? face.decision),
    outcome,
    guarded ? make("td", { class: "identity" }, face.identity ? describeIdentity(face.identity) : "–") : null,
    ...cells,
    make("td", { class: "why" }, face.error ?? (face.outcome === "left" && face.note ? face.note : face.reason)),
  );
}

/** @param {Face[]} faces */
const inOrder = (faces) => [...faces].sort((one, other) => one.number - other.number);
/** @param {Value | undefined} value @param {Map<string, string>} labels */
const shown = (value, labels) =>
  typeof value === "number" ? String(Math.round(100 * value) / 100) : (labels.get(String(value)) ?? String(value));
