/** The elements inside `<facefix-compare>`, and their style. */

export const ZOOM_STEP = 1.25; // magnification by one press of +

/** Return the element's own CSS. */
export function styleSheet() {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  return sheet;
}

/** Return the HTML of the buttons for the whole image and for each face. @param {number[]} numbers */
export function buttons(numbers) {
  const button = (/** @type {number | ""} */ number, /** @type {string} */ text, /** @type {string} */ told) =>
    `<button type="button" data-face="${number}" aria-label="${told}">${text}</button>`;
  const each = numbers.map((number) => button(number, String(number), `Face ${number}`));
  return [button("", "Whole image", "Whole image"), ...each].join("");
}

/** Return the HTML of the numbers on the image. @param {number[]} numbers */
export const badges = (numbers) => numbers.map((number) => `<span data-face="${number}">${number}</span>`).join("");

/** @param {string} label */
export const missingImage = (label) => `The image “${label}” is missing, so there is nothing to compare.`;

/** @param {string[]} labels */
export const brokenImages = (labels) =>
  `The image ${labels.map((label) => `“${label}”`).join(" and ")} cannot be shown. It was deleted, or this browser does not support its format.`;

export const FRAME = `
  <div class="tools" role="group" aria-label="Zoom">
    <span class="faces"></span>
    <span class="zoom">
      <button type="button" data-zoom="${1 / ZOOM_STEP}" aria-label="Zoom out">−</button>
      <button type="button" data-zoom="${ZOOM_STEP}" aria-label="Zoom in">+</button>
    </span>
  </div>
  <div class="frame" role="group" aria-label="Image. When magnified, move it with the arrow keys." hidden>
    <div class="side before"><img alt="" draggable="false"><span class="word"></span></div>
    <div class="side after"><img alt="" draggable="false"><span class="word"></span></div>
    <div class="line" role="slider" tabindex="0" aria-valuemin="0" aria-valuemax="100"></div>
    <div class="badges" aria-hidden="true"></div>
  </div>
  <p class="note" role="status"></p>`;

const STYLE = `
  :host {
    display: block;
    --accent: var(--facefix-accent, #2563eb);
    --text: var(--facefix-text, #1f2937);
    --surface: var(--facefix-surface, #ffffff);
    --border: var(--facefix-border, #6b7280);
    color: var(--text);
    font-size: 1rem;
  }
  :host([hidden]), [hidden] { display: none !important; }
  @media (prefers-color-scheme: dark) {
    :host {
      --accent: var(--facefix-accent, #60a5fa);
      --text: var(--facefix-text, #f3f4f6);
      --surface: var(--facefix-surface, #1f2937);
      --border: var(--facefix-border, #9ca3af);
    }
  }

  .tools { display: flex; flex-wrap: wrap; gap: 0.5em; justify-content: space-between; margin-bottom: 0.5em; }
  .faces, .zoom { display: flex; flex-wrap: wrap; gap: 0.25em; }
  button {
    min-width: 2.5em;
    min-height: 2.5em;
    padding: 0.25em 0.75em;
    border: 1px solid var(--border);
    border-radius: 0.375em;
    background: var(--surface);
    color: var(--text);
    font: inherit;
    cursor: pointer;
    touch-action: manipulation;
  }
  button[aria-pressed="true"] { border-color: var(--accent); box-shadow: inset 0 0 0 2px var(--accent); }
  :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }

  .frame, :host([compact]) .tools {
    width: min(100%, calc(var(--facefix-compare-height, 80vh) * var(--ratio, 1)));
    margin: 0 auto;
  }
  .frame {
    position: relative;
    aspect-ratio: var(--ratio, 1);
    overflow: hidden;
    direction: ltr;
    cursor: ew-resize;
    touch-action: pan-y;
    user-select: none;
    -webkit-user-select: none;
  }
  .frame.zoomed { cursor: grab; touch-action: none; }
  .frame.zoomed:active { cursor: grabbing; }
  .side { position: absolute; inset: 0; overflow: hidden; }
  .before { clip-path: inset(0 calc(100% - var(--position)) 0 0); }
  .after { clip-path: inset(0 0 0 var(--position)); }
  img { width: 100%; height: 100%; display: block; transform-origin: 0 0; }
  .after img + img { position: absolute; inset: 0; }
  :host([compact]) { position: relative; }
  :host([compact]) .faces { display: none; }
  :host([compact]) .tools { position: absolute; z-index: 1; inset: 0.5em 0 auto; justify-content: flex-end; pointer-events: none; }
  :host([compact]) .zoom { margin-right: 0.5em; pointer-events: auto; }

  .word, .badges span {
    position: absolute;
    padding: 0.15em 0.5em;
    border-radius: 0.25em;
    background: rgb(0 0 0 / 65%);
    color: #ffffff;
    font-size: 0.875em;
    line-height: 1.3;
  }
  .word { bottom: 0.5em; pointer-events: none; }
  .before .word { left: 0.5em; }
  .after .word { right: 0.5em; }
  .badges span { transform: translate(-25%, -75%); cursor: zoom-in; }

  .line {
    position: absolute;
    top: 0;
    bottom: 0;
    left: var(--position);
    width: 2.75em;
    transform: translateX(-50%);
    cursor: ew-resize;
    outline: none;
  }
  .line::before, .line::after { position: absolute; left: 50%; transform: translateX(-50%); background: #ffffff; }
  .line::before { content: ""; top: 0; bottom: 0; width: 3px; box-shadow: 0 0 0 1px rgb(0 0 0 / 60%); }
  .line::after {
    content: "↔";
    bottom: 3.5em;
    width: 1.6em;
    height: 1.6em;
    border-radius: 50%;
    color: #374151;
    font-size: 1.25em;
    line-height: 1.6em;
    text-align: center;
    box-shadow: 0 0 0 1px rgb(0 0 0 / 60%), 0 1px 4px rgb(0 0 0 / 40%);
  }
  .line:focus-visible::after { box-shadow: 0 0 0 1px #000000, 0 0 0 5px var(--accent); }

  .note { margin: 0.5em 0 0; }
  .note:empty { display: none; }

  @media (prefers-reduced-motion: no-preference) {
    .gliding img { transition: transform 0.2s ease-out; }
    .gliding .badges span { transition: left 0.2s ease-out, top 0.2s ease-out; }
  }
  @media (forced-colors: active) {
    .line::before, .line::after { background: Highlight; forced-color-adjust: none; }
  }`;
