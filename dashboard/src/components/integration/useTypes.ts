import { useTranslation } from "react-i18next";

import { useGet } from "@/api/hooks";
import type { ConnectorType } from "@/api/shapes";
import type { Schema } from "@/lib/schema";

import type { Kind } from "./kinds";

export interface TypeEntry {
  type: string;
  title: string;
  description: string;
  isAvailable: boolean;
  /** What has to be installed first. */
  missing: string;
  schemas: Partial<Record<Kind, Schema>>;
}

interface Types {
  types: readonly TypeEntry[];
  /** What a type is called; itself while it is not known. */
  titleOf: (type: string) => string;
  error: unknown;
  isPending: boolean;
}

/** The types of connectors that this node knows, in the language of the page. */
export function useTypes(): Types {
  const { i18n } = useTranslation();
  const answer = useGet("/connector_types");
  const types = (answer.data ?? []).map((type) => entryOf(type, i18n.language === "zh"));
  return {
    types,
    titleOf: (name) => types.find((entry) => entry.type === name)?.title ?? name,
    error: answer.error,
    isPending: answer.isPending,
  };
}

function entryOf(type: ConnectorType, isChinese: boolean): TypeEntry {
  return {
    type: type.type,
    title: (isChinese ? type.title_zh : undefined) ?? type.title,
    description: (isChinese ? type.description_zh : undefined) ?? type.description ?? "",
    isAvailable: type.is_available !== false,
    missing: (isChinese ? type.missing_zh : undefined) ?? type.missing ?? "",
    schemas: {
      connectors: type.connector as Schema,
      // The node writes null where a type has none.
      ...(type.action && { actions: type.action as Schema }),
      ...(type.source && { sources: type.source as Schema }),
    },
  };
}
