/** How the configuration of the node is changed and what was changed is taken back. */
import type { Tree } from "@/lib/changes";

import { call } from "./client";

/** What is not named stays. */
export function putSettings(changes: Tree): Promise<unknown> {
  return call("put", "/configs", {
    query: { mode: "merge" },
    as: "text",
    body: JSON.stringify(changes),
    parse: "text",
  });
}

/** The value holds again that it has without a change made at run time. */
export function resetSetting(path: string): Promise<unknown> {
  const [root = "", ...below] = path.split(".");
  return call("post", "/configs_reset/{rootname}", {
    path: { rootname: root },
    query: { conf_path: below.join(".") },
    parse: "text",
  });
}

/** Changes that name nothing but themselves, and fields that were emptied. */
export async function saveSettings(changes: Tree, emptied: readonly string[]): Promise<void> {
  if (Object.keys(changes).length > 0) await putSettings(changes);
  // One after the other: each of them writes the node's file anew.
  for (const path of emptied) await resetSetting(path);
}
