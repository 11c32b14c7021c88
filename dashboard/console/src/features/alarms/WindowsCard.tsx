/** Maintenance windows: alarms are listed, nobody is told. */
import { Badge, Button, Card, Group, MultiSelect, NativeSelect, TextInput, Title } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { FormDialog } from "@/components/FormDialog";
import { EditDelete } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { formatTime } from "@/lib/format";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import type { AlarmWindow } from "@console/api/shapes";
import { ListTable } from "@console/components/ListTable";
import { usePlace } from "@console/components/place";

import { WINDOWS } from "./paths";

const CLUSTERS = "/orgs/{org}/projects/{project}/clusters";
const HOUR_MS = 3_600_000;

export function WindowsCard({ mayChange }: { mayChange: boolean }): ReactElement {
  const { t } = useTranslation("alarms");
  const path = { ...usePlace() };
  const [edited, setEdited] = useState<AlarmWindow | null>(null);
  const [isAdding, setAdding] = useState(false);
  const clusters = useGet(CLUSTERS, { path, query: { size: 1000 } });
  const nameOf = new Map(clusters.data?.items.map(({ id, name }) => [id, name]));
  const remove = useAct<AlarmWindow>({
    run: ({ id }) => call("delete", `${WINDOWS}/{window}`, { path: { ...path, window: id } }),
    refresh: [WINDOWS],
    done: t("deleted"),
    ask: ({ name }) => ({
      title: t("window.remove.title"),
      text: t("window.remove.text", { name }),
      action: t("delete"),
    }),
  });
  const choices = [...nameOf].map(([value, label]) => ({ value, label }));
  return (
    <Card withBorder padding="md">
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h5">
          {t("window.title")}
        </Title>
        {mayChange && <Button onClick={() => setAdding(true)}>{t("window.add")}</Button>}
      </Group>
      <ListTable<AlarmWindow>
        label={t("window.title")}
        path={WINDOWS}
        isWhole
        pathValues={path}
        columns={[
          {
            key: "name",
            label: t("field.name"),
            render: (row) => (
              <Group gap="xs">
                {row.name}
                {row.isNow && (
                  <Badge color="orange" variant="light" tt="none">
                    {t("window.isNow")}
                  </Badge>
                )}
              </Group>
            ),
          },
          { key: "startsAt", label: t("window.startsAt"), render: (row) => formatTime(row.startsAt) },
          { key: "endsAt", label: t("window.endsAt"), render: (row) => formatTime(row.endsAt) },
          { key: "repeat", label: t("window.repeat"), render: (row) => t(`window.repeats.${row.repeat}`) },
          {
            key: "clusters",
            label: t("window.clusters"),
            render: (row) =>
              row.clusters.map((id) => nameOf.get(id) ?? id).join(", ") || t("window.all"),
          },
        ]}
        rowKey={(row) => row.id}
        empty={{ title: t("window.empty"), text: t("window.emptyText") }}
        {...(mayChange && {
          actions: (row: AlarmWindow) => (
            <EditDelete
              name={row.name}
              onEdit={() => setEdited(row)}
              onDelete={() => void remove.act(row)}
            />
          ),
        })}
      />
      {(isAdding || edited !== null) && (
        <WindowDialog
          window={edited}
          clusters={choices}
          onClose={() => {
            setAdding(false);
            setEdited(null);
          }}
        />
      )}
    </Card>
  );
}

interface WindowDialogProps {
  /** The one that is changed; null plans a new one. */
  window: AlarmWindow | null;
  clusters: { value: string; label: string }[];
  onClose: () => void;
}

/** As a `datetime-local` field takes it, in the browser's zone. */
function local(time: string | number): string {
  return formatTime(time).replace(" ", "T").slice(0, 16);
}

function WindowDialog({ window: held, clusters, onClose }: WindowDialogProps): ReactElement {
  const { t } = useTranslation("alarms");
  const path = { ...usePlace() };
  const [name, setName] = useState(held?.name ?? "");
  const [startsAt, setStartsAt] = useState(() => local(held?.startsAt ?? Date.now()));
  const [endsAt, setEndsAt] = useState(() => local(held?.endsAt ?? Date.now() + HOUR_MS));
  const [repeat, setRepeat] = useState<AlarmWindow["repeat"]>(held?.repeat ?? "never");
  const [chosen, setChosen] = useState<string[]>(held?.clusters ?? []);
  const send = () => {
    const body = {
      name,
      startsAt: new Date(startsAt).toISOString(),
      endsAt: new Date(endsAt).toISOString(),
      repeat,
      clusters: chosen,
    };
    return held === null
      ? call("post", WINDOWS, { path, body })
      : call("put", `${WINDOWS}/{window}`, { path: { ...path, window: held.id }, body });
  };
  return (
    <FormDialog
      title={held?.name ?? t("window.add")}
      submit={t("save")}
      done={t("saved")}
      refresh={[WINDOWS]}
      onSubmit={send}
      onClose={onClose}
    >
      <TextInput
        label={t("field.name")}
        required
        maxLength={200}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Group grow>
        <TextInput
          type="datetime-local"
          label={t("window.startsAt")}
          required
          value={startsAt}
          onChange={(event) => setStartsAt(event.currentTarget.value)}
        />
        <TextInput
          type="datetime-local"
          label={t("window.endsAt")}
          required
          value={endsAt}
          onChange={(event) => setEndsAt(event.currentTarget.value)}
        />
      </Group>
      <NativeSelect
        label={t("window.repeat")}
        data={["never", "daily", "weekly"].map((value) => ({
          value,
          label: t(`window.repeats.${value}`),
        }))}
        value={repeat}
        onChange={(event) => setRepeat(event.currentTarget.value as AlarmWindow["repeat"])}
      />
      <MultiSelect
        label={t("window.clusters")}
        placeholder={chosen.length === 0 ? t("window.all") : ""}
        data={clusters}
        searchable
        value={chosen}
        onChange={setChosen}
      />
    </FormDialog>
  );
}
