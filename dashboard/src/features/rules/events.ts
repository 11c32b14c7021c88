/** What a rule can select from, and a sample of it to test the rule with. */
import type { RuleEvent } from "@/api/shapes";
import type { Tree } from "@/lib/changes";

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

/** What a person fills in, in the language of the page. */
export function fieldsOf(event: RuleEvent, isChinese: boolean): SampleField[] {
  return Object.entries(event.test_columns).map(([name, [, about]]) => ({
    name,
    about: typeof about === "string" ? about : isChinese ? about.zh : about.en,
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
    Object.entries(event.test_columns).map(([name, [example]]) => [name, shown(example)]),
  );
  // The topic of a sample that the rule would never see is no help.
  if ("topic" in sample && !isEvent(from) && !isSource(from)) sample["topic"] = topicOf(from);
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
    const example = event.test_columns[name]?.[0];
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
