/** What each edge service says it would make of a delivery. */
import { Card, Table, Text, Title } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

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
    <Card withBorder padding={0}>
      <Title order={2} size="h5" p="md">
        {t("previewed")}
      </Title>
      <div className="table-scroll" role="region" aria-label={t("previewed")} tabIndex={0}>
        <Table>
          <caption className="hidden-text">{t("previewed")}</caption>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("edge")}</Table.Th>
              <Table.Th>{t("field.state")}</Table.Th>
              <Table.Th>{t("changes")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row) => (
              <Table.Tr key={row.serviceId}>
                <Table.Td className="wrap">{row.serviceName}</Table.Td>
                <Table.Td>
                  <Word of="triedStates" state={row.state} />
                </Table.Td>
                <Table.Td className="wrap">
                  {row.message}
                  {row.nodes.map((node) => (
                    <OneNode key={node.name} node={node} />
                  ))}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </Card>
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
