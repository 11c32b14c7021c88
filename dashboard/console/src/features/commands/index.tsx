/** What was to be changed at a cluster, and how far that is. */
import { Badge, Button, Text } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router";

import { RowButton } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { formatTime } from "@/lib/format";
import { call } from "@console/api/client";
import { useRights } from "@console/api/roles";
import type { CommandRow } from "@console/api/shapes";
import { ClusterFrame } from "@console/components/ClusterTabs";
import { ListTable } from "@console/components/ListTable";
import { usePlace } from "@console/components/place";
import { useClusterNews } from "@console/components/useClusterNews";

import { AskDialog } from "./AskDialog";
import { COLORS, COMMANDS, KINDS, STATES, mayCancel, timeOf } from "./states";

export default function CommandsPage(): ReactElement {
  const { t } = useTranslation("commands");
  const place = usePlace();
  const { cluster = "" } = useParams();
  const values = { ...place, cluster };
  const mayChange = useRights().isProjectAdmin(place.org, place.project);
  const [isAsking, setAsking] = useState(false);
  useClusterNews(place, cluster, [COMMANDS]);
  const cancel = useAct<CommandRow>({
    run: ({ id }) =>
      call("post", `${COMMANDS}/{command}/cancel`, { path: { ...values, command: id } }),
    refresh: [COMMANDS],
    done: t("cancelled"),
  });
  const ask = mayChange && (
    <Button onClick={() => setAsking(true)}>{t("ask.open")}</Button>
  );
  return (
    <ClusterFrame help={t("help")} actions={ask}>
      <ListTable<CommandRow>
        label={t("title")}
        path={COMMANDS}
        pathValues={values}
        query={{ order: "desc" }}
        filters={[
          {
            name: "state",
            label: t("field.state"),
            options: STATES.map((each) => ({ value: each, label: t(`states.${each}`) })),
          },
          {
            name: "kind",
            label: t("kind"),
            options: KINDS.map((each) => ({ value: each, label: t(`kinds.${wordOf(each)}`) })),
          },
        ]}
        columns={[
          { key: "kind", label: t("kind"), render: (row) => <What command={row} /> },
          { key: "state", label: t("field.state"), render: (row) => <How command={row} /> },
          { key: "createdBy", label: t("by") },
          {
            key: "createdAt",
            label: t("field.createdAt"),
            render: (row) => formatTime(row.createdAt),
          },
          { key: "at", label: t("since"), render: (row) => formatTime(timeOf(row)) },
          { key: "attempts", label: t("attempts"), isNumber: true },
        ]}
        rowKey={(row) => row.id}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
        {...(mayChange && {
          actions: (row: CommandRow) =>
            mayCancel(row) && (
              <RowButton
                text={t("cancel")}
                label={t("cancelOne", { name: t(`kinds.${wordOf(row.kind)}`) })}
                onClick={() => void cancel.act(row)}
              />
            ),
        })}
      />
      {isAsking && <AskDialog values={values} onClose={() => setAsking(false)} />}
    </ClusterFrame>
  );
}

/** Dots in a key would lead below it. */
function wordOf(kind: string): string {
  return kind.replace(".", "_");
}

function What({ command }: { command: CommandRow }): ReactElement {
  const { t } = useTranslation("commands");
  const { id, limit } = command.arguments;
  return (
    <>
      {t(`kinds.${wordOf(command.kind)}`)}
      {(id ?? limit) !== undefined && (
        <Text span c="dimmed" className="wrap">
          {" "}
          {id ?? limit}
        </Text>
      )}
    </>
  );
}

function How({ command }: { command: CommandRow }): ReactElement {
  const { t } = useTranslation("commands");
  const { state, text, nextAttemptAt } = command;
  return (
    <>
      <Badge color={COLORS[state]} variant="light" tt="none" miw="max-content">
        {t(`states.${state}`)}
      </Badge>
      {text !== "" && (
        <Text size="sm" className="wrap">
          {text}
        </Text>
      )}
      {nextAttemptAt && (
        <Text size="sm" c="dimmed">
          {t("again", { time: formatTime(nextAttemptAt) })}
        </Text>
      )}
    </>
  );
}
