/** The menu of the classes in a model file, below the detector. It edits the setting, such as kinds.onnx[dog, girl]. */

import { make } from "./dom.js";

/** @import { Listed, Value } from "./api.js" */

const LARGE = 12; // most classes that are shown without scrolling

export class ClassMenu {
  /** The chosen model file; null while the setting is anything else. @type {Listed | null} */ file = null;

  /**
   * id: unique id of the menu. files: model files with their classes. changed: called with the new value of the setting.
   * @param {string} id @param {Listed[]} files @param {(value: Value) => void} changed
   */
  constructor(id, files, changed) {
    this.id = id;
    this.files = files.filter((one) => one.classes?.length);
    this.changed = changed;
    this.list = make("div", { class: "classes-list" });
    const hint = make("p", { class: "hint", id: `${id}-hint` }, "None ticked: all classes of the model file.");
    const legend = make("legend", {}, "Classes");
    this.element = make("fieldset", { id, class: "control classes", hidden: true, "aria-describedby": hint.id }, legend, this.list, hint);
  }

  /** Show the classes of the model file in the setting; for anything else, hide the menu. @param {Value | undefined} detector */
  show(detector) {
    const text = String(detector ?? "").trim();
    const file = this.files.find(({ name }) => text === name || (text.startsWith(`${name}[`) && text.endsWith("]"))) ?? null;
    if (file !== this.file) this.#fill(file);
    const chosen = new Set(file ? classesIn(text.slice(file.name.length)) : []);
    for (const box of this.#boxes) box.checked = chosen.has(box.value.toLowerCase());
  }

  /** @param {Listed | null} file */
  #fill(file) {
    this.file = file;
    this.element.hidden = !file;
    const known = file?.classes ?? [];
    this.list.classList.toggle("large", known.length > LARGE);
    this.list.replaceChildren(...known.map((name) => this.#item(name)));
  }

  /** @param {string} name */
  #item(name) {
    const box = make("input", { type: "checkbox", value: name });
    box.addEventListener("change", () => this.#choose());
    return make("label", { class: "tick" }, box, name);
  }

  #choose() {
    if (!this.file) return;
    const chosen = this.#boxes.filter((box) => box.checked).map((box) => box.value);
    this.changed(chosen.length ? `${this.file.name}[${chosen.join(", ")}]` : this.file.name);
  }

  get #boxes() {
    return [...this.list.querySelectorAll("input")];
  }
}

/** Return the lower-case names in "[dog, girl]". @param {string} text */
function classesIn(text) {
  const names = text.replace(/^\[|\]$/g, "").split(",");
  return names.map((name) => name.trim().toLowerCase()).filter(Boolean);
}
