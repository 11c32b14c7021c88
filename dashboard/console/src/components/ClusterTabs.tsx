/** The pages of one cluster, beside each other. A page that belongs to one is a line of `TABS`. */
import { Anchor } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation, useParams } from "react-router";

import { ErrorPanel } from "@/components/ErrorPanel";
import { Page } from "@/components/Page";
import { useGet } from "@console/api/hooks";

import { clustersPath, usePlace } from "./place";

/** `name` is a key of `shell.json`, `path` what follows the address of the cluster. */
const TABS: readonly { name: string; path: string }[] = [
  { name: "overview", path: "" },
  { name: "quota", path: "/quota" },
  { name: "commands", path: "/commands" },
];

export function ClusterTabs(): ReactElement {
  const { t } = useTranslation("shell");
  const { pathname } = useLocation();
  const { cluster = "" } = useParams();
  const place = usePlace();
  const list = clustersPath(place);
  const own = `${list}/${encodeURIComponent(cluster)}`;
  return (
    <div>
      <Anchor component={Link} to={list} size="sm">
        {t("tab.back")}
      </Anchor>
      <ul className="page-tabs" aria-label={t("tab.label")}>
        {TABS.map(({ name, path }) => (
          <li key={name}>
            <Link
              to={own + path}
              aria-current={decodeURIComponent(pathname) === decodeURIComponent(own + path) ? "page" : undefined}
            >
              {t(`tab.${name}`)}
            </Link>
          </li>
        ))}
      </ul>
    </div>
  );
}

interface ClusterFrameProps {
  help: string;
  actions?: ReactNode;
  children: ReactNode;
}

/** A page of one cluster: its name, and the way to the others. */
export function ClusterFrame({ help, actions, children }: ClusterFrameProps): ReactElement {
  const place = usePlace();
  const { cluster = "" } = useParams();
  const answer = useGet("/orgs/{org}/projects/{project}/clusters/{cluster}", {
    path: { ...place, cluster },
  });
  return (
    <Page title={answer.data?.name ?? ""} help={help} actions={actions}>
      <ClusterTabs />
      <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
      {answer.data !== undefined && children}
    </Page>
  );
}
