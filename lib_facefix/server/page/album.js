/** Several photos, fixed one after another with the common settings. */

import { at, button, count, isAbort, make, wordsOf } from "./dom.js";
import { dataUrl, fixedFile, reportFile, save } from "./files.js";
import { summary } from "./result.js";

/** @import { Api, Progress, Settings } from "./api.js" */
/** @import { Page } from "./page.js" */

export class Album {
  /**
   * page: as for an Editor. It also opens one photo in an editor (`look`).
   * @param {Api} api @param {Page} page @param {File[]} files
   */
  constructor(api, page, files) {
    this.api = api;
    this.page = page;
    this.entries = files.map((file) => new Entry(file, () => page.look(file)));
    this.all = button("Download all", () => this.done.forEach((entry) => entry.save()), { hidden: true });
    const list = make("ol", { class: "files" }, ...this.entries.map((entry) => entry.element));
    this.element = make("div", {}, make("h2", {}, count(files.length, "photo")), list, this.all);
  }

  async open() {
    at("album").replaceChildren(this.element);
    at("album").hidden = false;
    this.page.ready(`Fix ${count(this.entries.length, "photo")}`);
  }

  close() {
    at("album").hidden = true;
  }

  /** Do nothing, as the settings are read when the work begins. @param {Settings} _settings */
  set(_settings) {}

  clear() {}

  /** Return false, as no error belongs to a single setting. @param {(string | number)[]} _where @param {string} _sentence */
  refuse(_where, _sentence) {
    return false;
  }

  get done() {
    return this.entries.filter((entry) => entry.fixed);
  }

  /**
   * Fix all photos, continuing after errors, and return a summary. told(share, words): called with the progress.
   * @param {(share: number, words: string) => void} told @param {AbortSignal} signal
   */
  async fix(told, signal) {
    const settings = { ...this.page.settings };
    for (const entry of this.entries) entry.reset();
    this.all.hidden = true;
    this.#busy(true);
    for (const [index, entry] of this.entries.entries()) {
      if (signal.aborted) break;
      told(index / this.entries.length, `Photo ${index + 1} of ${this.entries.length}: ${entry.file.name}`);
      await entry.fix(this.api, settings, signal);
    }
    this.#busy(false);
    this.all.hidden = !this.done.length;
    const failed = this.entries.filter((entry) => entry.failed).length;
    const skipped = this.entries.length - this.done.length - failed;
    const parts = [`${this.done.length} done`, failed && `${failed} failed`, skipped && `${skipped} not done`];
    return `${count(this.entries.length, "photo")}: ${parts.filter(Boolean).join(", ")}`;
  }

  /** Disable the edit buttons during the work, as opening an editor would stop it. @param {boolean} yes */
  #busy(yes) {
    for (const entry of this.entries) entry.look.disabled = yes;
  }
}

class Entry {
  /** @type {File | null} */ fixed = null;
  failed = false;

  /** @param {File} file @param {() => void} look */
  constructor(file, look) {
    this.file = file;
    this.bar = make("progress", { max: 1, value: 0, hidden: true, "aria-label": `Progress of ${file.name}` });
    this.words = make("p", { class: "small" }, "waiting");
    this.saves = make("div", { class: "row" });
    this.look = button("Edit faces", look, { class: "quiet", "aria-label": `Edit the faces of ${file.name}` });
    this.element = make("li", {}, make("div", {}, make("b", {}, file.name), this.words, this.bar), this.saves);
    this.reset();
  }

  reset() {
    this.fixed = null;
    this.failed = false;
    this.#say("waiting");
    this.saves.replaceChildren(this.look);
  }

  /** Let the browser save the fixed file, if there is one. */
  save() {
    if (this.fixed) save(this.fixed);
  }

  /** @param {Api} api @param {Settings} settings @param {AbortSignal} signal */
  async fix(api, settings, signal) {
    this.bar.hidden = false;
    this.#say("working");
    try {
      const image = await dataUrl(this.file);
      const result = await api.fix({ image, settings }, (job) => this.#told(job), signal);
      this.fixed = fixedFile(result.image, this.file);
      this.#say(summary(result));
      const download = button("Download", () => this.save(), { "aria-label": `Download ${this.fixed.name}` });
      const report = button("Report", () => save(reportFile(this.file.name, result)), { class: "quiet", "aria-label": `Report of ${this.file.name}` });
      this.saves.replaceChildren(download, report, this.look);
    } catch (error) {
      this.failed = !isAbort(error);
      this.#say(this.failed ? wordsOf(error) : "stopped", this.failed);
    } finally {
      this.bar.hidden = true;
    }
  }

  /** @param {Progress} progress */
  #told({ done, total, doing }) {
    this.bar.value = total ? done / total : 0;
    if (doing) this.#say(doing);
  }

  /** @param {string} words */
  #say(words, failed = false) {
    this.words.textContent = words;
    this.words.classList.toggle("problem", failed);
  }
}
