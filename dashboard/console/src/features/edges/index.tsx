/** The edge services of a project: found, opened, managed. */
import { Anchor } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { Page } from "@/components/Page";
import { useGet } from "@console/api/hooks";
import { useRights } from "@console/api/roles";
import type { EdgeServiceRow } from "@console/api/shapes";
import { EDGES, EVERY_MS, edgePath } from "@console/components/edgePaths";
import { ListTable } from "@console/components/ListTable";
import { usePlace } from "@console/components/place";

import { DirectMenu } from "./DirectMenu";
import { EdgeActions } from "./EdgeActions";
import { EdgeDialog, type OpenEdge } from "./dialogs";
import { EdgeBadge, ReportAge, shownCounts } from "./EdgeState";

const STATES = ["waiting", "running", "abnormal", "offline", "left"] as const;
const SORTS = ["name", "state", "version", "createdAt", "lastReportAt"] as const;
const plain = (value: string) => ({ value, label: value });

export default function EdgesPage(): ReactElement {
  const { t } = useTranslation("edges");
  const place = usePlace();
  const rights = useRights();
  const [open, setOpen] = useState<OpenEdge | null>(null);
  const mayChange = rights.isProjectAdmin(place.org, place.project);
  const path = { org: place.org, project: place.project };
  const choices = useGet(`${EDGES}/filters`, { path });
  return (
    <Page
      title={t("title")}
      help={t("help")}
      actions={mayChange ? <DirectMenu place={path} /> : undefined}
    >
      <ListTable<EdgeServiceRow>
        // Page and filters of one project mean nothing in another.
        key={place.project}
        label={t("title")}
        path={EDGES}
        pathValues={path}
        every={EVERY_MS}
        filters={[
          { name: "search", label: t("find") },
          {
            name: "state",
            label: t("field.state"),
            options: STATES.map((state) => ({ value: state, label: t(`states.${state}`) })),
          },
          { name: "label", label: t("label"), options: (choices.data?.labels ?? []).map(plain) },
        ]}
        sorts={SORTS}
        columns={[
          {
            key: "name",
            label: t("field.name"),
            render: (row) => (
              <Anchor component={Link} to={edgePath(place, row.id)}>
                {row.name}
              </Anchor>
            ),
          },
          { key: "state", label: t("field.state"), render: (row) => <EdgeBadge edge={row} /> },
          { key: "mode", label: t("mode"), render: (row) => t(`modes.${row.mode}`) },
          { key: "version", label: t("version") },
          { key: "drivers", label: t("drivers"), render: (row) => shownCounts(row.drivers) },
          { key: "apps", label: t("apps"), render: (row) => shownCounts(row.apps) },
          { key: "tags", label: t("tags"), isNumber: true },
          { key: "lastReportAt", label: t("lastReport"), render: (row) => <ReportAge edge={row} /> },
          { key: "labels", label: t("labels"), render: (row) => row.labels.join(", ") },
        ]}
        rowKey={(row) => row.id}
        empty={{
          title: t("empty.title"),
          text: t(mayChange ? "empty.text" : "empty.viewer"),
          action: mayChange ? (
            <Anchor component={Link} to="/agents">
              {t("empty.agents")}
            </Anchor>
          ) : undefined,
        }}
        actions={(row) => (
          <EdgeActions
            edge={row}
            mayChange={mayChange}
            onOpen={(name) => setOpen({ name, edge: row })}
          />
        )}
      />
      <EdgeDialog open={open} onClose={() => setOpen(null)} />
    </Page>
  );
}
