/** The list of all actions, or of all sources. */
import { Anchor, Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";

import { useMayChange } from "@/api/session";
import type { BridgeRow } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { BridgeDialog } from "@/components/integration/BridgeDialog";
import { DeleteDialog } from "@/components/integration/DeleteDialog";
import { EnableSwitch } from "@/components/integration/EnableSwitch";
import { addressOf, EVERY_MS, idOf, type BridgeKind } from "@/components/integration/kinds";
import { Links } from "@/components/integration/Links";
import { StatusCell } from "@/components/integration/StatusCell";
import { useTypes } from "@/components/integration/useTypes";
import { Page } from "@/components/Page";
import { EditDelete } from "@/components/RowButtons";

export function BridgeTable({ kind }: { kind: BridgeKind }): ReactElement {
  const { t } = useTranslation("integration");
  const mayChange = useMayChange();
  const navigate = useNavigate();
  const types = useTypes();
  const [edited, setEdited] = useState<BridgeRow | "new" | null>(null);
  const [doomed, setDoomed] = useState<BridgeRow | null>(null);
  const add = mayChange && <Button onClick={() => setEdited("new")}>{t(`${kind}.add`)}</Button>;
  return (
    <Page title={t(`${kind}.title`)} help={t(`${kind}.help`)} actions={add}>
      <DataTable<BridgeRow>
        label={t(`${kind}.title`)}
        path={`/${kind}`}
        every={EVERY_MS}
        filters={[{ name: "find", label: t("find") }]}
        columns={[
          {
            key: "name",
            label: t("field.name"),
            render: (row) => (
              <Anchor component={Link} to={addressOf(kind, idOf(row))} size="sm">
                {row.name}
              </Anchor>
            ),
          },
          { key: "type", label: t("field.type"), render: (row) => types.titleOf(row.type) },
          {
            key: "connector",
            label: t("connector.one"),
            render: (row) => <Links kind="connectors" ids={[`${row.type}:${row.connector}`]} />,
          },
          { key: "status", label: t("field.state"), render: (row) => <StatusCell row={row} /> },
          {
            key: "rules",
            label: t("kind.rulesOf"),
            isUnsorted: true,
            render: (row) => <Links kind="rules" ids={row.rules ?? []} />,
          },
          {
            key: "enable",
            label: t("field.enabled"),
            render: (row) => <EnableSwitch kind={kind} row={row} />,
          },
        ]}
        rowKey={idOf}
        empty={{ title: t(`${kind}.empty.title`), text: t(`${kind}.empty.text`), action: add }}
        {...(mayChange && {
          actions: (row: BridgeRow) => (
            <EditDelete
              name={idOf(row)}
              onEdit={() => setEdited(row)}
              onDelete={() => setDoomed(row)}
            />
          ),
        })}
      />
      {edited !== null && (
        <BridgeDialog
          kind={kind}
          row={edited === "new" ? null : edited}
          onMade={(id) => void navigate(addressOf(kind, id))}
          onClose={() => setEdited(null)}
        />
      )}
      {doomed !== null && (
        <DeleteDialog
          kind={kind}
          id={idOf(doomed)}
          dependents={(doomed.rules ?? []).map((id) => ({ kind: "rules", id }) as const)}
          onClose={() => setDoomed(null)}
        />
      )}
    </Page>
  );
}
