/** What was different before and after, member by member. */
export interface Difference {
  name: string;
  before: unknown;
  after: unknown;
}

type Members = Record<string, unknown> | null | undefined;

export function differences(before: Members, after: Members): Difference[] {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...names]
    .map((name) => ({ name, before: before?.[name], after: after?.[name] }))
    .filter((each) => JSON.stringify(each.before) !== JSON.stringify(each.after));
}
