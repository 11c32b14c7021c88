import { Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useMayChange } from "@/api/session";
import type { AutoSubscription } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { Page } from "@/components/Page";
import { EditDelete } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { useWholeList } from "@/components/useWholeList";

import { TopicDialog } from "./TopicDialog";

const PATH = "/mqtt/auto_subscribe";
const REFRESH = [PATH, "/configs"];

export default function AutoSubscribePage(): ReactElement {
  const { t } = useTranslation("autoSubscribe");
  const mayChange = useMayChange();
  const { rows, put, replace } = useWholeList<AutoSubscription>(PATH);
  const [edited, setEdited] = useState<AutoSubscription | "new" | null>(null);
  const remove = useAct<AutoSubscription>({
    run: (row) => replace(rows.filter((each) => each !== row)),
    refresh: REFRESH,
    done: t("deleted"),
    ask: (row) => ({
      title: t("remove.title"),
      text: t("remove.text", { topic: row.topic }),
      action: t("delete"),
    }),
  });
  const yesNo = (value: number | undefined) => t(value === 1 ? "yes" : "no");
  return (
    <Page
      title={t("title")}
      help={t("help")}
      actions={mayChange && <Button onClick={() => setEdited("new")}>{t("add")}</Button>}
    >
      <DataTable<AutoSubscription>
        label={t("title")}
        path={PATH}
        isOrdered
        columns={[
          { key: "topic", label: t("field.filter") },
          { key: "qos", label: t("qos"), isNumber: true },
          { key: "nl", label: t("field.noLocal"), render: (row) => yesNo(row.nl) },
          { key: "rap", label: t("field.retainAsPublished"), render: (row) => yesNo(row.rap) },
          { key: "rh", label: t("field.retainHandling"), render: (row) => t(`handling.${row.rh ?? 0}`) },
        ]}
        rowKey={(row) => row.topic}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
        {...(mayChange && {
          actions: (row: AutoSubscription) => (
            <EditDelete
              name={row.topic}
              onEdit={() => setEdited(row)}
              onDelete={() => void remove.act(row)}
            />
          ),
        })}
      />
      {edited !== null && (
        <TopicDialog
          subscription={edited === "new" ? null : edited}
          refresh={REFRESH}
          onSave={(row) => put(row, edited === "new" ? null : edited)}
          onClose={() => setEdited(null)}
        />
      )}
    </Page>
  );
}
