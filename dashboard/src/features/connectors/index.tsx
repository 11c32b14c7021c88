import { Anchor, Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";

import { useMayChange } from "@/api/session";
import type { ConnectorRow } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { ConnectorDialog } from "@/components/integration/ConnectorDialog";
import { EnableSwitch } from "@/components/integration/EnableSwitch";
import { addressOf, EVERY_MS, idOf } from "@/components/integration/kinds";
import { StatusCell } from "@/components/integration/StatusCell";
import { useTypes } from "@/components/integration/useTypes";
import { Page } from "@/components/Page";
import { EditDelete } from "@/components/RowButtons";

import { ConnectorDelete } from "./ConnectorDelete";
import { RestartButton } from "./RestartButton";

export default function ConnectorsPage(): ReactElement {
  const { t } = useTranslation("integration");
  const mayChange = useMayChange();
  const navigate = useNavigate();
  const types = useTypes();
  const [edited, setEdited] = useState<ConnectorRow | "new" | null>(null);
  const [doomed, setDoomed] = useState<ConnectorRow | null>(null);
  const add = mayChange && <Button onClick={() => setEdited("new")}>{t("connector.add")}</Button>;
  return (
    <Page title={t("connectors.title")} help={t("connectors.help")} actions={add}>
      <DataTable<ConnectorRow>
        label={t("connectors.title")}
        path="/connectors"
        every={EVERY_MS}
        filters={[{ name: "find", label: t("find") }]}
        columns={[
          {
            key: "name",
            label: t("field.name"),
            render: (row) => (
              <Anchor component={Link} to={addressOf("connectors", idOf(row))} size="sm">
                {row.name}
              </Anchor>
            ),
          },
          { key: "type", label: t("field.type"), render: (row) => types.titleOf(row.type) },
          { key: "status", label: t("field.state"), render: (row) => <StatusCell row={row} /> },
          {
            key: "actions",
            label: t("usedBy"),
            isNumber: true,
            isUnsorted: true,
            render: (row) => t("users", { number: usersOf(row) }),
          },
          {
            key: "enable",
            label: t("field.enabled"),
            render: (row) => <EnableSwitch kind="connectors" row={row} />,
          },
        ]}
        rowKey={idOf}
        empty={{ title: t("connectors.empty.title"), text: t("connectors.empty.text"), action: add }}
        {...(mayChange && {
          actions: (row: ConnectorRow) => (
            <>
              <RestartButton row={row} size="xs" />
              <EditDelete
                name={idOf(row)}
                onEdit={() => setEdited(row)}
                onDelete={() => setDoomed(row)}
              />
            </>
          ),
        })}
      />
      {edited !== null && (
        <ConnectorDialog
          connector={edited === "new" ? null : edited}
          onMade={(id) => void navigate(addressOf("connectors", id))}
          onClose={() => setEdited(null)}
        />
      )}
      {doomed !== null && <ConnectorDelete row={doomed} onClose={() => setDoomed(null)} />}
    </Page>
  );
}

function usersOf(row: ConnectorRow): number {
  return (row.actions?.length ?? 0) + (row.sources?.length ?? 0);
}
