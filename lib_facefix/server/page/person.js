/** The choice of one person: by a face of the photo, or by a reference photo. */

import { button, inputAt, make } from "./dom.js";
import { dataUrl } from "./files.js";

export class Person {
  /** @param {(reference: string) => void} changed  Called with the encoded photo of the person. blank: everyone. */
  constructor(changed) {
    this.changed = changed;
    this.file = make("input", { type: "file", accept: "image/*", id: "person-file", hidden: true });
    this.file.addEventListener("change", () => this.#read());
    this.shown = make("p", { class: "badge", id: "person", hidden: true });
    this.element = make(
      "details", { class: "fold" }, make("summary", {}, "One person"),
      make(
        "div", { class: "control" },
        make("p", { class: "hint" }, "Enhance only the person in a reference photo. You can also choose a face and select Only this person."),
        button("Choose a reference photo", () => this.file.click(), { id: "choose-person" }), this.file,
      ),
    );
  }

  /** Choose the person on a canvas. @param {HTMLCanvasElement} canvas @param {string} words  Such as "the person of face 2". */
  choose(canvas, words) {
    this.#show(canvas.toDataURL(), words);
    this.changed(canvas.toDataURL());
  }

  /** Choose nobody, without a report. */
  forget() {
    this.shown.hidden = true;
  }

  async #read() {
    const [file] = inputAt("person-file").files ?? [];
    if (!file) return;
    const url = await dataUrl(file);
    this.#show(url, `the person in ${file.name}`);
    this.file.value = "";
    this.changed(url);
  }

  /** @param {string} url @param {string} words */
  #show(url, words) {
    const remove = button("Remove", () => {
      this.forget();
      this.changed("");
    }, { class: "undo", "aria-label": "Enhance everyone again" });
    this.shown.replaceChildren(make("img", { src: url, alt: "" }), make("span", {}, `Only ${words}`), remove);
    this.shown.hidden = false;
  }
}
