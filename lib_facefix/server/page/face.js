/** The panel of the chosen face: its decision and reason, its settings, and a preview. */

import { at, button, make } from "./dom.js";
import { Form } from "./form.js";
import { slider } from "./result.js";
import { thumbnail, thumbnailPart } from "./stage.js";
import { Strength } from "./strength.js";
import { DECISIONS, describeIdentity } from "./words.js";

/** @import { Face, Settings, Value } from "./api.js" */
/** @import { FacefixCompare } from "./compare.js" */
/** @import { Offer } from "./form.js" */
/** @import { Layers } from "./layers.js" */
/** @import { Page } from "./page.js" */
/** @import { Photo } from "./photo.js" */
/** @import { Stage } from "./stage.js" */

const SIDE = 640; // pixels of the preview
const AROUND = 0.4; // margin around the face in the preview, as a share of the face's size
const CALM = 400; // milliseconds without a change before the face is tried again

export class FacePanel {
  /** @type {number | null} */ number = null;
  /** Form for the settings of single faces, created when the first face is chosen. @type {Form | null} */ form = null;
  /** Slider of the preview, while there is one. @type {FacefixCompare | null} */ #trial = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #due;
  /** @type {AbortController | undefined} */ #loading;

  /** @param {Offer} offer @param {Photo} photo @param {Page} page @param {Layers} layers @param {Stage} stage */
  constructor(offer, photo, page, layers, stage) {
    this.offer = offer;
    this.photo = photo;
    this.page = page;
    this.layers = layers;
    this.stage = stage;
    this.title = make("h2");
    this.why = make("p", { class: "why" });
    this.fixed = make("input", { type: "checkbox", id: "fix-face" });
    this.fixed.addEventListener("change", () => this.#change("method", this.fixed.checked ? "restore" : "leave"));
    this.strength = new Strength("face-strength", "use shared setting", (fidelity) => this.#change("fidelity", fidelity));
    this.attempt = button("Try this face", () => this.#attempt());
    this.toAll = button("Apply to all", () => this.#applyToAll());
    this.only = button("Only this person", () => this.#onlyThis());
    this.shown = make("div", { class: "trial" });
    this.head = [
      this.title,
      this.why,
      make("label", { class: "tick", for: "fix-face" }, this.fixed, "Enhance this face"),
      this.strength.element,
      make("div", { class: "row" }, this.attempt, this.toAll, this.only),
      this.shown,
    ];
    this.advanced = make("details", { class: "advanced" }, make("summary", {}, "Advanced"));
  }

  /** Show the settings of a face and keep the focus. null: the common settings. @param {number | null} number */
  show(number) {
    if (number !== this.number) this.#forgetTrial();
    const face = number === null ? undefined : this.photo.face(number);
    if (!face) this.#leave();
    else if (this.number === null) this.#enter(face);
    this.number = number;
    if (face) this.#write(face);
    this.renew();
  }

  /** @param {string | number} name @param {string} sentence */
  refuse(name, sentence) {
    return Boolean(this.form?.refuse(name, sentence));
  }

  clear() {
    this.form?.clear();
  }

  /** Show the preview with the current settings: at once where they are opacities, otherwise tried again after a while. */
  renew() {
    const face = this.#face;
    if (!face || !this.#trial) return;
    if (face.decision === "leave") {
      this.#forgetTrial();
      return;
    }
    const part = thumbnailPart(face.box, AROUND);
    if (this.layers.has([face])) this.#trial.layers = this.layers.over([face], part, (one) => this.photo.settingsOf(one));
    clearTimeout(this.#due);
    if (this.layers.stale([face]).length && !this.photo.due) this.#due = setTimeout(() => this.#attempt(), CALM);
  }

  get #face() {
    return this.number === null ? undefined : this.photo.face(this.number);
  }

  #forgetTrial() {
    clearTimeout(this.#due);
    this.#loading?.abort();
    this.#trial = null;
    this.shown.replaceChildren();
  }

  /** @param {Face} face */
  #enter(face) {
    const names = this.offer.namesOf(face);
    if (!this.form) {
      this.form = new Form("face", this.offer, names, "use shared setting", (name, value) => this.#change(name, value));
      this.advanced.append(this.form.element);
    }
    this.page.showCommon(false);
    at("forms").append(this.advanced);
    at("who").replaceChildren(...this.head);
  }

  #leave() {
    this.advanced.remove();
    this.page.showCommon(true);
  }

  /** @param {Face} face */
  #write(face) {
    const left = face.decision === "leave";
    this.title.textContent = `Face ${face.number}`;
    this.why.textContent = `${DECISIONS[face.decision] ?? face.decision}: ${face.reason}`;
    this.fixed.checked = !left;
    this.attempt.disabled = left;
    this.attempt.hidden = Boolean(this.photo.result);
    this.strength.idle(left);
    this.#writeSettings(this.photo.overrides[face.number] ?? {});
  }

  /** @param {Settings} own */
  #writeSettings(own) {
    const names = Object.keys(own);
    const values = { ...this.offer.defaults, ...this.page.settings, ...own };
    this.toAll.disabled = !names.length;
    this.strength.show(values.fidelity, "fidelity" in own);
    this.form?.show(values, new Set(names));
  }

  /** @param {string} name @param {Value | undefined} value */
  #change(name, value) {
    if (this.number === null) return;
    const common = this.page.settings[name] ?? this.offer.defaults[name];
    const asForAll = name !== "method" && value === common; // choosing a method for one face also overrides the size and quality criteria
    this.photo.change(this.number, name, asForAll ? undefined : value);
    this.#writeSettings(this.photo.overrides[this.number] ?? {});
  }

  /** Enhance only the person of the chosen face, and show all faces. */
  #onlyThis() {
    const face = this.#face;
    if (!face) return;
    const portrait = thumbnail(this.stage.source, thumbnailPart(face.box, AROUND), this.photo.size, SIDE);
    this.stage.choose(null);
    this.page.person.choose(portrait, `the person of face ${face.number}`);
  }

  #applyToAll() {
    if (this.number === null) return;
    const own = { ...this.photo.overrides[this.number] };
    this.photo.forget(Object.keys(own));
    this.page.setAll(own);
  }

  /** Fix the chosen face and show it before and after. An old preview stays until then. */
  async #attempt() {
    const { number } = this;
    if (number === null) return;
    this.#loading?.abort();
    const loading = (this.#loading = new AbortController());
    this.attempt.disabled = true;
    this.attempt.textContent = "Enhancing …";
    try {
      const plan = await this.photo.newest();
      const face = this.photo.face(number);
      if (!face) return;
      const stale = this.layers.stale([face]);
      if (stale.length) await this.layers.load(await this.photo.encoded(), plan, stale, loading.signal);
      loading.signal.throwIfAborted();
      if (number === this.number) this.#showTrial(face);
    } catch (error) {
      this.page.refuse(error);
    } finally {
      if (loading === this.#loading) {
        this.attempt.disabled = !this.fixed.checked;
        this.attempt.textContent = "Try this face";
      }
    }
  }

  /** @param {Face} face */
  #showTrial(face) {
    const why = this.layers.error(face.number);
    if (why) {
      this.#forgetTrial();
      this.shown.replaceChildren(make("p", { class: "problem" }, why));
      return;
    }
    if (!this.#trial) {
      const before = thumbnail(this.stage.source, thumbnailPart(face.box, AROUND), this.photo.size, SIDE).toDataURL();
      this.#trial = slider(before, before, []);
      this.#trial.toggleAttribute("compact", true);
      this.shown.replaceChildren(this.#trial, make("p", { class: "small" }));
    }
    const identity = this.layers.identity(face.number);
    const line = this.shown.querySelector(":scope > p");
    if (line) line.textContent = identity ? `Identity at full visibility: ${describeIdentity(identity)}.` : "";
    this.renew();
  }
}
