/** The page: opens photos, stores the common settings, and starts the work. */

import { Album } from "./album.js";
import { Api, Refused } from "./api.js";
import { Editor } from "./editor.js";
import { at, atKind, capital, isAbort, make, wordsOf } from "./dom.js";
import { Form, Offer } from "./form.js";
import { listen } from "./file_input.js";
import { OutputChoice } from "./output.js";
import { offerSetup } from "./setup.js";
import { askToken } from "./token_dialog.js";
import { isLocal, showVersion, welcome } from "./welcome.js";

/** @import { Settings, Value } from "./api.js" */

export class Page {
  /** The common settings that differ from the defaults. @type {Settings} */ settings = {};
  /** The open photo or album. @type {Editor | Album | null} */ work = null;
  /** The album that the open photo belongs to. @type {Album | null} */ album = null;
  /** Stops the running fix. @type {AbortController | null} */ stopping = null;

  /** @param {Api} api @param {Offer} offer */
  constructor(api, offer) {
    this.api = api;
    this.offer = offer;
    this.common = new Form("all", offer, offer.names, "default", (name, value) => this.setAll({ [name]: value }));
    at("forms").append(this.common.element);
    this.output = new OutputChoice(() => this.work?.set(this.settings));
    this.output.mount();
    at("fix").addEventListener("click", () => this.fix());
    at("stop").addEventListener("click", () => this.stopping?.abort());
    at("back").addEventListener("click", () => this.#back());
  }

  /** Ask the server for its models again, as some were installed, and show them. */
  async renew() {
    this.offer.models = await this.api.get("models");
    const form = new Form("all", this.offer, this.offer.names, "default", (name, value) => this.setAll({ [name]: value }));
    form.element.hidden = this.common.element.hidden;
    this.common.element.replaceWith(form.element);
    this.common = form;
    this.#showValues();
  }

  /** Open one photo in the editor, or several as an album. @param {File[]} files */
  open(files) {
    this.album?.dispose();
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

  /** @param {Editor | Album} work */
  #enter(work) {
    this.stopping?.abort();
    this.stopping = null;
    this.work?.close();
    this.clear();
    this.#working(false);
    for (const id of ["work", "open-other"]) at(id).hidden = false;
    for (const id of ["welcome", "back"]) at(id).hidden = true;
    for (const id of ["name", "doing"]) at(id).textContent = "";
    this.showCommon(true);
    this.ready("");
    this.work = work;
    work.open().catch(this.refuse);
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

  /** Show or hide the form of the common settings. @param {boolean} yes */
  showCommon(yes) {
    this.common.element.hidden = !yes;
    this.#showValues();
    at("who").replaceChildren(...(yes ? [make("h2", {}, "All faces")] : []));
  }

  /** Label the main button, such as "Fix 3 faces". blank: there is nothing to fix. @param {string} words */
  ready(words) {
    at("fix").textContent = words || "Nothing to fix";
    atKind("fix", HTMLButtonElement).disabled = !words;
  }

  /** Run the fix and show its progress. */
  async fix() {
    const { work } = this;
    if (!work) return;
    const stopping = (this.stopping = new AbortController());
    const current = () => this.stopping === stopping; // false if another photo was opened meanwhile
    this.clear();
    this.#working(true);
    let words;
    try {
      words = await work.fix((share, doing) => current() && progress(share, doing), stopping.signal);
    } catch (error) {
      words = isAbort(error) ? "Stopped." : "Not fixed.";
      if (current()) this.refuse(error);
    }
    if (!current()) return;
    this.#working(false);
    at("doing").textContent = words;
  }

  /** Show an error, each message of the server beside its setting. @param {unknown} error */
  refuse = (error) => {
    if (isAbort(error)) return;
    const refused = error instanceof Refused;
    if (!refused) console.error(error); // a bug in the page
    const problems = refused ? error.problems : [{ loc: [], msg: wordsOf(error) }];
    const elsewhere = problems.filter(({ loc, msg }) => !this.#place(loc.slice(1), msg));
    alarm(elsewhere.map((problem) => problem.msg).join(" "));
  };

  /** Remove all messages. */
  clear() {
    alarm("");
    this.common.clear();
    this.work?.clear();
  }

  /** @param {(string | number)[]} where @param {string} sentence */
  #place(where, sentence) {
    if (where[0] === "settings" && where.length > 1) return this.common.refuse(where[1], sentence);
    return Boolean(this.work?.refuse(where, sentence));
  }

  #showValues() {
    this.common.show({ ...this.offer.defaults, ...this.settings }, new Set(Object.keys(this.settings)));
  }

  /** Show the stop button or the fix button. The focus moves between them. @param {boolean} yes */
  #working(yes) {
    const [shown, hidden] = yes ? [at("stop"), at("fix")] : [at("fix"), at("stop")];
    const focused = document.activeElement === hidden;
    shown.hidden = false;
    hidden.hidden = true;
    at("progress").hidden = !yes;
    if (yes) progress(0, "Starting …");
    if (focused) shown.focus();
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
  if (isLocal()) offerSetup(api, at("links"), () => page.renew().catch(page.refuse));
  return page;
}

const ready = start();
ready.catch((error) => alarm(wordsOf(error)));
const open = (/** @type {File[]} */ files) => ready.then((page) => page.open(files), () => {});
const refuse = (/** @type {unknown} */ error) => ready.then((page) => page.refuse(error), () => {});
welcome(open, refuse);
listen(open, (words) => refuse(new Refused(0, [{ loc: [], msg: words }]))); // at once: otherwise the browser opens dropped files
