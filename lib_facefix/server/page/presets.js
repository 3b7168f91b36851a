/** Presets: settings under a name. The browser keeps them for this page. */

import { button, make } from "./dom.js";

/** @import { Settings } from "./api.js" */

const KEY = "facefix-presets";

export class Presets {
  /**
   * read(): returns the settings to save. apply(settings): called with the settings of the chosen preset.
   * @param {() => Settings} read @param {(settings: Settings) => void} apply
   */
  constructor(read, apply) {
    this.read = read;
    this.apply = apply;
    this.name = make("input", { type: "text", id: "preset-name", autocomplete: "off", placeholder: "New name" });
    this.list = make("select", { id: "preset" });
    this.list.addEventListener("change", () => this.#choose());
    this.save = button("Save", () => this.#save());
    this.remove = button("Delete", () => this.#delete(), { disabled: true });
    this.note = make("p", { class: "hint", role: "status" });
    this.element = make(
      "details", { class: "fold" }, make("summary", {}, "Presets"),
      make("div", { class: "control" }, make("label", { for: "preset" }, "Preset"), make("div", { class: "beside" }, this.list, this.remove)),
      make("div", { class: "control" }, make("label", { for: "preset-name" }, "Save these settings as"), make("div", { class: "beside" }, this.name, this.save), this.note),
    );
    this.#show("");
  }

  #choose() {
    const chosen = stored()[this.list.value];
    this.remove.disabled = !this.list.value;
    this.apply(chosen ?? {});
    this.note.textContent = "";
  }

  #save() {
    const name = this.name.value.trim() || this.list.value;
    if (!name) {
      this.note.textContent = "Enter a name for the preset.";
      this.name.focus();
      return;
    }
    this.#store({ ...stored(), [name]: this.read() }, name, `Saved as “${name}”.`);
    this.name.value = "";
  }

  #delete() {
    const { [this.list.value]: _gone, ...others } = stored();
    this.#store(others, "", `Deleted “${this.list.value}”.`);
  }

  /** @param {Record<string, Settings>} presets @param {string} chosen @param {string} words */
  #store(presets, chosen, words) {
    try {
      localStorage.setItem(KEY, JSON.stringify(presets));
    } catch {
      words = "This browser does not let the page save presets. Allow it to store data for this address.";
    }
    this.#show(chosen);
    this.note.textContent = words;
  }

  /** @param {string} chosen */
  #show(chosen) {
    const names = Object.keys(stored()).sort((one, other) => one.localeCompare(other));
    this.list.replaceChildren(
      make("option", { value: "" }, "Defaults"),
      ...names.map((name) => make("option", { value: name }, name)),
    );
    this.list.value = chosen;
    this.remove.disabled = !chosen;
  }
}

/** Return the saved presets by name, or none if the browser keeps none. @returns {Record<string, Settings>} */
function stored() {
  try {
    const presets = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return typeof presets === "object" && presets ? presets : {};
  } catch {
    return {};
  }
}
