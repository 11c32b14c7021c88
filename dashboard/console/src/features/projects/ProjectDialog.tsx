import { Select } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@console/api/client";
import type { OrgRow, ProjectRow } from "@console/api/shapes";
import { NameDialog } from "@console/components/NameDialog";

interface ProjectDialogProps {
  /** Null makes a new one. */
  project: ProjectRow | null;
  orgs: readonly OrgRow[];
  onClose: () => void;
}

export function ProjectDialog({ project, orgs, onClose }: ProjectDialogProps): ReactElement {
  const { t } = useTranslation("projects");
  const [org, setOrg] = useState(project?.orgId ?? orgs[0]?.id ?? "");
  const save = (name: string) =>
    project === null
      ? call("post", "/orgs/{org}/projects", { path: { org }, body: { name } })
      : call("put", "/orgs/{org}/projects/{project}", {
          path: { org: project.orgId, project: project.id },
          body: { name },
        });
  return (
    <NameDialog
      title={project === null ? t("add") : t("editOne", { name: project.name })}
      {...(project !== null && { name: project.name })}
      refresh={["/orgs", "/projects", "/roles"]}
      onSubmit={save}
      onClose={onClose}
    >
      {project === null && (
        <Select
          label={t("org")}
          required
          allowDeselect={false}
          searchable
          data={orgs.map(({ id, name }) => ({ value: id, label: name }))}
          value={org}
          onChange={(value) => setOrg(value ?? "")}
        />
      )}
    </NameDialog>
  );
}
