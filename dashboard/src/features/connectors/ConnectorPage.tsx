import { Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useLocation, useNavigate } from "react-router";

import { useGet } from "@/api/hooks";
import { useMayChange } from "@/api/session";
import type { ConnectorRow } from "@/api/shapes";
import { ErrorPanel } from "@/components/ErrorPanel";
import { BridgeDialog } from "@/components/integration/BridgeDialog";
import { ConnectorDialog } from "@/components/integration/ConnectorDialog";
import { EnableSwitch } from "@/components/integration/EnableSwitch";
import { addressOf, EVERY_MS, type BridgeKind } from "@/components/integration/kinds";
import { Links } from "@/components/integration/Links";
import { StatusCell } from "@/components/integration/StatusCell";
import { useTypes } from "@/components/integration/useTypes";
import { KeyValues } from "@/components/KeyValues";
import { Page } from "@/components/Page";
import { segmentOf } from "@/lib/segment";

import { ConnectorDelete } from "./ConnectorDelete";
import { RestartButton } from "./RestartButton";

type Open = "edit" | "delete" | BridgeKind;

export default function ConnectorPage(): ReactElement {
  const { t } = useTranslation("integration");
  const id = segmentOf(useLocation().pathname, 1);
  const navigate = useNavigate();
  const mayChange = useMayChange();
  const [open, setOpen] = useState<Open | null>(null);
  const answer = useGet("/connectors/{id}", { path: { id }, every: EVERY_MS });
  const row = answer.data;
  const close = () => setOpen(null);
  return (
    <Page
      title={id}
      help={row?.description || t("connectors.detail")}
      actions={
        row !== undefined &&
        mayChange && (
          <>
            <RestartButton row={row} />
            <Button variant="default" onClick={() => setOpen("edit")}>
              {t("edit")}
            </Button>
            <Button color="red" onClick={() => setOpen("delete")}>
              {t("delete.action")}
            </Button>
          </>
        )
      }
    >
      <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
      {row !== undefined && <Facts row={row} onAdd={setOpen} />}
      {row !== undefined && open === "edit" && <ConnectorDialog connector={row} onClose={close} />}
      {row !== undefined && open === "delete" && (
        <ConnectorDelete
          row={row}
          onDeleted={() => void navigate("/connectors")}
          onClose={close}
        />
      )}
      {row !== undefined && (open === "actions" || open === "sources") && (
        <BridgeDialog
          kind={open}
          row={null}
          through={row}
          onMade={(made) => void navigate(addressOf(open, made))}
          onClose={close}
        />
      )}
    </Page>
  );
}

interface FactsProps {
  row: ConnectorRow;
  onAdd: (kind: BridgeKind) => void;
}

function Facts({ row, onAdd }: FactsProps): ReactElement {
  const { t } = useTranslation("integration");
  const mayChange = useMayChange();
  const types = useTypes();
  const schemas = types.types.find((entry) => entry.type === row.type)?.schemas;
  const kinds = (["actions", "sources"] as const).filter((kind) => schemas?.[kind] !== undefined);
  return (
    <div className="cards">
      <KeyValues
        title={t("state")}
        rows={[
          [t("field.type"), types.titleOf(row.type)],
          [t("field.state"), <StatusCell key="state" row={row} />],
          [t("field.enabled"), <EnableSwitch key="enable" kind="connectors" row={row} />],
        ]}
      />
      {kinds.map((kind) => (
        <KeyValues
          key={kind}
          title={t(`${kind}.title`)}
          rows={[
            [t("usedBy"), <Links key="users" kind={kind} ids={row[kind] ?? []} />],
            ...(mayChange
              ? [
                  [
                    t("next"),
                    <Button key="add" size="xs" variant="default" onClick={() => onAdd(kind)}>
                      {t(`${kind}.add`)}
                    </Button>,
                  ] as const,
                ]
              : []),
          ]}
        />
      ))}
    </div>
  );
}
