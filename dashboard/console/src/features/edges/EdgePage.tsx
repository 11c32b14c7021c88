/** One edge service: what it is, how it and its devices are, and the way to its own pages. */
import { Anchor, Group, Text } from "@mantine/core";
import { lazy, Suspense, useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";

import { ErrorPanel } from "@/components/ErrorPanel";
import { KeyValues } from "@/components/KeyValues";
import { Loading } from "@/components/Loading";
import { Page } from "@/components/Page";
import { StatusBadge } from "@/components/StatusBadge";
import { formatBytes, formatNumber, formatTime } from "@/lib/format";
import { useGet } from "@console/api/hooks";
import { useRights } from "@console/api/roles";
import type { EdgeServiceDetail } from "@console/api/shapes";
import { CardTable } from "@console/components/CardTable";
import { EDGE, EVERY_MS, edgeLogsPath, edgesPath } from "@console/components/edgePaths";
import { usePlace } from "@console/components/place";
import { StateCard } from "@console/components/StateCard";
import { useGoTo } from "@console/components/useGoTo";

import { EdgeDialog, type EdgeDialogName } from "./dialogs";
import { EdgeActions } from "./EdgeActions";
import { EdgeBadge, ReportAge, shownCounts } from "./EdgeState";

const Charts = lazy(() => import("./Charts"));

export default function EdgePage(): ReactElement {
  const { t } = useTranslation("edges");
  const place = usePlace();
  const { service = "" } = useParams();
  const rights = useRights();
  const goTo = useGoTo();
  const [dialog, setDialog] = useState<EdgeDialogName | null>(null);
  const answer = useGet(EDGE, { path: { ...place, service }, every: EVERY_MS });
  const edge = answer.data;
  const list = edgesPath(place);
  const back = (
    <Anchor component={Link} to={list} size="sm">
      {t("back")}
    </Anchor>
  );
  if (edge === undefined) {
    return (
      <Page title={t("title")}>
        {back}
        {answer.error === null ? (
          <Loading />
        ) : (
          <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
        )}
      </Page>
    );
  }
  return (
    <Page
      title={edge.name}
      help={edge.description}
      actions={
        <EdgeActions
          edge={edge}
          mayChange={rights.isProjectAdmin(place.org, place.project)}
          onOpen={setDialog}
          onGone={() => goTo(list)}
        />
      }
    >
      <Group gap="md">
        {back}
        {edge.mode === "agent" && (
          <Anchor component={Link} to={edgeLogsPath(place, edge.id)} size="sm">
            {t("figures.logs")}
          </Anchor>
        )}
      </Group>
      <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
      <div className="two-columns">
        <KeyValues
          title={t("information")}
          rows={[
            [t("mode"), t(`modes.${edge.mode}`)],
            ...(edge.mode === "agent" ? [[t("shortId"), edge.agentShortId] as const] : []),
            [t("hostName"), edge.hostName],
            [t("version"), edge.version],
            [t("startedAt"), formatTime(edge.startedAt)],
            [t("createdAt"), formatTime(edge.createdAt)],
            [t("labels"), edge.labels.join(", ")],
          ]}
        />
        <StateCard
          title={t("field.state")}
          badge={<EdgeBadge edge={edge} />}
          meaning={t(`meaning.${edge.state}`)}
        >
          <KeyValues
            rows={[
              [t("connection"), t(`presence.${edge.presence}`)],
              [t("lastReport"), <ReportAge key="age" edge={edge} />],
              [t("drivers"), shownCounts(edge.drivers)],
              [t("apps"), shownCounts(edge.apps)],
              [t("tags"), edge.tags],
            ]}
          />
        </StateCard>
      </div>
      <Traffic edge={edge} />
      <Suspense fallback={<Loading />}>
        <Charts edge={edge} />
      </Suspense>
      <Nodes edge={edge} />
      <EdgeDialog
        open={dialog === null ? null : { name: dialog, edge }}
        onClose={() => setDialog(null)}
        onGone={() => goTo(list)}
      />
    </Page>
  );
}

/** What goes through it, and how its machine is. */
function Traffic({ edge }: { edge: EdgeServiceDetail }): ReactElement {
  const { t, i18n } = useTranslation("edges");
  const { traffic, machine } = edge;
  const count = (value: number) => formatNumber(value, i18n.language);
  const withRate = (value: number, rate: number) =>
    t("figures.perSecond", { total: count(value), rate: count(rate) });
  const bytes = (value: number | null) => (value === null ? null : formatBytes(value));
  return (
    <div className="two-columns">
      <KeyValues
        title={t("figures.traffic")}
        rows={[
          [t("figures.reads"), withRate(traffic.reads, traffic.readsPerSecond)],
          [t("figures.readErrors"), count(traffic.readErrors)],
          [t("figures.sent"), withRate(traffic.sent, traffic.sentPerSecond)],
          [t("figures.sendErrors"), count(traffic.sendErrors)],
          [t("figures.received"), count(traffic.received)],
          [t("figures.cached"), count(traffic.cached)],
          [t("figures.dropped"), count(traffic.dropped)],
        ]}
      />
      <KeyValues
        title={t("figures.machine")}
        rows={[
          [t("figures.memory"), bytes(machine.processMemory)],
          [
            t("figures.machineMemory"),
            machine.memoryUsed === null
              ? null
              : t("figures.used", { used: bytes(machine.memoryUsed), total: bytes(machine.memoryTotal) }),
          ],
          [t("figures.load"), machine.load1],
        ]}
      />
    </div>
  );
}

const STATES = ["init", "init", "ready", "running", "stopped"] as const;

function Nodes({ edge }: { edge: EdgeServiceDetail }): ReactElement {
  const { t } = useTranslation("edges");
  return (
    <CardTable
      title={t("nodes")}
      rows={edge.nodes}
      rowKey={(node) => node.name}
      empty={{ title: t("noNodes.title"), text: t("noNodes.text") }}
      columns={[
        { key: "name", label: t("field.name"), isLong: true, render: (node) => node.name },
        { key: "type", label: t("field.type"), render: (node) => t(`kinds.${node.kind}`) },
        { key: "plugin", label: t("plugin"), render: (node) => node.plugin },
        {
          key: "state",
          label: t("field.state"),
          render: (node) => t(`nodeStates.${STATES[node.state] ?? "init"}`),
        },
        {
          key: "link",
          label: t("link"),
          render: (node) => (
            <StatusBadge
              state={node.link === 1 ? "connected" : "disconnected"}
              isFault={node.isAbnormal}
            />
          ),
        },
        { key: "error", label: t("error"), isLong: true, render: (node) => node.error },
      ]}
    >
      {edge.nodesLeftOut > 0 && (
        <Text size="sm" c="dimmed" p="md">
          {t("leftOut", { count: edge.nodesLeftOut })}
        </Text>
      )}
    </CardTable>
  );
}
