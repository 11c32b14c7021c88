import { Badge, Button, Card, Group, Select, TextInput } from "@mantine/core";
import { useCallback, useEffect, useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { EmptyState } from "@/components/EmptyState";
import { Page } from "@/components/Page";
import { useToasts } from "@/components/toasts";
import { useAct } from "@/components/useAct";
import { formatTime } from "@/lib/format";
import { call, download } from "@edge/api/client";
import { useEvents } from "@edge/api/events";
import { useGet } from "@edge/api/hooks";
import { useMe } from "@edge/api/me";
import type { LogLine } from "@edge/api/shapes";

const LEVELS = ["debug", "info", "warning", "error"] as const;
const OF_SERVICE = ["debug", "info", "warn", "error"] as const;
const KEPT_MAX = 2000;
const COLORS: Record<string, string> = { warning: "orange", error: "red", critical: "red" };

/** What is written into the log, as it is written. */
export default function LogsPage(): ReactElement {
  const { t } = useTranslation("logs");
  const { isAdmin } = useMe();
  const toasts = useToasts();
  const [level, setLevel] = useState<string>("info");
  const [node, setNode] = useState<string | null>(null);
  const [find, setFind] = useState("");
  const nodes = useGet("/neuron/node").data?.nodes.map(({ name }) => name) ?? [];
  const query = { level, ...(node !== null && { node }) };
  const { lines, isLive } = useLines(query);
  const shown = lines.filter(({ text }) => text.toLowerCase().includes(find.toLowerCase()));
  return (
    <Page
      title={t("title")}
      help={t("help")}
      actions={
        <Button
          variant="default"
          onClick={() => void download("/logs/download", "edge.log").catch(toasts.failed)}
        >
          {t("download")}
        </Button>
      }
    >
      <Group align="flex-end">
        <Select
          label={t("level")}
          allowDeselect={false}
          data={LEVELS.map((each) => ({ value: each, label: t(`levels.${each}`) }))}
          value={level}
          onChange={(next) => next !== null && setLevel(next)}
        />
        <Select label={t("field.node")} placeholder={t("any")} clearable data={nodes} value={node} onChange={setNode} clearButtonProps={{ "aria-label": t("clear") }} />
        <TextInput label={t("find")} value={find} onChange={(event) => setFind(event.currentTarget.value)} />
        {isAdmin && <LevelOfService />}
        <Badge color={isLive ? "teal" : "orange"} variant="light" tt="none">
          {t(isLive ? "live" : "notLive")}
        </Badge>
      </Group>
      <Card withBorder padding={0}>
        {shown.length === 0 ? (
          <EmptyState title={t("none.title")} text={t("none.text")} />
        ) : (
          <ol className="log-lines" reversed tabIndex={0} aria-label={t("title")}>
            {[...shown].reverse().map((line) => (
              <li key={line.number}>
                {formatTime(line.at)}{" "}
                <Badge size="xs" color={COLORS[line.level] ?? "gray"} variant="light" tt="none">
                  {line.level}
                </Badge>{" "}
                {line.node !== "" && `${line.node}: `}
                {line.text}
              </li>
            ))}
          </ol>
        )}
      </Card>
    </Page>
  );
}

function useLines(query: Record<string, string>) {
  const key = JSON.stringify(query);
  const [lines, setLines] = useState<LogLine[]>([]);
  useEffect(() => setLines([]), [key]);
  const take = useCallback((event: string, data: unknown) => {
    // A stream that is back begins with what is kept.
    if (event === "again") setLines([]);
    if (event !== "lines") return;
    const fresh = (data as { lines: LogLine[] }).lines;
    setLines((before) => {
      const last = before.at(-1)?.number ?? 0;
      return [...before, ...fresh.filter(({ number }) => number > last)].slice(-KEPT_MAX);
    });
  }, []);
  const isLive = useEvents("/logs/stream", {}, take, { query });
  return { lines, isLive };
}

/** How much is written at all. */
function LevelOfService(): ReactElement {
  const { t } = useTranslation("logs");
  const change = useAct<string>({
    run: (level) => call("put", "/neuron/log/level", { body: { level, core: true } }),
    refresh: [],
    done: t("changed"),
  });
  return (
    <Select
      label={t("service")}
      description={t("serviceHelp")}
      placeholder={t("choose")}
      data={OF_SERVICE.map((each) => ({
        value: each,
        label: t(`levels.${each === "warn" ? "warning" : each}`),
      }))}
      onChange={(next) => next !== null && void change.act(next)}
    />
  );
}
