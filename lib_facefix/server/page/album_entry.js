/** One photo of an album: its card in the grid, and its result. */

import { button, capital, make } from "./dom.js";
import { changed, dataUrl, fixedFile, reportRecord, save } from "./files.js";
import { pair, small } from "./pairs.js";
import { summary } from "./result.js";

/** @import { Api, Plan, Report, Settings } from "./api.js" */
/** @import { Output } from "./output.js" */
/** @typedef {{settings: Settings} & Output} Request  The fields of a request besides the photo. */
/** @typedef {"waiting" | "working" | "fixed" | "faceless" | "unchanged" | "failed" | "stopped"} State */

const WORDS = { waiting: "Not enhanced yet", working: "Working …", stopped: "Not done" };

export class Entry {
  /** @type {State} */ state = "waiting";
  /** The result. Of an unchanged photo it is the photo. @type {File | null} */ fixed = null;
  /** Report of the result. Its image is blank. @type {Report | null} */ report = null;
  /** Reason if the photo failed. */ reason = "";
  /** The face that changed most. @type {number | null} */ face = null;
  /** The plan that was made in the editor. @type {Plan | null} */ plan = null;
  /** The request that the result or the failure answers, as JSON. */ #key = "";
  /** URLs of the small pictures. @type {{whole?: string, before?: string, after?: string}} */ #urls = {};

  /**
   * path: unique path in the album. on: called to edit this photo, and to compare it.
   * @param {Api} api @param {File} file @param {string} path
   * @param {{edit: () => void, compare: (entry: Entry) => void}} on
   */
  constructor(api, file, path, on) {
    this.api = api;
    this.file = file;
    this.path = path;
    this.on = on;
    this.picture = make("div", { class: "seen" });
    this.words = make("p", { class: "small" });
    this.look = button("Edit faces", on.edit, { class: "quiet", "aria-label": `Edit faces of ${path}` });
    this.saves = make("div", { class: "row" });
    const slash = path.lastIndexOf("/");
    const folder = slash < 0 ? null : make("span", { class: "folder" }, path.slice(0, slash));
    const about = make("div", { class: "about" }, folder, make("b", {}, path.slice(slash + 1)), this.words);
    this.element = make("li", { class: "card" }, this.picture, about, this.saves);
    this.#showBlank("");
    this.reset();
  }

  /** Path of the result: that of the photo, with the suffix of the result. */
  get resultPath() {
    return this.fixed ? this.path.replace(/(\.[^./]*)?$/, this.fixed.name.match(/\.[^.]*$/)?.[0] ?? "") : this.path;
  }

  /** What a report says of this photo. null: it has not been processed. */
  get record() {
    if (this.state === "failed") return { path: this.path, error: this.reason };
    return this.report && this.fixed ? reportRecord(this.path, this.report, this.resultPath) : null;
  }

  /** Return the fields to send for this photo: if faces were edited, its plan in place of the settings. @param {Request} request */
  requestFor({ settings, ...output }) {
    return this.plan ? { plan: this.plan, ...output } : { settings, ...output };
  }

  /** Return whether the result, or the failure, answers this request. @param {Request} request */
  isDone(request) {
    return this.#key === JSON.stringify(this.requestFor(request));
  }

  reset() {
    this.fixed = this.report = this.face = null;
    this.reason = this.#key = "";
    this.#enter("waiting", WORDS.waiting);
    if (this.#urls.whole) this.#showWhole();
  }

  begin() {
    this.#enter("working", WORDS.working);
  }

  stop() {
    this.#enter("stopped", WORDS.stopped);
  }

  /** Keep the reason of a failure. request: what failed. @param {string} reason @param {Request} request */
  fail(reason, request) {
    this.reason = capital(reason);
    this.#key = JSON.stringify(this.requestFor(request));
    this.#enter("failed", this.reason);
  }

  /** Keep a result. request: what it answers. @param {Report} result @param {Request} request */
  finish(result, request) {
    this.fixed = changed(result) || request.format ? fixedFile(result.image, this.file, request) : this.file;
    this.report = { ...result, image: "" };
    this.#key = JSON.stringify(this.requestFor(request));
    const fixed = result.faces.some((face) => face.outcome === "fixed") || result.upscale;
    this.#enter(fixed ? "fixed" : result.faces.length ? "unchanged" : "faceless", [summary(result), ...(result.notes ?? [])].join(" "));
    this.#drawPair().catch(() => {}); // the photo itself stays
  }

  /** Disable the edit button during the work. @param {boolean} yes */
  busy(yes) {
    this.look.disabled = yes;
  }

  /** Draw the small picture of the whole photo, as its card is about to be seen. */
  draw() {
    small(this.file).then(
      (picture) => {
        this.#urls.whole = URL.createObjectURL(picture);
        if (!this.#urls.after) this.#showWhole();
      },
      () => this.#showBlank(this.path.match(/\.([^./]+)$/)?.[1] ?? ""),
    );
  }

  focus() {
    (this.picture.querySelector("button") ?? this.look).focus(); // the browser scrolls to it
  }

  dispose() {
    for (const url of Object.values(this.#urls)) URL.revokeObjectURL(url);
  }

  /** Let the browser save the result, if there is one. */
  save() {
    if (this.fixed) save(this.fixed);
  }

  /** Return a file that the browser can show: the photo or its result, or a PNG made by the server. @param {"before" | "after"} side */
  async showable(side) {
    const { fixed, report } = this;
    if (!fixed || !report) throw new Error(`${this.path} has no result.`);
    const file = side === "before" ? this.file : fixed;
    const can = await createImageBitmap(file).then((image) => image.close() ?? true, () => false);
    const size = side === "before" ? report.size : report.result_size;
    return can ? file : this.api.preview(await dataUrl(file), { size, upscale: null, faces: [] });
  }

  async #drawPair() {
    const { report } = this;
    if (!report || this.state !== "fixed") return;
    const [before, after] = await Promise.all([this.showable("before"), this.showable("after")]);
    const drawn = await pair(before, after, report.faces, report.size);
    if (report !== this.report || !drawn) return;
    this.face = drawn.number;
    for (const side of /** @type {const} */ (["before", "after"])) {
      if (this.#urls[side]) URL.revokeObjectURL(this.#urls[side]);
      this.#urls[side] = URL.createObjectURL(drawn[side]);
    }
    this.#showPair();
  }

  #showPair() {
    const side = (/** @type {"before" | "after"} */ name) =>
      make("span", { class: "side", "data-label": name === "before" ? "Before" : "After" }, make("img", { src: this.#urls[name] ?? "", alt: "" }));
    this.#showIn(make("span", { class: "pair" }, side("before"), side("after")));
  }

  #showWhole() {
    this.#showIn(make("img", { class: "whole", src: this.#urls.whole ?? "", alt: "" }));
  }

  /** @param {string} words */
  #showBlank(words) {
    this.#showIn(make("span", { class: "blank" }, words.toUpperCase()));
  }

  /** Show a picture: as a button that opens the comparison if there is a result. @param {HTMLElement} picture */
  #showIn(picture) {
    const focused = this.picture.contains(document.activeElement);
    const name = `Compare ${this.path} before and after`;
    const open = () => this.on.compare(this);
    this.picture.replaceChildren(this.fixed ? button(picture, open, { class: "open", "aria-label": name }) : picture);
    if (focused) this.focus();
  }

  /** @param {State} state @param {string} words */
  #enter(state, words) {
    this.state = state;
    this.element.dataset.state = state;
    this.words.textContent = words;
    this.words.classList.toggle("problem", state === "failed");
    const download = this.fixed
      ? [button("Download", () => this.save(), { "aria-label": `Download ${this.fixed.name}` })]
      : [];
    this.saves.replaceChildren(...download, ...(state === "failed" ? [] : [this.look]));
    if (state !== "working") this.#showIn(/** @type {HTMLElement} */ (this.picture.querySelector(".pair, .whole, .blank")));
  }
}
