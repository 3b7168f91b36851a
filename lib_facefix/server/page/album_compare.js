/** One photo of an album, before and after, in place of the grid. */

import { FacefixCompare } from "./compare.js";
import { button, make } from "./dom.js";
import { reportFile, save } from "./files.js";
import { summary } from "./result.js";
import { besides } from "./share.js";

/** @import { Report } from "./api.js" */
/** @import { Entry } from "./album_entry.js" */

export class CompareView {
  /** URLs of the shown images. @type {string[]} */ #urls = [];
  #closed = false;

  /**
   * entries: the photos that can be compared, this one among them. on: called to compare another photo (null: to show
   * the grid), and with errors.
   * @param {Entry} entry @param {Entry[]} entries
   * @param {{compare: (entry: Entry | null) => void, refuse: (error: unknown) => void}} on
   */
  constructor(entry, entries, on) {
    this.entry = entry;
    this.on = on;
    const place = entries.indexOf(entry);
    const step = (/** @type {string} */ words, /** @type {Entry | undefined} */ other) =>
      button(words, () => other && on.compare(other), { disabled: !other, "aria-label": `${words} photo` });
    const [before, after] = [entries[place - 1], entries[place + 1]];
    this.title = make("h2", { tabindex: -1 }, entry.path);
    this.edit = button("Edit faces", entry.on.edit);
    this.share = button("Side by side", () => this.#share().catch(on.refuse), { "aria-label": "Download before and after side by side" });
    this.compare = new FacefixCompare();
    const { report, fixed } = entry;
    if (!report || !fixed) throw new Error(`${entry.path} has no result.`);
    const saves = make(
      "div", { class: "row saves" },
      button(`Download ${fixed.name}`, () => entry.save(), { class: "main" }),
      this.share, this.edit,
      button("Report (JSON)", () => save(reportFile(entry.path, report)), { class: "quiet" }),
    );
    this.element = make(
      "div", { class: "album-compare" },
      make(
        "div", { class: "row" },
        button("← All photos", () => on.compare(null)),
        make("span", { class: "place" }, `${place + 1} of ${entries.length}`),
        step("Previous", before), step("Next", after),
      ),
      this.title,
      /** @type {HTMLElement} */ (/** @type {unknown} */ (this.compare)),
      make("p", { class: "sum" }, summary(report)),
      saves,
    );
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") on.compare(null);
    });
  }

  /** Show both images, at the face that changed most. busy: whether photos are being fixed. @param {boolean} busy */
  async open(busy) {
    this.busy(busy);
    this.title.focus({ preventScroll: true });
    this.element.scrollIntoView();
    const sides = await Promise.all([this.entry.showable("before"), this.entry.showable("after")]);
    const { report, face } = this.entry;
    if (this.#closed || !report) return;
    this.#urls = sides.map((side) => URL.createObjectURL(side));
    const [before, after] = this.#urls;
    Object.assign(this.compare, { before, after, faces: shares(report) });
    this.compare.face = face;
  }

  close() {
    this.#closed = true;
    for (const url of this.#urls) URL.revokeObjectURL(url);
  }

  /** Disable the edit button during the work, as opening an editor would stop it. @param {boolean} yes */
  busy(yes) {
    this.edit.disabled = yes;
  }

  async #share() {
    const sides = await Promise.all([this.entry.showable("before"), this.entry.showable("after")]);
    save(await besides(sides[0], sides[1], this.entry.file.name));
  }
}

/** Return the boxes of the faces, relative to the size of the photo. @param {Report} report */
function shares({ faces, size: [width, height] }) {
  return faces.map(({ number, box: [left, top, right, bottom] }) => ({
    number, box: [left / width, top / height, right / width, bottom / height],
  }));
}
