/** What a rule can select from, and a sample of it to test the rule with. */
import type { RuleEvent } from "@/api/shapes";
import { isTree, type Tree } from "@/lib/changes";

import { isEvent, isSource } from "./sql";

const PUBLISH = "message_publish";

/** `$events/client/connected` and `$events/client_connected` are the same. */
function plain(name: string): string {
  const last = name.replace(/^\$events\//, "");
  return last.replace(/^(message|sys)\/(?=delivery_|alarm_)/, "").replace("/", "_");
}

/** The event behind what stands after FROM. */
export function eventOf(from: string, events: readonly RuleEvent[]): RuleEvent | undefined {
  const found = (name: string) => events.find((event) => plain(event.event) === name);
  if (isSource(from)) return events.find((event) => isSource(event.event)) ?? found(PUBLISH);
  return found(isEvent(from) ? plain(from) : PUBLISH);
}

export interface SampleField {
  name: string;
  about: string;
}

/** A text by language; one of EMQX's has only one. */
function worded(text: unknown, language: string): string {
  const found = isTree(text) ? text[language] : text;
  return typeof found === "string" ? found : "";
}

export function titleOf(event: RuleEvent, language: string): string {
  return worded(event.title, language);
}

function testColumn(event: RuleEvent, name: string): readonly unknown[] {
  const column = event.test_columns[name];
  return Array.isArray(column) ? column : [column];
}

/** What a person fills in, in the language of the page. */
export function fieldsOf(event: RuleEvent, language: string): SampleField[] {
  return Object.keys(event.test_columns).map((name) => ({
    name,
    about: worded(testColumn(event, name)[1], language),
  }));
}

/** Texts of the fields, by name; numbers and objects as JSON. */
export type Sample = Record<string, string>;

function shown(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function sampleOf(event: RuleEvent, from: string): Sample {
  const sample = Object.fromEntries(
    Object.keys(event.test_columns).map((name) => [name, shown(testColumn(event, name)[0])]),
  );
  const isMessage = from !== "" && !isEvent(from) && !isSource(from);
  // The topic of a sample that the rule would never see is no help.
  if ("topic" in sample && isMessage) sample["topic"] = topicOf(from);
  return sample;
}

/** A topic name that the filter matches. */
export function topicOf(filter: string): string {
  return filter
    .replace(/^\$share\/[^/]+\//, "")
    .replace(/(^|\/)#$/, "$1a")
    .replace(/(^|\/)\+(?=\/|$)/g, "$1a");
}

/** The context that `/rule_test` takes. */
export function contextOf(event: RuleEvent, sample: Sample): Tree {
  const context: Tree = {
    event_type: isSource(event.event) ? event.event : plain(event.event),
  };
  for (const [name, text] of Object.entries(sample)) {
    const [example] = testColumn(event, name);
    context[name] = typeof example === "string" ? text : valueOf(text);
  }
  return context;
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
