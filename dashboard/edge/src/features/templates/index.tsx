import { Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Page } from "@/components/Page";
import { RowButton } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { call } from "@edge/api/client";
import { useGet } from "@edge/api/hooks";
import { useMe } from "@edge/api/me";
import type { TemplateRow } from "@edge/api/shapes";
import { RowsTable } from "@edge/components/RowsTable";

import { FromDriverDialog, InstanceDialog } from "./dialogs";

/** Devices of which there are many. */
export default function TemplatesPage(): ReactElement {
  const { t } = useTranslation("templates");
  const { isAdmin } = useMe();
  const [isAdding, setAdding] = useState(false);
  const [used, setUsed] = useState<TemplateRow | null>(null);
  const list = useGet<string>("/neuron/template");
  const remove = useAct<TemplateRow>({
    run: ({ name }) => call("delete", "/neuron/template", { query: { name } }),
    refresh: ["/neuron/template"],
    done: t("deleted"),
    ask: ({ name }) => ({
      title: t("remove.title"),
      text: t("remove.text", { name }),
      action: t("delete"),
    }),
  });
  const add = isAdmin ? <Button onClick={() => setAdding(true)}>{t("add")}</Button> : undefined;
  const answer = list.data as { templates: TemplateRow[] } | undefined;
  return (
    <Page title={t("title")} help={t("help")} actions={add}>
      <RowsTable<TemplateRow>
        label={t("title")}
        rows={answer?.templates}
        error={list.error}
        isFetching={list.isFetching}
        onRefresh={() => void list.refetch()}
        columns={[
          { key: "name", label: t("field.name") },
          { key: "plugin", label: t("plugin") },
          { key: "group_count", label: t("groups"), isNumber: true },
          { key: "tag_count", label: t("tags"), isNumber: true },
        ]}
        rowKey={(row) => row.name}
        empty={{ title: t("none.title"), text: t("none.text"), action: add }}
        {...(isAdmin && {
          actions: (row: TemplateRow) => (
            <>
              <RowButton text={t("use")} label={t("useOne", { name: row.name })} onClick={() => setUsed(row)} />
              <RowButton
                text={t("delete")}
                label={t("deleteOne", { name: row.name })}
                isDanger
                onClick={() => void remove.act(row)}
              />
            </>
          ),
        })}
      />
      {isAdding && <FromDriverDialog onClose={() => setAdding(false)} />}
      {used !== null && <InstanceDialog template={used} onClose={() => setUsed(null)} />}
    </Page>
  );
}
