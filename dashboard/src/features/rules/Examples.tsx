import { Button, Menu } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { RuleEvent } from "@/api/shapes";
import { Icon } from "@/components/icons";

import { titleOf } from "./events";

interface ExamplesProps {
  events: readonly RuleEvent[];
  onChoose: (sql: string) => void;
}

/** A statement to start from, for each event. */
export function Examples({ events, onChoose }: ExamplesProps): ReactElement {
  const { t, i18n } = useTranslation("rules");
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Button
          size="xs"
          variant="subtle"
          disabled={events.length === 0}
          rightSection={<Icon name="down" size={14} />}
        >
          {t("examples")}
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={360} className="scroll-menu">
        {events.map((event) => (
          <Menu.Item key={event.event} onClick={() => onChoose(event.sql_example)}>
            {titleOf(event, i18n.language)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
