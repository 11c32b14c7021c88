import { call } from "@/api/client";
import { useGet } from "@/api/hooks";

/** Lists that the node takes only as a whole. */
type WholeList = "/mqtt/topic_rewrite" | "/mqtt/auto_subscribe";

interface Held<Row> {
  rows: readonly Row[];
  /** Writes the list anew with `row` in the place of `old`, or at the end. */
  put: (row: Row, old: Row | null) => Promise<unknown>;
  /** Writes the list anew as it is given. */
  replace: (rows: readonly Row[]) => Promise<unknown>;
}

/** The rows that a table of the same path shows, and how they are changed. */
export function useWholeList<Row extends object>(path: WholeList): Held<Row> {
  const held = useGet<string>(path);
  const rows = (held.data ?? []) as Row[];
  const replace = (next: readonly Row[]) => call("put", path, { body: next });
  return {
    rows,
    replace,
    put: (row, old) =>
      replace(old === null ? [...rows, row] : rows.map((each) => (each === old ? row : each))),
  };
}
