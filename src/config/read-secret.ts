import { absolutePath, type Loaded } from "./loaded.ts";
import { readTextFile } from "./read-text-file.ts";
import type { TreePath } from "./tree.ts";

export const secretBytesMax = 64_000;

/** The text of a file that holds a secret, without white space around it; null where there is none, which is reported. */
export async function readSecret(
  { folder, issues, tree }: Loaded,
  path: TreePath,
  file: string,
): Promise<string | null> {
  const absolute = absolutePath(folder, file);
  const read = await readTextFile(absolute, secretBytesMax);
  const text = read.kind === "text" ? read.text.trim() : "";
  if (text !== "") return text;
  const found = read.kind === "text" ? "an empty file" : read.found;
  issues.addAt(tree, path, {
    expected: `a file with a secret at ${absolute}`,
    found,
    hint: "check the path and who may read it",
  });
  return null;
}
