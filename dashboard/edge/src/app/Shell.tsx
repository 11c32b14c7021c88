/** The frame of the pages: the menu, who is signed in. */
import { Menu, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { AccountMenu } from "@/components/AccountMenu";
import { LanguageButton } from "@/components/LanguageButton";
import { PastFailures } from "@/components/PastFailures";
import { SchemeButton } from "@/components/SchemeButton";
import { ShellFrame, type MenuGroup } from "@/components/ShellFrame";
import { queryClient } from "@/lib/query";
import { call } from "@edge/api/client";
import { useMe } from "@edge/api/me";
import { setToken } from "@edge/api/session";
import { FollowNodes } from "@edge/components/nodes";

import { GROUPS, PAGES } from "./pages";

export function Shell(): ReactElement {
  const { t } = useTranslation("shell");
  const { isAdmin, isHere } = useMe();
  const groups: MenuGroup[] = GROUPS.map((name) => ({
    name,
    label: t(`group.${name}`),
    links: PAGES.filter(
      (page) =>
        page.group === name && (isAdmin || !page.isForAdmins) && (isHere || !page.isOnlyHere),
    ).map((page) => ({
      to: page.path,
      label: t(`page.${page.name}`),
      isExact: page.path === "/",
    })),
  }));
  return (
    <>
      <FollowNodes />
      <ShellFrame head={<HeadButtons />} groups={groups} />
    </>
  );
}

function HeadButtons(): ReactElement {
  const { t } = useTranslation("shell");
  const { name, role, isHere } = useMe();
  const leave = async () => {
    // Whatever is answered, this browser forgets the token.
    await call("post", "/logout").catch(() => undefined);
    setToken(null);
    queryClient.clear();
  };
  return (
    <>
      <span className="grow" />
      <PastFailures />
      <LanguageButton />
      <SchemeButton />
      {isHere ? (
        <AccountMenu
          name={name}
          role={role === undefined ? "" : t(`role.${role}`)}
          onLeave={() => void leave()}
        >
          <Menu.Item component={Link} to="/password">
            {t("page.password")}
          </Menu.Item>
        </AccountMenu>
      ) : (
        <Text size="sm" c="dimmed">
          {t("fromControl", { name, role: role === undefined ? "" : t(`role.${role}`) })}
        </Text>
      )}
    </>
  );
}
