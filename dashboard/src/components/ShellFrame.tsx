/** Header, menu and the page between them. */
import { Burger } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, NavLink, Outlet, useLocation } from "react-router";

export interface MenuGroup {
  name: string;
  label: string;
  links: readonly { to: string; label: string; isExact?: boolean }[];
}

interface ShellFrameProps {
  /** The buttons at the right of the header. */
  head: ReactNode;
  /** Above the groups of the menu. */
  menuHead?: ReactNode;
  groups: readonly MenuGroup[];
}

export function ShellFrame({ head, menuHead, groups }: ShellFrameProps): ReactElement {
  const { t } = useTranslation();
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
    document.querySelector("#menu .nav-list [aria-current]")?.scrollIntoView({ block: "nearest" });
  }, [pathname]);
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
          <span className="brand-name">Rookery</span>
        </Link>
        {head}
      </header>
      <nav id="menu" className="shell-side" data-open={isOpen} aria-label={t("menu")}>
        {menuHead}
        {groups.map((group) => (
          <div key={group.name}>
            <p className="nav-group" id={`group-${group.name}`}>
              {group.label}
            </p>
            <ul className="nav-list" aria-labelledby={`group-${group.name}`}>
              {group.links.map((link) => (
                <li key={link.to}>
                  <NavLink to={link.to} end={link.isExact ?? false} className="nav-link">
                    {link.label}
                  </NavLink>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </nav>
      <main id="main" ref={main} tabIndex={-1} className="shell-main">
        <Outlet />
      </main>
    </div>
  );
}
