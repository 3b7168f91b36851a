/**
 * The before/after slider on the WebUI's page: under results, and in each place made by compare/slider.py. The forms of
 * the settings, in the places made by ui/settings_form.py.
 *
 * Event handlers call the functions of `window.facefix`. Works with gradio 3 and 4.
 */
(() => {
  /** @typedef {import("../lib_facefix/server/page/compare.js").FacefixCompare} FacefixCompare */

  const script = document.currentScript;
  if (!(script instanceof HTMLScriptElement)) throw new Error("The script facefix.js has no URL.");
  const HERE = script.src;
  const SLIDER = urlOf("../lib_facefix/server/page/compare.js");
  const FORMS = urlOf("../lib_facefix/webui/page/passes.js");
  const FIXED = /FaceFix (?:pass \d+ )?(?:class \d+ )?face \d+: \\?"?(?:re-diffused|restored)\b/; // in an infotext

  const TICK = "extras_facefix_enabled-visible-checkbox"; // made by the WebUI

  /** @typedef {import("../lib_facefix/webui/page/passes.js").Passes} Passes */
  /** @typedef {FacefixCompare["faces"]} Faces */
  /** @typedef {{before: string, after: string, place: number, faces: Faces, note: string}} Comparison */

  /** A place on the page for comparing images: a stage, and in most tabs a button that opens it. */
  class Place {
    /** Button that opens the stage; null in the accordion of the extras tab. @type {HTMLButtonElement | null} */ button = null;
    /** Slider, made for the first comparison. @type {FacefixCompare | null} */ slider = null;
    /** Infotext of the last result. @type {string | null} */ infotext = null;

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
      this.note.textContent = note || (before && !after ? "The result is no longer in the gallery." : "");
      if (this.slider) this.slider.hidden = !(before && after);
      if (before && after) await this.fill({ before, after, faces });
    }

    /**
     * Fill the slider. Another image starts zoomed out; a new version of the same image keeps zoom and position.
     * @param {{before: string, after: string, faces: Faces}} shown
     */
    async fill(shown) {
      try {
        await import(SLIDER); // loaded for the first comparison
      } catch (error) {
        console.error(error);
        this.note.textContent = "The slider could not be loaded. Reload the page.";
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

    /** Show the button for results with fixed faces; update an open stage when the gallery changes. */
    follow() {
      const infotext = infotextOf(this.result);
      if (infotext === this.infotext) return;
      this.infotext = infotext;
      if (infotext) document.getElementById(`${this.id}_follow`)?.click(); // gradio 4's "change" of a text never ends
      const open = !this.stage.hidden;
      this.root.hidden = !FIXED.test(infotext);
      if (this.root.hidden) this.open(false);
      else if (open) ask(this.id);
    }
  }

  /** Places by their id. @type {Map<string, Place>} */
  const places = new Map();

  /** Return the place of this id; the page may have been rebuilt since. @param {string} id */
  function placeOf(id) {
    const root = document.querySelector(`#${id} .facefix-place`);
    if (root instanceof HTMLElement && places.get(id)?.root !== root) places.set(id, new Place(id, root));
    return places.get(id);
  }

  /** Return the infotext of the shown result; the extras tab has another element for it. @param {string} result */
  function infotextOf(result) {
    const texts = [...document.querySelectorAll(`#html_info_${result}, #html_info_x_${result}`)];
    return texts.map((place) => place.textContent?.trim()).find(Boolean) ?? "";
  }

  /** Return the images of a result's gallery, in order. @param {string} result */
  function pictures(result) {
    const [row, field] = ["small", "lg"].map((size) => thumbnails(result, size));
    return (row.length ? row : field).map((thumbnail) => thumbnail.querySelector("img"));
  }

  /** @param {string} result @param {string} size */
  function thumbnails(result, size) {
    return [...document.querySelectorAll(`#${result}_gallery .thumbnail-item.thumbnail-${size}`)];
  }

  /** Show a comparison. @param {string} id of the place @param {string} text JSON, see `Comparison` in compare/history.py */
  function show(id, text) {
    if (text) placeOf(id)?.show(JSON.parse(text));
    return [];
  }

  /** Request a comparison from the handler of a place. @param {string} id */
  function ask(id) {
    document.getElementById(`${id}_ask`)?.click();
  }

  /** Return the place of the chosen image in a result's gallery, -1 for none. @param {string} result */
  function chosen(result) {
    return thumbnails(result, "small").findIndex((thumbnail) => thumbnail.classList.contains("selected"));
  }

  /** Forms by the prefix of their ids. @type {Map<string, Passes>} */
  const forms = new Map();
  /** Places whose forms are made once they can be seen. @type {WeakSet<Element>} */
  const awaited = new WeakSet();
  const seeing = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) makeForms(target);
  }, { rootMargin: "20000px" });

  /** Make the forms of a tab, once. @param {Element} place */
  async function makeForms(place) {
    seeing.unobserve(place);
    if (!(place instanceof HTMLElement)) return;
    const { id = "", form = "" } = place.dataset;
    try {
      const { Passes: Made } = await import(FORMS); // loaded when FaceFix is first opened
      forms.set(id, new Made(id, JSON.parse(form)));
    } catch (error) {
      console.error(error);
      place.textContent = "The settings could not be loaded. Reload the page.";
    }
  }

  /** Return the question of a tab's forms to the server. @param {string} id */
  function question(id) {
    return forms.get(id)?.question ?? "{}";
  }

  /** Hand the server's answer to a tab's forms. @param {string} id @param {string} text */
  function answered(id, text) {
    forms.get(id)?.answered(text);
    return [];
  }

  /** Show passes in a tab's forms. @param {string} id @param {string} text */
  function showPasses(id, text) {
    forms.get(id)?.show(text);
    return [];
  }

  /** Return the address of a file for its path from here. @param {string} path */
  function urlOf(path) {
    return new URL(`${path}${new URL(HERE).search}`, HERE).href;
  }

  /**
   * @template {keyof HTMLElementTagNameMap} Tag
   * @param {Tag} tag @param {Record<string, string | boolean>} properties
   */
  function made(tag, properties) {
    return Object.assign(document.createElement(tag), properties);
  }

  /** Return the chosen place and the number of images of a result, as in "0/1". @param {string} result */
  function seen(result) {
    return `${chosen(result)}/${thumbnails(result, "small").length}`;
  }

  /** Unfold the accordion of the extras tab when it is ticked, because its faces are the next step. */
  document.addEventListener("input", ({ target }) => {
    if (!(target instanceof HTMLInputElement && target.id === TICK && target.checked)) return;
    const head = target.closest(".label-wrap");
    if (head instanceof HTMLElement && !head.classList.contains("open")) head.click();
  });

  /** Press the buttons that read a list of restorers again, because one was downloaded. */
  function readLists() {
    for (const button of document.querySelectorAll("button[id*='facefix'][id$='refresh_restorer']")) {
      if (button instanceof HTMLElement) button.click();
    }
    return [];
  }

  window.facefix = { show, ask, chosen, seen, infotextOf, question, answered, showPasses, readLists };
  onAfterUiUpdate(() => {
    for (const root of document.querySelectorAll(".facefix-place[data-result]:not([data-result=''])")) {
      placeOf(root.closest("[id]")?.id ?? "")?.follow();
    }
    for (const place of document.querySelectorAll(".facefix-form[data-form]")) {
      if (!awaited.has(place)) seeing.observe(place);
      awaited.add(place);
    }
  });
})();
