import { Card, Title } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";

import { formatAny } from "@/lib/format";

interface KeyValuesProps {
  title?: string;
  rows: readonly (readonly [label: string, value: ReactNode])[];
}

/** Facts, name beside value. */
export function KeyValues({ title, rows }: KeyValuesProps): ReactElement {
  return (
    <Card withBorder padding="md" className="facts-card">
      {title !== undefined && (
        <Title order={2} size="h5" mb="xs">
          {title}
        </Title>
      )}
      <dl className="facts">
        {rows.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{typeof value === "object" ? value : formatAny(value)}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}
