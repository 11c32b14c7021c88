import { Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";

import { useRights } from "@console/api/roles";
import { useOrgs } from "@console/components/useOrgs";

import { AddToOrg } from "./AddToOrg";
import { MemberTable } from "./MemberTable";

export default function OrgMembersPage(): ReactElement {
  const { t } = useTranslation("members");
  const { org = "" } = useParams();
  const rights = useRights();
  const name = useOrgs().find(({ id }) => id === org)?.name ?? "";
  return (
    <MemberTable
      title={t("ofOrg", { name })}
      help={t("orgHelp")}
      path="/orgs/{org}/members"
      values={{ org }}
      mayChange={rights.isOrgAdmin(org)}
      others={
        rights.isOrgAdmin(org) && (
          <Button component={Link} to={`/orgs/${org}/invitations`} variant="default">
            {t("invitations")}
          </Button>
        )
      }
      adding={(close) => <AddToOrg org={org} onClose={close} />}
    />
  );
}
