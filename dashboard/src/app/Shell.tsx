/** The frame of the dashboard: what this node can do is in its menu. */
import { Menu } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import type { Capabilities } from "@/api/capabilities";
import { call } from "@/api/client";
import { queryClient } from "@/api/hooks";
import { session, setSession, useSession } from "@/api/session";
import { AccountMenu } from "@/components/AccountMenu";
import { LanguageButton } from "@/components/LanguageButton";
import { PastFailures } from "@/components/PastFailures";
import { SchemeButton } from "@/components/SchemeButton";
import { ShellFrame } from "@/components/ShellFrame";

import { GROUPS, PAGES } from "./pages";

export function Shell({ capabilities }: { capabilities: Capabilities }): ReactElement {
  const { t } = useTranslation("shell");
  const isByCode = useSession()?.isByCode === true;
  const shown = PAGES.filter(
    (page) =>
      !page.isDetail &&
      !(isByCode && page.isOfAccounts === true) &&
      page.needs.every((operation) => capabilities.has(operation)),
  );
  const groups = GROUPS.map((name) => ({
    name,
    label: t(`group.${name}`),
    links: shown
      .filter((page) => page.group === name)
      .map(({ path, name: page }) => ({
        to: path,
        label: t(`page.${page}`),
        isExact: path === "/",
      })),
  })).filter((group) => group.links.length > 0);
  return <ShellFrame head={<HeadButtons />} groups={groups} />;
}

function HeadButtons(): ReactElement {
  const { t } = useTranslation("shell");
  const signedIn = useSession();
  const leave = async () => {
    const { username } = session() ?? { username: "" };
    // Whatever the node says, this browser forgets the token.
    await call("post", "/logout", { body: { username } }).catch(() => undefined);
    setSession(null);
    queryClient.clear();
  };
  return (
    <>
      <span className="grow" />
      <PastFailures />
      <LanguageButton />
      <SchemeButton />
      <AccountMenu
        name={signedIn?.username}
        role={t(`role.${signedIn?.role ?? "viewer"}`)}
        onLeave={() => void leave()}
      >
        {signedIn?.isByCode === true ? null : (
          <Menu.Item component={Link} to="/users?own=1">
            {t("changePassword")}
          </Menu.Item>
        )}
      </AccountMenu>
    </>
  );
}
