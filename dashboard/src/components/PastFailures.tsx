/** What went wrong since the page was opened, to be read again when its message went away. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { formatTime } from "@/lib/format";

import { Dialog } from "./Dialog";
import { useToasts } from "./toasts";

export function PastFailures(): ReactElement | null {
  const { t } = useTranslation();
  const { past, forget } = useToasts();
  const [isOpen, setOpen] = useState(false);
  if (past.length === 0) return null;
  const close = () => setOpen(false);
  return (
    <>
      <Button variant="default" px="sm" onClick={() => setOpen(true)}>
        {t("failures.button", { number: past.length })}
      </Button>
      {isOpen && (
        <Dialog title={t("failures.title")} size="lg" onClose={close}>
          <Stack gap="md">
            {past.map((failed) => (
              <div key={failed.id}>
                <Text size="sm" fw={650}>
                  {formatTime(failed.at)} · {failed.title}
                </Text>
                <Text size="sm" className="wrap">
                  {failed.text}
                </Text>
              </div>
            ))}
            <Group justify="flex-end">
              <Button
                variant="default"
                onClick={() => {
                  close();
                  forget();
                }}
              >
                {t("failures.forget")}
              </Button>
            </Group>
          </Stack>
        </Dialog>
      )}
    </>
  );
}
