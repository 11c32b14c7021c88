import { ApiError } from "./apiError";

// A member by the path that it has in what was sent, then what is wrong with it.
const LINE = /^([\w-]+(?:\.(?:[\w-]+|"[^"]*"))*)(?:: |：)(.+)$/;

/** What a refusal says about each member, by its path; a refusal has a line for each. */
export function byField(error: unknown): Record<string, string> {
  if (!(error instanceof ApiError)) return {};
  const found: Record<string, string> = {};
  for (const line of error.message.split("\n")) {
    const parts = LINE.exec(line);
    if (parts?.[1] !== undefined && parts[2] !== undefined) {
      found[parts[1].replaceAll('"', "")] ??= parts[2];
    }
  }
  return found;
}
