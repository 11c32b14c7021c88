import { Card, Group, Stack, Title } from "@mantine/core";
import { useEffect } from "react";
import type { ReactElement, ReactNode } from "react";

import { LanguageButton } from "@/components/LanguageButton";

export function Frame({ title, children }: { title: string; children: ReactNode }): ReactElement {
  useEffect(() => {
    document.title = `${title} · Rookery`;
  }, [title]);
  return (
    <main className="login-page">
      <Card withBorder padding="xl" className="login-card" shadow="sm">
        <Stack gap="md">
          <Group justify="space-between">
            <span className="brand">
              <img src="./rook.svg" alt="" />
              Rookery
            </span>
            <LanguageButton />
          </Group>
          <Title order={1} size="h3">
            {title}
          </Title>
          {children}
        </Stack>
      </Card>
    </main>
  );
}
