import { Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { Page } from "@/components/Page";
import { RowButton } from "@/components/RowButtons";
import { StatusBadge } from "@/components/StatusBadge";
import { useToasts } from "@/components/toasts";
import { formatTime } from "@/lib/format";
import { download } from "@console/api/client";
import type { AuditRow } from "@console/api/shapes";
import { ListTable } from "@console/components/ListTable";
import { usePlaces } from "@console/components/place";
import { choicesOf } from "@console/components/PlaceSwitcher";
import { useOrgs } from "@console/components/useOrgs";

import { RowDialog } from "./RowDialog";
import { RESOURCES } from "./words";
import { useWords } from "./useWords";

const FILTERS = [
  "operator",
  "object",
  "resource",
  "result",
  "orgId",
  "projectId",
  "since",
  "until",
] as const;

function placeOf({ orgName, projectName }: AuditRow): string {
  return projectName === "" ? orgName : `${orgName} / ${projectName}`;
}

export default function AuditPage(): ReactElement {
  const { t } = useTranslation("audit");
  const words = useWords();
  const toasts = useToasts();
  const orgs = useOrgs();
  const { projects = [] } = usePlaces();
  const [parameters] = useSearchParams();
  const [shown, setShown] = useState<AuditRow | null>(null);
  const save = () => {
    const query = Object.fromEntries(FILTERS.map((name) => [name, parameters.get(name) ?? ""]));
    void download("/audit/export", "audit.csv", { query }).catch(toasts.failed);
  };
  return (
    <Page
      title={t("title")}
      help={t("help")}
      actions={
        <Button variant="default" onClick={save}>
          {t("export")}
        </Button>
      }
    >
      <ListTable<AuditRow>
        label={t("title")}
        path="/audit"
        filters={[
          { name: "operator", label: t("operator") },
          { name: "object", label: t("objectName") },
          {
            name: "resource",
            label: t("object"),
            options: RESOURCES.map((each) => ({ value: each, label: words.resource(each) })),
          },
          {
            name: "result",
            label: t("result"),
            options: ["success", "failure"].map((each) => ({ value: each, label: t(`state.${each}`) })),
          },
          {
            name: "orgId",
            label: t("org"),
            options: orgs.map(({ id, name }) => ({ value: id, label: name })),
          },
          {
            name: "projectId",
            label: t("project"),
            options: choicesOf(projects).flatMap(({ items }) => items),
          },
          { name: "since", label: t("since"), kind: "time" },
          { name: "until", label: t("until"), kind: "time" },
        ]}
        columns={[
          { key: "at", label: t("time"), render: (row) => formatTime(row.at) },
          { key: "operatorName", label: t("operator") },
          { key: "resource", label: t("object"), render: (row) => words.resource(row.resource) },
          { key: "objectName", label: t("objectName") },
          {
            key: "operation",
            label: t("operation"),
            render: (row) => words.operation(row.operation),
          },
          {
            key: "result",
            label: t("result"),
            render: (row) => <StatusBadge state={row.result} />,
          },
          { key: "place", label: t("place"), render: placeOf },
        ]}
        rowKey={(row) => String(row.id)}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
        actions={(row) => (
          <RowButton
            text={t("details")}
            label={t("showOne", { name: `${words.operation(row.operation)} ${row.objectName}` })}
            onClick={() => setShown(row)}
          />
        )}
      />
      {shown !== null && <RowDialog row={shown} onClose={() => setShown(null)} />}
    </Page>
  );
}
