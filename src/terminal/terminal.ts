/** How wide and how colourful a text may be; every renderer takes it and nothing else of the terminal. */
export interface RenderOptions {
  /** Cells of a line; at least 40 are assumed. */
  readonly columns: number;
  readonly color: boolean;
  /** What the commands that a text advises need to mean the same pipeline, such as ` --target prod`; empty where nothing. */
  readonly pipelineFlags?: string;
}

/** What a stream can show. */
export interface Terminal extends RenderOptions {
  /** Whether a person watches: progress may be drawn over, a question may be asked. */
  readonly interactive: boolean;
}

/** The part of a stream that is asked; every `tty.WriteStream` has it. */
export interface StreamLike {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** For a file or a pipe: wide enough for a table, narrow enough for a page. */
const columnsDefault = 100;
const columnsMin = 40;

/**
 * What a stream can show: `--no-color` beats FORCE_COLOR, which beats NO_COLOR, as in Node; without any of them a terminal
 * gets colours and a pipe gets none. COLUMNS sets the width of what is no terminal.
 */
export function terminalOf(
  stream: StreamLike,
  flags: { readonly color?: boolean; readonly config?: string; readonly target?: string },
  env: Environment,
): Terminal {
  const isTerminal = stream.isTTY === true && env["TERM"] !== "dumb";
  return {
    interactive: isTerminal,
    columns: Math.max(columnsMin, widthOf(stream, env)),
    color: flags.color !== false && (forced(env) ?? (isTerminal && !isSet(env["NO_COLOR"]))),
    pipelineFlags: flag("config", flags.config) + flag("target", flags.target),
  };
}

/** As a shell takes it. */
function flag(name: string, value: string | undefined): string {
  if (value === undefined) return "";
  const isPlain = /^[\w./:@%+-]+$/.test(value);
  return ` --${name} ${isPlain ? value : `'${value.replaceAll("'", "'\\''")}'`}`;
}

function widthOf({ isTTY, columns }: StreamLike, env: Environment): number {
  if (isTTY === true && columns !== undefined && columns > 0) return columns;
  const asked = Number(env["COLUMNS"]);
  return Number.isInteger(asked) && asked > 0 ? asked : columnsDefault;
}

/** What FORCE_COLOR says; null where it says nothing. */
function forced(env: Environment): boolean | null {
  const value = env["FORCE_COLOR"];
  if (value === undefined) return null;
  return value !== "0" && value !== "false";
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "";
}
