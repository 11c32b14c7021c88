/** What the SQL editor offers while somebody types. */
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";

import type { RuleFunction } from "@/api/shapes";

export const KEYWORDS = [
  "SELECT",
  "FROM",
  "WHERE",
  "FOREACH",
  "DO",
  "INCASE",
  "AS",
  "AND",
  "OR",
  "NOT",
  "CASE",
  "WHEN",
  "THEN",
  "ELSE",
  "END",
  "DIV",
  "MOD",
] as const;

export interface Vocabulary {
  functions: readonly RuleFunction[];
  /** Columns of what is selected from, with what they are. */
  columns: readonly { name: string; about: string }[];
  /** What may stand behind FROM. */
  topics: readonly { name: string; about: string }[];
  isChinese: boolean;
}

export function complete(context: CompletionContext, words: Vocabulary): CompletionResult | null {
  const before = context.state.sliceDoc(0, context.pos);
  const quote = openQuote(before);
  if (quote !== null) {
    return {
      from: quote + 1,
      options: words.topics.map(({ name, about }) => ({ label: name, detail: about, type: "text" })),
      validFor: /^[^"]*$/,
    };
  }
  const word = context.matchBefore(/[\w$]+/);
  // What is below a column is in the payload, and known to nobody here.
  const isPath = /\.\w*$/.test(before);
  if (isPath || (word === null && !context.explicit)) return null;
  return {
    from: word?.from ?? context.pos,
    options: [
      ...words.columns.map(({ name, about }) => ({
        label: name,
        detail: about,
        type: "property",
        boost: 2,
      })),
      ...KEYWORDS.map((label) => ({ label, type: "keyword", boost: 1 })),
      ...words.functions.map((each) => functionEntry(each, words.isChinese)),
    ],
    validFor: /^\w*$/,
  };
}

/** Where the double quote is that is still open at the end of `text`. */
export function openQuote(text: string): number | null {
  const isOpen = (text.replace(/'[^'\n]*'/g, "").match(/"/g)?.length ?? 0) % 2 === 1;
  return isOpen ? text.lastIndexOf('"') : null;
}

function functionEntry(each: RuleFunction, isChinese: boolean): Completion {
  const example = each.examples?.[0];
  return {
    label: each.name,
    type: "function",
    detail: (isChinese ? each.family_zh : undefined) ?? each.family,
    ...(example && { info: `${example.expression} → ${example.result}` }),
    apply: (view, _completion, from, to) => {
      const inside = each.arguments_max === 0 ? 2 : 1;
      view.dispatch({
        changes: { from, to, insert: `${each.name}()` },
        selection: { anchor: from + each.name.length + inside },
        userEvent: "input.complete",
      });
    },
  };
}
