import { Stack, Text, UnstyledButton } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { TypeEntry } from "./useTypes";

interface TypeGalleryProps {
  types: readonly TypeEntry[];
  onChoose: (type: string) => void;
}

/** The types to choose from; one that needs something installed says what. */
export function TypeGallery({ types, onChoose }: TypeGalleryProps): ReactElement {
  const { t } = useTranslation("integration");
  return (
    <Stack gap="sm">
      <Text size="sm">{t("type.choose")}</Text>
      <ul className="type-cards">
        {types.map((entry) => (
          <li key={entry.type}>
            <UnstyledButton
              className="type-card"
              disabled={!entry.isAvailable}
              onClick={() => onChoose(entry.type)}
            >
              <Text fw={600}>{entry.title}</Text>
              <Text size="sm" c="dimmed">
                {entry.isAvailable ? entry.description : t("type.missing", { what: entry.missing })}
              </Text>
            </UnstyledButton>
          </li>
        ))}
      </ul>
    </Stack>
  );
}
