/** The page: opens pictures, keeps the common settings, and has the work done. */

import { Album } from "./album.js";
import { Api, Refused } from "./api.js";
import { Desk } from "./desk.js";
import { at, atKind, capital, isAbort, make, wordsOf } from "./dom.js";
import { Form, Offer } from "./form.js";
import { listen } from "./opening.js";
import { askToken } from "./sesame.js";

/** @import { Settings, Value } from "./api.js" */

export class Page {
  /** The common settings, so far as they are not the defaults. @type {Settings} */ settings = {};
  /** What is open. @type {Desk | Album | null} */ work = null;
  /** What the picture that is open may be of. @type {Album | null} */ album = null;
  /** Ends the fix that runs. @type {AbortController | null} */ stopping = null;

  /** @param {Api} api @param {Offer} offer */
  constructor(api, offer) {
    this.api = api;
    this.offer = offer;
    this.common = new Form("all", offer, offer.names, "default", (name, value) => this.setAll({ [name]: value }));
    at("forms").append(this.common.element);
    at("fix").addEventListener("click", () => this.fix());
    at("stop").addEventListener("click", () => this.stopping?.abort());
    at("back").addEventListener("click", () => this.album && this.#enter(this.album));
  }

  /** Open one picture by itself, or several with the common settings. @param {File[]} files */
  open(files) {
    this.album = files.length > 1 ? new Album(this.api, this, files) : null;
    if (this.album) this.#enter(this.album);
    else this.look(files[0]);
  }

  /** Open one picture; the album that it is of stays as it is. @param {File} file */
  look(file) {
    this.#enter(new Desk(this.api, this.offer, this, file));
    at("back").hidden = !this.album;
    at("name").textContent = file.name;
  }

  /** @param {Desk | Album} work */
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

  /** Set common settings; undefined: the default. @param {Record<string, Value | undefined>} values */
  setAll(values) {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined || value === this.offer.defaults[name]) delete this.settings[name];
      else this.settings[name] = value;
    }
    this.#showValues();
    this.work?.set(this.settings);
  }

  /** Show the form of the common settings, or hide it. @param {boolean} yes */
  showCommon(yes) {
    this.common.element.hidden = !yes;
    this.#showValues();
    at("who").replaceChildren(...(yes ? [make("h2", {}, "All faces")] : []));
  }

  /** Say on the button what it would do: "Fix 3 faces"; blank where there is nothing to do. @param {string} words */
  ready(words) {
    at("fix").textContent = words || "Nothing to fix";
    atKind("fix", HTMLButtonElement).disabled = !words;
  }

  /** Have all done, telling how far it is. */
  async fix() {
    const { work } = this;
    if (!work) return;
    const stopping = (this.stopping = new AbortController());
    const current = () => this.stopping === stopping; // else something else was opened meanwhile
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

  /** Show what the server refused, each sentence where it belongs. @param {unknown} error */
  refuse = (error) => {
    if (isAbort(error)) return;
    const refused = error instanceof Refused;
    if (!refused) console.error(error); // a fault of the page's own
    const problems = refused ? error.problems : [{ loc: [], msg: wordsOf(error) }];
    const elsewhere = problems.filter(({ loc, msg }) => !this.#place(loc.slice(1), msg));
    alarm(elsewhere.map((problem) => problem.msg).join(" "));
  };

  /** Take all sentences away. */
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

  /** Show the button that stops the work, or the one that begins it; the focus goes from one to the other. @param {boolean} yes */
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
  return new Page(api, new Offer(schema, models));
}

const ready = start();
ready.catch((error) => alarm(wordsOf(error)));
listen((files) => ready.then((page) => page.open(files), () => {})); // at once: else a browser opens what is dropped
