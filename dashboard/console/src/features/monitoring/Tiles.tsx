/** Counts over the clusters of a project. */
import { Alert, Anchor, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import type { Overview } from "@console/api/shapes";
import { clustersPath, type Place } from "@console/components/place";

import { FigureCards, type Figures } from "./FigureCards";

function groups(found: Overview): Figures {
  const { connections, rules, connectors } = found;
  return [
    [
      "connections",
      [
        ["total", connections.total],
        ["live", connections.live],
      ],
    ],
    [
      "rules",
      [
        ["total", rules.total],
        ["running", rules.running],
        ["stopped", rules.stopped],
      ],
    ],
    [
      "connectors",
      [
        ["total", connectors.total],
        ["connected", connectors.connected],
        ["disconnected", connectors.disconnected],
      ],
    ],
  ];
}

export function Tiles({ found }: { found: Overview | undefined }): ReactElement {
  return <FigureCards groups={found === undefined ? [] : groups(found)} />;
}

/** Clusters that are not in the counts, and what could not be read. */
export function Missing({ found, place }: { found: Overview; place: Place }): ReactElement | null {
  const { t } = useTranslation("monitoring");
  const { notCounted, notRead, leftOut } = found;
  if (notCounted.length === 0 && notRead.length === 0 && leftOut === 0) return null;
  return (
    <Alert color="orange" title={t("missing.title", { counted: found.counted, clusters: found.clusters })}>
      {notCounted.length > 0 && (
        <Text size="sm" className="wrap">
          {t("missing.notCounted")}{" "}
          {notCounted.map((cluster, index) => (
            <span key={cluster.id}>
              {index > 0 && ", "}
              <Anchor component={Link} to={`${clustersPath(place)}/${cluster.id}`} inherit>
                {cluster.name}
              </Anchor>
            </span>
          ))}
        </Text>
      )}
      {notRead.map((each) => (
        <Text size="sm" className="wrap" key={`${each.clusterId} ${each.kind}`}>
          {t("missing.notRead", {
            cluster: each.clusterName,
            kind: t(`kind.${each.kind}`),
            reason: each.reason,
          })}
        </Text>
      ))}
      {leftOut > 0 && <Text size="sm">{t("missing.leftOut", { count: leftOut })}</Text>}
    </Alert>
  );
}
