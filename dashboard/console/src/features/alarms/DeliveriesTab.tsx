/** What was pushed, and what became of it. */
import { Badge } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { RowButton } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { formatDuration, formatTime } from "@/lib/format";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import type { AlarmDelivery } from "@console/api/shapes";
import { ListTable } from "@console/components/ListTable";
import { usePlace } from "@console/components/place";

import { CHANNELS, DELIVERIES } from "./paths";

const COLORS: Record<AlarmDelivery["state"], string> = {
  queued: "orange",
  sent: "teal",
  failed: "red",
  dropped: "gray",
};

export function DeliveriesTab({ mayChange }: { mayChange: boolean }): ReactElement {
  const { t, i18n } = useTranslation("alarms");
  const path = { ...usePlace() };
  const channels = useGet(CHANNELS, { path });
  const retry = useAct<AlarmDelivery>({
    run: ({ id }) => call("post", `${DELIVERIES}/{delivery}/retry`, { path: { ...path, delivery: id } }),
    refresh: [DELIVERIES],
    done: t("delivery.again"),
  });
  return (
    <ListTable<AlarmDelivery>
      label={t("tabs.log")}
      path={DELIVERIES}
      pathValues={path}
      query={{ order: "desc" }}
      filters={[
        {
          name: "state",
          label: t("status"),
          options: Object.keys(COLORS).map((value) => ({
            value,
            label: t(`delivery.states.${value}`),
          })),
        },
        {
          name: "channel",
          label: t("channel.one"),
          options: (channels.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name })),
        },
      ]}
      columns={[
        { key: "createdAt", label: t("time"), render: (row) => formatTime(row.createdAt) },
        { key: "channelName", label: t("channel.one") },
        { key: "medium", label: t("delivery.medium"), render: (row) => t(`media.${row.medium}`) },
        { key: "event", label: t("delivery.event"), render: (row) => t(`events.${row.event}`) },
        {
          key: "state",
          label: t("status"),
          render: (row) => (
            <Badge color={COLORS[row.state]} variant="light" tt="none">
              {t(`delivery.states.${row.state}`)}
            </Badge>
          ),
        },
        { key: "attempts", label: t("delivery.attempts"), isNumber: true },
        { key: "reason", label: t("delivery.reason") },
        {
          key: "durationMs",
          label: t("delivery.duration"),
          render: (row) => formatDuration(row.durationMs, i18n.language),
        },
        {
          key: "finishedAt",
          label: t("delivery.finishedAt"),
          render: (row) =>
            row.state === "queued"
              ? t("delivery.due", { time: formatTime(row.dueAt) })
              : formatTime(row.finishedAt),
        },
      ]}
      rowKey={(row) => row.id}
      empty={{ title: t("delivery.empty"), text: t("delivery.emptyText") }}
      {...(mayChange && {
        actions: (row: AlarmDelivery) =>
          row.state === "failed" &&
          row.event !== "test" && (
            <RowButton
              text={t("delivery.retry")}
              label={t("delivery.retryOne", { name: row.channelName })}
              onClick={() => void retry.act(row)}
            />
          ),
      })}
    />
  );
}
