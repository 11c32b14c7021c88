/** Who is signed in, and what concerns them. */
import { Button, Menu } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { Icon } from "./icons";

interface AccountMenuProps {
  name: string | undefined;
  /** Their role, in words. */
  role: string;
  onLeave: () => void;
  children: ReactNode;
}

export function AccountMenu({ name, role, onLeave, children }: AccountMenuProps): ReactElement {
  const { t } = useTranslation();
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" px="sm" rightSection={<Icon name="down" size={14} />}>
          <span className="head-name">{name}</span>
          <span className="narrow-only">
            <Icon name="person" size={16} />
          </span>
          <span className="hidden-text">{t("account")}</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {name} · {role}
        </Menu.Label>
        {children}
        <Menu.Item onClick={onLeave} leftSection={<Icon name="leave" size={16} />}>
          {t("signOut")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
