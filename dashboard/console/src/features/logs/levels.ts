import type { LogRow } from "@console/api/shapes";

export type Level = LogRow["level"];

/** Of RFC 5424, the most severe first. */
export const LEVELS: readonly Level[] = [
  "emergency",
  "alert",
  "critical",
  "error",
  "warning",
  "notice",
  "info",
  "debug",
];

/** How loud a level is shown. */
export type Tone = "bad" | "warn" | "plain" | "quiet";

export function toneOf(level: Level): Tone {
  const at = LEVELS.indexOf(level);
  if (at <= LEVELS.indexOf("error")) return "bad";
  if (level === "warning") return "warn";
  return level === "debug" ? "quiet" : "plain";
}
