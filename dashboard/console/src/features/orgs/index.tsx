import { Anchor, Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { Page } from "@/components/Page";
import { EditDelete, RowButton } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { formatTime } from "@/lib/format";
import { call } from "@console/api/client";
import { useRights } from "@console/api/roles";
import type { OrgRow } from "@console/api/shapes";
import { ListTable } from "@console/components/ListTable";
import { NameDialog } from "@console/components/NameDialog";
import { useGoTo } from "@console/components/useGoTo";

// Their names and numbers are shown elsewhere, too.
const REFRESH = ["/orgs", "/projects", "/roles"];

function save(org: OrgRow | "new", name: string): Promise<unknown> {
  return org === "new"
    ? call("post", "/orgs", { body: { name } })
    : call("put", "/orgs/{org}", { path: { org: org.id }, body: { name } });
}

export default function OrgsPage(): ReactElement {
  const { t } = useTranslation("orgs");
  const rights = useRights();
  const goTo = useGoTo();
  const [edited, setEdited] = useState<OrgRow | "new" | null>(null);
  const remove = useAct<OrgRow>({
    run: ({ id }) => call("delete", "/orgs/{org}", { path: { org: id } }),
    refresh: REFRESH,
    done: t("deleted"),
    ask: ({ name }) => ({
      title: t("remove.title"),
      text: t("remove.text", { name }),
      action: t("delete"),
    }),
  });
  const add = rights.isSystemAdmin && (
    <Button onClick={() => setEdited("new")}>{t("add")}</Button>
  );
  return (
    <Page title={t("title")} help={t("help")} actions={add}>
      <ListTable<OrgRow>
        label={t("title")}
        path="/orgs"
        filters={[{ name: "name", label: t("find") }]}
        sorts={["name", "createdAt"]}
        columns={[
          { key: "name", label: t("field.name") },
          {
            key: "projectCount",
            label: t("projects"),
            isNumber: true,
            render: (row) => (
              <Anchor component={Link} to={`/projects?orgId=${row.id}`} size="sm">
                {row.projectCount}
              </Anchor>
            ),
          },
          {
            key: "createdAt",
            label: t("field.createdAt"),
            render: (row) => formatTime(row.createdAt),
          },
        ]}
        rowKey={(row) => row.id}
        empty={{ title: t("empty.title"), text: t("empty.text"), action: add || undefined }}
        actions={(row) => (
          <>
            <RowButton
              text={t("members")}
              label={t("membersOf", { name: row.name })}
              onClick={() => goTo(`/orgs/${row.id}/members`)}
            />
            {rights.isOrgAdmin(row.id) && (
              <EditDelete
                name={row.name}
                canDelete={rights.isSystemAdmin && row.projectCount === 0}
                onEdit={() => setEdited(row)}
                onDelete={() => void remove.act(row)}
              />
            )}
          </>
        )}
      />
      {edited !== null && (
        <NameDialog
          title={edited === "new" ? t("add") : t("editOne", { name: edited.name })}
          {...(edited !== "new" && { name: edited.name })}
          refresh={REFRESH}
          onSubmit={(name) => save(edited, name)}
          onClose={() => setEdited(null)}
        />
      )}
    </Page>
  );
}
