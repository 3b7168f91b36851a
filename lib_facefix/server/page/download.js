/** Saves the result of one photo, as a file of its own or beside the photo before. */

import { fixedFile, resultName, save } from "./files.js";
import { sameWork } from "./result.js";
import { besides } from "./share.js";

/** @import { Output } from "./output.js" */
/** @import { Page } from "./page.js" */
/** @import { Photo } from "./photo.js" */

export class Download {
  /** Whether there is a result that the user has not saved. */ unsaved = false;

  /** @param {Photo} photo @param {Page} page */
  constructor(photo, page) {
    this.photo = photo;
    this.page = page;
  }

  /** Show the buttons that save the result, if there is one, under its name in the chosen format. */
  offer() {
    if (!this.photo.result) return;
    this.page.offerSave(resultName(this.photo.file, this.page.output.value));
    if (this.#outdated) this.unsaved = true;
  }

  /** Save the result. The photo is fixed again first if settings have changed since. */
  async save() {
    const result = await this.#current();
    if (!result) return;
    save(fixedFile(result.image, this.photo.file, result.output));
    this.unsaved = false;
  }

  /** Save one picture of the photo before and after. */
  async share() {
    const { photo } = this;
    const result = await this.#current();
    if (!result) return;
    const fixed = fixedFile(result.image, photo.file, result.output);
    const before = await photo.showable(photo.file, async () => photo.size);
    const after = await photo.showable(fixed, async () => result.result_size);
    save(await besides(before, after, photo.file.name));
  }

  /** Whether settings or format have changed since the last fix. */
  get #outdated() {
    const { result, plan, due } = this.photo;
    return Boolean(due) || !result || !plan || !sameWork(plan, result.plan) || !sameOutput(result.output, this.page.output.value);
  }

  /** Return the result with the current settings and format. null: it could not be made. */
  async #current() {
    if (!this.photo.result || (this.#outdated && !(await this.page.fix()))) return null;
    return this.photo.result;
  }
}

/** @param {Output} one @param {Output} other */
const sameOutput = (one, other) => one.format === other.format && one.quality === other.quality;
