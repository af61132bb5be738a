import { type ChildProcess, spawn } from "node:child_process";

/**
 * Starts Node as somebody whom the rights of files bind. Root is bound by none, so as root the child gives up the
 * capabilities that lift them (`setpriv` of util-linux); another user would not reach a Node or a checkout in root's home.
 */
export function spawnBoundByRights(
  args: readonly string[],
  options: { readonly cwd?: string } = {},
): ChildProcess {
  const command = [process.execPath, ...args];
  const giveUp = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", "--inh-caps=-all"];
  const [program = "", ...rest] = process.getuid?.() === 0 ? [...giveUp, ...command] : command;
  return spawn(program, rest, { ...options, stdio: ["ignore", "pipe", "pipe"] });
}
