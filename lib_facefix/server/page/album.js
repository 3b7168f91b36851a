/** Several photos: a grid of them before and after, fixed one after another, and one ZIP of the results. */

import { CompareView } from "./album_compare.js";
import { Entry } from "./album_entry.js";
import { Refused } from "./api.js";
import { at, button, count, isAbort, make, wordsOf } from "./dom.js";
import { albumReport, save } from "./files.js";
import { pathOf } from "./folders.js";
import { tellApart, zip } from "./zip.js";

/** @import { Api, Plan, Report, Settings } from "./api.js" */
/** @import { Request } from "./album_entry.js" */
/** @import { Output } from "./output.js" */
/** @import { Page } from "./page.js" */

const AT_ONCE = 2; // photos sent at the same time, so that the server never waits for the next one
const STATES = { fixed: "enhanced", faceless: "without faces", unchanged: "unchanged", failed: "failed", stopped: "not done" };
const NEAR = "600px"; // distance from the visible part at which the browser begins to draw a small picture

export class Album {
  /** Whether photos are being fixed. */ busy = false;
  #unsaved = false;
  /** The photo that is compared. @type {CompareView | null} */ compared = null;

  /**
   * page: as for an Editor. It also opens one photo in an editor (`look`).
   * @param {Api} api @param {Page} page @param {File[]} files
   */
  constructor(api, page, files) {
    this.api = api;
    this.page = page;
    const paths = tellApart(files.map(pathOf));
    this.entries = files.map((file, index) => new Entry(api, file, paths[index], {
      edit: () => page.look(file),
      compare: (entry) => this.compare(entry),
    }));
    this.near = new IntersectionObserver((seen) => this.#draw(seen), { rootMargin: NEAR });
    for (const entry of this.entries) this.near.observe(entry.element);
    this.title = make("h2", { tabindex: -1 }, count(files.length, "photo"));
    this.sum = make("p", { class: "sum", role: "status" });
    this.all = button("Download all (ZIP)", () => this.#download().catch(page.refuse), { class: "main" });
    this.report = button("Report (JSON)", () => this.#report());
    this.saves = make("div", { class: "row", hidden: true }, this.all, this.report);
    this.failures = make("div", { class: "failures" });
    this.grid = make("ol", { class: "grid" }, ...this.entries.map((entry) => entry.element));
    const head = make("div", { class: "grid-head" }, make("div", {}, this.title, this.sum), this.saves);
    this.element = make("div", {}, head, this.failures, this.grid);
  }

  async open() {
    at("album").replaceChildren(this.compared?.element ?? this.element);
    at("album").hidden = false;
    this.#offer();
  }

  close() {
    at("album").hidden = true;
  }

  /** Release the small pictures, as this album will not be opened again. */
  dispose() {
    this.near.disconnect();
    this.compared?.close();
    for (const entry of this.entries) entry.dispose();
  }

  /** The common settings have changed: photos that were fixed with others can be fixed again. @param {Settings} _settings */
  set(_settings) {
    if (!this.busy) this.#offer();
  }

  clear() {}

  /** Return false, as no error belongs to a single setting. @param {(string | number)[]} _where @param {string} _sentence */
  refuse(_where, _sentence) {
    return false;
  }

  /** Take over what the editor made of a photo. @param {File} file @param {Report & {plan: Plan, output?: Output}} result */
  adopt(file, result) {
    const entry = this.entries.find((one) => one.file === file);
    if (!entry) return;
    entry.plan = result.plan;
    entry.finish(result, { settings: {}, ...result.output });
    this.#unsaved = true;
    this.#sumUp();
  }

  /** Whether results would be lost with the page. */
  get unsaved() {
    return this.#unsaved;
  }

  /** The photos that have a result. */
  get done() {
    return this.entries.filter((entry) => entry.fixed);
  }

  /** Show a photo before and after. null: show the grid again. @param {Entry | null} entry */
  compare(entry) {
    const before = this.compared;
    before?.close();
    this.compared = entry && new CompareView(entry, this.done, { compare: (one) => this.compare(one), refuse: this.page.refuse });
    at("album").replaceChildren(this.compared?.element ?? this.element);
    if (this.compared) this.compared.open(this.busy).catch(this.page.refuse);
    else before?.entry.focus();
  }

  /**
   * Fix all photos that are not done yet, or all again, continuing after errors, and return a summary.
   * told(share, words): called with the progress.
   * @param {(share: number, words: string) => void} told @param {AbortSignal} signal
   */
  async fix(told, signal) {
    const request = this.#request();
    if (!this.#waiting(request).length) for (const entry of this.entries) entry.reset();
    const waiting = this.#waiting(request);
    const meter = new Meter(waiting.length, told);
    const stopping = new AbortController();
    const stop = () => stopping.abort();
    signal.addEventListener("abort", stop, { once: true });
    for (const entry of waiting) entry.reset();
    this.#busy(true);
    try {
      const next = waiting.values(); // shared, so that each photo is taken once
      const work = async () => {
        for (const entry of next) {
          if (stopping.signal.aborted) entry.stop();
          else await this.#fix(entry, request, stopping.signal, meter);
        }
      };
      const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, () => work().catch((error) => {
        stop();
        throw error;
      })));
      for (const entry of next) entry.stop();
      for (const one of ended) if (one.status === "rejected") throw one.reason;
    } finally {
      signal.removeEventListener("abort", stop);
      this.#busy(false);
      this.#sumUp();
    }
    return `${count(this.entries.length, "photo")}: ${this.#counted()}`;
  }

  /** @param {Entry} entry @param {Request} request @param {AbortSignal} signal @param {Meter} meter */
  async #fix(entry, request, signal, meter) {
    meter.begin(entry.path);
    entry.begin();
    try {
      entry.finish(await this.api.fixFile(entry.file, entry.requestFor(request), signal), request);
    } catch (error) {
      if (isAbort(error) || (signal.aborted && !concernsAll(error))) return entry.stop();
      if (concernsAll(error)) {
        entry.stop();
        throw error;
      }
      entry.fail(wordsOf(error), request);
    }
    this.#unsaved ||= Boolean(entry.fixed);
    meter.end();
    this.#sumUp();
  }

  /** The fields of a request besides the photo. */
  #request() {
    return { settings: { ...this.page.settings }, ...this.page.output.value };
  }

  /** @param {Request} request */
  #waiting(request) {
    return this.entries.filter((entry) => !entry.isDone(request));
  }

  #offer() {
    const waiting = this.#waiting(this.#request()).length;
    this.page.ready(waiting ? `Enhance ${count(waiting, "photo")}` : "Enhance all again", !waiting);
  }

  /** Disable the edit buttons during the work, as opening an editor would stop it. @param {boolean} yes */
  #busy(yes) {
    this.busy = yes;
    for (const entry of this.entries) entry.busy(yes);
    this.compared?.busy(yes);
    if (!yes) this.#offer();
  }

  #sumUp() {
    this.sum.textContent = this.#counted();
    this.saves.hidden = !this.done.length;
    this.all.textContent = this.#zipName();
    const failed = this.entries.filter((entry) => entry.state === "failed");
    const lines = failed.map((entry) => make("li", {}, make("b", {}, entry.path), ` ${entry.reason}`));
    const title = make("h3", {}, `${count(failed.length, "photo")} could not be enhanced`);
    const again = button("Try again", () => this.#retry(failed), { disabled: this.busy });
    this.failures.replaceChildren(...(failed.length ? [title, make("ul", {}, ...lines), again] : []));
  }

  /** @param {Entry[]} failed */
  #retry(failed) {
    for (const entry of failed) entry.reset();
    this.page.fix();
  }

  /** Return "28 enhanced, 1 without faces, 1 failed". */
  #counted() {
    return Object.entries(STATES)
      .map(([state, words]) => ({ words, many: this.entries.filter((entry) => entry.state === state).length }))
      .filter(({ many }) => many)
      .map(({ many, words }) => `${many} ${words}`)
      .join(", ");
  }

  #zipName() {
    return `Download ${count(this.done.length, "photo")} (ZIP)`;
  }

  /** Save one ZIP of all results, under the names and in the folders of the photos. */
  async #download() {
    const names = tellApart(this.done.map((entry) => entry.resultPath));
    const files = this.done.map((entry, index) => ({ path: names[index], file: /** @type {File} */ (entry.fixed) }));
    this.all.disabled = true;
    try {
      const packed = await zip(files, (share) => (this.all.textContent = `Packing ${Math.round(100 * share)} % …`));
      this.#unsaved = false;
      save(new File([packed], `${this.#folder() || "photos"}.fixed.zip`, { type: packed.type }));
    } finally {
      this.all.disabled = false;
      this.all.textContent = this.#zipName();
    }
  }

  /** Return the name of the folder that contains all photos, or "". */
  #folder() {
    const folders = new Set(this.entries.map((entry) => entry.path.split("/").slice(0, -1)[0] ?? ""));
    return folders.size === 1 ? [...folders][0] : "";
  }

  #report() {
    save(albumReport(this.entries.map((entry) => entry.record).filter((record) => record !== null)));
  }

  /** @param {IntersectionObserverEntry[]} seen */
  #draw(seen) {
    for (const { target, isIntersecting } of seen) {
      if (!isIntersecting) continue;
      this.near.unobserve(target);
      this.entries.find((entry) => entry.element === target)?.draw();
    }
  }
}

/** Tells the progress of all photos together. */
class Meter {
  #done = 0;
  #began = performance.now();

  /** @param {number} many @param {(share: number, words: string) => void} told */
  constructor(many, told) {
    this.many = many;
    this.told = told;
  }

  /** @param {string} name */
  begin(name) {
    this.told(this.#done / this.many, `${this.#done} of ${count(this.many, "photo")} done${this.#left()} · ${name}`);
  }

  end() {
    this.#done += 1;
    this.told(this.#done / this.many, `${this.#done} of ${count(this.many, "photo")} done${this.#left()}`);
  }

  /** Return ", about 3 min left" once it can be estimated. */
  #left() {
    if (this.#done < 2 || this.#done === this.many) return "";
    const seconds = ((performance.now() - this.#began) / this.#done) * (this.many - this.#done) / 1000;
    return `, about ${seconds < 90 ? `${Math.max(5, Math.ceil(seconds / 5) * 5)} s` : `${Math.round(seconds / 60)} min`} left`;
  }
}

/** Return whether an error would occur with every photo: the server is gone, or refuses the settings. @param {unknown} error */
function concernsAll(error) {
  if (!(error instanceof Refused)) return true; // a bug in the page
  const ofSettings = error.problems.some(({ loc }) => loc[0] === "body" && loc.length > 1 && loc[1] !== "image");
  const ofServer = error.problems.some(({ loc }) => loc[0] === "header");
  return ofSettings || ofServer || [0, 401, 424].includes(error.status);
}
