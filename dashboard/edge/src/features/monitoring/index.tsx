import { Badge, Group, Select, Switch, Text } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { EmptyState } from "@/components/EmptyState";
import { Page } from "@/components/Page";
import { RowButton } from "@/components/RowButtons";
import { ABSENT, formatTime } from "@/lib/format";
import { useGet } from "@edge/api/hooks";
import { useMe } from "@edge/api/me";
import type { Tag } from "@edge/api/shapes";
import { RowsTable } from "@edge/components/RowsTable";

import { useLiveValues } from "./useLiveValues";
import { shownValue } from "./value";
import { WriteDialog } from "./WriteDialog";

const WRITE = 2;

interface Row extends Tag {
  now: string;
  error: number | undefined;
}

/** The values of a group as they are read. */
export default function MonitoringPage(): ReactElement {
  const { t } = useTranslation("monitoring");
  const { isAdmin } = useMe();
  const [parameters, setParameters] = useSearchParams();
  const [isHex, setHex] = useState(false);
  const [written, setWritten] = useState<Tag | null>(null);
  const groups = useGet("/neuron/group").data?.groups ?? [];
  const drivers = [...new Set(groups.map((one) => one.driver))];
  const node = parameters.get("node") ?? drivers[0] ?? null;
  const ofNode = groups.filter((one) => one.driver === node).map((one) => one.group);
  const group = parameters.get("group") ?? ofNode[0] ?? null;
  const isChosen = node !== null && group !== null;
  const query = { node: node ?? "", group: group ?? "" };
  const tags = useGet("/neuron/tags", { query, enabled: isChosen });
  const live = useLiveValues(query, isChosen);
  const rows = (tags.data?.tags as Tag[] | undefined)?.map((tag): Row => {
    const value = live.values[tag.name];
    return {
      ...tag,
      now: value === undefined ? ABSENT : shownValue(value.value, isHex),
      error: value?.error,
    };
  });
  return (
    <Page title={t("title")} help={t("help")}>
      <Group align="flex-end">
        <Select
          label={t("driver")}
          searchable
          allowDeselect={false}
          data={drivers}
          value={node}
          onChange={(next) => next !== null && setParameters({ node: next })}
        />
        <Select
          label={t("group")}
          searchable
          allowDeselect={false}
          data={ofNode}
          value={group}
          onChange={(next) => next !== null && setParameters({ node: node ?? "", group: next })}
        />
        <Switch label={t("hex")} checked={isHex} onChange={(event) => setHex(event.currentTarget.checked)} />
        {isChosen && (
          <Badge color={live.isLive ? "teal" : "orange"} variant="light" tt="none">
            {live.isLive ? t("live", { at: formatTime(live.at) }) : t("notLive")}
          </Badge>
        )}
      </Group>
      {!isChosen ? (
        <EmptyState title={t("none.title")} text={t("none.text")} />
      ) : (
        <RowsTable<Row>
          label={t("title")}
          rows={rows}
          error={tags.error}
          isFetching={tags.isFetching}
          onRefresh={() => void tags.refetch()}
          columns={[
            { key: "name", label: t("field.name") },
            { key: "address", label: t("address") },
            {
              key: "now",
              label: t("value"),
              isUnsorted: true,
              render: (row) => <Value row={row} />,
            },
            { key: "unit", label: t("unit") },
            { key: "description", label: t("field.description") },
          ]}
          rowKey={(row) => row.name}
          empty={{ title: t("noTags.title"), text: t("noTags.text") }}
          {...(isAdmin && {
            actions: (row: Row) => (
              <RowButton
                text={t("write")}
                label={t("writeOne", { name: row.name })}
                disabled={(row.attribute & WRITE) === 0}
                onClick={() => setWritten(row)}
              />
            ),
          })}
        />
      )}
      {written !== null && (
        <WriteDialog {...query} tag={written} onClose={() => setWritten(null)} />
      )}
    </Page>
  );
}

function Value({ row }: { row: Row }): ReactElement {
  const { t } = useTranslation("monitoring");
  if (row.error !== undefined) {
    return (
      <Badge color="red" variant="light" tt="none">
        {t("failed", { error: row.error })}
      </Badge>
    );
  }
  return (
    <Text size="sm" className="value-cell wrap">
      {row.now}
    </Text>
  );
}
