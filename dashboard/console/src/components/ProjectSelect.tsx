import { Select } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useRights } from "@console/api/roles";
import type { ProjectRow } from "@console/api/shapes";

import { usePlaces } from "./place";
import { choicesOf } from "./PlaceSwitcher";

interface ProjectSelectProps {
  label: string;
  value: string | null;
  onChange: (project: ProjectRow | undefined) => void;
  /** Where it is already. */
  without?: string;
  /** Said where there is none to choose. */
  nowhere?: string;
}

/** Of the projects that the caller administers. */
export function ProjectSelect(props: ProjectSelectProps): ReactElement {
  const { t } = useTranslation();
  const rights = useRights();
  const { projects = [] } = usePlaces();
  const targets = projects.filter(
    ({ id, orgId }) => id !== props.without && rights.isProjectAdmin(orgId, id),
  );
  return (
    <Select
      label={props.label}
      description={targets.length === 0 ? props.nowhere : undefined}
      required
      searchable
      data={choicesOf(targets)}
      value={props.value}
      onChange={(id) => props.onChange(targets.find((each) => each.id === id))}
      nothingFoundMessage={t("noMatch.title")}
    />
  );
}
