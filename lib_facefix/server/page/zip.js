/** Packs files into one ZIP in the browser, without compression, as photos are compressed already. */

/** @typedef {{path: string, file: File}} Packed  A file, and its path inside the ZIP. */

const UTF8 = 0x800; // flag of an entry: its name is UTF-8
const ZIP64 = 45; // version of the format that allows more than 4 GiB and 65,535 entries
const MAX_16 = 0xffff;
const MAX_32 = 0xffffffff;
/** Eight tables, so that a checksum takes eight bytes at a time ("slicing by 8"): the byte n places before the end. */
const CRC = crcTables();

/**
 * Return the files as one ZIP. The files themselves are not copied: the ZIP refers to them, and only their checksums
 * are computed, piece by piece. done(share): called after each file. Aborting `signal` throws its error.
 * @param {Packed[]} files @param {(share: number) => void} done @param {AbortSignal} [signal]
 */
export async function zip(files, done = () => {}, signal) {
  /** @type {BlobPart[]} */
  const parts = [];
  /** @type {BlobPart[]} */
  const directory = [];
  let offset = 0;
  for (const [index, { path, file }] of files.entries()) {
    signal?.throwIfAborted();
    const name = new TextEncoder().encode(path);
    const facts = packed("2222444", UTF8, 0, ...dosTime(file.lastModified), await crc32(file), file.size, file.size);
    const local = new Blob([packed("42", 0x04034b50, 20), facts, packed("22", name.length, 0), name]);
    parts.push(local, file);
    directory.push(listing(name, facts, offset));
    offset += local.size + file.size;
    done((index + 1) / files.length);
  }
  const listed = new Blob(directory);
  return new Blob([...parts, listed, ...ending(files.length, listed.size, offset)], { type: "application/zip" });
}

/**
 * Return the paths, with " (2)" and so on before the suffix of those that occur again. Windows and macOS do not tell
 * "A.jpg" from "a.jpg", so neither does this function.
 * @param {string[]} paths
 */
export function tellApart(paths) {
  const taken = new Set();
  return paths.map((path) => {
    const [, stem, suffix] = /** @type {RegExpExecArray} */ (/^(.*?[^/])((?:\.[^./]*)?)$/s.exec(path));
    let free = path;
    for (let number = 2; taken.has(alike(free)); number++) free = `${stem} (${number})${suffix}`;
    taken.add(alike(free));
    return free;
  });
}

/** @param {string} path */
const alike = (path) => path.normalize("NFC").toLowerCase();

/** Return the entry of a file in the directory at the end. @param {Uint8Array} name @param {BlobPart} facts @param {number} offset */
function listing(name, facts, offset) {
  const far = offset >= MAX_32;
  const extra = far ? packed("228", 1, 8, offset) : new Uint8Array();
  const start = packed("422", 0x02014b50, far ? ZIP64 : 20, far ? ZIP64 : 20);
  const rest = packed("2222244", name.length, extra.length, 0, 0, 0, 0, far ? MAX_32 : offset);
  return new Blob([start, facts, rest, /** @type {BlobPart} */ (name), extra]);
}

/** Return the records at the end of the ZIP. @param {number} many @param {number} size @param {number} offset */
function ending(many, size, offset) {
  const [shortMany, shortOffset] = [Math.min(many, MAX_16), Math.min(offset, MAX_32)];
  const end = packed("42222442", 0x06054b50, 0, 0, shortMany, shortMany, Math.min(size, MAX_32), shortOffset, 0);
  if (many < MAX_16 && offset < MAX_32) return [end];
  const long = packed("4822448888", 0x06064b50, 44, ZIP64, ZIP64, 0, 0, many, many, size, offset);
  return [long, packed("4484", 0x07064b50, 0, offset + size, 1), end];
}

/** Return numbers as little-endian bytes. widths: number of bytes of each, such as "244". @param {string} widths @param {...number} numbers */
function packed(widths, ...numbers) {
  const bytes = new DataView(new ArrayBuffer([...widths].reduce((sum, width) => sum + Number(width), 0)));
  let at = 0;
  for (const [index, number] of numbers.entries()) {
    const width = Number(widths[index]);
    if (width === 2) bytes.setUint16(at, number, true);
    else if (width === 4) bytes.setUint32(at, number, true);
    else bytes.setBigUint64(at, BigInt(number), true);
    at += width;
  }
  return new Uint8Array(bytes.buffer);
}

/** Return time and date as ZIP files store them: local, in steps of 2 s, from 1980 on. @param {number} milliseconds */
function dosTime(milliseconds) {
  const when = new Date(milliseconds);
  if (when.getFullYear() < 1980) return [0, 33];
  const time = (when.getHours() << 11) | (when.getMinutes() << 5) | (when.getSeconds() >> 1);
  return [time, (Math.min(when.getFullYear() - 1980, 127) << 9) | ((when.getMonth() + 1) << 5) | when.getDate()];
}

/** Return the checksum of a file, read piece by piece. @param {Blob} file */
async function crc32(file) {
  let crc = -1;
  const reader = file.stream().getReader();
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    crc = extended(crc, /** @type {Uint8Array} */ (value));
  }
  return (crc ^ -1) >>> 0;
}

/** Return the checksum after more bytes. @param {number} crc @param {Uint8Array} bytes */
function extended(crc, bytes) {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = CRC;
  const whole = bytes.length - (bytes.length % 8);
  for (let i = 0; i < whole; i += 8) {
    crc ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    crc = t7[crc & 255] ^ t6[(crc >>> 8) & 255] ^ t5[(crc >>> 16) & 255] ^ t4[crc >>> 24]
      ^ t3[bytes[i + 4]] ^ t2[bytes[i + 5]] ^ t1[bytes[i + 6]] ^ t0[bytes[i + 7]];
  }
  for (let i = whole; i < bytes.length; i++) crc = t0[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return crc;
}

function crcTables() {
  const tables = Array.from({ length: 8 }, () => new Int32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    tables[0][byte] = crc;
  }
  for (let place = 1; place < 8; place++) {
    for (let byte = 0; byte < 256; byte++) {
      const before = tables[place - 1][byte];
      tables[place][byte] = tables[0][before & 255] ^ (before >>> 8);
    }
  }
  return tables;
}
