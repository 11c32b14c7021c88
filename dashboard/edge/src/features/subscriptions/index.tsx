import { Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router";

import { Page } from "@/components/Page";
import { EditDelete } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { call } from "@edge/api/client";
import { useGet } from "@edge/api/hooks";
import { useMe } from "@edge/api/me";
import type { SubscriptionRow } from "@edge/api/shapes";
import { NodeState } from "@edge/components/NodeState";
import { useNode } from "@edge/components/nodes";
import { RowsTable } from "@edge/components/RowsTable";
import { SettingsDialog } from "@edge/components/SettingsDialog";

import { SubscriptionDialog } from "./SubscriptionDialog";

/** An application: which groups it gets. */
export default function SubscriptionsPage(): ReactElement {
  const { t } = useTranslation("subscriptions");
  const { node: app = "" } = useParams();
  const { isAdmin } = useMe();
  const about = useNode(app);
  const [edited, setEdited] = useState<SubscriptionRow | "new" | null>(null);
  const [isSettingUp, setSettingUp] = useState(false);
  const list = useGet("/neuron/subscribe", { query: { app } });
  const remove = useAct<SubscriptionRow>({
    run: ({ driver, group }) => call("delete", "/neuron/subscribe", { body: { app, driver, group } }),
    refresh: ["/neuron/subscribe"],
    done: t("deleted"),
    ask: ({ driver, group }) => ({
      title: t("remove.title"),
      text: t("remove.text", { app, driver, group }),
      action: t("delete"),
    }),
  });
  const add = isAdmin ? <Button onClick={() => setEdited("new")}>{t("add")}</Button> : undefined;
  return (
    <Page
      title={app}
      {...(about !== undefined && { help: about.plugin })}
      actions={
        <>
          {about !== undefined && <NodeState node={about} />}
          {isAdmin && about !== undefined && (
            <Button variant="default" onClick={() => setSettingUp(true)}>
              {t("settings")}
            </Button>
          )}
          {add}
        </>
      }
    >
      <RowsTable<SubscriptionRow>
        label={t("title")}
        rows={list.data?.groups}
        error={list.error}
        isFetching={list.isFetching}
        onRefresh={() => void list.refetch()}
        columns={[
          { key: "driver", label: t("driver") },
          { key: "group", label: t("group") },
          { key: "topic", label: t("field.topic"), render: ({ params }) => String(params?.["topic"] ?? "") || null },
        ]}
        rowKey={(row) => `${row.driver}/${row.group}`}
        empty={{ title: t("none.title"), text: t("none.text"), action: add }}
        {...(isAdmin && {
          actions: (row: SubscriptionRow) => (
            <EditDelete
              name={`${row.driver} / ${row.group}`}
              onEdit={() => setEdited(row)}
              onDelete={() => void remove.act(row)}
            />
          ),
        })}
      />
      {edited !== null && (
        <SubscriptionDialog
          app={app}
          held={edited === "new" ? null : edited}
          onClose={() => setEdited(null)}
        />
      )}
      {isSettingUp && about !== undefined && (
        <SettingsDialog node={about} onClose={() => setSettingUp(false)} />
      )}
    </Page>
  );
}
