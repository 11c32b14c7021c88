import { Select } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import type { ProjectRow } from "@console/api/shapes";

import { clustersPath, usePlaces } from "./place";

interface Choices {
  group: string;
  items: { value: string; label: string }[];
}

/** Projects below their organizations, both in the order of their names. */
export function choicesOf(projects: readonly ProjectRow[]): Choices[] {
  const groups = new Map<string, Choices>();
  for (const { id, name, orgId, orgName } of projects) {
    const group = groups.get(orgId) ?? { group: orgName, items: [] };
    group.items.push({ value: id, label: `${orgName} / ${name}` });
    groups.set(orgId, group);
  }
  return [...groups.values()].sort((one, other) => one.group.localeCompare(other.group));
}

/** Which organization and project the workbench shows. */
export function PlaceSwitcher(): ReactElement | null {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { projects, current } = usePlaces();
  if (projects === undefined || projects.length === 0) return null;
  const go = (id: string | null) => {
    const project = projects.find((each) => each.id === id);
    if (project !== undefined) void navigate(clustersPath({ org: project.orgId, project: project.id }));
  };
  return (
    <Select
      className="switcher"
      aria-label={t("place")}
      data={choicesOf(projects)}
      value={current?.id ?? null}
      placeholder={t("place")}
      onChange={go}
      searchable
      allowDeselect={false}
      maxDropdownHeight={360}
      nothingFoundMessage={t("noMatch.title")}
    />
  );
}
