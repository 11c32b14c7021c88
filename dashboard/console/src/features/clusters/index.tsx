/** The clusters of a project: found, seen at a glance, adopted. */
import { Button, NativeSelect, SegmentedControl } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Page } from "@/components/Page";
import { useTableState } from "@/components/tableState";
import { formatTime } from "@/lib/format";
import { useGet } from "@console/api/hooks";
import { useRights } from "@console/api/roles";
import type { ClusterRow } from "@console/api/shapes";
import { ListTable } from "@console/components/ListTable";
import { usePlace } from "@console/components/place";

import { ReportAge } from "./Age";
import { ClusterActions } from "./ClusterActions";
import { ClusterCard, ClusterLink, nodesOf } from "./ClusterCard";
import { Connections } from "./Connections";
import { ClusterDialog, type OpenDialog } from "./dialogs";
import { EntryDialog } from "./EntryDialog";
import { useLiveClusters } from "./live";
import { CLUSTERS } from "./paths";
import { STATES } from "./state";
import { StateBadge } from "./StateBadge";
import { useView, type View } from "./useView";
import { Why } from "./Why";

const plain = (value: string) => ({ value, label: value });
const SORTS = [
  "name",
  "state",
  "version",
  "connections",
  "createdAt",
  "lastReportAt",
  "startedAt",
] as const;

export default function ClustersPage(): ReactElement {
  const { t } = useTranslation("clusters");
  const place = usePlace();
  const rights = useRights();
  const [view, setView] = useView();
  const [isAdding, setAdding] = useState(false);
  const [open, setOpen] = useState<OpenDialog | null>(null);
  const mayChange = rights.isProjectAdmin(place.org, place.project);
  useLiveClusters(place);
  const choices = useGet(`${CLUSTERS}/filters`, { path: { ...place } });
  const actions = (cluster: ClusterRow) => (
    <ClusterActions
      cluster={cluster}
      mayChange={mayChange}
      onOpen={(name) => setOpen({ name, cluster })}
    />
  );
  const adopt = mayChange && <Button onClick={() => setAdding(true)}>{t("adopt")}</Button>;
  return (
    <Page title={t("title")} help={t("help")} actions={adopt}>
      <ListTable<ClusterRow>
        // Page and filters of one project mean nothing in another.
        key={place.project}
        label={t("title")}
        path={CLUSTERS}
        pathValues={{ org: place.org, project: place.project }}
        filters={[
          { name: "search", label: t("find") },
          {
            name: "state",
            label: t("field.state"),
            options: STATES.map((state) => ({ value: state, label: t(`states.${state}`) })),
          },
          {
            name: "version",
            label: t("version"),
            options: (choices.data?.versions ?? []).map(plain),
          },
          {
            name: "label",
            label: t("label"),
            options: (choices.data?.labels ?? []).map(plain),
          },
        ]}
        sorts={SORTS}
        tools={<Tools view={view} onView={setView} />}
        columns={[
          { key: "name", label: t("field.name"), render: (row) => <ClusterLink cluster={row} /> },
          {
            key: "state",
            label: t("field.state"),
            render: (row) => (
              <>
                <StateBadge cluster={row} />
                <Why cluster={row} lines={2} />
              </>
            ),
          },
          { key: "version", label: t("version") },
          { key: "nodes", label: t("nodes"), render: nodesOf },
          {
            key: "connections",
            label: t("connections"),
            render: (row) => <Connections cluster={row} />,
          },
          { key: "startedAt", label: t("startedAt"), render: (row) => formatTime(row.startedAt) },
          { key: "createdAt", label: t("createdAt"), render: (row) => formatTime(row.createdAt) },
          {
            key: "lastReportAt",
            label: t("lastReport"),
            render: (row) => <ReportAge cluster={row} />,
          },
        ]}
        rowKey={(row) => row.id}
        empty={{
          title: t("empty.title"),
          text: t(mayChange ? "empty.text" : "empty.viewer"),
          action: adopt || undefined,
        }}
        actions={actions}
        {...(view === "cards" && {
          cards: (rows: ClusterRow[]) => (
            <ul className="cluster-cards" aria-label={t("title")}>
              {rows.map((row) => (
                <ClusterCard key={row.id} cluster={row} actions={actions(row)} />
              ))}
            </ul>
          ),
        })}
      />
      {isAdding && <EntryDialog place={place} cluster={null} onClose={() => setAdding(false)} />}
      <ClusterDialog open={open} onClose={() => setOpen(null)} />
    </Page>
  );
}

interface ToolsProps {
  view: View;
  onView: (view: View) => void;
}

/** How they are shown, and in which order where there is no head to press. */
function Tools({ view, onView }: ToolsProps): ReactElement {
  const { t } = useTranslation("clusters");
  const state = useTableState("", []);
  const order = state.order?.key ?? "name";
  const choose = (next: string) => {
    if (state.order?.key !== next) state.toggleOrder(next);
  };
  return (
    <>
      {view === "cards" && (
        <NativeSelect
          aria-label={t("order")}
          data={SORTS.map((name) => ({ value: name, label: t(`orders.${name}`) }))}
          value={order}
          onChange={(event) => choose(event.currentTarget.value)}
        />
      )}
      <SegmentedControl
        aria-label={t("view")}
        data={[
          { value: "cards", label: t("views.cards") },
          { value: "table", label: t("views.table") },
        ]}
        value={view}
        onChange={(next) => onView(next as View)}
      />
    </>
  );
}
