/** What of a settings tree was changed, so that only that is sent and nothing else is pinned. */

export type Tree = Record<string, unknown>;

export function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The part of `after` that differs from `before`; lists count as a whole. */
export function changedPart(before: Tree, after: Tree): Tree {
  const changed: Tree = {};
  for (const [name, value] of Object.entries(after)) {
    const old = before[name];
    if (isTree(value) && isTree(old)) {
      const below = changedPart(old, value);
      if (Object.keys(below).length > 0) changed[name] = below;
    } else if (!isSame(value, old)) {
      changed[name] = value;
    }
  }
  return changed;
}

const PLAIN = /^[\w-]+$/;

/** Dotted paths, below `above`, of what `before` says and `after` does not. */
export function emptiedPaths(before: Tree, after: Tree, above: string): string[] {
  return Object.entries(before).flatMap(([name, old]) => {
    const path = `${above}.${PLAIN.test(name) ? name : JSON.stringify(name)}`;
    if (!(name in after)) return old === null || old === "" ? [] : [path];
    const value = after[name];
    return isTree(old) && isTree(value) ? emptiedPaths(old, value, path) : [];
  });
}

/** Puts `value` under a dotted path: `nested("mqtt.a", 1)` is `{mqtt: {a: 1}}`. */
export function nested(path: string, value: unknown): Tree {
  return path
    .split(".")
    .reverse()
    .reduce<unknown>((inner, name) => ({ [name]: inner }), value) as Tree;
}

/** `tree` with `value` at `name`, or without `name` where the value is absent. */
export function put(tree: Tree, name: string, value: unknown): Tree {
  const { [name]: _old, ...others } = tree;
  return value === undefined ? others : { ...tree, [name]: value };
}
