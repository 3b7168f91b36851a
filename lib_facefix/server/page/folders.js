/** Finds the photos in dropped files and folders, and remembers the folder of each. */

const SUFFIXES = /\.(apng|avif|bmp|dib|gif|hei[cf]|jfif|jp2|jpe?g?|mpo|png|tiff?|webp)$/i;
const IGNORED = /(^|\/)(\.|__MACOSX\/|Thumbs\.db$)/i; // hidden files, and those that macOS and Windows add
/** Paths of dropped files. A browser tells a file's own path only if it was chosen. @type {WeakMap<File, string>} */
const paths = new WeakMap();

/** Return the path of a file from the dropped or chosen folder on, such as "1987/beach.jpg". @param {File} file */
export const pathOf = (file) => paths.get(file) ?? (file.webkitRelativePath || file.name);

/**
 * Return the photos among files: all that were given by themselves, and those inside folders that look like photos,
 * sorted by path. @param {File[]} files
 */
export function photosAmong(files) {
  const inFolders = files.filter((file) => pathOf(file).includes("/"));
  const alone = files.filter((file) => !pathOf(file).includes("/"));
  return [...alone, ...inFolders.filter(isPhoto).sort((one, other) => inOrder.compare(pathOf(one), pathOf(other)))];
}

/**
 * Return all dropped files, also those inside folders. Must be called while the event is handled, as browsers forget
 * the files afterwards.
 * @param {DataTransfer} transfer @returns {Promise<File[]>}
 */
export async function droppedFiles(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const found = items.map((item) => {
    const entry = item.webkitGetAsEntry?.();
    const file = item.getAsFile();
    return entry?.isDirectory ? filesIn(/** @type {FileSystemDirectoryEntry} */ (entry)) : file ? [file] : [];
  });
  return (await Promise.all(found)).flat();
}

/** @param {File} file */
const isPhoto = (file) => !IGNORED.test(pathOf(file)) && (file.type.startsWith("image/") || SUFFIXES.test(file.name));

const inOrder = new Intl.Collator(undefined, { numeric: true });

/** @param {FileSystemDirectoryEntry} folder @returns {Promise<File[]>} */
async function filesIn(folder) {
  const files = [];
  for (const entry of await entriesIn(folder)) {
    if (entry.isDirectory) files.push(...(await filesIn(/** @type {FileSystemDirectoryEntry} */ (entry))));
    else files.push(...(await fileOf(/** @type {FileSystemFileEntry} */ (entry))));
  }
  return files;
}

/** Return all entries of a folder. Browsers return about a hundred at a time. @param {FileSystemDirectoryEntry} folder */
async function entriesIn(folder) {
  const reader = folder.createReader();
  /** @type {FileSystemEntry[]} */
  const all = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return all;
    all.push(...some);
  }
}

/**
 * Return the file of an entry. If it cannot be opened, return an empty one, which the server will refuse with a reason.
 * @param {FileSystemFileEntry} entry @returns {Promise<File[]>}
 */
async function fileOf(entry) {
  const file = await new Promise((done) => entry.file(done, () => done(new File([], entry.name))));
  paths.set(file, entry.fullPath.replace(/^\//, ""));
  return [file];
}
