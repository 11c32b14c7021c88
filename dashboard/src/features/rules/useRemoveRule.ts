import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import type { RuleRow } from "@/api/shapes";
import { useAct } from "@/components/useAct";

import { isAction } from "./outputs";

/** Deletes a rule; what it hands its rows to stays, and the question says so. */
export function useRemoveRule() {
  const { t } = useTranslation("rules");
  return useAct<RuleRow>({
    run: ({ id }) => call("delete", "/rules/{id}", { path: { id } }),
    // Not of the one that is gone.
    refresh: ["/rules$", "/connectors", "/actions$", "/sources$"],
    done: t("deleted"),
    ask: ({ id, actions }) => {
      const ids = actions.filter(isAction).join(", ");
      return {
        title: t("remove.title"),
        text: ids === "" ? t("remove.text", { id }) : t("remove.textWith", { id, actions: ids }),
        action: t("remove.action"),
      };
    },
  });
}
