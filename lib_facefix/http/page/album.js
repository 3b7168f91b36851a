/** Several pictures, one after another, with the common settings. */

import { at, button, count, make } from "./dom.js";
import { dataUrl, fixedFile, reportFile, save } from "./files.js";
import { summary } from "./result.js";

export class Album {
  /** page: as for a Desk; it opens one picture by itself where a person wants to look at it (`look`). */
  constructor(api, page, files) {
    this.api = api;
    this.page = page;
    this.entries = files.map((file) => new Entry(file, () => page.look(file)));
    this.all = button("Download all", () => this.done.forEach((entry) => save(entry.fixed)), { hidden: true });
    const list = make("ol", { class: "files" }, ...this.entries.map((entry) => entry.element));
    this.element = make("div", {}, make("h2", {}, count(files.length, "picture")), list, this.all);
  }

  async open() {
    at("album").replaceChildren(this.element);
    at("album").hidden = false;
    this.page.ready(`Fix ${count(this.entries.length, "picture")}`);
  }

  close() {
    at("album").hidden = true;
  }

  set() {} // the settings are taken when the work begins

  clear() {}

  refuse() {
    return false;
  }

  get done() {
    return this.entries.filter((entry) => entry.fixed);
  }

  /** Fix all pictures; one that fails does not stop the rest. Returns the sentence that sums it up. told(share, words). */
  async fix(told, signal) {
    const settings = { ...this.page.settings };
    for (const entry of this.entries) entry.reset();
    this.all.hidden = true;
    this.#busy(true);
    for (const [index, entry] of this.entries.entries()) {
      if (signal.aborted) break;
      told(index / this.entries.length, `Picture ${index + 1} of ${this.entries.length}: ${entry.file.name}`);
      await entry.fix(this.api, settings, signal);
    }
    this.#busy(false);
    this.all.hidden = !this.done.length;
    const failed = this.entries.filter((entry) => entry.failed).length;
    const skipped = this.entries.length - this.done.length - failed;
    const parts = [`${this.done.length} done`, failed && `${failed} failed`, skipped && `${skipped} not done`];
    return `${count(this.entries.length, "picture")}: ${parts.filter(Boolean).join(", ")}`;
  }

  /** To look at one picture would end the work on all. */
  #busy(yes) {
    for (const entry of this.entries) entry.look.disabled = yes;
  }
}

class Entry {
  constructor(file, look) {
    this.file = file;
    this.bar = make("progress", { max: 1, value: 0, hidden: true, "aria-label": `Progress of ${file.name}` });
    this.words = make("p", { class: "small" }, "waiting");
    this.saves = make("div", { class: "row" });
    this.look = button("Look at its faces", look, { class: "quiet", "aria-label": `Look at the faces of ${file.name}` });
    this.element = make("li", {}, make("div", {}, make("b", {}, file.name), this.words, this.bar), this.saves);
    this.reset();
  }

  reset() {
    this.fixed = null;
    this.failed = false;
    this.#say("waiting");
    this.saves.replaceChildren(this.look);
  }

  async fix(api, settings, signal) {
    this.bar.hidden = false;
    this.#say("working");
    try {
      const image = await dataUrl(this.file);
      const result = await api.fix({ image, settings }, (job) => this.#told(job), signal);
      this.fixed = fixedFile(result.image, this.file);
      this.#say(summary(result));
      const download = button("Download", () => save(this.fixed), { "aria-label": `Download ${this.fixed.name}` });
      const report = button("Report", () => save(reportFile(this.file.name, result)), { class: "quiet", "aria-label": `Report of ${this.file.name}` });
      this.saves.replaceChildren(download, report, this.look);
    } catch (error) {
      this.failed = error.name !== "AbortError";
      this.#say(this.failed ? error.message : "stopped", this.failed);
    } finally {
      this.bar.hidden = true;
    }
  }

  #told({ done, total, doing }) {
    this.bar.value = total ? done / total : 0;
    if (doing) this.#say(doing);
  }

  #say(words, failed = false) {
    this.words.textContent = words;
    this.words.classList.toggle("problem", failed);
  }
}
