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
    this.title = make("h2");
    this.why = make("p", { class: "why" });
    this.fixed = make("input", { type: "checkbox", id: "fix-face" });
    this.fixed.addEventListener("change", () => this.#change("method", this.fixed.checked ? "restore" : "leave"));
    this.attempt = button("Try this face", () => this.#attempt().catch(page.refuse));
    this.toAll = button("Apply to all", () => this.#applyToAll());
    this.shown = make("div", { class: "trial" });
    this.head = [
      this.title,
      this.why,
      make("label", { class: "tick", for: "fix-face" }, this.fixed, "Fix this face"),
      make("div", { class: "row" }, this.attempt, this.toAll),
      this.shown,
    ];
  }

  /** Show a face's settings; null: those of all. What has the focus keeps it. */
  show(number) {
    if (number !== this.number) this.forgetTrial();
    if (number === null) this.#leave();
    else if (this.number === null) this.#enter(number);
    this.number = number;
    if (number !== null) this.#write(this.photo.face(number));
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

  #enter(number) {
    const names = this.offer.namesOf(this.photo.face(number));
    this.form ??= new Form("face", this.offer, names, "as for all", (name, value) => this.#change(name, value));
    this.page.showCommon(false);
    at("forms").append(this.form.element);
    at("who").replaceChildren(...this.head);
  }

  #leave() {
    this.form?.element.remove();
    this.page.showCommon(true);
  }

  #write(face) {
    const left = face.decision === "leave";
    this.title.textContent = `Face ${face.number}`;
    this.why.textContent = `${Math.round(face.size)} px · sharpness ${face.sharpness.toFixed(2)} · ${face.decision}: ${face.reason}`;
    this.fixed.checked = !left;
    this.attempt.disabled = left;
    this.#writeSettings(this.photo.overrides[face.number] ?? {});
  }

  #writeSettings(own) {
    const names = Object.keys(own);
    this.toAll.disabled = !names.length;
    this.form.show({ ...this.offer.defaults, ...this.page.settings, ...own }, new Set(names));
  }

  #change(name, value) {
    const common = this.page.settings[name] ?? this.offer.defaults[name];
    const asForAll = name !== "method" && value === common; // a method of its own frees a face from the criteria
    this.photo.change(this.number, name, asForAll ? undefined : value);
    this.#writeSettings(this.photo.overrides[this.number]);
  }

  #applyToAll() {
    const own = { ...this.photo.overrides[this.number] };
    this.photo.forget(Object.keys(own));
    this.page.setAll(own);
  }

  async #attempt() {
    const number = this.number;
    this.attempt.disabled = true;
    this.attempt.textContent = "Trying …";
    try {
      const [before, after] = await this.trial(number);
      if (number === this.number) this.shown.replaceChildren(slider(before.toDataURL(), after.toDataURL(), []));
    } finally {
      this.attempt.disabled = false;
      this.attempt.textContent = "Try this face";
    }
  }
}
