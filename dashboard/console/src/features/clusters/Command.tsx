import { Badge, Button, Group } from "@mantine/core";
import { useRef, useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { copyShown } from "@/lib/copy";

interface CommandProps {
  /** What it does, for who hears the button. */
  name: string;
  text: string;
  /** It does not check whom it talks to. */
  isInsecure: boolean;
}

/** A command to be pasted into a shell. */
export function Command({ name, text, isInsecure }: CommandProps): ReactElement {
  const { t } = useTranslation("register");
  const shown = useRef<HTMLElement>(null);
  const [copied, setCopied] = useState<string | null>(null);
  const copy = async () => {
    if (shown.current !== null && (await copyShown(shown.current))) setCopied(text);
  };
  const word = t(copied === text ? "copied" : "copy");
  return (
    <div className="command" data-insecure={isInsecure}>
      <Group justify="space-between" mb={4}>
        {isInsecure ? (
          <Badge color="red" variant="light" tt="none">
            {t("insecure")}
          </Badge>
        ) : (
          <span />
        )}
        <Button
          size="compact-xs"
          variant="default"
          aria-label={t("copyOne", { name, word })}
          onClick={() => void copy()}
        >
          {word}
        </Button>
      </Group>
      <pre tabIndex={0}>
        <code ref={shown}>{text}</code>
      </pre>
    </div>
  );
}
