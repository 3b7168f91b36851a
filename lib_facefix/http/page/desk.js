/** One picture on the page: its faces, the settings of the one that is chosen, and the result. */

import { at, count } from "./dom.js";
import { FacePanel } from "./face.js";
import { decoded } from "./files.js";
import { Photo } from "./photo.js";
import { resultView } from "./result.js";
import { Sight, thumbnail } from "./sight.js";
import { table } from "./table.js";

export class Desk {
  /**
   * offer: what the server offers. page: shows sentences (`refuse`), has the common settings (`settings`), takes those
   * of one face for all (`setAll`), and is told when there is something to fix (`ready`).
   */
  constructor(api, offer, page, file) {
    this.api = api;
    this.page = page;
    this.offer = offer;
    this.chosen = null;
    this.urls = {};
    this.photo = new Photo(api, file, offer.finding);
    this.sight = new Sight(at("stage"), at("thumbnails"), (number) => this.choose(number));
    this.panel = new FacePanel(offer, this.photo, page, (number) => this.#try(number));
    this.closing = new AbortController();
    const { signal } = this.closing;
    this.photo.addEventListener("planning", () => this.#planning(), { signal });
    this.photo.addEventListener("planned", () => this.#show().catch(page.refuse), { signal });
    this.photo.addEventListener("refused", (event) => this.#refused(event.detail), { signal });
    at("masks").addEventListener("change", () => this.#masks().catch(page.refuse), { signal });
    at("views").addEventListener("change", (event) => this.#view(event.target.value), { signal });
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
    this.opening ??= this.#open();
    try {
      await this.opening;
    } catch (error) {
      this.opening = null;
      throw error;
    }
  }

  async #open() {
    const { photo } = this;
    const file = await photo.showable(photo.file, async () => (await photo.newest()).size);
    this.urls.before = URL.createObjectURL(file);
    await this.sight.open(this.urls.before);
  }

  /** The common settings have changed. */
  set(settings) {
    this.photo.set(settings);
  }

  /** Show a sentence of the server's at the setting it is about; return whether there is one. */
  refuse(where, sentence) {
    const [part, number, name] = where;
    if (part !== "overrides") return false;
    if (Number(number) !== this.chosen) this.choose(Number(number));
    return this.panel.refuse(name, sentence);
  }

  clear() {
    this.panel.clear();
  }

  choose(number) {
    this.chosen = this.photo.face(number) ? number : null;
    this.sight.mark(this.chosen);
    this.panel.show(this.chosen);
  }

  /** Carry the plan out and show what came of it; return the sentence that sums it up. told(share, words). */
  async fix(told, signal) {
    await this.photo.fix(({ done, total, doing }) => told(total ? done / total : 0, doing), signal);
    const [view, after] = await resultView(this.photo, this.urls.before);
    this.closing.signal.throwIfAborted();
    this.#drop("after");
    this.urls.after = after;
    view.addEventListener("facefix-face", (event) => event.detail && this.choose(event.detail));
    at("result-view").replaceChildren(view);
    at("result-view").classList.remove("stale");
    this.#sumUp(this.photo.result.faces);
    at("views").hidden = false;
    this.#view("result");
    return view.querySelector(".sum").textContent;
  }

  /** Leave the page as it was found. */
  close() {
    this.closing.abort();
    this.photo.close();
    Object.keys(this.urls).forEach((name) => this.#drop(name));
    this.panel.show(null);
    at("views").hidden = true;
    at("masks").checked = false;
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

  #refused(error) {
    if (!this.photo.plan) at("found").textContent = "";
    this.page.refuse(error);
  }

  async #show() {
    const { photo } = this;
    this.page.clear();
    await this.#opened();
    if (this.closing.signal.aborted) return;
    this.sight.show(photo.faces, photo.plan.size, this.chosen);
    this.choose(this.chosen);
    const fixed = photo.faces.filter((face) => face.decision !== "leave").length;
    at("masks-switch").hidden = !photo.faces.length;
    at("found").textContent = found(photo.faces.length, fixed);
    this.#sumUp(photo.faces);
    at("sight").removeAttribute("aria-busy");
    this.page.ready(fixed ? `Fix ${count(fixed, "face")}` : photo.plan.upscale ? "Enlarge" : "");
    if (at("masks").checked) await this.#masks();
  }

  #sumUp(faces) {
    const rows = table(faces, this.offer.columns, this.photo.overrides, (number) => this.choose(number));
    at("table").replaceChildren(...(faces.length ? [rows] : []));
  }

  async #masks() {
    const on = at("masks").checked;
    const drawn = on && (await this.api.preview(await this.photo.encoded(), this.photo.plan));
    if (this.closing.signal.aborted || on !== at("masks").checked) return;
    this.#drop("masks");
    if (on) this.urls.masks = URL.createObjectURL(drawn);
    this.sight.draw(on ? this.urls.masks : this.urls.before, on);
  }

  async #try(number) {
    const { photo, sight } = this;
    const { box } = photo.face(number);
    const after = await decoded(await photo.tryFace(number));
    return [sight.source, after].map((image) => thumbnail(image, box, photo.plan.size, 480, 0.4));
  }

  #view(name) {
    at("views").querySelector(`[value=${name}]`).checked = true;
    at("faces-view").hidden = name !== "faces";
    at("result-view").hidden = name !== "result";
  }

  #drop(name) {
    URL.revokeObjectURL(this.urls[name]);
    delete this.urls[name];
  }
}

const found = (many, fixed) =>
  many ? `${count(many, "face")} found: ${fixed} to be fixed, ${many - fixed} left.` : "No faces found.";
