/** Header, menu and the page between them. */
import { ActionIcon, Burger, Button, Menu, useMantineColorScheme } from "@mantine/core";
import { useColorScheme } from "@mantine/hooks";
import { useEffect, useRef, useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, NavLink, Outlet, useLocation } from "react-router";

import type { Capabilities } from "@/api/capabilities";
import { call } from "@/api/client";
import { queryClient } from "@/api/hooks";
import { session, setSession, useSession } from "@/api/session";
import { Icon } from "@/components/icons";
import { LanguageButton } from "@/components/LanguageButton";
import { PastFailures } from "@/components/PastFailures";

import { GROUPS, PAGES } from "./pages";

export function Shell({ capabilities }: { capabilities: Capabilities }): ReactElement {
  const { t } = useTranslation("shell");
  const [isOpen, setOpen] = useState(false);
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  useEffect(() => {
    setOpen(false);
    // A screen reader reads on where the new page begins.
    if (!isFirst.current) main.current?.focus({ preventScroll: true });
    isFirst.current = false;
    window.scrollTo(0, 0);
    // The menu is longer than some screens.
    document.querySelector("#menu [aria-current]")?.scrollIntoView({ block: "nearest" });
  }, [pathname]);
  const shown = PAGES.filter(
    (page) => !page.isDetail && page.needs.every((operation) => capabilities.has(operation)),
  );
  return (
    <div className="shell">
      <a
        className="skip-link"
        href="#main"
        onClick={(event) => {
          // The address after # is the router's.
          event.preventDefault();
          main.current?.focus();
        }}
      >
        {t("skip")}
      </a>
      <header className="shell-head">
        <div className="menu-button">
          <Burger
            opened={isOpen}
            onClick={() => setOpen(!isOpen)}
            size="sm"
            aria-label={t("menu")}
            aria-expanded={isOpen}
            aria-controls="menu"
          />
        </div>
        <Link to="/" className="brand">
          <img src="./rook.svg" alt="" />
          Rookery
        </Link>
        <HeadButtons />
      </header>
      <nav id="menu" className="shell-side" data-open={isOpen} aria-label={t("menu")}>
        {GROUPS.map((group) => {
          const pages = shown.filter((page) => page.group === group);
          if (pages.length === 0) return null;
          return (
            <div key={group}>
              <p className="nav-group" id={`group-${group}`}>
                {t(`group.${group}`)}
              </p>
              <ul className="nav-list" aria-labelledby={`group-${group}`}>
                {pages.map((page) => (
                  <li key={page.path}>
                    <NavLink to={page.path} end={page.path === "/"} className="nav-link">
                      {t(`page.${page.name}`)}
                    </NavLink>
                  </li>
                ))}
              </ul>
            </div>
          );
        })}
      </nav>
      <main id="main" ref={main} tabIndex={-1} className="shell-main">
        <Outlet />
      </main>
    </div>
  );
}

function HeadButtons(): ReactElement {
  const { t } = useTranslation("shell");
  const signedIn = useSession();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const system = useColorScheme();
  const isDark = (colorScheme === "auto" ? system : colorScheme) === "dark";
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
      <ActionIcon
        variant="default"
        size="lg"
        aria-label={isDark ? t("toLight") : t("toDark")}
        onClick={() => setColorScheme(isDark ? "light" : "dark")}
      >
        <Icon name={isDark ? "sun" : "moon"} />
      </ActionIcon>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button
            variant="default"
            px="sm"
            rightSection={<Icon name="down" size={14} />}
          >
            <span className="head-name">{signedIn?.username}</span>
            <span className="narrow-only">
              <Icon name="person" size={16} />
            </span>
            <span className="hidden-text">{t("account")}</span>
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>
            {signedIn?.username} · {t(`role.${signedIn?.role ?? "viewer"}`)}
          </Menu.Label>
          <Menu.Item component={Link} to="/users?own=1">
            {t("changePassword")}
          </Menu.Item>
          <Menu.Item onClick={() => void leave()} leftSection={<Icon name="leave" size={16} />}>
            {t("signOut")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
