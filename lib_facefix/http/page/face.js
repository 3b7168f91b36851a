/** The panel of the chosen face: what is done to it and why, its settings, and a trial of them. */

import { at, button, make } from "./dom.js";
import { Form } from "./form.js";
import { slider } from "./result.js";

export class FacePanel {
  /** trial(number): async, returns two canvases with the face before and after. */
  constructor(offer, photo, page, trial) {
    this.offer = offer;
    this.photo = photo;
    this.page = page;
    this.trial = trial;
    this.number = null;
    this.shown = make("div", { class: "trial" });
  }

  /** Show a face's settings; null: those of all. */
  show(number) {
    if (number !== this.number) this.forgetTrial();
    this.number = number;
    this.form?.element.remove();
    this.page.showCommon(number === null);
    if (number === null) return;
    const face = this.photo.face(number);
    this.form ??= new Form("face", this.offer, this.offer.namesOf(face), "as for all", (name, value) => this.#change(name, value));
    at("forms").append(this.form.element);
    const own = this.photo.overrides[number] ?? {};
    this.form.show({ ...this.offer.defaults, ...this.page.settings, ...own }, new Set(Object.keys(own)));
    at("who").replaceChildren(...this.#head(face, Object.keys(own).length > 0));
  }

  refuse(name, sentence) {
    return Boolean(this.form?.refuse(name, sentence));
  }

  clear() {
    this.form?.clear();
  }

  /** A trial shows settings that are no more. */
  forgetTrial() {
    this.shown.replaceChildren();
  }

  #head(face, changed) {
    const fixed = make("input", { type: "checkbox", id: "fix-face" });
    fixed.checked = face.decision !== "leave";
    fixed.addEventListener("change", () => this.#change("method", fixed.checked ? "restore" : "leave"));
    const attempt = button("Try this face", () => this.#attempt(attempt).catch(this.page.refuse), { disabled: !fixed.checked });
    const toAll = button("Apply to all", () => this.#applyToAll(), { disabled: !changed });
    return [
      make("h2", {}, `Face ${face.number}`),
      make("p", { class: "why" }, `${Math.round(face.size)} px · sharpness ${face.sharpness.toFixed(2)} · ${face.decision}: ${face.reason}`),
      make("label", { class: "tick", for: "fix-face" }, fixed, "Fix this face"),
      make("div", { class: "row" }, attempt, toAll),
      this.shown,
    ];
  }

  #change(name, value) {
    const common = this.page.settings[name] ?? this.offer.defaults[name];
    const asForAll = name !== "method" && value === common; // a method of its own frees a face from the criteria
    this.photo.change(this.number, name, asForAll ? undefined : value);
    this.show(this.number);
  }

  #applyToAll() {
    const own = { ...this.photo.overrides[this.number] };
    this.photo.forget(Object.keys(own));
    this.page.setAll(own);
    this.show(this.number);
  }

  async #attempt(pressed) {
    const number = this.number;
    pressed.disabled = true;
    pressed.textContent = "Trying …";
    try {
      const [before, after] = await this.trial(number);
      if (number !== this.number) return;
      this.shown.replaceChildren(slider(before.toDataURL(), after.toDataURL(), []));
    } finally {
      pressed.disabled = false;
      pressed.textContent = "Try this face";
    }
  }
}
