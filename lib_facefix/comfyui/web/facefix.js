/**
 * The page of ComfyUI: a slider on Before and After, and the texts of the other nodes of FaceFix.
 *
 * The slider is the one of `facefix serve`. ComfyUI serves it under /facefix, see extension.py.
 */

/** @typedef {import("../../server/page/compare.js").FacefixCompare} FacefixCompare */
/** @typedef {{filename: string, subfolder: string, type: string}} Saved An image in a folder of ComfyUI. */
/** @typedef {import("../../server/page/compare_look.js").Face} Face */
/**
 * @typedef {{facefix_before?: Saved[], facefix_after?: Saved[], facefix_faces?: Face[][], text?: string[]}} Output
 *   What a node has sent to the page.
 */
/**
 * @typedef {object} GraphNode
 * @property {string} comfyClass
 * @property {[number, number]} size
 * @property {(output: Output) => void} [onExecuted]
 * @property {(name: string, kind: string, element: HTMLElement, options: object) => {serialize?: boolean}} addDOMWidget
 * @property {(size: [number, number]) => void} setSize
 */

const SCRIPTS = new URL("../../scripts/", import.meta.url);
const { app } = await import(new URL("app.js", SCRIPTS).href);
const { api } = await import(new URL("api.js", SCRIPTS).href);

const SLIDER_NODE = "FaceFixBeforeAfter";
const TEXT_NODES = ["FaceFixPlan", "FaceFixRestoreFaces", "FaceFixDetailFaces", "FaceFixCompareFaces"];
const SLIDER_SIZE = [480, 500]; // of the node, in pixels
const TABLE_NODE = "FaceFixPlan"; // whose lines must not be wrapped
const SLIDER_HEIGHT = 240;
const TEXT_WIDTH = 320;
const TEXT_HEIGHT = 120;
const SPACE = 14; // between the parts of the slider, in pixels
const COLOURS = {
  "--facefix-text": "var(--input-text, #ddd)",
  "--facefix-surface": "var(--comfy-input-bg, #222)",
  "--facefix-border": "var(--border-color, #4e4e4e)",
};
const BROKEN = "The slider could not be loaded. Reload the page.";

/** Return the address of a saved image. @param {Saved} saved */
function addressOf(saved) {
  const query = new URLSearchParams({ filename: saved.filename, subfolder: saved.subfolder, type: saved.type });
  return api.apiURL(`/view?${query}`);
}

/** A button without a place in the order of focus of its own. @param {string} text @param {string} label @param {() => void} act */
function makeButton(text, label, act) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: text, title: label });
  button.setAttribute("aria-label", label);
  button.addEventListener("click", act);
  return button;
}

/** The slider of one node, with buttons to go through a batch. */
class Comparison {
  place = Object.assign(document.createElement("div"), { className: "facefix-compare-node" });
  /** @type {FacefixCompare | null} */ #slider = null;
  #note = document.createElement("p");
  #count = document.createElement("span");
  #tools = document.createElement("div");
  /** @type {Required<Pick<Output, "facefix_before" | "facefix_after" | "facefix_faces">>} */
  #shown = { facefix_before: [], facefix_after: [], facefix_faces: [] };
  #at = 0;

  constructor() {
    this.#note.textContent = "Run the workflow to compare the images.";
    this.#tools.append(
      makeButton("‹", "Previous image", () => this.#go(-1)),
      this.#count,
      makeButton("›", "Next image", () => this.#go(1)),
    );
    this.#tools.hidden = true;
    this.place.append(this.#note, this.#tools);
    Object.assign(this.place.style, { display: "flex", flexDirection: "column", gap: "6px", overflow: "auto" });
    Object.assign(this.#tools.style, { gap: "8px", justifyContent: "center", alignItems: "center" });
    for (const [name, value] of Object.entries(COLOURS)) this.place.style.setProperty(name, value);
    new ResizeObserver(() => this.#fit()).observe(this.place);
  }

  /** Make the image as large as the node allows. */
  #fit() {
    const buttons = this.#slider?.shadowRoot?.querySelector(".tools");
    const used = (buttons instanceof HTMLElement ? buttons.offsetHeight : 0) + this.#tools.offsetHeight + SPACE;
    this.place.style.setProperty("--facefix-compare-height", `${Math.max(this.place.clientHeight - used, 40)}px`);
  }

  /** Show the images that the node has sent. @param {Output} output */
  async show({ facefix_before = [], facefix_after = [], facefix_faces = [] }) {
    this.#shown = { facefix_before, facefix_after, facefix_faces };
    this.#at = Math.min(this.#at, Math.max(facefix_before.length - 1, 0));
    try {
      await import(api.apiURL("/facefix/compare.js"));
    } catch {
      this.#note.textContent = BROKEN;
      this.#note.hidden = false;
      return;
    }
    if (!this.#slider) {
      const made = document.createElement("facefix-compare");
      this.place.prepend(made);
      this.#slider = /** @type {FacefixCompare} */ (/** @type {unknown} */ (made));
    }
    this.#draw();
  }

  /** Go to another image of the batch. @param {number} by */
  #go(by) {
    const count = this.#shown.facefix_before.length;
    this.#at = (this.#at + by + count) % count;
    this.#draw();
  }

  #draw() {
    const { facefix_before: before, facefix_after: after, facefix_faces: faces } = this.#shown;
    const at = this.#at;
    const there = Boolean(this.#slider && before[at] && after[at]);
    this.#note.hidden = there;
    this.#tools.hidden = before.length < 2;
    this.#tools.style.display = this.#tools.hidden ? "none" : "flex";
    this.#count.textContent = `${at + 1} / ${before.length}`;
    if (!this.#slider || !there) return;
    Object.assign(this.#slider, { before: addressOf(before[at]), after: addressOf(after[at]), faces: faces[at] ?? [] });
    this.#slider.reset();
    requestAnimationFrame(() => this.#fit()); // once the buttons have their place
  }
}

/** Call a function whenever a node has run. @param {GraphNode} node @param {(output: Output) => void} act */
function whenExecuted(node, act) {
  const before = node.onExecuted;
  node.onExecuted = function (output) {
    before?.call(this, output);
    act(output);
  };
}

/**
 * Add an element to a node. It is not stored with a workflow.
 * @param {GraphNode} node @param {string} name @param {HTMLElement} element @param {number} height at least, in pixels
 */
function addElement(node, name, element, height) {
  const widget = node.addDOMWidget(name, name, element, { serialize: false, getMinHeight: () => height });
  widget.serialize = false;
}

/** @param {GraphNode} node */
function addSlider(node) {
  const comparison = new Comparison();
  addElement(node, "facefix_slider", comparison.place, SLIDER_HEIGHT);
  node.setSize([Math.max(node.size[0], SLIDER_SIZE[0]), Math.max(node.size[1], SLIDER_SIZE[1])]);
  whenExecuted(node, (output) => void comparison.show(output));
}

/** Show the text of a node below its inputs, once it has run. @param {GraphNode} node */
function addText(node) {
  node.setSize([Math.max(node.size[0], TEXT_WIDTH), node.size[1]]);
  /** @type {HTMLElement | null} */ let text = null;
  whenExecuted(node, (output) => {
    if (!output.text) return;
    if (!text) {
      text = Object.assign(document.createElement("pre"), { className: "facefix-text", tabIndex: 0 });
      const whiteSpace = node.comfyClass === TABLE_NODE ? "pre" : "pre-wrap";
      Object.assign(text.style, { margin: "0", overflow: "auto", fontSize: "11px", userSelect: "text", whiteSpace });
      addElement(node, "facefix_text", text, TEXT_HEIGHT);
      node.setSize([node.size[0], node.size[1] + TEXT_HEIGHT]);
    }
    text.textContent = output.text.join("\n");
  });
}

app.registerExtension({
  name: "FaceFix",
  /** @param {GraphNode} node */
  nodeCreated(node) {
    if (node.comfyClass === SLIDER_NODE) addSlider(node);
    if (TEXT_NODES.includes(node.comfyClass)) addText(node);
  },
});
