/** One picture on the page: its faces, the settings of the one that is chosen, and the result. */

import { at, count, inputAt } from "./dom.js";
import { FacePanel } from "./face.js";
import { decoded } from "./files.js";
import { Photo } from "./photo.js";
import { resultView, summary } from "./result.js";
import { Sight, thumbnail } from "./sight.js";
import { table } from "./table.js";

/** @import { Api, Face, Settings } from "./api.js" */
/** @import { Offer } from "./form.js" */
/** @import { Page } from "./page.js" */

export class Desk {
  /** Number of the face whose settings are shown; null: those of all. @type {number | null} */ chosen = null;
  /** Of the pictures shown. @type {{before?: string, after?: string, masks?: string}} */ urls = {};
  /** @type {Promise<void> | null} */ #opening = null;

  /**
   * offer: what the server offers. page: shows sentences (`refuse`), has the common settings (`settings`), takes those
   * of one face for all (`setAll`), and is told when there is something to fix (`ready`).
   * @param {Api} api @param {Offer} offer @param {Page} page @param {File} file
   */
  constructor(api, offer, page, file) {
    this.api = api;
    this.page = page;
    this.offer = offer;
    this.photo = new Photo(api, file, offer.finding);
    this.sight = new Sight(at("stage"), at("thumbnails"), (number) => this.choose(number));
    this.panel = new FacePanel(offer, this.photo, page, (number) => this.#try(number));
    this.closing = new AbortController();
    const { signal } = this.closing;
    this.photo.addEventListener("planning", () => this.#planning(), { signal });
    this.photo.addEventListener("planned", () => this.#show().catch(page.refuse), { signal });
    this.photo.addEventListener("refused", (event) => event instanceof CustomEvent && this.#refused(event.detail), { signal });
    at("masks").addEventListener("change", () => this.#masks().catch(page.refuse), { signal });
    at("views").addEventListener("change", () => this.#view(inputAt("show-result").checked ? "result" : "faces"), { signal });
  }

  /** Show the picture and ask for a plan. */
  async open() {
    at("sight").hidden = false;
    at("found").textContent = "Looking for faces …";
    this.photo.set(this.page.settings);
    await this.#opened();
  }

  /** Have the picture shown, once; what the browser cannot show needs a plan first, and that may be refused. */
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
    await this.sight.open(this.urls.before);
  }

  /** The common settings have changed. @param {Settings} settings */
  set(settings) {
    this.photo.set(settings);
  }

  /**
   * Show a sentence of the server's at the setting it is about; return whether there is one.
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
    this.sight.mark(this.chosen);
    this.panel.show(this.chosen);
  }

  /**
   * Carry the plan out and show what came of it; return the sentence that sums it up.
   * @param {(share: number, words: string) => void} told @param {AbortSignal} signal
   */
  async fix(told, signal) {
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

  /** Leave the page as it was found. */
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
    this.sight.close();
    at("sight").hidden = true;
  }

  #planning() {
    at("sight").setAttribute("aria-busy", "true");
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
    this.sight.show(photo.faces, photo.plan.size, this.chosen);
    this.choose(this.chosen);
    const fixed = photo.faces.filter((face) => face.decision !== "leave").length;
    at("masks-switch").hidden = !photo.faces.length;
    at("found").textContent = found(photo.faces.length, fixed);
    this.#sumUp(photo.faces);
    at("sight").removeAttribute("aria-busy");
    this.page.ready(fixed ? `Fix ${count(fixed, "face")}` : photo.plan.upscale ? "Enlarge" : "");
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
    if (url) this.sight.draw(url, Boolean(drawn));
  }

  /** @param {number} number */
  async #try(number) {
    const { photo, sight } = this;
    const [plan, face] = [photo.plan, photo.face(number)];
    if (!plan || !face) throw new Error(`There is no face ${number} in the plan.`);
    const after = await decoded(await photo.tryFace(number));
    return [sight.source, after].map((image) => thumbnail(image, face.box, plan.size, 480, 0.4));
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
  many ? `${count(many, "face")} found: ${fixed} to be fixed, ${many - fixed} left.` : "No faces found.";
