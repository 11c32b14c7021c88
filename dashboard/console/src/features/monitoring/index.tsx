/** What runs in the clusters and edge services of a project, and what does not run as it should. */
import { Stack, Tabs, Title } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { generatePath, useNavigate, useParams } from "react-router";

import { ErrorPanel } from "@/components/ErrorPanel";
import { Page } from "@/components/Page";
import { useGet } from "@console/api/hooks";
import { usePlace } from "@console/components/place";
import { CLUSTERS } from "@console/components/clusterPaths";

import { EdgeTab } from "./EdgeTab";
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

const TABS = ["integration", "edge"] as const;
type Tab = (typeof TABS)[number];

function tabOf(text: string | undefined): Tab {
  return TABS.find((each) => each === text) ?? "integration";
}

export default function MonitoringPage(): ReactElement {
  const { t } = useTranslation("monitoring");
  const place = usePlace();
  const navigate = useNavigate();
  const tab = tabOf(useParams()["tab"]);
  const base = generatePath("/w/:org/:project/monitoring", { ...place });
  return (
    <Page title={t("title")} help={t(`help.${tab}`)}>
      <Tabs
        value={tab}
        onChange={(next) => void navigate(next === "edge" ? `${base}/edge` : base)}
        keepMounted={false}
      >
        <Tabs.List mb="md" aria-label={t("title")}>
          {TABS.map((each) => (
            <Tabs.Tab key={each} value={each}>
              {t(`tabs.${each}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={tab}>
          {/* What was asked of one project means nothing in another. */}
          {tab === "edge" ? <EdgeTab key={place.project} place={place} /> : <IntegrationTab />}
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function IntegrationTab(): ReactElement {
  const { t } = useTranslation("monitoring");
  const place = usePlace();
  const values = { org: place.org, project: place.project };
  const answer = useGet(MONITORING, { path: values });
  const clusters = useGet(CLUSTERS, { path: values, query: { size: CLUSTERS_MAX, sort: "name" } });
  useLive(place);
  const choices = (clusters.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name }));
  return (
    <Stack gap="md">
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
    </Stack>
  );
}
