import { Anchor, Button, FileButton } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { generatePath, Link, useParams } from "react-router";

import { Page } from "@/components/Page";
import { EditDelete } from "@/components/RowButtons";
import { useToasts } from "@/components/toasts";
import { useAct } from "@/components/useAct";
import { useChange } from "@/lib/query";
import { call, download } from "@edge/api/client";
import { useGet } from "@edge/api/hooks";
import { useMe } from "@edge/api/me";
import type { GroupRow } from "@edge/api/shapes";
import { NodeState } from "@edge/components/NodeState";
import { useNode } from "@edge/components/nodes";
import { RowsTable } from "@edge/components/RowsTable";
import { SettingsDialog } from "@edge/components/SettingsDialog";

import { GroupDialog } from "./GroupDialog";

/** A driver: its groups. */
export default function GroupsPage(): ReactElement {
  const { t } = useTranslation("tags");
  const { node = "" } = useParams();
  const { isAdmin } = useMe();
  const toasts = useToasts();
  const about = useNode(node);
  const [edited, setEdited] = useState<GroupRow | "new" | null>(null);
  const [isSettingUp, setSettingUp] = useState(false);
  const list = useGet("/neuron/group", { query: { node } });
  const remove = useAct<GroupRow>({
    run: ({ name }) => call("delete", "/neuron/group", { body: { node, group: name } }),
    refresh: ["/neuron/"],
    done: t("deleted"),
    ask: ({ name }) => ({
      title: t("removeGroup.title"),
      text: t("removeGroup.text", { name }),
      action: t("delete"),
    }),
  });
  const importing = useChange(async (file: File) => {
    const { groups, tags } = await call<{ groups: number; tags: number }>(
      "post",
      "/neuron/tags/import",
      { query: { node }, body: file, as: "binary" },
    );
    toasts.done(t("imported", { groups, tags }));
  }, ["/neuron/"]);
  const take = (file: File | null) => {
    if (file !== null) importing.mutate(file, { onError: toasts.failed });
  };
  const add = isAdmin ? <Button onClick={() => setEdited("new")}>{t("addGroup")}</Button> : undefined;
  return (
    <Page
      title={node}
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
      <RowsTable<GroupRow>
        label={t("groups")}
        rows={list.data?.groups}
        error={list.error}
        isFetching={list.isFetching}
        onRefresh={() => void list.refetch()}
        columns={[
          {
            key: "name",
            label: t("field.name"),
            render: ({ name }) => (
              <Anchor
                component={Link}
                to={generatePath("/drivers/:node/groups/:group", { node, group: name })}
                size="sm"
              >
                {name}
              </Anchor>
            ),
          },
          { key: "interval", label: t("interval"), isNumber: true },
          { key: "tag_count", label: t("tags"), isNumber: true },
        ]}
        rowKey={(group) => group.name}
        empty={{ title: t("noGroups.title"), text: t("noGroups.text"), action: add }}
        tools={
          <>
            {isAdmin && (
              <FileButton onChange={take} accept=".xlsx">
                {(props) => (
                  <Button {...props} variant="default" loading={importing.isPending}>
                    {t("import")}
                  </Button>
                )}
              </FileButton>
            )}
            <Button
              variant="default"
              onClick={() =>
                void download("/neuron/tags/export", `${node}.xlsx`, { query: { node } }).catch(
                  toasts.failed,
                )
              }
            >
              {t("export")}
            </Button>
          </>
        }
        {...(isAdmin && {
          actions: (group: GroupRow) => (
            <EditDelete
              name={group.name}
              onEdit={() => setEdited(group)}
              onDelete={() => void remove.act(group)}
            />
          ),
        })}
      />
      {edited !== null && (
        <GroupDialog
          node={node}
          group={edited === "new" ? null : edited}
          onClose={() => setEdited(null)}
        />
      )}
      {isSettingUp && about !== undefined && (
        <SettingsDialog node={about} onClose={() => setSettingUp(false)} />
      )}
    </Page>
  );
}
