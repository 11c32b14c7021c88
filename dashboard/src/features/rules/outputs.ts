/** What a rule does with a row, in words. */
import type { OutputState, RuleOutput } from "@/api/shapes";

export const isAction = (output: RuleOutput): output is string => typeof output === "string";

export function functionOf(output: RuleOutput): string {
  return isAction(output) ? "action" : output.function;
}

/** The action's id, or where a message is published again. */
export function targetOf(output: RuleOutput): string {
  if (isAction(output)) return output;
  const topic = output.args?.["topic"];
  return typeof topic === "string" ? topic : "";
}

/** What the node says about one output, where it says anything. */
export function stateOf(
  output: RuleOutput,
  details: readonly OutputState[] | undefined,
): OutputState | undefined {
  return isAction(output) ? details?.find(({ id }) => id === output) : undefined;
}
