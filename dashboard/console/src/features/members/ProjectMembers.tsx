import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router";

import { useRights } from "@console/api/roles";
import { usePlaces } from "@console/components/place";

import { AddToProject } from "./AddToProject";
import { MemberTable } from "./MemberTable";

export default function ProjectMembersPage(): ReactElement {
  const { t } = useTranslation("members");
  const { org = "", project = "" } = useParams();
  const rights = useRights();
  const found = usePlaces().projects?.find(({ id }) => id === project);
  const name = found === undefined ? "" : `${found.orgName} / ${found.name}`;
  return (
    <MemberTable
      title={t("ofProject", { name })}
      help={t("projectHelp")}
      path="/orgs/{org}/projects/{project}/members"
      values={{ org, project }}
      mayChange={rights.isProjectAdmin(org, project)}
      adding={(close) => <AddToProject place={{ org, project }} onClose={close} />}
    />
  );
}
