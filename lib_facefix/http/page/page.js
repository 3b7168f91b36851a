/** The page: opens pictures, keeps the common settings, and has the work done. */

import { Album } from "./album.js";
import { Api } from "./api.js";
import { Desk } from "./desk.js";
import { at, capital, make } from "./dom.js";
import { Form, Offer } from "./form.js";
import { listen } from "./opening.js";
import { askToken } from "./sesame.js";

class Page {
  constructor(api, offer) {
    this.api = api;
    this.offer = offer;
    this.settings = {}; // the common ones, so far as they are not the defaults
    this.work = null; // a Desk, or an Album
    this.common = new Form("all", offer, offer.names, "default", (name, value) => this.setAll({ [name]: value }));
    at("forms").append(this.common.element);
    at("fix").addEventListener("click", () => this.fix());
    at("stop").addEventListener("click", () => this.stopping?.abort());
    at("back").addEventListener("click", () => this.#enter(this.album));
  }

  /** Open one picture by itself, or several with the common settings. */
  open(files) {
    this.album = files.length > 1 ? new Album(this.api, this, files) : null;
    if (this.album) this.#enter(this.album);
    else this.look(files[0]);
  }

  /** Open one picture; the album that it is of stays as it is. */
  look(file) {
    this.#enter(new Desk(this.api, this.offer, this, file));
    at("back").hidden = !this.album;
    at("name").textContent = file.name;
  }

  #enter(work) {
    this.stopping?.abort();
    this.work?.close();
    this.clear();
    for (const id of ["work", "open-other"]) at(id).hidden = false;
    for (const id of ["welcome", "back"]) at(id).hidden = true;
    for (const id of ["name", "doing"]) at(id).textContent = "";
    this.showCommon(true);
    this.ready("");
    this.work = work;
    work.open().catch(this.refuse);
  }

  /** Set common settings; undefined: the default. */
  setAll(values) {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined || value === this.offer.defaults[name]) delete this.settings[name];
      else this.settings[name] = value;
    }
    this.#showValues();
    this.work?.set(this.settings);
  }

  /** Show the form of the common settings, or hide it. */
  showCommon(yes) {
    this.common.element.hidden = !yes;
    this.#showValues();
    at("who").replaceChildren(...(yes ? [make("h2", {}, "All faces")] : []));
  }

  /** Say on the button what it would do: "Fix 3 faces"; blank where there is nothing to do. */
  ready(words) {
    at("fix").textContent = words || "Nothing to fix";
    at("fix").disabled = !words;
  }

  /** Have all done, telling how far it is. */
  async fix() {
    const stopping = (this.stopping = new AbortController());
    this.#working(true);
    this.clear();
    try {
      at("doing").textContent = await this.work.fix(progress, stopping.signal);
    } catch (error) {
      at("doing").textContent = error.name === "AbortError" ? "Stopped." : "Not fixed.";
      this.refuse(error);
    } finally {
      if (this.stopping === stopping) this.#working(false);
    }
  }

  /** Show what the server refused, each sentence where it belongs. */
  refuse = (error) => {
    if (error.name === "AbortError") return;
    if (!error.problems) console.error(error); // a fault of the page's own
    const problems = error.problems ?? [{ loc: [], msg: error.message }];
    const elsewhere = problems.filter(({ loc, msg }) => !this.#place(loc.slice(1), msg));
    alarm(elsewhere.map((problem) => problem.msg).join(" "));
  };

  /** Take all sentences away. */
  clear() {
    alarm("");
    this.common.clear();
    this.work?.clear();
  }

  #place(where, sentence) {
    if (where[0] === "settings" && where.length > 1) return this.common.refuse(where[1], sentence);
    return Boolean(this.work?.refuse(where, sentence));
  }

  #showValues() {
    this.common.show({ ...this.offer.defaults, ...this.settings }, new Set(Object.keys(this.settings)));
  }

  #working(yes) {
    at("fix").hidden = yes;
    at("stop").hidden = !yes;
    at("progress").hidden = !yes;
    if (yes) progress(0, "Starting …");
    const next = at(yes ? "stop" : "fix");
    if (document.activeElement === document.body || !document.activeElement) next.focus();
  }
}

function progress(share, words) {
  at("progress").value = share;
  if (words) at("doing").textContent = words;
}

function alarm(sentence) {
  at("alert").textContent = capital(sentence);
  at("alert").hidden = !sentence;
}

async function start() {
  const api = new Api(askToken);
  const [schema, models] = await Promise.all([api.get("settings"), api.get("models")]);
  const page = new Page(api, new Offer(schema, models));
  listen((files) => page.open(files));
  at("welcome").removeAttribute("aria-busy");
}

start().catch((error) => alarm(error.message));
