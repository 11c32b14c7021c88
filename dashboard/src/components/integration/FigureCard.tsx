import { Card, Group, Title } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { Figures } from "@/api/shapes";
import { formatNumber } from "@/lib/format";

interface FigureCardProps {
  title: string;
  /** Keys of the figures, each with its label; the first of a group stands for what follows. */
  rows: readonly (readonly [key: string, label: string])[];
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
        {rows.map(([key, label]) => (
          <div key={key} className={key.includes(".") || key.includes("_") ? "sub-fact" : undefined}>
            <dt>{label}</dt>
            <dd data-figure={key}>{formatNumber(figures?.[key], i18n.language)}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}
