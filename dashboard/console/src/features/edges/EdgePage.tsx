/** One edge service: what it is, how it and its devices are, and the way to its own pages. */
import { Anchor, Card, Group, Table, Text, Title } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";

import { EmptyState } from "@/components/EmptyState";
import { ErrorPanel } from "@/components/ErrorPanel";
import { KeyValues } from "@/components/KeyValues";
import { Loading } from "@/components/Loading";
import { Page } from "@/components/Page";
import { StatusBadge } from "@/components/StatusBadge";
import { formatTime } from "@/lib/format";
import { useGet } from "@console/api/hooks";
import { useRights } from "@console/api/roles";
import type { EdgeServiceDetail } from "@console/api/shapes";
import { EDGE, EVERY_MS, edgesPath } from "@console/components/edgePaths";
import { usePlace } from "@console/components/place";
import { useGoTo } from "@console/components/useGoTo";

import { EdgeDialog, type EdgeDialogName } from "./dialogs";
import { EdgeActions } from "./EdgeActions";
import { EdgeBadge, ReportAge, shownCounts } from "./EdgeState";

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
      {back}
      <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
      <div className="two-columns">
        <KeyValues
          title={t("information")}
          rows={[
            [t("mode"), t(`modes.${edge.mode}`)],
            [t("shortId"), edge.agentShortId],
            [t("hostName"), edge.hostName],
            [t("version"), edge.version],
            [t("startedAt"), formatTime(edge.startedAt)],
            [t("createdAt"), formatTime(edge.createdAt)],
            [t("labels"), edge.labels.join(", ")],
          ]}
        />
        <Card withBorder padding="md">
          <Group justify="space-between" mb="xs">
            <Title order={2} size="h5">
              {t("field.state")}
            </Title>
            <EdgeBadge edge={edge} />
          </Group>
          <Text size="sm" mb="xs">
            {t(`meaning.${edge.state}`)}
          </Text>
          <KeyValues
            rows={[
              [t("connection"), t(`presence.${edge.presence}`)],
              [t("lastReport"), <ReportAge key="age" edge={edge} />],
              [t("drivers"), shownCounts(edge.drivers)],
              [t("apps"), shownCounts(edge.apps)],
              [t("tags"), edge.tags],
            ]}
          />
        </Card>
      </div>
      <Nodes edge={edge} />
      <EdgeDialog
        open={dialog === null ? null : { name: dialog, edge }}
        onClose={() => setDialog(null)}
        onGone={() => goTo(list)}
      />
    </Page>
  );
}

const STATES = ["init", "init", "ready", "running", "stopped"] as const;

function Nodes({ edge }: { edge: EdgeServiceDetail }): ReactElement {
  const { t } = useTranslation("edges");
  return (
    <Card withBorder padding={0}>
      <Title order={2} size="h5" p="md">
        {t("nodes")}
      </Title>
      {edge.nodes.length === 0 ? (
        <EmptyState title={t("noNodes.title")} text={t("noNodes.text")} />
      ) : (
        <div className="table-scroll" role="region" aria-label={t("nodes")} tabIndex={0}>
          <Table>
            <caption className="hidden-text">{t("nodes")}</caption>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t("field.name")}</Table.Th>
                <Table.Th>{t("field.type")}</Table.Th>
                <Table.Th>{t("plugin")}</Table.Th>
                <Table.Th>{t("field.state")}</Table.Th>
                <Table.Th>{t("link")}</Table.Th>
                <Table.Th>{t("error")}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {edge.nodes.map((node) => (
                <Table.Tr key={node.name}>
                  <Table.Td className="wrap">{node.name}</Table.Td>
                  <Table.Td>{t(`kinds.${node.kind}`)}</Table.Td>
                  <Table.Td>{node.plugin}</Table.Td>
                  <Table.Td>{t(`nodeStates.${STATES[node.state] ?? "init"}`)}</Table.Td>
                  <Table.Td>
                    <StatusBadge
                      state={node.link === 1 ? "connected" : "disconnected"}
                      isFault={node.isAbnormal}
                    />
                  </Table.Td>
                  <Table.Td className="wrap">{node.error}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
      {edge.nodesLeftOut > 0 && (
        <Text size="sm" c="dimmed" p="md">
          {t("leftOut", { count: edge.nodesLeftOut })}
        </Text>
      )}
    </Card>
  );
}
