import { Anchor, Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";

import { Page } from "@/components/Page";
import { EditDelete, RowButton } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { formatTime } from "@/lib/format";
import { call } from "@console/api/client";
import { useRights } from "@console/api/roles";
import type { ProjectRow } from "@console/api/shapes";
import { ListTable } from "@console/components/ListTable";
import { clustersPath } from "@console/components/place";
import { useGoTo } from "@console/components/useGoTo";
import { useOrgs } from "@console/components/useOrgs";

import { ProjectDialog } from "./ProjectDialog";

export default function ProjectsPage(): ReactElement {
  const { t } = useTranslation("projects");
  const rights = useRights();
  const goTo = useGoTo();
  const [parameters] = useSearchParams();
  const org = parameters.get("orgId") ?? "";
  const orgs = useOrgs();
  const [edited, setEdited] = useState<ProjectRow | "new" | null>(null);
  const remove = useAct<ProjectRow>({
    run: ({ id, orgId }) =>
      call("delete", "/orgs/{org}/projects/{project}", { path: { org: orgId, project: id } }),
    refresh: ["/orgs", "/projects", "/roles"],
    done: t("deleted"),
    ask: ({ name }) => ({
      title: t("remove.title"),
      text: t("remove.text", { name }),
      action: t("delete"),
    }),
  });
  const mine = orgs.filter(({ id }) => rights.isOrgAdmin(id));
  const add = mine.length > 0 && <Button onClick={() => setEdited("new")}>{t("add")}</Button>;
  const toOrgs = rights.isSystemAdmin && orgs.length === 0 && (
    <Button component={Link} to="/orgs">
      {t("toOrgs")}
    </Button>
  );
  return (
    <Page title={t("title")} help={t("help")} actions={add}>
      <ListTable<ProjectRow>
        label={t("title")}
        // Of one organization there is a list of its own.
        path={org === "" ? "/projects" : "/orgs/{org}/projects"}
        {...(org !== "" && { pathValues: { org } })}
        {...(org !== "" && { unsent: ["orgId"] })}
        filters={[
          { name: "name", label: t("find") },
          {
            name: "orgId",
            label: t("org"),
            options: orgs.map(({ id, name }) => ({ value: id, label: name })),
          },
        ]}
        sorts={["name", "createdAt"]}
        columns={[
          {
            key: "name",
            label: t("field.name"),
            render: (row) => (
              <Anchor
                component={Link}
                to={clustersPath({ org: row.orgId, project: row.id })}
                size="sm"
              >
                <span className="cell-text">{row.name}</span>
              </Anchor>
            ),
          },
          { key: "orgName", label: t("org") },
          { key: "clusterCount", label: t("clusters"), isNumber: true },
          {
            key: "createdAt",
            label: t("field.createdAt"),
            render: (row) => formatTime(row.createdAt),
          },
        ]}
        rowKey={(row) => row.id}
        empty={{
          title: t("empty.title"),
          text: t("empty.text"),
          action: add || toOrgs || undefined,
        }}
        actions={(row) => (
          <>
            <RowButton
              text={t("members")}
              label={t("membersOf", { name: row.name })}
              onClick={() => goTo(`/projects/${row.orgId}/${row.id}/members`)}
            />
            {rights.isProjectAdmin(row.orgId, row.id) && (
              <EditDelete
                name={row.name}
                canDelete={row.clusterCount === 0}
                onEdit={() => setEdited(row)}
                onDelete={() => void remove.act(row)}
              />
            )}
          </>
        )}
      />
      {edited !== null && (
        <ProjectDialog
          project={edited === "new" ? null : edited}
          orgs={mine}
          onClose={() => setEdited(null)}
        />
      )}
    </Page>
  );
}
