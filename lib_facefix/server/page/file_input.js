/** Opens photos that are dropped anywhere, chosen, or pasted. */

import { at, inputAt } from "./dom.js";

/** Listen for photos. open(files): called with at least one file. @param {(files: File[]) => void} open */
export function listen(open) {
  const given = (/** @type {FileList | null | undefined} */ list) => list?.length && open([...list]);
  at("choose").addEventListener("click", () => at("files").click());
  at("open-other").addEventListener("click", () => at("files").click());
  at("files").addEventListener("change", () => {
    given(inputAt("files").files);
    inputAt("files").value = ""; // otherwise the same file could not be chosen again
  });
  document.addEventListener("paste", (event) => given(event.clipboardData?.files));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dragging");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dragging");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dragging");
    given(event.dataTransfer?.files);
  });
}
