import { Card, Group, Stack, Title } from "@mantine/core";
import { useEffect } from "react";
import type { ReactElement, ReactNode } from "react";

import { LanguageButton } from "./LanguageButton";

interface LoginFrameProps {
  title: string;
  /** Wider, for more than two fields. */
  isWide?: boolean;
  children: ReactNode;
}

/** What is shown before anybody is signed in: one card in the middle. */
export function LoginFrame({ title, isWide = false, children }: LoginFrameProps): ReactElement {
  useEffect(() => {
    document.title = `${title} · Rookery`;
  }, [title]);
  return (
    <main className="login-page">
      <Card withBorder padding="xl" className={isWide ? "login-card wide-card" : "login-card"} shadow="sm">
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
