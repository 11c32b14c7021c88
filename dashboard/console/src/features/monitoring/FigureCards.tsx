/** Counts in cards: a title, and figures with their names. */
import { Card, Title } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { formatNumber } from "@/lib/format";

export type Figure = readonly [name: string, value: number];
export type Figures = readonly (readonly [name: string, figures: readonly Figure[]])[];

export function FigureCards({ groups }: { groups: Figures }): ReactElement {
  const { t, i18n } = useTranslation("monitoring");
  return (
    <div className="cards">
      {groups.map(([group, figures]) => (
        <Card withBorder padding="md" key={group}>
          <Title order={2} size="h5" mb="xs">
            {t(`group.${group}`)}
          </Title>
          <dl className="figure-row">
            {figures.map(([name, value]) => (
              <div key={name}>
                <dt>{t(`figure.${group}.${name}`)}</dt>
                <dd className="tile-value" data-figure={`${group}.${name}`}>
                  {formatNumber(value, i18n.language)}
                </dd>
              </div>
            ))}
          </dl>
        </Card>
      ))}
    </div>
  );
}
