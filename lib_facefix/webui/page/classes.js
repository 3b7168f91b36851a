/** The menu with the classes of a model file, below the detector; hidden for detectors that have none. */

import { make } from "../../server/page/dom.js";

/** @import { Ask } from "./form.js" */

export class ClassMenu {
  /** Detector whose classes are shown. */ detector = "";
  /** @type {string[]} */ chosen = [];

  /** chosen: called with the detector for the chosen classes. @param {string} id @param {Ask} ask @param {(detector: string) => void} choose */
  constructor(id, ask, choose) {
    this.ask = ask;
    this.choose = choose;
    this.list = make("div", { class: "facefix-classes", id, role: "group", "aria-label": "Classes" });
    const label = make("div", { class: "facefix-label", title: "None ticked: all classes of the model file." }, "Classes");
    this.element = make("div", { class: "facefix-field", hidden: true }, label, this.list);
  }

  /** Show the classes of the detector in a setting. @param {string} detector */
  follow(detector) {
    if (detector === this.detector) return;
    this.detector = detector;
    if (!isFile(detector)) this.#show([], []);
    else this.ask({ detector }, (answer) => answer.detector === this.detector && this.#show(answer.classes, answer.chosen));
  }

  /** @param {string[]} classes @param {string[]} chosen */
  #show(classes, chosen) {
    this.chosen = chosen;
    this.element.hidden = !classes.length;
    const boxes = classes.map((name) => {
      const input = make("input", { type: "checkbox", value: name, checked: chosen.includes(name) });
      input.addEventListener("change", () => this.#toggle(name, input.checked));
      return make("label", { class: "facefix-tick" }, input, make("span", {}, name));
    });
    this.list.replaceChildren(...boxes);
  }

  /** @param {string} name @param {boolean} on */
  #toggle(name, on) {
    this.chosen = [...this.chosen.filter((one) => one !== name), ...(on ? [name] : [])];
    this.ask({ detector: this.detector, choose: this.chosen }, (answer) => {
      this.detector = answer.detector;
      this.choose(answer.detector);
    });
  }
}

/** Return whether a detector may be a single model file. @param {string} detector */
const isFile = (detector) => /\.(pt|onnx)\b/i.test(detector);
