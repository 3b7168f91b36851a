/** The panel of the chosen face: its decision and reason, its settings, and a preview. */

import { at, button, make } from "./dom.js";
import { Form } from "./form.js";
import { slider } from "./result.js";

/** @import { Face, Settings, Value } from "./api.js" */
/** @import { Offer } from "./form.js" */
/** @import { Page } from "./page.js" */
/** @import { Photo } from "./photo.js" */

export class FacePanel {
  /** @type {number | null} */ number = null;
  /** Form for the settings of single faces, created when the first face is chosen. @type {Form | null} */ form = null;

  /**
   * trial(number): returns two canvases, the face before and after.
   * @param {Offer} offer @param {Photo} photo @param {Page} page
   * @param {(number: number) => Promise<HTMLCanvasElement[]>} trial
   */
  constructor(offer, photo, page, trial) {
    this.offer = offer;
    this.photo = photo;
    this.page = page;
    this.trial = trial;
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

  /** Show the settings of a face and keep the focus. null: the common settings. @param {number | null} number */
  show(number) {
    if (number !== this.number) this.forgetTrial();
    const face = number === null ? undefined : this.photo.face(number);
    if (!face) this.#leave();
    else if (this.number === null) this.#enter(face);
    this.number = number;
    if (face) this.#write(face);
  }

  /** @param {string | number} name @param {string} sentence */
  refuse(name, sentence) {
    return Boolean(this.form?.refuse(name, sentence));
  }

  clear() {
    this.form?.clear();
  }

  /** Remove the preview, as its settings are outdated. */
  forgetTrial() {
    this.shown.replaceChildren();
  }

  /** @param {Face} face */
  #enter(face) {
    const names = this.offer.namesOf(face);
    this.form ??= new Form("face", this.offer, names, "use shared setting", (name, value) => this.#change(name, value));
    this.page.showCommon(false);
    at("forms").append(this.form.element);
    at("who").replaceChildren(...this.head);
  }

  #leave() {
    this.form?.element.remove();
    this.page.showCommon(true);
  }

  /** @param {Face} face */
  #write(face) {
    const left = face.decision === "leave";
    this.title.textContent = `Face ${face.number}`;
    this.why.textContent = `${Math.round(face.size)} px · sharpness ${face.sharpness.toFixed(2)} · ${face.decision}: ${face.reason}`;
    this.fixed.checked = !left;
    this.attempt.disabled = left;
    this.#writeSettings(this.photo.overrides[face.number] ?? {});
  }

  /** @param {Settings} own */
  #writeSettings(own) {
    const names = Object.keys(own);
    this.toAll.disabled = !names.length;
    this.form?.show({ ...this.offer.defaults, ...this.page.settings, ...own }, new Set(names));
  }

  /** @param {string} name @param {Value | undefined} value */
  #change(name, value) {
    if (this.number === null) return;
    const common = this.page.settings[name] ?? this.offer.defaults[name];
    const asForAll = name !== "method" && value === common; // choosing a method for one face also overrides the size and quality criteria
    this.photo.change(this.number, name, asForAll ? undefined : value);
    this.#writeSettings(this.photo.overrides[this.number] ?? {});
  }

  #applyToAll() {
    if (this.number === null) return;
    const own = { ...this.photo.overrides[this.number] };
    this.photo.forget(Object.keys(own));
    this.page.setAll(own);
  }

  async #attempt() {
    const { number } = this;
    if (number === null) return;
    this.attempt.disabled = true;
    this.attempt.textContent = "Fixing …";
    try {
      const [before, after] = await this.trial(number);
      if (number === this.number) this.shown.replaceChildren(slider(before.toDataURL(), after.toDataURL(), []));
    } finally {
      this.attempt.disabled = !this.fixed.checked;
      this.attempt.textContent = "Try this face";
    }
  }
}
