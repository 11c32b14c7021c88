/** One action or source: its state, who uses it, and what became of everything. */
import { Anchor, Button, Text } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation, useNavigate } from "react-router";

import { useGet } from "@/api/hooks";
import { useMayChange } from "@/api/session";
import type { BridgeRow } from "@/api/shapes";
import { ErrorPanel } from "@/components/ErrorPanel";
import { BridgeDialog } from "@/components/integration/BridgeDialog";
import { BridgeFigures } from "@/components/integration/BridgeFigures";
import { DeleteDialog } from "@/components/integration/DeleteDialog";
import { EnableSwitch } from "@/components/integration/EnableSwitch";
import { EVERY_MS, type BridgeKind } from "@/components/integration/kinds";
import { Links } from "@/components/integration/Links";
import { StatusCell } from "@/components/integration/StatusCell";
import { useTypes } from "@/components/integration/useTypes";
import { KeyValues } from "@/components/KeyValues";
import { Page } from "@/components/Page";
import { formatTime } from "@/lib/format";
import { segmentOf } from "@/lib/segment";

export function BridgePage({ kind }: { kind: BridgeKind }): ReactElement {
  const { t } = useTranslation("integration");
  const id = segmentOf(useLocation().pathname, 1);
  const navigate = useNavigate();
  const mayChange = useMayChange();
  const [open, setOpen] = useState<"edit" | "delete" | null>(null);
  const path: "/actions/{id}" | "/sources/{id}" = `/${kind}/{id}`;
  const answer = useGet(path, { path: { id }, every: EVERY_MS });
  const row = answer.data;
  const close = () => setOpen(null);
  return (
    <Page
      title={id}
      help={row?.description || t(`${kind}.detail`)}
      actions={
        row !== undefined &&
        mayChange && (
          <>
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
      {row !== undefined && (
        <div className="cards">
          <Facts kind={kind} row={row} id={id} />
          <BridgeFigures kind={kind} id={id} title={t("figures.title")} />
        </div>
      )}
      {row !== undefined && open === "edit" && (
        <BridgeDialog kind={kind} row={row} onClose={close} />
      )}
      {row !== undefined && open === "delete" && (
        <DeleteDialog
          kind={kind}
          id={id}
          dependents={(row.rules ?? []).map((rule) => ({ kind: "rules", id: rule }) as const)}
          onDeleted={() => void navigate(`/${kind}`)}
          onClose={close}
        />
      )}
    </Page>
  );
}

interface FactsProps {
  kind: BridgeKind;
  id: string;
  row: BridgeRow;
}

function Facts({ kind, id, row }: FactsProps): ReactElement {
  const { t, i18n } = useTranslation("integration");
  const mayChange = useMayChange();
  const refusal = (i18n.language === "zh" ? row.last_error_zh : undefined) || row.last_error || "";
  const types = useTypes();
  const start =
    kind === "actions"
      ? `/rules/new?action=${encodeURIComponent(id)}`
      : `/rules/new?source=${encodeURIComponent(id)}`;
  return (
    <KeyValues
      title={t("state")}
      rows={[
        [t("field.type"), types.titleOf(row.type)],
        [t("field.state"), <StatusCell key="state" row={row} />],
        ...(refusal === ""
          ? []
          : [
              [
                t("lastError"),
                <Text key="last" size="sm" className="wrap">
                  {refusal}
                  {typeof row.last_error_at === "string" && ` (${formatTime(row.last_error_at)})`}
                </Text>,
              ] as const,
            ]),
        [t("field.enabled"), <EnableSwitch key="enable" kind={kind} row={row} />],
        [
          t("connector.one"),
          <Links key="connector" kind="connectors" ids={[`${row.type}:${row.connector}`]} />,
        ],
        [t("kind.rulesOf"), <Links key="rules" kind="rules" ids={row.rules ?? []} />],
        ...(mayChange
          ? [
              [
                t("next"),
                <Anchor key="next" component={Link} to={start} size="sm">
                  {t(`${kind}.next`)}
                </Anchor>,
              ] as const,
            ]
          : []),
      ]}
    />
  );
}
