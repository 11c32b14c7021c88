/** What each edge service says it would make of a delivery. */
import { Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { CardTable } from "@console/components/CardTable";

import { Word } from "./states";

interface Changes {
  added: number;
  removed: number;
  changed: number;
}

interface NodeTried {
  name: string;
  change: string;
  settings: string[];
  groups: Changes;
  tags: Changes;
  subscriptions: Changes;
}

export interface TriedRow {
  serviceId: string;
  serviceName: string;
  state: string;
  message: string;
  nodes: NodeTried[];
}

export function Tried({ rows }: { rows: TriedRow[] }): ReactElement {
  const { t } = useTranslation("templates");
  return (
    <CardTable
      title={t("previewed")}
      rows={rows}
      rowKey={(row) => row.serviceId}
      columns={[
        { key: "edge", label: t("edge"), isLong: true, render: (row) => row.serviceName },
        {
          key: "state",
          label: t("field.state"),
          render: (row) => <Word of="triedStates" state={row.state} />,
        },
        {
          key: "changes",
          label: t("changes"),
          isLong: true,
          render: (row) => (
            <>
              {row.message}
              {row.nodes.map((node) => (
                <OneNode key={node.name} node={node} />
              ))}
            </>
          ),
        },
      ]}
    />
  );
}

function OneNode({ node }: { node: NodeTried }): ReactElement {
  const { t } = useTranslation("templates");
  const parts = (["groups", "tags", "subscriptions"] as const)
    .map((what) => ({ what, ...node[what] }))
    .filter(({ added, removed, changed }) => added + removed + changed > 0)
    .map((each) => t(`changesOf.${each.what}`, { ...each }));
  if (node.change === "changed" && node.settings.length > 0) {
    parts.unshift(t("changesOf.settings", { names: node.settings.join(", ") }));
  }
  return (
    <Text size="sm">
      {node.name}: {t(`nodeChanges.${node.change}`)}
      {parts.length > 0 && ` (${parts.join("; ")})`}
    </Text>
  );
}
