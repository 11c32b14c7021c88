import { Badge, Code, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useMayChange } from "@/api/session";
import type { Setting } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { Page } from "@/components/Page";
import { RowButton } from "@/components/RowButtons";
import { formatAny } from "@/lib/format";

import { SettingDialog } from "./SettingDialog";

const COLOURS: Record<string, string> = { default: "gray", runtime: "cyan" };
const SOURCES = ["default", "runtime", "file", "env", "set"] as const;

/** A file, the environment or the command line is stronger than a change made here. */
function isSetElsewhere(row: Setting): boolean {
  return row.source !== "default" && row.source !== "runtime";
}

export default function SettingsPage(): ReactElement {
  const { t, i18n } = useTranslation("settings");
  const mayChange = useMayChange();
  const [edited, setEdited] = useState<Setting | null>(null);
  const meaning = (row: Setting) =>
    (i18n.language === "zh" ? row.description_zh : undefined) ?? row.description ?? "";
  return (
    <Page title={t("title")} help={t("help")}>
      <DataTable<Setting>
        label={t("title")}
        path="/configs_origins"
        filters={[
          { name: "like", label: t("find") },
          {
            name: "source",
            label: t("origin"),
            options: SOURCES.map((each) => ({ value: each, label: t(`source.${each}`) })),
          },
        ]}
        columns={[
          {
            key: "path",
            label: t("key"),
            render: (row) => (
              <Stack gap={2}>
                <Code className="wrap key-name">{row.path}</Code>
                <Text size="xs" c="dimmed" maw={460}>
                  {meaning(row)}
                </Text>
              </Stack>
            ),
          },
          {
            key: "value",
            label: t("value"),
            isUnsorted: true,
            render: (row) => <span className="cell-text">{formatAny(row.value)}</span>,
          },
          {
            key: "source",
            label: t("origin"),
            render: (row) => (
              <Stack gap={2} align="flex-start">
                <Badge variant="light" tt="none" miw="max-content" color={COLOURS[row.source] ?? "orange"}>
                  {t(`source.${row.source}`)}
                </Badge>
                {isSetElsewhere(row) && (
                  <Text size="xs" c="dimmed" className="cell-text">
                    {row.origin}
                  </Text>
                )}
              </Stack>
            ),
          },
          {
            key: "hot",
            label: t("takes"),
            render: (row) => <Text size="sm">{row.hot ? t("atOnce") : t("restart")}</Text>,
          },
        ]}
        rowKey={(row) => row.path}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
        {...(mayChange && {
          actions: (row: Setting) => (
            <Group gap={6}>
              {row.changeable ? (
                <RowButton
                  text={t("edit")}
                  label={t("editOne", { name: row.path })}
                  onClick={() => setEdited(row)}
                />
              ) : (
                <Text size="xs" c="dimmed">
                  {t(isSetElsewhere(row) ? "notHere" : "notAtRunTime")}
                </Text>
              )}
            </Group>
          ),
        })}
      />
      {edited !== null && <SettingDialog setting={edited} onClose={() => setEdited(null)} />}
    </Page>
  );
}
