/** How something that was adopted is: a badge, what it means, and what it stands on. */
import { Card, Group, Text, Title } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";

interface StateCardProps {
  title: string;
  badge: ReactNode;
  meaning: string;
  children: ReactNode;
}

export function StateCard({ title, badge, meaning, children }: StateCardProps): ReactElement {
  return (
    <Card withBorder padding="md">
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h5">
          {title}
        </Title>
        {badge}
      </Group>
      <Text size="sm" mb="xs">
        {meaning}
      </Text>
      {children}
    </Card>
  );
}
