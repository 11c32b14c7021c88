import { Group, Stack, Text } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";

interface EmptyStateProps {
  title: string;
  /** Why there is nothing, and what would change that. */
  text: string;
  /** The way to the next step. */
  action?: ReactNode;
}

export function EmptyState({ title, text, action }: EmptyStateProps): ReactElement {
  return (
    <Stack gap={4} align="center" py="xl" px="md">
      <Text fw={600}>{title}</Text>
      <Text c="dimmed" size="sm" ta="center" maw={520}>
        {text}
      </Text>
      {action !== undefined && <Group mt="sm">{action}</Group>}
    </Stack>
  );
}
