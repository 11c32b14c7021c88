import { Anchor, Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { generatePath, Link } from "react-router";

import { Page } from "@/components/Page";
import { RowButton } from "@/components/RowButtons";
import type { Column } from "@/components/TableView";
import { useAct } from "@/components/useAct";
import { call } from "@edge/api/client";
import { useMe } from "@edge/api/me";
import type { NodeRow } from "@edge/api/shapes";
import { NodeState, RUNNING } from "@edge/components/NodeState";
import { DRIVER, useNodes } from "@edge/components/nodes";
import { RowsTable } from "@edge/components/RowsTable";
import { SettingsDialog, type SetUp } from "@edge/components/SettingsDialog";

import { AddNodeDialog } from "./AddNodeDialog";
import { RenameDialog } from "./RenameDialog";

const START = 0;
const STOP = 1;

/** The list of drivers, or of applications. */
export function NodesTable({ type }: { type: number }): ReactElement {
  const { t } = useTranslation("nodes");
  const { isAdmin } = useMe();
  const side = type === DRIVER ? "drivers" : "apps";
  const [isAdding, setAdding] = useState(false);
  const [setUp, setSetUp] = useState<SetUp | null>(null);
  const [renamed, setRenamed] = useState<NodeRow | null>(null);
  const list = useNodes(type);
  const control = useAct<NodeRow>({
    run: (node) =>
      call("post", "/neuron/node/ctl", {
        body: { node: node.name, cmd: node.running === RUNNING ? STOP : START },
      }),
    refresh: ["/neuron/node"],
    done: t("controlled"),
  });
  const remove = useAct<NodeRow>({
    run: ({ name }) => call("delete", "/neuron/node", { body: { name } }),
    refresh: ["/neuron/"],
    done: t("deleted"),
    ask: ({ name }) => ({
      title: t("remove.title"),
      text: t(`remove.${side}`, { name }),
      action: t("delete"),
    }),
  });
  const path = type === DRIVER ? "/drivers/:node" : "/apps/:node";
  const columns: Column<NodeRow>[] = [
    {
      key: "name",
      label: t("field.name"),
      render: ({ name }) => (
        <Anchor component={Link} to={generatePath(path, { node: name })} size="sm" className="wrap">
          {name}
        </Anchor>
      ),
    },
    { key: "plugin", label: t("plugin") },
    { key: "running", label: t("field.state"), render: (node) => <NodeState node={node} /> },
  ];
  if (type === DRIVER) {
    columns.push(
      { key: "rtt", label: t("rtt"), isNumber: true, render: (node) => (node.link === 1 ? node.rtt : null) },
      { key: "group_count", label: t("groups"), isNumber: true },
      { key: "tag_count", label: t("tags"), isNumber: true },
    );
  }
  const add = isAdmin ? (
    <Button onClick={() => setAdding(true)}>{t(`${side}.add`)}</Button>
  ) : undefined;
  return (
    <Page title={t(`${side}.title`)} help={t(`${side}.help`)} actions={add}>
      <RowsTable<NodeRow>
        label={t(`${side}.title`)}
        rows={list.nodes}
        error={list.error}
        isFetching={list.isFetching}
        onRefresh={() => void list.refetch()}
        columns={columns}
        rowKey={(node) => node.name}
        empty={{ title: t(`${side}.none`), text: t(`${side}.noneText`), action: add }}
        {...(isAdmin && {
          actions: (node: NodeRow) => (
            <>
              <RowButton
                text={t(node.running === RUNNING ? "stop" : "start")}
                label={t(node.running === RUNNING ? "stopOne" : "startOne", { name: node.name })}
                disabled={node.running === 1}
                onClick={() => void control.act(node)}
              />
              <RowButton
                text={t("settings")}
                label={t("settingsOf", { name: node.name })}
                onClick={() => setSetUp(node)}
              />
              <RowButton
                text={t("rename")}
                label={t("renameOne", { name: node.name })}
                onClick={() => setRenamed(node)}
              />
              <RowButton
                text={t("delete")}
                label={t("deleteOne", { name: node.name })}
                isDanger
                onClick={() => void remove.act(node)}
              />
            </>
          ),
        })}
      />
      {isAdding && (
        <AddNodeDialog
          type={type}
          onClose={(added) => {
            setAdding(false);
            setSetUp(added);
          }}
        />
      )}
      {setUp !== null && <SettingsDialog node={setUp} onClose={() => setSetUp(null)} />}
      {renamed !== null && <RenameDialog node={renamed} onClose={() => setRenamed(null)} />}
    </Page>
  );
}
