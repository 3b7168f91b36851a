/** The dialog that shows which better models could be installed, and installs them. */

import { button, capital, make, wordsOf } from "./dom.js";

/** @import { Api, Job } from "./api.js" */
/**
 * @typedef {object} Offered  One model of GET setup.
 * @property {string} name
 * @property {string} label
 * @property {string} about
 * @property {string} licence
 * @property {string} notice
 * @property {boolean} free
 * @property {number} bytes
 * @property {string[]} sources
 * @property {string[]} missing_packages
 * @property {boolean} weights_here
 * @property {boolean} ready
 * @property {boolean} [accepted]  False: installed, but the licence is not accepted yet.
 * @typedef {object} Setup  Response of GET setup.
 * @property {boolean} allowed
 * @property {string} why_not
 * @property {string} command
 * @property {boolean} can_install
 * @property {string[]} missing_packages
 * @property {number} package_bytes
 * @property {string | null} job
 * @property {Offered[]} models
 */

const POLL_INTERVAL = 500; // milliseconds between two status requests

/**
 * Show a button that opens the dialog, if this server offers better models to this computer, and return what opens it.
 * changed: called after models were installed.
 * @param {Api} api @param {HTMLElement} place @param {() => void} changed @returns {Promise<(() => void) | null>}
 */
export async function offerSetup(api, place, changed) {
  /** @type {Setup} */
  let setup;
  try {
    setup = await api.get("setup");
  } catch {
    return null; // this server has no setup
  }
  if (!setup.allowed || !setup.models.length) return null;
  const dialog = new SetupDialog(api, changed);
  document.body.append(dialog.element);
  const open = () => dialog.open();
  place.append(button("Better models", open, { class: "quiet", "aria-haspopup": "dialog" }));
  if (setup.job) open(); // it began before this page was loaded
  return open;
}

class SetupDialog {
  /** @type {Setup | null} */ #setup = null;
  /** Id of the running job. @type {string | null} */ #job = null;
  /** @type {Map<string, HTMLInputElement>} */ #ticks = new Map();

  /** @param {Api} api @param {() => void} changed */
  constructor(api, changed) {
    this.api = api;
    this.changed = changed;
    this.list = make("ul", { class: "offers" });
    this.needs = make("div");
    this.agree = make("input", { type: "checkbox", id: "setup-agree" });
    this.consent = make("label", { class: "tick", for: "setup-agree" }, this.agree, "I have read the licences of the chosen models and accept them.");
    this.bar = make("progress", { max: 1, "aria-label": "Progress of the installation", hidden: true });
    this.words = make("p", { class: "small", role: "status" });
    this.problem = make("p", { class: "problem", role: "alert", hidden: true });
    this.start = button("Install", () => this.#install(), { class: "main" });
    this.stop = button("Stop", () => this.#stop(), { hidden: true });
    this.shut = button("Close", () => this.element.close());
    this.agree.addEventListener("change", () => this.#update());
    this.element = make(
      "dialog", { id: "setup-dialog", "aria-labelledby": "setup-title" },
      make(
        "form", { method: "dialog" },
        make("h2", { id: "setup-title" }, "Better models"),
        make("p", {}, "FaceFix includes a small model. These larger ones give sharper faces. They are downloaded once, then work offline. Your photos still stay on this computer."),
        this.list,
        make(
          "div", { class: "foot" },
          this.needs, this.consent, this.problem, this.bar, this.words,
          make("div", { class: "row" }, this.start, this.stop, this.shut),
        ),
      ),
    );
    this.element.addEventListener("submit", (event) => event.preventDefault());
  }

  open() {
    if (!this.element.open) this.element.showModal();
    this.#load().catch((error) => this.#refuse(error));
  }

  async #load() {
    /** @type {Setup} */
    const setup = (this.#setup = await this.api.get("setup"));
    const chosen = new Set([...this.#ticks].filter(([, tick]) => tick.checked).map(([name]) => name));
    this.#ticks.clear();
    this.list.replaceChildren(...setup.models.map((model) => this.#offer(model, chosen.has(model.name))));
    this.#update();
    if (setup.job && !this.#job) await this.#follow(setup.job);
  }

  /** @param {Offered} model @param {boolean} checked */
  #offer(model, checked) {
    const unaccepted = model.ready && model.accepted === false;
    const done = model.ready && !unaccepted;
    const tick = make("input", { type: "checkbox", id: `setup-${model.name}`, disabled: done || Boolean(this.#job), checked });
    tick.addEventListener("change", () => this.#update());
    if (!done) this.#ticks.set(model.name, tick);
    const facts = {
      Licence: `${model.licence}${model.free ? "" : " (does not allow every use)"}`,
      Download: model.weights_here ? "none, the file is here" : `${sized(model.bytes)}${model.sources.length ? ` from ${model.sources.join(", ")}` : ""}`,
      Needs: model.missing_packages.join(", ") || "nothing else",
    };
    const rows = Object.entries(facts).flatMap(([name, words]) => [make("dt", {}, name), make("dd", {}, words)]);
    return make(
      "li", { class: "offer" },
      make("label", { class: "tick", for: tick.id }, tick, `${model.label}${unaccepted ? " (installed; accept its licence so that Auto may use it)" : done ? " (installed)" : ""}`),
      make("p", { class: "small" }, model.about),
      ...(done ? [] : [make("dl", {}, ...rows)]),
      model.notice && !done
        ? make("details", {}, make("summary", {}, `Licence of ${model.label}`), make("pre", { tabindex: 0 }, model.notice))
        : null,
    );
  }

  get #chosen() {
    return [...this.#ticks].filter(([, tick]) => tick.checked).map(([name]) => name);
  }

  /** The packages that the chosen models need, and that are not installed. */
  get #packages() {
    const chosen = this.#setup?.models.filter((model) => this.#chosen.includes(model.name)) ?? [];
    return [...new Set(chosen.flatMap((model) => model.missing_packages))];
  }

  /** Show what the chosen models need, and whether they can be installed now. */
  #update() {
    const [setup, packages] = [this.#setup, this.#packages];
    if (!setup) return;
    const blocked = packages.length > 0 && !setup.can_install;
    const size = setup.package_bytes ? `, about ${sized(setup.package_bytes)}` : "";
    const words = blocked
      ? "FaceFix must not install packages into this Python. Run this command in a terminal, then start FaceFix again:"
      : `These packages are installed as well${size}: ${packages.join(", ")}.`;
    this.needs.replaceChildren(
      ...(packages.length ? [make("p", {}, words)] : []),
      ...(blocked && setup.command ? [make("pre", { class: "command", tabindex: 0 }, setup.command)] : []),
    );
    const some = this.#chosen.length;
    this.consent.hidden = !this.#ticks.size || Boolean(this.#job);
    this.start.hidden = !this.#ticks.size || Boolean(this.#job);
    this.start.disabled = !some || !this.agree.checked || blocked;
    this.stop.hidden = !this.#job;
  }

  async #install() {
    this.#refuse(null);
    this.words.textContent = "Starting …";
    try {
      const body = { models: this.#chosen, accept_licences: true, install_packages: this.#packages.length > 0 };
      const { job } = await this.api.post("setup", body);
      await this.#follow(job);
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** Show the progress of a job until it ends. @param {string} job */
  async #follow(job) {
    this.#job = job;
    this.#update();
    for (const tick of this.#ticks.values()) tick.disabled = true;
    this.bar.hidden = false;
    this.stop.focus();
    try {
      for (;;) {
        /** @type {Job & {result?: {restart?: boolean}}} */
        const state = await this.api.get(`jobs/${encodeURIComponent(job)}`);
        if (state.state === "failed") throw new Error(state.error ?? "The installation failed.");
        if (state.state === "stopped") return this.#say("Stopped. What has been downloaded is kept.");
        if (state.result) return this.#installed(Boolean(state.result.restart));
        if (state.total) this.bar.value = state.done / state.total;
        else this.bar.removeAttribute("value"); // of unknown length
        const amount = state.total ? `: ${sized(state.done)} of ${sized(state.total)}` : " …";
        this.#say(`${capital(state.doing || "waiting")}${amount}`);
        await new Promise((done) => setTimeout(done, POLL_INTERVAL));
      }
    } finally {
      this.#job = null;
      this.bar.hidden = true;
      await this.#load();
      (this.start.hidden ? this.shut : this.start).focus();
    }
  }

  /** @param {boolean} restart */
  #installed(restart) {
    this.agree.checked = false;
    for (const tick of this.#ticks.values()) tick.checked = false;
    this.#say(restart
      ? "Installed. Stop FaceFix with Ctrl+C in its terminal and start it again to use the new models."
      : "Installed. The new models are now in the list of restorers.");
    if (!restart) this.changed();
  }

  #stop() {
    if (this.#job) this.api.remove(`jobs/${encodeURIComponent(this.#job)}`).catch((error) => this.#refuse(error));
  }

  /** @param {string} words */
  #say(words) {
    this.words.textContent = words;
  }

  /** Show an error, or remove it. @param {unknown} error */
  #refuse(error) {
    this.problem.textContent = error ? capital(wordsOf(error)) : "";
    this.problem.hidden = !error;
    if (error) this.#say("");
  }
}

/** Return a size such as "349 MB". @param {number} bytes */
function sized(bytes) {
  if (!bytes) return "size unknown";
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.max(1, Math.round(bytes / 1e6))} MB`;
}
