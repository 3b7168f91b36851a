/** The slider from natural to strong. It sets the fidelity, which runs the other way. */

import { button, make } from "./dom.js";

/** @import { Value } from "./api.js" */

export class Strength {
  /**
   * id: unique id of the input. undoLabel: label of the button that resets it.
   * changed(fidelity): called for each movement. undefined: reset.
   * @param {string} id @param {string} undoLabel @param {(fidelity: number | undefined) => void} changed
   */
  constructor(id, undoLabel, changed) {
    this.input = make("input", { type: "range", id, min: 0, max: 100, step: 1 });
    this.input.addEventListener("input", () => changed((100 - Number(this.input.value)) / 100));
    this.undo = button(undoLabel, () => changed(undefined), { class: "undo", hidden: true, "aria-label": `Strength: ${undoLabel}` });
    this.element = make(
      "div", { class: "strength" },
      make("div", { class: "head" }, make("label", { for: id }, "Strength"), this.undo),
      this.input,
      make("div", { class: "ends", "aria-hidden": "true" }, make("span", {}, "Natural"), make("span", {}, "Strong")),
    );
  }

  /** Show a fidelity. own: whether it can be reset. @param {Value | undefined} fidelity @param {boolean} own */
  show(fidelity, own) {
    const percent = Math.round(100 * (1 - Number(fidelity)));
    this.input.value = String(percent);
    this.input.style.setProperty("--filled", `${percent}%`);
    this.input.setAttribute("aria-valuetext", `${percent} % (${words(percent)})`);
    this.undo.hidden = !own;
  }

  /** Disable the slider, or enable it. @param {boolean} yes */
  idle(yes) {
    this.input.disabled = yes;
  }
}

/** @param {number} percent */
const words = (percent) => (percent < 25 ? "natural" : percent < 60 ? "balanced" : "strong");
