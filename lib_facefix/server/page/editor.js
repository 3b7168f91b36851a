/** The editor of one photo: its faces, the settings of the chosen face, and the result. */

import { at, count, inputAt } from "./dom.js";
import { FacePanel } from "./face.js";
import { decoded } from "./files.js";
import { Photo } from "./photo.js";
import { resultView, summary } from "./result.js";
import { Stage, thumbnail } from "./stage.js";
import { table } from "./table.js";

/** @import { Api, Face, Settings } from "./api.js" */
/** @import { Offer } from "./form.js" */
/** @import { Page } from "./page.js" */

export class Editor {
  /** Number of the chosen face. null: all faces. @type {number | null} */ chosen = null;
  /** URLs of the displayed images. @type {{before?: string, after?: string, masks?: string}} */ urls = {};
  /** @type {Promise<void> | null} */ #opening = null;

  /**
   * offer: the settings and models of the server. page: shows errors (`refuse`), stores the common settings
   * (`settings`, `setAll`), and labels the main button (`ready`).
   * @param {Api} api @param {Offer} offer @param {Page} page @param {File} file
   */
  constructor(api, offer, page, file) {
    this.api = api;
    this.page = page;
    this.offer = offer;
    this.photo = new Photo(api, file, offer.finding);
    this.stage = new Stage(at("stage"), at("thumbnails"), (number) => this.choose(number));
    this.panel = new FacePanel(offer, this.photo, page, (number) => this.#try(number));
    this.closing = new AbortController();
    const { signal } = this.closing;
    this.photo.addEventListener("planning", () => this.#planning(), { signal });
    this.photo.addEventListener("planned", () => this.#show().catch(page.refuse), { signal });
    this.photo.addEventListener("refused", (event) => event instanceof CustomEvent && this.#refused(event.detail), { signal });
    at("masks").addEventListener("change", () => this.#masks().catch(page.refuse), { signal });
    at("views").addEventListener("change", () => this.#view(inputAt("show-result").checked ? "result" : "faces"), { signal });
  }

  /** Show the photo and request a plan. */
  async open() {
    at("viewer").hidden = false;
    at("found").textContent = "Looking for faces …";
    this.photo.set(this.page.settings);
    await this.#opened();
  }

  /** Load the photo once. If the browser cannot show the format, a plan is needed first, which may fail. */
  async #opened() {
    this.#opening ??= this.#open();
    try {
      await this.#opening;
    } catch (error) {
      this.#opening = null;
      throw error;
    }
  }

  async #open() {
    const { photo } = this;
    const file = await photo.showable(photo.file, async () => (await photo.newest()).size);
    this.urls.before = URL.createObjectURL(file);
    await this.stage.open(this.urls.before);
  }

  /** The common settings have changed. @param {Settings} settings */
  set(settings) {
    this.photo.set(settings);
  }

  /**
   * Show an error message beside its setting. Return whether there is one.
   * @param {(string | number)[]} where @param {string} sentence
   */
  refuse(where, sentence) {
    const [part, number, name] = where;
    if (part !== "overrides") return false;
    if (Number(number) !== this.chosen) this.choose(Number(number));
    return this.panel.refuse(name, sentence);
  }

  clear() {
    this.panel.clear();
  }

  /** @param {number | null} number */
  choose(number) {
    this.chosen = number !== null && this.photo.face(number) ? number : null;
    this.stage.mark(this.chosen);
    this.panel.show(this.chosen);
  }

  /**
   * Carry out the plan and show the result. Return a summary.
   * @param {(share: number, words: string) => void} told @param {AbortSignal} signal
   */
  async fix(told, signal) {
    this.photo.output = this.page.output.value;
    const result = await this.photo.fix(({ done, total, doing }) => told(total ? done / total : 0, doing), signal);
    const [view, after] = await resultView(this.photo, result, this.urls.before ?? "");
    this.closing.signal.throwIfAborted();
    this.#drop("after");
    this.urls.after = after;
    view.addEventListener("facefix-face", (event) => {
      if (event instanceof CustomEvent && event.detail) this.choose(event.detail);
    });
    at("result-view").replaceChildren(view);
    at("result-view").classList.remove("stale");
    this.#sumUp(result.faces);
    at("views").hidden = false;
    this.#view("result");
    return summary(result);
  }

  /** Restore the page to its initial state. */
  close() {
    this.closing.abort();
    this.photo.close();
    for (const name of /** @type {const} */ (["before", "after", "masks"])) this.#drop(name);
    this.panel.show(null);
    at("views").hidden = true;
    inputAt("masks").checked = false;
    at("masks-switch").hidden = true;
    this.#view("faces");
    for (const id of ["stage", "result-view", "table"]) at(id).replaceChildren();
    this.stage.close();
    at("viewer").hidden = true;
  }

  #planning() {
    at("viewer").setAttribute("aria-busy", "true");
    at("result-view").classList.add("stale");
    this.panel.forgetTrial();
  }

  /** @param {unknown} error */
  #refused(error) {
    if (!this.photo.plan) at("found").textContent = "";
    this.page.refuse(error);
  }

  async #show() {
    const { photo } = this;
    this.page.clear();
    await this.#opened();
    if (this.closing.signal.aborted || !photo.plan) return;
    this.stage.show(photo.faces, photo.plan.size, this.chosen);
    this.choose(this.chosen);
    const fixed = photo.faces.filter((face) => face.decision !== "leave").length;
    at("masks-switch").hidden = !photo.faces.length;
    at("found").textContent = found(photo.faces.length, fixed);
    this.#sumUp(photo.faces);
    at("viewer").removeAttribute("aria-busy");
    this.page.ready(fixed ? `Fix ${count(fixed, "face")}` : photo.plan.upscale ? "Upscale" : "");
    if (inputAt("masks").checked) await this.#masks();
  }

  /** @param {Face[]} faces */
  #sumUp(faces) {
    const rows = table(faces, this.offer.columns, this.photo.overrides, (number) => this.choose(number));
    at("table").replaceChildren(...(faces.length ? [rows] : []));
  }

  async #masks() {
    const on = inputAt("masks").checked;
    const { plan } = this.photo;
    const drawn = on && plan ? await this.api.preview(await this.photo.encoded(), plan) : null;
    if (this.closing.signal.aborted || on !== inputAt("masks").checked) return;
    this.#drop("masks");
    if (drawn) this.urls.masks = URL.createObjectURL(drawn);
    const url = drawn ? this.urls.masks : this.urls.before;
    if (url) this.stage.draw(url, Boolean(drawn));
  }

  /** @param {number} number */
  async #try(number) {
    const { photo, stage } = this;
    const [plan, face] = [photo.plan, photo.face(number)];
    if (!plan || !face) throw new Error(`The plan has no face ${number}.`);
    const after = await decoded(await photo.tryFace(number));
    return [stage.source, after].map((image) => thumbnail(image, face.box, plan.size, 480, 0.4));
  }

  /** @param {"faces" | "result"} name */
  #view(name) {
    inputAt(`show-${name}`).checked = true;
    at("faces-view").hidden = name !== "faces";
    at("result-view").hidden = name !== "result";
  }

  /** @param {"before" | "after" | "masks"} name */
  #drop(name) {
    const url = this.urls[name];
    if (url) URL.revokeObjectURL(url);
    delete this.urls[name];
  }
}

/** @param {number} many @param {number} fixed */
const found = (many, fixed) =>
  many ? `${count(many, "face")} found: ${fixed} to fix, ${many - fixed} skipped.` : "No faces found.";
