/** The page: opens photos, stores the common settings, and starts the work. */

import { Album } from "./album.js";
import { Api, Refused } from "./api.js";
import { Editor } from "./editor.js";
import { at, atKind, button, capital, count, isAbort, make, wordsOf } from "./dom.js";
import { Form, Offer } from "./form.js";
import { listen } from "./file_input.js";
import { OutputChoice } from "./output.js";
import { offerSetup } from "./setup.js";
import { listenForKeys } from "./keys.js";
import { Person } from "./person.js";
import { Presets } from "./presets.js";
import { Simple } from "./simple.js";
import { askToken } from "./token_dialog.js";
import { isLocal, showVersion, welcome } from "./welcome.js";

/** @import { Settings, Size, Value } from "./api.js" */

export class Page {
  /** The common settings that differ from the defaults. @type {Settings} */ settings = {};
  /** Whether some of them were set for an earlier photo. */ carried = false;
  /** The open photo or album. @type {Editor | Album | null} */ work = null;
  /** The album that the open photo belongs to. @type {Album | null} */ album = null;
  /** Stops the running fix. @type {AbortController | null} */ stopping = null;

  /** @param {Api} api @param {Offer} offer */
  constructor(api, offer) {
    this.api = api;
    this.offer = offer;
    this.simple = new Simple(offer, (values) => this.setAll(values));
    this.common = new Form("all", offer, offer.names, "default", (name, value) => this.setAll({ [name]: value }));
    this.presets = new Presets(() => this.settings, (settings) => this.#replaceAll(settings));
    this.person = new Person((reference) => this.work instanceof Editor && this.work.photo.compare(reference));
    this.badge = make("p", { id: "badge", class: "badge", hidden: true });
    this.advanced = make("details", { class: "advanced" }, make("summary", {}, "Advanced"), this.presets.element, this.person.element, this.common.element);
    this.all = make("div", { id: "all" }, this.badge, this.person.shown, this.simple.element, this.advanced);
    at("forms").append(this.all);
    this.output = new OutputChoice(() => this.work?.set(this.settings));
    this.output.mount();
    at("fix").addEventListener("click", () => this.fix());
    at("save").addEventListener("click", () => this.save());
    at("share").addEventListener("click", () => this.work instanceof Editor && this.work.download.share().catch(this.refuse));
    at("stop").addEventListener("click", () => this.stopping?.abort());
    at("back").addEventListener("click", () => this.#back());
    addEventListener("beforeunload", (event) => this.unsaved && event.preventDefault());
    listenForKeys({
      fix: () => [at("fix"), at("save")].find((one) => !one.hidden && one.offsetParent)?.click(),
      choose: (number) => this.work instanceof Editor && this.work.choose(number),
      peek: (whether) => this.work instanceof Editor && this.work.peek(whether),
    });
  }

  /** Ask the server for its models again, as some were installed, and show them. */
  async renew() {
    this.offer.models = await this.api.get("models");
    const form = new Form("all", this.offer, this.offer.names, "default", (name, value) => this.setAll({ [name]: value }));
    this.common.element.replaceWith(form.element);
    this.common = form;
    const simple = new Simple(this.offer, (values) => this.setAll(values), this.simple);
    this.simple.element.replaceWith(simple.element);
    this.simple = simple;
    this.#showValues();
    if (this.work instanceof Editor) this.work.renewModels();
  }

  /** Whether a result would be lost. */
  get unsaved() {
    return [this.work, this.album].some((work) => Boolean(work && "unsaved" in work && work.unsaved));
  }

  /** Open one photo in the editor, or several as an album. @param {File[]} files */
  open(files) {
    this.album?.dispose();
    this.carried = Boolean(this.work) && Object.keys(this.settings).length > 0;
    this.album = files.length > 1 ? new Album(this.api, this, files) : null;
    if (this.album) this.#enter(this.album);
    else this.look(files[0]);
  }

  /** Open one photo in the editor. Its album is kept. @param {File} file */
  look(file) {
    this.#enter(new Editor(this.api, this.offer, this, file));
    at("back").hidden = !this.album;
    at("name").textContent = file.name;
  }

  /** Show the album again. It takes over what the editor made of its photo. */
  #back() {
    const { album, work } = this;
    if (!album) return;
    if (work instanceof Editor && work.photo.result) album.adopt(work.photo.file, work.photo.result);
    this.#enter(album);
  }

  /** Close the photo, which cannot be read, and show the reason where photos are opened. @param {string} message */
  giveUp(message) {
    if (this.album) this.#enter(this.album);
    else {
      this.#leave();
      document.body.classList.remove("working");
      for (const id of ["work", "open-other", "skip"]) at(id).hidden = true;
      at("welcome").hidden = false;
      at("name").textContent = "";
    }
    alarm(message);
  }

  #leave() {
    this.stopping?.abort();
    this.stopping = null;
    this.work?.close();
    this.work = null;
    this.clear();
    this.#working(false);
  }

  /** @param {Editor | Album} work */
  #enter(work) {
    this.#leave();
    document.body.classList.add("working");
    for (const id of ["work", "open-other", "skip"]) at(id).hidden = false;
    for (const id of ["welcome", "back", "save", "share"]) at(id).hidden = true;
    for (const id of ["name", "doing"]) at(id).textContent = "";
    at("fix").hidden = false;
    this.person.forget();
    this.person.element.hidden = !(work instanceof Editor);
    this.showCommon(true);
    this.ready("");
    this.work = work;
    work.open().catch((error) => this.work === work && this.refuse(error));
  }

  /** Set common settings. undefined: the default. @param {Record<string, Value | undefined>} values */
  setAll(values) {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined || value === this.offer.defaults[name]) delete this.settings[name];
      else this.settings[name] = value;
    }
    this.#showValues();
    this.work?.set(this.settings);
  }

  /** @param {Settings} settings */
  #replaceAll(settings) {
    const reset = Object.fromEntries(Object.keys(this.settings).map((name) => [name, undefined]));
    this.setAll({ ...reset, ...settings });
  }

  /** Show or hide the form of the common settings. @param {boolean} yes */
  showCommon(yes) {
    this.all.hidden = !yes;
    this.#showValues();
    at("who").replaceChildren(...(yes ? [make("h2", {}, "All faces")] : []));
  }

  /** Show the sizes of the result for a photo. null: no photo, or several. @param {Size | null} size */
  fit(size) {
    this.simple.fit(size);
  }

  /**
   * Label the main button, such as "Enhance 3 faces". blank: there is nothing to do. done: the next step is another one.
   * @param {string} words
   */
  ready(words, done = false) {
    at("fix").textContent = words || "No faces found";
    at("fix").classList.toggle("main", !done);
    atKind("fix", HTMLButtonElement).disabled = !words;
  }

  /** Show the button that saves the result, in place of the main button. @param {string} name  Name of the file. */
  offerSave(name) {
    at("save").hidden = at("share").hidden = false;
    at("save").setAttribute("aria-label", `Download ${name}`);
    at("fix").hidden = true;
  }

  /** Run the fix and show its progress. Return whether it succeeded. */
  async fix() {
    const { work } = this;
    if (!work || this.stopping) return false;
    const stopping = (this.stopping = new AbortController());
    const current = () => this.stopping === stopping; // false if another photo was opened meanwhile
    this.clear();
    this.#working(true);
    let words;
    let done = false;
    try {
      words = await work.fix((share, doing) => current() && progress(share, doing), stopping.signal);
      done = true;
    } catch (error) {
      words = isAbort(error) ? "Stopped." : "Not enhanced.";
      if (current()) this.refuse(error);
    }
    if (!current()) return false;
    this.stopping = null;
    this.#working(false);
    at("doing").textContent = words;
    return done;
  }

  /** Save the result. */
  async save() {
    if (this.work instanceof Editor) await this.work.download.save();
  }

  /**
   * Show an error, each message of the server beside its setting. fatal: the photo cannot be opened at all.
   * @param {unknown} error
   */
  refuse = (error, fatal = false) => {
    if (isAbort(error)) return;
    const refused = error instanceof Refused;
    if (!refused) console.error(error); // a bug in the page
    const problems = refused ? error.problems : [{ loc: [], msg: wordsOf(error) }];
    const elsewhere = problems.filter(({ loc, msg }) => !this.#place(loc.slice(1), msg));
    const sentence = elsewhere.map((problem) => problem.msg).join(" ");
    if (fatal && sentence && refused && error.status >= 400) this.giveUp(sentence);
    else alarm(sentence);
  };

  /** Remove all messages. */
  clear() {
    alarm("");
    this.common.clear();
    this.work?.clear();
  }

  /** @param {(string | number)[]} where @param {string} sentence */
  #place(where, sentence) {
    if (where[0] !== "settings" || where.length < 2) return Boolean(this.work?.refuse(where, sentence));
    if (!this.all.hidden) this.advanced.open = true;
    return this.common.refuse(where[1], sentence);
  }

  #showValues() {
    const [values, own] = [{ ...this.offer.defaults, ...this.settings }, new Set(Object.keys(this.settings))];
    this.common.show(values, own);
    this.simple.show(values, own);
    this.badge.hidden = !own.size;
    const words = `${count(own.size, "setting")} changed${this.carried ? ", kept from the last photo" : ""}`;
    this.badge.replaceChildren(make("span", {}, words), button("Reset", () => this.#reset(), { class: "undo", "aria-label": "Reset all settings" }));
  }

  #reset() {
    this.carried = false;
    this.#replaceAll({});
    at("strength").focus();
  }

  /** Show the stop button, or the buttons that start. The focus moves between them. @param {boolean} yes */
  #working(yes) {
    const starts = [at("fix"), at("save"), at("share")];
    const focused = [...starts, at("stop")].includes(/** @type {HTMLElement} */ (document.activeElement));
    at("actions").classList.toggle("busy", yes);
    at("stop").hidden = !yes;
    at("progress").hidden = !yes;
    if (yes) progress(0, "Starting …");
    if (focused) (yes ? at("stop") : starts.find((one) => !one.hidden))?.focus();
  }
}

/** @param {number} share @param {string} words */
function progress(share, words) {
  atKind("progress", HTMLProgressElement).value = share;
  if (words) at("doing").textContent = words;
}

/** @param {string} sentence */
function alarm(sentence) {
  at("alert").textContent = capital(sentence);
  at("alert").hidden = !sentence;
}

async function start() {
  const api = new Api(askToken);
  const [schema, models] = await Promise.all([api.get("settings"), api.get("models")]);
  showVersion(models.facefix);
  const page = new Page(api, new Offer(schema, models));
  if (isLocal()) {
    const open = await offerSetup(api, at("links"), () => page.renew().catch(page.refuse));
    if (open) page.simple.offerInstall(open);
  }
  return page;
}

const ready = start();
ready.catch((error) => alarm(wordsOf(error)));
const open = (/** @type {File[]} */ files) => ready.then((page) => page.open(files), () => {});
const refuse = (/** @type {unknown} */ error) => ready.then((page) => page.refuse(error), () => {});
welcome(open, refuse);
listen(open, (words) => refuse(new Refused(0, [{ loc: [], msg: words }]))); // at once: otherwise the browser opens dropped files
