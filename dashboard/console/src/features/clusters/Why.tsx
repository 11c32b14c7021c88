/** Why a cluster is abnormal, in a line or two beside its state: the first of its conditions. */
import { Text } from "@mantine/core";
import type { ReactElement } from "react";

import type { ClusterRow } from "@console/api/shapes";

interface WhyProps {
  cluster: ClusterRow;
  lines: number;
}

export function Why({ cluster, lines }: WhyProps): ReactElement | null {
  const [first] = cluster.conditions.filter((condition) => condition.severity !== "warning");
  if (cluster.state !== "abnormal" || first === undefined) return null;
  return (
    <Text
      size="sm"
      c="var(--mantine-color-error)"
      className="wrap"
      lineClamp={lines}
      title={first.text}
    >
      {first.text}
    </Text>
  );
}
