import { useState } from "react";

import { isTree, put, type Tree } from "@/lib/changes";
import { initial, type Schema } from "@/lib/schema";

import { settingsOf } from "./kinds";

/** Keys of every connector, action and source, whatever their schemas say. */
const COMMON = ["enable", "description", "tags", "connector"];

interface Draft {
  value: Tree;
  set: (value: Tree) => void;
  put: (name: string, value: unknown) => void;
}

/** What a form holds: what is there, or what a new one starts as, until somebody types. */
export function useDraft(row: Tree | null, schema: Schema | undefined): Draft {
  const [draft, setDraft] = useState<Tree | null>(null);
  const names = [...Object.keys(schema?.properties ?? {}), ...COMMON];
  const fresh = schema === undefined ? {} : initial(schema, schema);
  const before = row !== null ? settingsOf(row, names) : isTree(fresh) ? fresh : {};
  const value = draft ?? before;
  return { value, set: setDraft, put: (name, part) => setDraft(put(value, name, part)) };
}
