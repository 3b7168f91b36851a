/** Words for what FaceFix does to a face, the same everywhere on the page. */

/** @import { Identity } from "./api.js" */

/** Words for the decisions of a plan. @type {Record<string, string>} */
export const DECISIONS = { restore: "Restore", "re-diffuse": "Re-diffuse", leave: "Skipped" };

/** Words for the outcomes in a report, in the order of a summary. @type {Record<string, string>} */
export const OUTCOMES = { fixed: "enhanced", left: "unchanged", failed: "failed" };

/** Words for the verdicts of the identity guard. @type {Record<string, string>} */
export const IDENTITIES = {
  kept: "kept", drifted: "drifted", "backed off": "changed less", left: "not changed", unmeasured: "not measured",
};

/**
 * Return the finding of the identity guard, with what was done: "changed less: 62% of the change (distance 0.40 instead
 * of 0.61, limit 0.45)".
 * @param {Identity} identity
 */
export function describeIdentity({ verdict, distance, limit, first, how, why }) {
  const head = [IDENTITIES[verdict] ?? verdict, how || why].filter(Boolean).join(": ");
  if (distance === null || limit === null) return head;
  const instead = first !== null && first.toFixed(2) !== distance.toFixed(2) ? ` instead of ${first.toFixed(2)}` : "";
  return `${head} (distance ${distance.toFixed(2)}${instead}, limit ${limit.toFixed(2)})`;
}

/** Return the finding in a few characters: "kept, 0.12 of 0.45". @param {Identity} identity */
export const abbreviateIdentity = ({ verdict, distance, limit }) =>
  (IDENTITIES[verdict] ?? verdict) + (distance === null || limit === null ? "" : `, ${distance.toFixed(2)} of ${limit.toFixed(2)}`);
