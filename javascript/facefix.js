/**
 * The slider between before and after in the WebUI's page, under results and wherever compare_page.py makes a place.
 *
 * What the page's handlers call is `facefix.show`, `facefix.ask` and `facefix.chosen`. Works with gradio 3 and 4.
 */
(() => {
  const HERE = document.currentScript.src;
  const SLIDER = new URL(`../lib_facefix/http/page/compare.js${new URL(HERE).search}`, HERE);
  const FIXED = /FaceFix: .*\\?"do\\?":\\?"(re-diffuse|restore)\\?"(?!,\\?"verdict)/; // in an infotext

  /** @typedef {{before: string, after: string, place: number, faces: object[], note: string}} Comparison */

  /** One place of the page where pictures are compared: perhaps a button, and the stage that it opens. */
  class Place {
    /** @param {string} id @param {HTMLElement} root */
    constructor(id, root) {
      this.id = id;
      this.root = root;
      this.result = root.dataset.result;
      this.stage = made("div", { className: "facefix-stage", id: `${id}_stage`, hidden: true });
      this.note = made("p", { className: "facefix-note", role: "status" });
      this.stage.append(this.note);
      if (this.result) root.append(this.makeButton());
      root.append(this.stage);
    }

    makeButton() {
      this.button = made("button", { type: "button", className: "facefix-open", textContent: "Compare faces" });
      this.button.setAttribute("aria-controls", this.stage.id);
      this.button.setAttribute("aria-expanded", "false");
      this.button.addEventListener("click", () => (this.stage.hidden ? ask(this.id) : this.open(false)));
      return this.button;
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

    /** Another picture is looked at as a whole first; the same one, changed, stays as it was looked at. */
    async fill(shown) {
      try {
        await import(SLIDER); // when it is wanted first
      } catch (error) {
        console.error(error);
        this.note.textContent = "The slider could not be loaded: reload the page.";
        return;
      }
      this.slider ??= this.stage.insertBefore(document.createElement("facefix-compare"), this.note);
      const other = this.slider.before !== shown.before;
      Object.assign(this.slider, shown);
      if (other) this.slider.reset();
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
    if (root && places.get(id)?.root !== root) places.set(id, new Place(id, root));
    return places.get(id);
  }

  /** Return the infotext of the result that is shown; the extras tab has it elsewhere. @param {string} result */
  function infotextOf(result) {
    const places = [...document.querySelectorAll(`#html_info_${result}, #html_info_x_${result}`)];
    return places.map((place) => place.textContent.trim()).find(Boolean) ?? "";
  }

  /** Return the pictures of a result's gallery, as they stand in it. @param {string} result */
  function pictures(result) {
    const [row, field] = ["small", "lg"].map((size) => thumbnails(result, size));
    return (row.length ? row : field).map((thumbnail) => thumbnail.querySelector("img"));
  }

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
      placeOf(root.closest("[id]").id)?.follow();
    }
  });
})();
