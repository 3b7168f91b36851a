/** Pictures come in: dropped anywhere, chosen, or pasted. */

import { at } from "./dom.js";

/** open(files): called with at least one file. */
export function listen(open) {
  const given = (list) => list?.length && open([...list]);
  at("choose").addEventListener("click", () => at("files").click());
  at("open-other").addEventListener("click", () => at("files").click());
  at("files").addEventListener("change", () => {
    given(at("files").files);
    at("files").value = ""; // else the same file could not be chosen again
  });
  document.addEventListener("paste", (event) => given(event.clipboardData.files));
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
    given(event.dataTransfer.files);
  });
}
