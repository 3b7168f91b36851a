/**
 * The slider between before and after in the WebUI's page, under results and wherever compare_page.py makes a place.
 *
 * What the page's handlers call is `facefix.show`, `facefix.ask` and `facefix.chosen`. Works with gradio 3 and 4.
 */
(() => {
  /** @typedef {import("../lib_facefix/server/page/compare.js").FacefixCompare} FacefixCompare */

  const script = document.currentScript;
  if (!(script instanceof HTMLScriptElement)) throw new Error("This script has no address.");
  const HERE = script.src;
  const SLIDER = new URL(`../lib_facefix/server/page/compare.js${new URL(HERE).search}`, HERE).href;
  const FIXED = /FaceFix: .*\\?"do\\?":\\?"(re-diffuse|restore)\\?"(?!,\\?"verdict)/; // in an infotext

  /** @typedef {FacefixCompare["faces"]} Faces */
  /** @typedef {{before: string, after: string, place: number, faces: Faces, note: string}} Comparison */

  /** One place of the page where pictures are compared: perhaps a button, and the stage that it opens. */
  class Place {
    /** Opens the stage; the extras tab has none. @type {HTMLButtonElement | null} */ button = null;
    /** Made when it is wanted first. @type {FacefixCompare | null} */ slider = null;
    /** Of the result that was followed last. @type {string | null} */ infotext = null;

    /** @param {string} id @param {HTMLElement} root */
    constructor(id, root) {
      this.id = id;
      this.root = root;
      this.result = root.dataset.result ?? "";
      this.stage = made("div", { className: "facefix-stage", id: `${id}_stage`, hidden: true });
      this.note = made("p", { className: "facefix-note", role: "status" });
      this.stage.append(this.note);
      if (this.result) {
        this.button = this.makeButton();
        root.append(this.button);
      }
      root.append(this.stage);
    }

    makeButton() {
      const button = made("button", { type: "button", className: "facefix-open", textContent: "Compare faces" });
      button.setAttribute("aria-controls", this.stage.id);
      button.setAttribute("aria-expanded", "false");
      button.addEventListener("click", () => (this.stage.hidden ? ask(this.id) : this.open(false)));
      return button;
    }

    /** @param {boolean} whether */
    open(whether) {
      this.stage.hidden = !whether;
      this.button?.setAttribute("aria-expanded", String(whether));
    }

    /** Show a comparison; a blank one closes the stage. @param {Comparison} told */
    async show(told) {
      const { before, faces, note } = told;
      const after = told.after || pictures(this.result)[told.place]?.src;
      this.root.hidden = false;
      this.open(Boolean(before || note));
      this.note.textContent = note || (before && !after ? "The result is not in the gallery any more." : "");
      if (this.slider) this.slider.hidden = !(before && after);
      if (before && after) await this.fill({ before, after, faces });
    }

    /**
     * Another picture is looked at as a whole first; the same one, changed, stays as it was looked at.
     * @param {{before: string, after: string, faces: Faces}} shown
     */
    async fill(shown) {
      try {
        await import(SLIDER); // when it is wanted first
      } catch (error) {
        console.error(error);
        this.note.textContent = "The slider could not be loaded: reload the page.";
        return;
      }
      this.slider ??= this.makeSlider();
      const other = this.slider.before !== shown.before;
      Object.assign(this.slider, shown);
      if (other) this.slider.reset();
    }

    makeSlider() {
      const slider = /** @type {FacefixCompare} */ (/** @type {unknown} */ (document.createElement("facefix-compare")));
      return this.stage.insertBefore(slider, this.note);
    }

    /** Offer the button for results with fixed faces; follow the gallery while the stage is open. */
    follow() {
      const infotext = infotextOf(this.result);
      if (infotext === this.infotext) return;
      this.infotext = infotext;
      const open = !this.stage.hidden;
      this.root.hidden = !FIXED.test(infotext);
      if (this.root.hidden) this.open(false);
      else if (open) ask(this.id);
    }
  }

  /** Places by their id. @type {Map<string, Place>} */
  const places = new Map();

  /** Return the place of this id; the page may have been made anew since. @param {string} id */
  function placeOf(id) {
    const root = document.querySelector(`#${id} .facefix-place`);
    if (root instanceof HTMLElement && places.get(id)?.root !== root) places.set(id, new Place(id, root));
    return places.get(id);
  }

  /** Return the infotext of the result that is shown; the extras tab has it elsewhere. @param {string} result */
  function infotextOf(result) {
    const texts = [...document.querySelectorAll(`#html_info_${result}, #html_info_x_${result}`)];
    return texts.map((place) => place.textContent?.trim()).find(Boolean) ?? "";
  }

  /** Return the pictures of a result's gallery, as they stand in it. @param {string} result */
  function pictures(result) {
    const [row, field] = ["small", "lg"].map((size) => thumbnails(result, size));
    return (row.length ? row : field).map((thumbnail) => thumbnail.querySelector("img"));
  }

  /** @param {string} result @param {string} size */
  function thumbnails(result, size) {
    return [...document.querySelectorAll(`#${result}_gallery .thumbnail-item.thumbnail-${size}`)];
  }

  /** Show a comparison. @param {string} id of the place @param {string} text JSON, see `Comparison` in compare.py */
  function show(id, text) {
    if (text) placeOf(id)?.show(JSON.parse(text));
    return [];
  }

  /** Have the place's handler say what to show. @param {string} id */
  function ask(id) {
    document.getElementById(`${id}_ask`)?.click();
  }

  /** Return the place of the picture that is chosen in a result's gallery, -1 for none. @param {string} result */
  function chosen(result) {
    return thumbnails(result, "small").findIndex((thumbnail) => thumbnail.classList.contains("selected"));
  }

  /**
   * @template {keyof HTMLElementTagNameMap} Tag
   * @param {Tag} tag @param {Record<string, string | boolean>} properties
   */
  function made(tag, properties) {
    return Object.assign(document.createElement(tag), properties);
  }

  /** Return which of how many pictures of a result is chosen, as in "0/1". @param {string} result */
  function seen(result) {
    return `${chosen(result)}/${thumbnails(result, "small").length}`;
  }

  window.facefix = { show, ask, chosen, seen, infotextOf };
  onAfterUiUpdate(() => {
    for (const root of document.querySelectorAll(".facefix-place[data-result]:not([data-result=''])")) {
      placeOf(root.closest("[id]")?.id ?? "")?.follow();
    }
  });
})();
