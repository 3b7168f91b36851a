/** Words for what FaceFix does to a face, the same everywhere on the page. */

/** Words for the decisions of a plan. @type {Record<string, string>} */
export const DECISIONS = { restore: "Restore", "re-diffuse": "Re-diffuse", leave: "Skipped" };

/** Words for the outcomes in a report, in the order of a summary. @type {Record<string, string>} */
export const OUTCOMES = { fixed: "enhanced", left: "unchanged", failed: "failed" };
