import { useTranslation } from "react-i18next";

import { useGet } from "@/api/hooks";
import type { RuleEvent } from "@/api/shapes";

import type { Vocabulary } from "./completion";
import { eventOf, titleOf } from "./events";
import { selectedFrom } from "./sql";

// Enough to choose from; who knows better types it.
const TOPICS_MAX = 100;

/** Words for the editor: of the node, and of what this text selects from. */
export function useVocabulary(sql: string, events: readonly RuleEvent[]): Vocabulary {
  const { i18n } = useTranslation();
  const isChinese = i18n.language === "zh";
  const functions = useGet("/rule_functions");
  const topics = useGet("/topics", { query: { limit: TOPICS_MAX } });
  const sources = useGet("/sources");
  const columns = new Map<string, string>();
  const selected = selectedFrom(sql);
  // Who has not come to FROM yet most likely means messages.
  for (const from of selected.length === 0 ? [""] : selected) {
    const event = eventOf(from, events);
    for (const [name, example] of Object.entries(event?.columns ?? {})) {
      if (!columns.has(name)) columns.set(name, shortened(example));
    }
  }
  return {
    functions: functions.data ?? [],
    columns: [...columns].map(([name, about]) => ({ name, about })),
    topics: [
      ...[...new Set((topics.data?.data ?? []).map((row) => row.topic))].map((name) => ({
        name,
        about: "",
      })),
      ...(sources.data ?? []).map((row) => ({
        name: `$bridges/${row.type}:${row.name}`,
        about: "",
      })),
      ...events
        .filter((event) => event.event !== "$events/message_publish")
        .map((event) => ({ name: event.event, about: titleOf(event, i18n.language) })),
    ],
    isChinese,
  };
}

const SHORT_MAX = 30;

function shortened(example: unknown): string {
  if (example === undefined || example === null) return "";
  const text = typeof example === "string" ? example : JSON.stringify(example);
  return text.length > SHORT_MAX ? `${text.slice(0, SHORT_MAX)}…` : text;
}
