import { Card, Group, Title } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { Figures } from "@/api/shapes";
import { formatNumber } from "@/lib/format";

interface FigureCardProps {
  title: string;
  /** Keys of the figures, each with its label; a part of the one above it stands further in. */
  rows: readonly (readonly [key: string, label: string, isPart: boolean])[];
  figures: Figures | undefined;
  buttons?: ReactNode;
}

/** Counters, name beside number. */
export function FigureCard({ title, rows, figures, buttons }: FigureCardProps): ReactElement {
  const { i18n } = useTranslation();
  return (
    <Card withBorder padding="md" className="facts-card">
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h5" className="wrap">
          {title}
        </Title>
        {buttons}
      </Group>
      <dl className="facts">
        {rows.map(([key, label, isPart]) => (
          <div key={key} className={isPart ? "sub-fact" : undefined}>
            <dt>{label}</dt>
            <dd data-figure={key}>{formatNumber(figures?.[key], i18n.language)}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}
