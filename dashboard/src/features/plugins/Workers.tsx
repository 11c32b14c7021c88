import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { PluginWorker } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";

const EVERY_MS = 5000;
const FIGURES = ["asked", "answered", "late", "failed", "told", "dropped", "open"] as const;

/** The processes of a plugin in figures. */
export function Workers({ name }: { name: string }): ReactElement {
  const { t } = useTranslation("plugins");
  return (
    <DataTable<PluginWorker>
      name="workers"
      label={t("tab.workers")}
      path="/plugins/{name}/workers"
      pathValues={{ name }}
      every={EVERY_MS}
      isOrdered
      columns={[
        { key: "worker", label: t("worker.number"), isNumber: true },
        {
          key: "is_attached",
          label: t("worker.state"),
          render: (row) => t(row.is_attached ? "yes" : "no"),
        },
        ...FIGURES.map((figure) => ({ key: figure, label: t(`worker.${figure}`), isNumber: true })),
      ]}
      rowKey={(row) => String(row.worker)}
      empty={{ title: t("worker.none.title"), text: t("worker.none.text") }}
    />
  );
}
