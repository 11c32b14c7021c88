import { Alert, Button, Code, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import type { Cluster, ClusterMember } from "@/api/cluster";
import { useGet } from "@/api/hooks";
import { useMayChange } from "@/api/session";
import { ErrorPanel } from "@/components/ErrorPanel";
import { KeyValues } from "@/components/KeyValues";
import { Page } from "@/components/Page";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct } from "@/components/useAct";
import { formatBytes, formatNumber, formatTime } from "@/lib/format";

import { Evacuation } from "./Evacuation";
import { InviteDialog } from "./InviteDialog";
import { PartnerOf } from "./PartnerOf";
import { Rebalance } from "./Rebalance";
import { Standing } from "./Standing";

const EVERY_MS = 2000;
const REFRESH = ["/cluster", "/nodes"];
const MOVING = "/load_rebalance/global_status";

export default function NodesPage(): ReactElement {
  const { t } = useTranslation("nodes");
  const mayChange = useMayChange();
  const [isInviting, setInviting] = useState(false);
  const cluster = useGet("/cluster", { every: EVERY_MS });
  const moving = useGet(MOVING, { every: EVERY_MS });
  const leave = useAct({
    run: () => call("post", "/cluster/leave"),
    refresh: REFRESH,
    done: t("leave.done"),
    ask: () => ({ title: t("leave.title"), text: t("leave.text"), action: t("leave.action") }),
  });
  const found = cluster.data;
  const isAlone = found !== undefined && found.members.length < 2;
  return (
    <Page
      title={t("title")}
      help={t("help")}
      actions={
        mayChange &&
        found?.nats !== undefined && (
          <Group>
            {!isAlone && (
              <Button variant="default" onClick={() => void leave.act()}>
                {t("leave.action")}
              </Button>
            )}
            <Button onClick={() => setInviting(true)}>{t("invite.action")}</Button>
          </Group>
        )
      }
    >
      <ErrorPanel error={cluster.error} onRetry={() => void cluster.refetch()} />
      {found?.problem !== undefined && found.problem !== null && (
        <Alert color="red" title={t("problem")}>
          {found.problem}
        </Alert>
      )}
      {found?.quorum?.has === false && (
        <Alert color="red" title={t("quorum.lost")}>
          {t("quorum.text", { ...found.quorum })}
        </Alert>
      )}
      {found !== undefined && (
        <Stack>
          {!isAlone && <Standing cluster={found} />}
          {!isAlone && moving.data !== undefined && (
            <Rebalance self={found.self} under={moving.data.rebalances} refresh={[MOVING]} />
          )}
          <div className="cards">
            {found.members.map((member) => (
              <div key={member.node}>
                <MemberCard
                  member={member}
                  self={found.self}
                  isAlone={isAlone}
                  newest={Math.max(0, ...found.members.map((row) => row.revision ?? 0))}
                />
                {!isAlone && member.node_status === "running" && moving.data !== undefined && (
                  <Evacuation
                    node={member.node}
                    evacuation={moving.data.evacuations.find((row) => row.node === member.node)}
                    refresh={[MOVING]}
                  />
                )}
              </div>
            ))}
          </div>
          <HowToJoin cluster={found} />
        </Stack>
      )}
      {isInviting && <InviteDialog refresh={REFRESH} onClose={() => setInviting(false)} />}
    </Page>
  );
}

interface MemberCardProps {
  member: ClusterMember;
  self: string;
  isAlone: boolean;
  /** The last change that any node knows of. */
  newest: number;
}

function MemberCard({ member, self, isAlone, newest }: MemberCardProps): ReactElement {
  const { t, i18n } = useTranslation("nodes");
  const mayChange = useMayChange();
  const out = useAct<string>({
    run: (node) => call("delete", "/cluster/{node}/force_leave", { path: { node } }),
    refresh: REFRESH,
    done: t("out.done"),
    ask: (node) => ({ title: t("out.title"), text: t("out.text", { node }), action: t("out.action") }),
  });
  const isSelf = member.node === self;
  const lanes = member.lanes ?? undefined;
  return (
    <div>
      <KeyValues
        title={isSelf ? t("self", { node: member.node }) : member.node}
        rows={[
          [t("state"), <StatusBadge key="state" state={member.node_status} />],
          [t("version"), member.version],
          // A node that can be in no cluster has neither.
          ...(member.address === undefined
            ? []
            : ([[t("address"), member.address]] as [string, string][])),
          ...(member.revision === undefined || isAlone
            ? []
            : ([
                [
                  t("revision"),
                  t(member.in_step === true ? "inStep" : "behind", {
                    revision: formatNumber(member.revision, i18n.language),
                    lag: formatNumber(Math.max(0, newest - member.revision), i18n.language),
                  }),
                ],
              ] as [string, string][])),
          ...(member.partner === undefined
            ? []
            : ([[t("partner.title"), <PartnerOf key="partner" partner={member.partner} />]] as [
                string,
                ReactElement,
              ][])),
          ...(member.since === undefined
            ? []
            : ([[t("since"), formatTime(member.since)]] as [string, string][])),
          ...(lanes === undefined
            ? []
            : ([
                [
                  t("lanes"),
                  <StatusBadge
                    key="lanes"
                    state={lanes.is_connected ? "connected" : "disconnected"}
                    isFault
                  />,
                ],
                [t("routes"), formatNumber(lanes.routes, i18n.language)],
                [
                  t("messages"),
                  t("sentReceived", {
                    sent: formatNumber(lanes.sent, i18n.language),
                    received: formatNumber(lanes.received, i18n.language),
                  }),
                ],
                [t("dropped"), formatNumber(lanes.dropped, i18n.language)],
                [t("waiting"), formatBytes(lanes.queued_bytes)],
                ...(lanes.last_error === "" ? [] : [[t("lastError"), lanes.last_error]]),
              ] as [string, ReactElement | string][])),
        ]}
      />
      {mayChange && !isSelf && (
        <Button
          mt="xs"
          size="compact-sm"
          variant="subtle"
          color="red"
          aria-label={t("out.one", { node: member.node })}
          onClick={() => void out.act(member.node)}
        >
          {t("out.action")}
        </Button>
      )}
    </div>
  );
}

/** What to type on a machine that is to become a member, or why this node can have none. */
function HowToJoin({ cluster }: { cluster: Cluster }): ReactElement {
  const { t } = useTranslation("nodes");
  if (cluster.nats === undefined || cluster.nats === null) {
    return (
      <Alert title={t("alone.title")}>
        <Text size="sm">{t("alone.text")}</Text>
        <Code block>{'node.cookie = "…"'}</Code>
      </Alert>
    );
  }
  return (
    <section aria-label={t("join.title")}>
      <Text fw={600}>{t("join.title")}</Text>
      <Text size="sm" c="dimmed">
        {t("join.text")}
      </Text>
      <Code block>{`rookery ctl cluster join ${cluster.self}`}</Code>
    </section>
  );
}
