/** What runs in the clusters of a project, and what does not run as it should. */
import { Stack, Title } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { Page } from "@/components/Page";
import { useGet } from "@console/api/hooks";
import { usePlace } from "@console/components/place";
import { CLUSTERS } from "@console/components/clusterPaths";

import { MONITORING } from "./paths";
import { Missing, Tiles } from "./Tiles";
import { TroubledTable } from "./TroubledTable";
import { useLive } from "./useLive";

const CLUSTERS_MAX = 1000;
const TABLES = [
  ["rules", ["rule"]],
  ["connectors", ["connector"]],
  ["bridges", ["action", "source"]],
] as const;

export default function MonitoringPage(): ReactElement {
  const { t } = useTranslation("monitoring");
  const place = usePlace();
  const values = { org: place.org, project: place.project };
  const answer = useGet(MONITORING, { path: values });
  const clusters = useGet(CLUSTERS, { path: values, query: { size: CLUSTERS_MAX, sort: "name" } });
  useLive(place);
  const choices = (clusters.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name }));
  return (
    <Page title={t("title")} help={t("help")}>
      <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
      <Tiles found={answer.data} />
      {answer.data !== undefined && <Missing found={answer.data} place={place} />}
      {TABLES.map(([name, kinds]) => (
        <Stack gap="xs" key={name}>
          <Title order={2} size="h4">
            {t(`table.${name}`)}
          </Title>
          <TroubledTable
            // Page and filters of one project mean nothing in another.
            key={place.project}
            place={place}
            name={name}
            kinds={kinds}
            clusters={choices}
          />
        </Stack>
      ))}
    </Page>
  );
}
