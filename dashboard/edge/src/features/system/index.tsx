import { Anchor, SimpleGrid } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { KeyValues } from "@/components/KeyValues";
import { Loading } from "@/components/Loading";
import { Page } from "@/components/Page";
import { formatBytes, formatDuration, formatTime } from "@/lib/format";
import { useGet } from "@edge/api/hooks";

/** The service and the machine it runs on. */
export default function SystemPage(): ReactElement {
  const { t, i18n } = useTranslation("system");
  const { data, error, refetch } = useGet("/neuron/system");
  if (error !== null) return <ErrorPanel error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Loading />;
  const of = (used: number, total: number) =>
    t("of", { used: formatBytes(used), total: formatBytes(total) });
  return (
    <Page title={t("title")} help={t("help")}>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <KeyValues
          title={t("service")}
          rows={[
            [t("version"), data.version],
            [t("started"), formatTime(data.started_at)],
            [t("uptime"), formatDuration(data.uptime_ms, i18n.language)],
            [t("memory"), formatBytes(data.process_memory)],
            [t("dataDir"), data.data_dir],
            [t("drivers"), data.drivers],
            [t("apps"), data.apps],
            [t("tags"), data.tags],
          ]}
        />
        <KeyValues
          title={t("machine")}
          rows={[
            [t("host"), data.host_name],
            [t("system"), `${data.system} (${data.machine})`],
            [t("cpus"), data.cpus],
            [t("load"), data.load_1m],
            [t("machineMemory"), of(data.memory_used, data.memory_total)],
            [t("disk"), of(data.disk_used, data.disk_total)],
            [t("python"), data.python],
          ]}
        />
        <KeyValues
          title={t("packages")}
          rows={Object.entries(data.packages).map(
            ([name, version]) => [name, version === "" ? t("missing") : version] as const,
          )}
        />
      </SimpleGrid>
      <Anchor href="api-docs" size="sm">
        {t("reference")}
      </Anchor>
    </Page>
  );
}
