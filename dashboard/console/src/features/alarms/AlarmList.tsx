/** Current alarms, or history. */
import { Anchor, Badge, Button, Group, Text } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { RowButton } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { formatTime } from "@/lib/format";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import type { AlarmRow } from "@console/api/shapes";
import { ListTable } from "@console/components/ListTable";
import { clustersPath, usePlace } from "@console/components/place";

import { AlarmDialog } from "./AlarmDialog";
import { HistoryDialog } from "./HistoryDialog";
import { ALARMS, RULES } from "./paths";
import { SeverityBadge } from "./SeverityBadge";

interface AlarmListProps {
  state: "current" | "history";
  mayChange: boolean;
}

export function AlarmList({ state, mayChange }: AlarmListProps): ReactElement {
  const { t } = useTranslation("alarms");
  const place = usePlace();
  const path = { ...place };
  const [shown, setShown] = useState<string | null>(null);
  const [isDeleting, setDeleting] = useState(false);
  const rules = useGet(RULES, { path });
  const isCurrent = state === "current";
  const move = useAct<AlarmRow[]>({
    run: (rows) => {
      const body = { ids: rows.map(({ id }) => id) };
      return call("post", `${ALARMS}/move`, { path, body });
    },
    refresh: [ALARMS],
    done: t("moved"),
    ask: (rows) => ({
      title: t("move.title"),
      text: t("move.text", { count: rows.length }),
      action: t("move.action"),
    }),
  });
  const remove = useAct<AlarmRow[]>({
    run: (rows) =>
      call("delete", `${ALARMS}/history`, { path, query: { id: rows.map(({ id }) => id) } }),
    refresh: [ALARMS],
    done: t("deleted"),
    ask: (rows) => ({
      title: t("remove.title"),
      text: t("remove.text", { count: rows.length }),
      action: t("delete"),
    }),
  });
  const bulk = isCurrent
    ? { label: t("move.action"), run: move.act }
    : { label: t("delete"), run: remove.act };
  return (
    <>
      <ListTable<AlarmRow>
        label={t(`tabs.${state}`)}
        path={ALARMS}
        pathValues={path}
        query={{ state, ...(isCurrent ? {} : { sort: "endsAt" }), order: "desc" }}
        filters={[
          { name: "search", label: t("find") },
          {
            name: "severity",
            label: t("severity"),
            options: ["normal", "critical"].map((value) => ({
              value,
              label: t(`severities.${value}`),
            })),
          },
          {
            name: "kind",
            label: t("name"),
            options: (rules.data?.items ?? []).map(({ kind, name }) => ({
              value: kind,
              label: name,
            })),
          },
          { name: "since", label: t("since"), kind: "time" },
          { name: "until", label: t("until"), kind: "time" },
        ]}
        sorts={["startsAt", "severity", "resourceName", ...(isCurrent ? [] : ["endsAt"])]}
        columns={[
          { key: "name", label: t("name") },
          {
            key: "severity",
            label: t("severity"),
            render: (row) => <SeverityBadge severity={row.severity} />,
          },
          { key: "message", label: t("message"), render: (row) => <Message alarm={row} /> },
          {
            key: "resourceName",
            label: t("resource"),
            render: (row) => <Resource alarm={row} />,
          },
          { key: "startsAt", label: t("startsAt"), render: (row) => formatTime(row.startsAt) },
          ...(isCurrent
            ? []
            : [
                {
                  key: "endsAt",
                  label: t("endsAt"),
                  render: (row: AlarmRow) => formatTime(row.endsAt),
                },
                {
                  key: "endReason",
                  label: t("endReason"),
                  render: (row: AlarmRow) => row.endReason !== "" && t(`endReasons.${row.endReason}`),
                },
              ]),
          { key: "assigneeName", label: t("assignee") },
        ]}
        rowKey={(row) => row.id}
        empty={{ title: t(`empty.${state}`), text: t(`emptyText.${state}`) }}
        {...(mayChange && { bulk })}
        {...(mayChange &&
          !isCurrent && {
            tools: (
              <Button variant="default" onClick={() => setDeleting(true)}>
                {t("clearHistory.action")}
              </Button>
            ),
          })}
        actions={(row) => (
          <RowButton
            text={t("details")}
            label={t("showOne", { name: `${row.name} ${row.resourceName}` })}
            onClick={() => setShown(row.id)}
          />
        )}
      />
      {shown !== null && (
        <AlarmDialog id={shown} mayChange={mayChange} onClose={() => setShown(null)} />
      )}
      {isDeleting && <HistoryDialog onClose={() => setDeleting(false)} />}
    </>
  );
}

function Message({ alarm }: { alarm: AlarmRow }): ReactElement {
  const { t } = useTranslation("alarms");
  return (
    <div>
      <Text size="sm" className="wrap">
        {alarm.message}
      </Text>
      <Group gap={4}>
        {alarm.acknowledgedAt !== null && (
          <Badge size="xs" color="teal" variant="light" tt="none">
            {t("acknowledged")}
          </Badge>
        )}
        {alarm.occurrences > 1 && (
          <Badge size="xs" color="gray" variant="light" tt="none">
            {t("times", { count: alarm.occurrences })}
          </Badge>
        )}
        {alarm.pushDueAt !== null && (
          <Badge size="xs" color="gray" variant="light" tt="none">
            {t("held", { time: formatTime(alarm.pushDueAt) })}
          </Badge>
        )}
      </Group>
    </div>
  );
}

function Resource({ alarm }: { alarm: AlarmRow }): ReactElement {
  const place = usePlace();
  if (alarm.resourceType !== "cluster") return <>{alarm.resourceName}</>;
  return (
    <Anchor component={Link} size="sm" to={`${clustersPath(place)}/${alarm.resourceId}`}>
      {alarm.resourceName}
    </Anchor>
  );
}
