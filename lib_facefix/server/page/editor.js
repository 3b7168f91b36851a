/** The editor of one photo: its faces, the settings of the chosen face, and the result. */

import { at, button, count, inputAt, make } from "./dom.js";
import { Download } from "./download.js";
import { FacePanel } from "./face.js";
import { planFile, reportFile, save } from "./files.js";
import { Layers } from "./layers.js";
import { Photo } from "./photo.js";
import { READ, Result, difference, sameWork, summary } from "./result.js";
import { Stage, thumbnailPart } from "./stage.js";
import { table } from "./table.js";

/** @import { Api, Face, Settings } from "./api.js" */
/** @import { Offer } from "./form.js" */
/** @import { Page } from "./page.js" */

const CALM = 400; // milliseconds without a change before faces are fixed again for the preview
const NARROW = matchMedia("(max-width: 60rem)");

export class Editor {
  /** Number of the chosen face. null: all faces. @type {number | null} */ chosen = null;
  /** URLs of the displayed images. @type {{before?: string, masks?: string}} */ urls = {};
  /** @type {Result | null} */ result = null;
  /** @type {Promise<void> | null} */ #opening = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #due;
  /** @type {AbortController | undefined} */ #loading;

  /**
   * offer: the settings and models of the server. page: shows errors (`refuse`), stores the common settings
   * (`settings`, `setAll`), and labels the main button (`ready`).
   * @param {Api} api @param {Offer} offer @param {Page} page @param {File} file
   */
  constructor(api, offer, page, file) {
    this.api = api;
    this.page = page;
    this.offer = offer;
    this.photo = new Photo(api, file, offer);
    this.layers = new Layers(api);
    this.download = new Download(this.photo, page);
    this.stage = new Stage(at("stage"), at("thumbnails"), (number) => this.#pick(number));
    this.panel = new FacePanel(offer, this.photo, page, this.layers, this.stage);
    this.closing = new AbortController();
    const { signal } = this.closing;
    this.photo.addEventListener("planning", () => this.#planning(), { signal });
    this.photo.addEventListener("planned", () => this.#show().catch(page.refuse), { signal });
    this.photo.addEventListener("refused", (event) => event instanceof CustomEvent && this.#refused(event.detail), { signal });
    at("masks").addEventListener("change", () => this.#masks().catch(page.refuse), { signal });
    at("views").addEventListener("change", () => this.#view(inputAt("show-result").checked ? "result" : "faces"), { signal });
    const peek = (/** @type {boolean} */ yes) => () => this.peek(yes);
    at("hold").addEventListener("pointerdown", peek(true), { signal });
    for (const name of ["pointerup", "pointerleave", "pointercancel"]) at("hold").addEventListener(name, peek(false), { signal });
  }

  /** Show the photo and request a plan. */
  async open() {
    at("viewer").hidden = false;
    this.#searching();
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
    this.urls.before = URL.createObjectURL(photo.file);
    try {
      await this.stage.open(this.urls.before); // at once, while faces are looked for
    } catch {
      const { size } = await photo.newest();
      this.#drop("before");
      this.urls.before = URL.createObjectURL(await photo.drawn(photo.file, size));
      await this.stage.open(this.urls.before);
    }
  }

  /** The common settings have changed. @param {Settings} settings */
  set(settings) {
    this.photo.set(settings);
    this.download.offer();
  }

  /** Show the models that were installed in the meantime. */
  renewModels() {
    this.panel.show(null);
    this.panel = new FacePanel(this.offer, this.photo, this.page, this.layers, this.stage);
    this.choose(this.chosen);
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
    if (this.result && this.result.compare.face !== this.chosen) this.result.compare.face = this.chosen;
  }

  /** Choose a face for the user. On a narrow screen, scroll to its settings. @param {number | null} number */
  #pick(number) {
    this.choose(number);
    if (NARROW.matches && number !== null && !this.result) at("panel").scrollIntoView({ block: "start" });
  }

  /** Show only the photo before, or both again. @param {boolean} whether */
  peek(whether) {
    this.result?.compare.peek(whether);
  }

  /**
   * Carry out the plan and show the result, or do the next best thing if there is nothing to carry out. Return a summary.
   * @param {(share: number, words: string) => void} told @param {AbortSignal} signal
   */
  async fix(told, signal) {
    const { photo } = this;
    const known = Boolean(photo.plan) && !photo.due;
    if (!known) told(0, "Looking for faces …");
    const plan = await photo.newest();
    if (!plan.upscale && !photo.faces.some(isFixed)) {
      if (!known) return photo.faces.length ? "FaceFix would skip all faces." : "No faces found.";
      told(0, "Looking for faces …");
      if (!photo.faces.length) return this.#searchHarder();
      for (const { number } of photo.faces) photo.change(number, "method", "restore");
      await photo.newest();
    }
    photo.output = this.page.output.value;
    const report = await photo.fix(({ done, total, doing }) => told(total ? done / total : 0, doing), signal);
    this.closing.signal.throwIfAborted();
    await this.#showResult(report);
    return summary(report);
  }

  async #searchHarder() {
    this.page.setAll(this.offer.harder);
    await this.photo.newest();
    return this.photo.faces.length ? `${count(this.photo.faces.length, "face")} found.` : "Still no faces found.";
  }

  /** Whether a result would be lost. */
  get unsaved() {
    return this.download.unsaved;
  }

  /** Restore the page to its initial state. */
  close() {
    this.closing.abort();
    clearTimeout(this.#due);
    this.#loading?.abort();
    this.photo.close();
    this.result?.close();
    this.layers.close();
    for (const name of /** @type {const} */ (["before", "masks"])) this.#drop(name);
    this.panel.show(null);
    this.page.fit(null);
    inputAt("masks").checked = false;
    for (const id of ["views", "masks-switch", "details", "save", "share"]) at(id).hidden = true;
    this.#view("faces");
    for (const id of ["stage", "result-view", "table", "files-of-result"]) at(id).replaceChildren();
    this.stage.close();
    at("viewer").hidden = true;
    at("viewer").removeAttribute("aria-busy");
  }

  /** @param {NonNullable<Photo["result"]>} report */
  async #showResult(report) {
    const { photo } = this;
    const first = !this.result;
    this.result ??= new Result(photo, this.layers, this.urls.before ?? "", (face) => photo.settingsOf(face));
    await this.result.load(report);
    this.closing.signal.throwIfAborted();
    this.download.unsaved = true;
    if (first) this.result.compare.addEventListener("facefix-face", (event) => event instanceof CustomEvent && this.choose(event.detail));
    at("result-view").replaceChildren(this.result.compare);
    at("files-of-result").replaceChildren(
      button("Report (JSON)", () => save(reportFile(photo.file.name, report))),
      button("Plan (JSON)", () => save(planFile(photo.file.name, report.plan))),
      ...(report.notes ?? []).map((note) => make("p", { class: "small" }, note)),
    );
    this.download.offer();
    this.#sumUp(report.faces);
    at("views").hidden = false;
    this.#view("result");
    const changes = this.#afterThumbnails();
    this.#renew();
    if (!first) return;
    const most = Object.keys(changes).map(Number).sort((one, other) => changes[other] - changes[one])[0];
    if (most) this.choose(most);
    if (NARROW.matches) at("viewer").scrollIntoView({ block: "start" });
    this.result.compare.focusLine();
    this.result.compare.wipe();
  }

  /** Draw each face as it is after, and return how much each has changed, by number. */
  #afterThumbnails() {
    const { result, photo, stage } = this;
    /** @type {Record<number, number>} */
    const changes = {};
    if (!result) return changes;
    for (const face of photo.faces) {
      const [before, after] = stage.canvases(face.number);
      const pen = after?.getContext("2d", READ);
      if (!pen) continue;
      result.draw(pen, stage.source, thumbnailPart(face.box));
      after.hidden = false;
      changes[face.number] = difference(before, after);
    }
    return changes;
  }

  #planning() {
    at("viewer").setAttribute("aria-busy", "true");
    if (this.photo.searches) this.#searching();
    this.panel.renew();
    const { result, photo } = this;
    if (!result || photo.searches || !photo.faces.length || !this.layers.has(photo.faces)) return;
    result.showBlend(); // at once; the plan with the new settings, and the thumbnails, follow
  }

  /** Say that faces are being looked for. */
  #searching() {
    at("found").textContent = "Looking for faces …";
    if (!this.result) this.page.ready("Enhance");
  }

  /** @param {unknown} error */
  #refused(error) {
    if (!this.photo.plan) at("found").textContent = "";
    this.page.refuse(error, !this.photo.plan);
  }

  async #show() {
    const { photo } = this;
    this.page.clear();
    await this.#opened();
    if (this.closing.signal.aborted || !photo.plan) return;
    this.stage.show(photo.faces, photo.plan.size, this.chosen);
    this.page.fit(photo.plan.size);
    this.choose(this.chosen);
    const fixed = photo.faces.filter(isFixed).length;
    at("masks-switch").hidden = !photo.faces.length || at("faces-view").hidden;
    const before = photo.fixedBefore ? ` Enhanced before (${photo.fixedBefore}).` : "";
    at("found").textContent = found(photo.faces.length, fixed) + before;
    at("details").hidden = !photo.faces.length;
    const done = this.photo.result && sameWork(photo.plan, this.photo.result.plan);
    this.#sumUp(done && this.photo.result ? this.photo.result.faces : photo.faces);
    if (!photo.due) at("viewer").removeAttribute("aria-busy");
    this.page.ready(this.#next(fixed));
    if (this.result) this.#renew();
    if (inputAt("masks").checked) await this.#masks();
  }

  /** Return the label of the main button, or blank if there is nothing to do. @param {number} fixed */
  #next(fixed) {
    const { photo, offer } = this;
    if (fixed) return `Enhance ${count(fixed, "face")}`;
    if (photo.plan?.upscale) return "Upscale";
    if (photo.faces.length) return "Enhance anyway";
    const tried = Object.entries(offer.harder).every(([name, value]) => photo.settings[name] === value);
    return tried ? "" : "Search harder";
  }

  /** Show the result of the current plan. Faces with other settings than opacity are fixed again after a while. */
  #renew() {
    const { photo, result } = this;
    if (!result || !photo.plan || !photo.result) return;
    if (sameWork(photo.plan, photo.result.plan)) result.showExact();
    else if (this.layers.has(photo.faces)) result.showBlend();
    this.#afterThumbnails();
    clearTimeout(this.#due);
    if (this.layers.stale(photo.faces).length) this.#due = setTimeout(() => this.#load().catch(this.page.refuse), CALM);
  }

  /** Request the layers that are missing or outdated, and show them. */
  async #load() {
    const { photo, layers } = this;
    this.#loading?.abort();
    const loading = (this.#loading = new AbortController());
    const plan = await photo.newest();
    const exact = photo.result && sameWork(plan, photo.result.plan); // then the layers are for later
    at("result-view").classList.toggle("stale", !exact);
    try {
      await layers.load(await photo.encoded(), plan, layers.stale(photo.faces), loading.signal);
    } finally {
      if (loading === this.#loading) at("result-view").classList.remove("stale");
    }
    this.#renew();
  }

  /** @param {Face[]} faces */
  #sumUp(faces) {
    const rows = table(faces, this.offer.columns, this.photo.overrides, (number) => this.choose(number));
    at("table").replaceChildren(...(faces.length ? [rows] : []));
    this.stage.tell(faces);
    at("sum").textContent = this.photo.result ? summary(this.photo.result) : "";
  }

  async #masks() {
    const on = inputAt("masks").checked;
    const { plan } = this.photo;
    const drawn = on && plan ? await this.api.preview(await this.photo.encoded(), plan, false) : null;
    if (this.closing.signal.aborted || on !== inputAt("masks").checked) return;
    this.#drop("masks");
    if (drawn) this.urls.masks = URL.createObjectURL(drawn);
    const url = drawn ? this.urls.masks : this.urls.before;
    if (url) this.stage.draw(url, Boolean(drawn));
  }

  /** @param {"faces" | "result"} name */
  #view(name) {
    inputAt(`show-${name}`).checked = true;
    at("faces-view").hidden = name !== "faces";
    at("result-view").hidden = at("hold").hidden = name !== "result";
    at("masks-switch").hidden = name !== "faces" || !this.photo.faces.length;
  }

  /** @param {"before" | "masks"} name */
  #drop(name) {
    const url = this.urls[name];
    if (url) URL.revokeObjectURL(url);
    delete this.urls[name];
  }
}

/** @param {Face} face */
const isFixed = (face) => face.decision !== "leave";

/** @param {number} many @param {number} fixed */
const found = (many, fixed) =>
  many ? `${count(many, "face")} found${many > fixed ? `, ${many - fixed} skipped` : ""}.` : "No faces found.";
