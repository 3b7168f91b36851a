/** Opens photos that are dropped anywhere, chosen, or pasted, also whole folders of them. */

import { at, inputAt } from "./dom.js";
import { droppedFiles, photosAmong } from "./folders.js";

/**
 * Listen for photos. open(files): called with at least one file. refuse(words): called if a folder contains none.
 * @param {(files: File[]) => void} open @param {(words: string) => void} refuse
 */
export function listen(open, refuse) {
  const given = (/** @type {Iterable<File> | null | undefined} */ list) => {
    const files = [...(list ?? [])];
    const photos = photosAmong(files);
    if (photos.length) open(photos);
    else if (files.length) refuse("There are no photos in this folder. Choose a folder that contains JPEG, PNG, TIFF, or WebP files.");
  };
  at("choose").addEventListener("click", () => at("files").click());
  at("open-other").addEventListener("click", () => at("files").click());
  document.getElementById("choose-folder")?.addEventListener("click", () => at("folder").click());
  for (const id of ["files", "folder"]) {
    document.getElementById(id)?.addEventListener("change", () => {
      given(inputAt(id).files);
      inputAt(id).value = ""; // otherwise the same file could not be chosen again
    });
  }
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
    if (event.dataTransfer) droppedFiles(event.dataTransfer).then(given, () => refuse("The browser could not read this folder. Try *Choose a folder* instead."));
  });
}
