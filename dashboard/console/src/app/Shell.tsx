/** The frame of the console: workbench or system administration, and what is in each. */
import { Menu } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { generatePath, Link, matchPath, useLocation } from "react-router";

import { AccountMenu } from "@/components/AccountMenu";
import { LanguageButton } from "@/components/LanguageButton";
import { PastFailures } from "@/components/PastFailures";
import { SchemeButton } from "@/components/SchemeButton";
import { ShellFrame, type MenuGroup } from "@/components/ShellFrame";
import { queryClient } from "@/lib/query";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import { useRights } from "@console/api/roles";
import { session, setSession } from "@console/api/session";
import { clustersPath, usePlaces } from "@console/components/place";
import { PlaceSwitcher } from "@console/components/PlaceSwitcher";
import { AlarmBell } from "@console/features/alarms/AlarmBell";

import { GROUPS, PAGES, type Area, type PageEntry } from "./pages";

export function Shell(): ReactElement {
  const { t } = useTranslation("shell");
  const { pathname } = useLocation();
  const rights = useRights();
  const { current } = usePlaces();
  const area = PAGES.find(({ path }) => matchPath(path, pathname))?.area ?? "workbench";
  const workbench =
    current === undefined ? "/guide" : clustersPath({ org: current.orgId, project: current.id });
  // Pages of the workbench are those of the project that is chosen.
  const addressOf = (page: PageEntry) => {
    if (page.area !== "workbench") return page.path;
    if (current === undefined) return workbench;
    return generatePath(page.path, { org: current.orgId, project: current.id });
  };
  const isNowhere = area === "workbench" && current === undefined;
  const shown = PAGES.filter((page) => page.area === area && (page.isFor?.(rights) ?? true)).filter(
    // Once, however many pages a project has.
    ({ name }) => !isNowhere || name === "clusters",
  );
  const groups: MenuGroup[] = GROUPS[area]
    .map((name) => ({
      name,
      label: t(`group.${name}`),
      links: shown
        .filter((page) => page.group === name)
        .map((page) => ({
          to: addressOf(page),
          // Without a project the way to one is all that there is.
          label: t(isNowhere ? "page.guide" : `page.${page.name}`),
        })),
    }))
    .filter((group) => group.links.length > 0);
  const system = rights.isProjectAdmin() ? "/projects" : "/profile";
  return (
    <ShellFrame
      head={<HeadButtons />}
      menuHead={<AreaSwitch area={area} addresses={{ workbench, system }} />}
      groups={groups}
    />
  );
}

interface AreaSwitchProps {
  area: Area;
  addresses: Record<Area, string>;
}

function AreaSwitch({ area, addresses }: AreaSwitchProps): ReactElement {
  const { t } = useTranslation("shell");
  return (
    <ul className="areas" aria-label={t("areas")}>
      {(["workbench", "system"] as const).map((each) => (
        <li key={each}>
          <Link to={addresses[each]} aria-current={each === area ? "true" : undefined}>
            {t(`area.${each}`)}
          </Link>
        </li>
      ))}
    </ul>
  );
}

function HeadButtons(): ReactElement {
  const { t } = useTranslation("shell");
  const { data: profile } = useGet("/profile");
  const { current } = usePlaces();
  const rights = useRights();
  const role = rights.isSystemAdmin
    ? "system"
    : rights.isOrgAdmin()
      ? "org"
      : rights.isProjectAdmin()
        ? "project"
        : "user";
  const leave = async () => {
    const body = { refreshToken: session()?.refreshToken };
    // Whatever is answered, this browser forgets the tokens.
    await call("post", "/logout", { body }).catch(() => undefined);
    setSession(null);
    queryClient.clear();
  };
  return (
    <>
      <PlaceSwitcher />
      <span className="grow" />
      {current !== undefined && <AlarmBell place={{ org: current.orgId, project: current.id }} />}
      <PastFailures />
      <LanguageButton />
      <SchemeButton />
      <AccountMenu
        name={profile?.name || profile?.email}
        role={t(`role.${role}`)}
        onLeave={() => void leave()}
      >
        <Menu.Item component={Link} to="/profile">
          {t("page.profile")}
        </Menu.Item>
        <Menu.Item component={Link} to="/guide">
          {t("page.guide")}
        </Menu.Item>
      </AccountMenu>
    </>
  );
}
