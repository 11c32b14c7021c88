/** The frame of every page: its one heading, what it is for, and its buttons. */
import { Group, Stack, Text, Title } from "@mantine/core";
import { useEffect } from "react";
import type { ReactElement, ReactNode } from "react";

interface PageProps {
  title: string;
  help?: string;
  actions?: ReactNode;
  children: ReactNode;
}

export function Page({ title, help, actions, children }: PageProps): ReactElement {
  useEffect(() => {
    document.title = `${title} · Rookery`;
  }, [title]);
  return (
    <Stack gap="md">
      <Group justify="space-between" align="flex-start">
        <div className="page-head">
          <Title order={1} size="h2" className="wrap">
            {title}
          </Title>
          {help !== undefined && (
            <Text c="dimmed" size="sm" mt={4}>
              {help}
            </Text>
          )}
        </div>
        {actions !== undefined && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </Stack>
  );
}
