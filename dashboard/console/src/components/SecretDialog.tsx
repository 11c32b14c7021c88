import { Button, Code, Group, Stack, Text } from "@mantine/core";
import { useRef, useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Dialog } from "@/components/Dialog";
import { copyShown } from "@/lib/copy";

interface SecretDialogProps {
  title: string;
  text: string;
  secret: string;
  onClose: () => void;
}

/** The only time that a secret is shown. */
export function SecretDialog({ title, text, secret, onClose }: SecretDialogProps): ReactElement {
  const { t } = useTranslation();
  const shown = useRef<HTMLElement>(null);
  const [isCopied, setCopied] = useState(false);
  const copy = () => {
    if (shown.current !== null) void copyShown(shown.current).then(setCopied);
  };
  return (
    <Dialog onClose={onClose} title={title}>
      <Stack gap="sm">
        <Text size="sm">{text}</Text>
        <Code block className="wrap" ref={shown}>
          {secret}
        </Code>
        <Group justify="flex-end">
          <Button variant="default" onClick={copy}>
            {isCopied ? t("copied") : t("copy")}
          </Button>
          <Button onClick={onClose}>{t("kept")}</Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
