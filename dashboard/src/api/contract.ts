/**
 * Holds what the pages read against what the node documents.
 *
 * Nothing of this runs: where a shape promises what the document does not, the type check fails and
 * names the path.
 */
import type { paths } from "./schema";
import type { Replies } from "./shapes";

type Answered<Operation> = Operation extends {
  get: { responses: { 200: { content: { "application/json": infer Body } } } };
}
  ? Body
  : never;

/** The pages treat null and absent alike. */
type WithoutNull<T> = T extends null
  ? undefined
  : T extends (infer Item)[]
    ? WithoutNull<Item>[]
    : T extends object
      ? { [Name in keyof T]: WithoutNull<T[Name]> }
      : T;

type Documented<P> = P extends keyof paths ? WithoutNull<Answered<paths[P]>> : never;

/** What is there only when it was asked for (`fields=`) is documented as optional. */
type Optional<T> = T extends (infer Item)[]
  ? Optional<Item>[]
  : T extends object
    ? { [Name in keyof T]?: Optional<T[Name]> }
    : T;

/** Of a list that is answered whole or as a page, what is read where no page was asked for. */
type Whole<D, R> = R extends readonly unknown[]
  ? [Extract<D, readonly unknown[]>] extends [never]
    ? D
    : Extract<D, readonly unknown[]>
  : D;

/** Paths whose documented answer is not what the pages read. */
type Broken = {
  [P in keyof Replies]: Whole<Documented<P>, Replies[P]> extends Optional<Replies[P]> ? never : P;
}[keyof Replies];

/** A path that differs is missing here, and the type check names it. */
export const broken: { [P in Broken]: P } = {};
