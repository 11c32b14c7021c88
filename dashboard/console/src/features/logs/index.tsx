/** The logs of a project's clusters: found, seen over time, followed as they come in. */
import { Alert, Button, Card, Group, Text } from "@mantine/core";
import { useMemo, useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { EmptyState } from "@/components/EmptyState";
import { ErrorPanel } from "@/components/ErrorPanel";
import { Filters, type Filter } from "@/components/Filters";
import { Loading } from "@/components/Loading";
import { Page } from "@/components/Page";
import { useTableState } from "@/components/tableState";
import { useToasts } from "@/components/toasts";
import { formatBytes, formatNumber } from "@/lib/format";
import { download } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import type { LogSources } from "@console/api/shapes";
import { usePlace, type Place } from "@console/components/place";

import { Histogram } from "./Histogram";
import { LEVELS } from "./levels";
import { LogTable } from "./LogTable";
import { NoLogs } from "./NoLogs";
import { EXPORT, SOURCES } from "./paths";
import { RANGES, spanOf } from "./range";
import { useFound, useLive } from "./useLogs";

const ASKED = ["text", "cluster", "level", "node", "file"] as const;

function namesOf(sources: LogSources | undefined, of: "node" | "file"): string[] {
  const names = (sources?.clusters ?? []).flatMap((each) => each.sources.map((one) => one[of]));
  return [...new Set(names)].filter((name) => name !== "").sort();
}

function useFilters(sources: LogSources | undefined): Filter[] {
  const { t } = useTranslation("logs");
  const plain = (value: string) => ({ value, label: value });
  return [
    { name: "text", label: t("text") },
    {
      name: "cluster",
      label: t("cluster"),
      options: (sources?.clusters ?? []).map((one) => ({
        value: one.clusterId,
        label: one.clusterName,
      })),
    },
    {
      name: "level",
      label: t("leastLevel"),
      options: LEVELS.map((level) => ({ value: level, label: t(`levels.${level}`) })),
    },
    { name: "node", label: t("node"), options: namesOf(sources, "node").map(plain) },
    { name: "file", label: t("file"), options: namesOf(sources, "file").map(plain) },
    {
      name: "range",
      label: t("range"),
      options: Object.keys(RANGES).map((name) => ({ value: name, label: t(`ranges.${name}`) })),
    },
    { name: "since", label: t("since"), kind: "time" },
    { name: "until", label: t("until"), kind: "time" },
  ];
}

export default function LogsPage(): ReactElement {
  const { t } = useTranslation("logs");
  const place = usePlace();
  const answer = useGet(SOURCES, { path: { org: place.org, project: place.project } });
  const sources = answer.data;
  const hasLogs = sources?.clusters.some((each) => each.sources.length > 0) ?? false;
  const problems = (sources?.clusters ?? []).filter((each) => each.problem !== "");
  return (
    <Page title={t("title")} help={t("help")}>
      {answer.isPending && <Loading />}
      <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
      {sources?.isEnabled === false && <Alert color="orange">{t("switchedOff")}</Alert>}
      {problems.map((each) => (
        <Alert key={each.clusterId} color="orange" title={each.clusterName}>
          {each.problem}
        </Alert>
      ))}
      {sources !== undefined && !hasLogs && (
        <NoLogs place={place} hasClusters={sources.clusters.length > 0} />
      )}
      {hasLogs && sources !== undefined && <Kept sources={sources} />}
      {hasLogs && <Logs key={place.project} place={place} sources={sources} />}
    </Page>
  );
}

/** What the project's logs take, and what of them goes first. */
function Kept({ sources }: { sources: LogSources }): ReactElement {
  const { t } = useTranslation("logs");
  const { keptBytes, mostBytes, retentionDays: days } = sources;
  const isKnown = keptBytes !== null && mostBytes !== null;
  return (
    <Text size="sm" c="dimmed">
      {isKnown
        ? t("kept", { days, size: formatBytes(keptBytes), most: formatBytes(mostBytes) })
        : t("keptDays", { days })}
    </Text>
  );
}

interface LogsProps {
  place: Place;
  sources: LogSources | undefined;
}

function Logs({ place, sources }: LogsProps): ReactElement {
  const { t } = useTranslation("logs");
  const toasts = useToasts();
  const filters = useFilters(sources);
  const state = useTableState("", filters);
  const [nowMs, setNowMs] = useState(() => Date.now());
  const [isOn, setOn] = useState(false);
  const [isPaused, setPaused] = useState(false);
  const asked = Object.fromEntries(
    ASKED.map((name) => [name, state.filters[name] || undefined]),
  );
  const { range = "", since = "", until = "" } = state.filters;
  const span = useMemo(() => spanOf({ range, since, until }, nowMs), [range, since, until, nowMs]);
  const found = useFound(place, asked, span);
  const live = useLive(place, asked, isOn, isPaused);
  const older = found.data?.pages.flatMap(({ items }) => items) ?? [];
  const known = new Set(live.rows.map(({ id }) => id));
  const rows = [...live.rows, ...older.filter(({ id }) => !known.has(id))];
  const save = () => {
    const query = { ...asked, ...span };
    const path = { org: place.org, project: place.project };
    void download(EXPORT, "logs.csv", { path, query }).catch(toasts.failed);
  };
  const follow = () => {
    setPaused(false);
    setOn(!isOn);
  };
  return (
    <>
      <Card withBorder padding={0}>
        <div className="table-tools">
          <Filters filters={filters} state={state} />
          <Group gap="xs" ml="auto">
            {isOn && (
              <Button variant="default" onClick={() => setPaused(!isPaused)}>
                {isPaused ? t("resume", { number: formatNumber(live.waiting) }) : t("pause")}
              </Button>
            )}
            <Button variant={isOn ? "filled" : "default"} aria-pressed={isOn} onClick={follow}>
              {t(isOn ? "unfollow" : "follow")}
            </Button>
            <Button variant="default" onClick={() => setNowMs(Date.now())}>
              {t("refresh")}
            </Button>
            <Button variant="default" onClick={save}>
              {t("export")}
            </Button>
          </Group>
        </div>
      </Card>
      <Histogram place={place} filters={asked} span={span} />
      {isOn && (
        <Alert color={live.isLive ? "teal" : "orange"} role="status">
          {t(live.isLive ? (isPaused ? "isPaused" : "isLive") : "isConnecting")}
          {live.leftOut > 0 && ` ${t("leftOut", { number: formatNumber(live.leftOut) })}`}
        </Alert>
      )}
      <Card withBorder padding={0}>
        <ErrorPanel error={found.error} onRetry={() => void found.refetch()} />
        {found.isPending && <Loading />}
        {rows.length > 0 && <LogTable rows={rows} />}
        {rows.length === 0 && found.isSuccess && (
          <EmptyState title={t("empty.title")} text={t("empty.text")} />
        )}
        {found.hasNextPage && (
          <Group justify="center" p="sm">
            <Button
              variant="default"
              loading={found.isFetchingNextPage}
              onClick={() => void found.fetchNextPage()}
            >
              {t("older")}
            </Button>
          </Group>
        )}
      </Card>
    </>
  );
}
