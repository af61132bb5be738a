import { type Copy, DockerfileParser, type Instruction } from "dockerfile-ast";
import { z } from "zod";

/** One instruction of a Dockerfile, as what it does. Those that only describe the image are left out. */
export type Step =
  | { readonly kind: "work_in"; readonly folder: string }
  /** `from` is the stage that it copies from; null is the build's context. */
  | {
      readonly kind: "copy";
      readonly from: string | null;
      readonly sources: readonly string[];
      readonly to: string;
    }
  | { readonly kind: "run"; readonly command: readonly string[] };

export interface Stage {
  readonly base: string;
  /** As other stages call it; empty for the last one. */
  readonly name: string;
  readonly steps: readonly Step[];
  /** As `uid:gid`; empty where the base's user is kept. */
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

const execForm = z.array(z.string()).min(1);
/** What says something of the image and changes no file in it. */
const descriptive = new Set(["ARG", "LABEL", "EXPOSE"]);

/**
 * The stages of a Dockerfile, in its order.
 * @throws where it uses what cannot be replayed: the shell form, or an instruction that is not known here
 */
export function parseStages(dockerfile: string): readonly Stage[] {
  const stages: Stage[] = [];
  for (const instruction of DockerfileParser.parse(dockerfile).getInstructions()) {
    const keyword = instruction.getKeyword();
    const words = instruction.getArguments().map((word) => word.getValue());
    if (keyword === "FROM") {
      const [base = "", , name = ""] = words;
      stages.push({ base, name, steps: [], user: "", env: {}, entrypoint: [], command: [] });
      continue;
    }
    const stage = stages.pop();
    if (stage === undefined) throw new Error(`expected FROM first, found ${keyword}`);
    stages.push(descriptive.has(keyword) ? stage : withInstruction(stage, instruction, words));
  }
  return stages;
}

function withInstruction(stage: Stage, instruction: Instruction, words: readonly string[]): Stage {
  const keyword = instruction.getKeyword();
  const and = (step: Step): Stage => ({ ...stage, steps: [...stage.steps, step] });
  switch (keyword) {
    case "WORKDIR":
      return and({ kind: "work_in", folder: words[0] ?? "" });
    case "COPY":
      return and({
        kind: "copy",
        from: isCopy(instruction) ? (instruction.getFromFlag()?.getValue() ?? null) : null,
        sources: words.slice(0, -1),
        to: words.at(-1) ?? "",
      });
    case "RUN":
      return and({ kind: "run", command: execFormOf(instruction) });
    case "USER":
      return { ...stage, user: words[0] ?? "" };
    case "ENV":
      return {
        ...stage,
        env: { ...stage.env, ...Object.fromEntries(words.map((word) => word.split("=", 2))) },
      };
    case "ENTRYPOINT":
      return { ...stage, entrypoint: execFormOf(instruction) };
    case "CMD":
      return { ...stage, command: execFormOf(instruction) };
    default:
      throw new Error(`nobody knows how to replay ${keyword}`);
  }
}

function isCopy(instruction: Instruction): instruction is Copy {
  return instruction.getKeyword() === "COPY";
}

function execFormOf(instruction: Instruction): readonly string[] {
  const text = instruction.getRawArgumentsContent() ?? "";
  try {
    return execForm.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(`${instruction.getKeyword()} ${text} is not in the exec form`, { cause: error });
  }
}
