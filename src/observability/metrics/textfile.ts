import { access, constants, rename, rm, writeFile } from "node:fs/promises";
import { dirname, extname } from "node:path";
import { ReconcilerError } from "../../errors.ts";

/** Which the collector asks for; it reads no other file. */
const extension = ".prom";

/**
 * Refuses a place that a later `writeTextfile` could not write to, or that nobody would read.
 * @throws ReconcilerError `usage`
 */
export async function checkTextfile(path: string): Promise<void> {
  if (extname(path) !== extension) {
    throw new ReconcilerError(
      "usage",
      `--metrics-file: expected a name that ends in ${extension}, found ${path}`,
      {
        hint: `the textfile collector reads no other file: ${path}${extension}`,
      },
    );
  }
  try {
    await access(dirname(path), constants.W_OK);
  } catch (cause) {
    throw new ReconcilerError("usage", `--metrics-file: no file can be made in ${dirname(path)}`, {
      cause,
      hint: "make the folder, or let the user that runs this write to it",
    });
  }
}

/**
 * Puts the text in the place of the file as one step, so that a collector reads all of the old or all of the new one.
 * @throws ReconcilerError `write_failed`; the old file is as it was then
 */
export async function writeTextfile(path: string, text: string): Promise<void> {
  // In the same folder, as only a rename within a file system is one step; the collector passes over the name.
  const temporary = `${path}.${process.pid}`;
  try {
    await writeFile(temporary, text, { mode: 0o644 });
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new ReconcilerError("write_failed", `the metrics could not be written to ${path}`, {
      cause,
      path,
      hint: "see whether the disk is full and the folder can be written; the run itself is over, and reconcile status shows what it left",
    });
  }
}
