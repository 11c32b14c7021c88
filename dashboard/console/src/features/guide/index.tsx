/** The first steps, each with what is done of it and the way to where it is done. */
import { Button, Card, Group, Stack, Text, Title } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { EmptyState } from "@/components/EmptyState";
import { Loading } from "@/components/Loading";
import { Page } from "@/components/Page";
import { useGet } from "@console/api/hooks";
import { useRights } from "@console/api/roles";
import { CheckMark } from "@console/components/CheckMark";
import { clustersPath, usePlaces } from "@console/components/place";

interface Step {
  name: string;
  to: string;
  isDone: boolean;
}

const ONE = { query: { size: 1 } };

/** What there is already, as far as the caller may see it; absent until that is known. */
function useSteps(): Step[] | undefined {
  const rights = useRights();
  const { projects, current } = usePlaces();
  const address = useGet("/configuration/server-access-name", { enabled: rights.isSystemAdmin });
  const orgs = useGet("/orgs", ONE);
  const users = useGet("/users", { ...ONE, enabled: rights.isProjectAdmin() });
  const clusters = useGet("/orgs/{org}/projects/{project}/clusters", {
    ...ONE,
    path: { org: current?.orgId ?? "", project: current?.id ?? "" },
    enabled: current !== undefined,
  });
  if (projects === undefined) return undefined;
  if ([address, orgs, users, clusters].some(({ isLoading }) => isLoading)) return undefined;
  const steps: Step[] = [];
  if (rights.isSystemAdmin) {
    steps.push({ name: "address", to: "/settings", isDone: address.data !== undefined && address.data.url !== "" });
    steps.push({ name: "org", to: "/orgs", isDone: (orgs.data?.total ?? 0) > 0 });
  }
  if (rights.isOrgAdmin()) {
    steps.push({ name: "project", to: "/projects", isDone: projects.length > 0 });
    steps.push({ name: "user", to: "/users", isDone: (users.data?.total ?? 0) > 1 });
  }
  if (current !== undefined && rights.isProjectAdmin(current.orgId, current.id)) {
    const isDone = (clusters.data?.total ?? 0) > 0;
    const to = clustersPath({ org: current.orgId, project: current.id });
    steps.push({ name: "cluster", to, isDone });
  }
  return steps;
}

export default function GuidePage(): ReactElement {
  const { t } = useTranslation("guide");
  const steps = useSteps();
  if (steps === undefined) return <Loading />;
  const next = steps.find(({ isDone }) => !isDone);
  return (
    <Page title={t("title")} help={t("help")}>
      {steps.length === 0 && (
        <Card withBorder>
          <EmptyState title={t("empty.title")} text={t("empty.text")} />
        </Card>
      )}
      <ol className="guide-steps">
        {steps.map((step) => (
          <li key={step.name}>
            <Card withBorder padding="md">
              <Group align="flex-start" className="guide-step">
                <CheckMark isDone={step.isDone} />
                <Stack gap={2} className="grow">
                  <Title order={2} size="h5">
                    {t(`${step.name}.title`)}
                  </Title>
                  <Text size="sm" c="dimmed">
                    {t(`${step.name}.text`)}
                  </Text>
                </Stack>
                <Button
                  component={Link}
                  to={step.to}
                  variant={step === next ? "filled" : "default"}
                >
                  {t(`${step.name}.action`)}
                </Button>
              </Group>
            </Card>
          </li>
        ))}
      </ol>
    </Page>
  );
}
