/** Whom the system, or an organization, has invited. */
import { Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router";

import { Page } from "@/components/Page";
import { RowButton } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { formatTime } from "@/lib/format";
import { call } from "@console/api/client";
import type { InvitationMade, InvitationRow } from "@console/api/shapes";
import { ListTable } from "@console/components/ListTable";
import { SecretDialog } from "@console/components/SecretDialog";

import { InviteDialog } from "./InviteDialog";

export default function InvitationsPage(): ReactElement {
  const { t } = useTranslation("invitations");
  const { org } = useParams();
  const path = org === undefined ? "/invitations" : "/orgs/{org}/invitations";
  const values: Record<string, string> = org === undefined ? {} : { org };
  const [isInviting, setInviting] = useState(false);
  const [made, setMade] = useState<InvitationMade[]>([]);
  const renew = useAct<InvitationRow>({
    run: async ({ id }) => {
      const again = await call<InvitationMade>("post", `${path}/{invitation}/renew`, {
        path: { ...values, invitation: id },
      });
      setMade([again]);
    },
    refresh: [path],
    done: t("renewed"),
  });
  const revoke = useAct<InvitationRow>({
    run: ({ id }) =>
      call("delete", `${path}/{invitation}`, { path: { ...values, invitation: id } }),
    refresh: [path],
    done: t("revoked"),
    ask: ({ email }) => ({
      title: t("revoke.title"),
      text: t("revoke.text", { email }),
      action: t("revoke.action"),
    }),
  });
  const links = made.flatMap(({ email, link }) => (link === null ? [] : [`${email}\n${link}`]));
  return (
    <Page
      title={t("title")}
      help={t("help")}
      actions={<Button onClick={() => setInviting(true)}>{t("invite")}</Button>}
    >
      <ListTable<InvitationRow>
        label={t("title")}
        path={path}
        pathValues={values}
        filters={[{ name: "email", label: t("email") }]}
        sorts={["email", "createdAt", "expiresAt"]}
        columns={[
          { key: "email", label: t("email") },
          { key: "place", label: t("place"), render: (row) => <Roles row={row} /> },
          { key: "inviterName", label: t("inviter") },
          {
            key: "isMailed",
            label: t("way"),
            render: (row) => t(row.isMailed ? "ways.mail" : "ways.link"),
          },
          {
            key: "expiresAt",
            label: t("expires"),
            render: (row) => formatTime(row.expiresAt),
          },
        ]}
        rowKey={(row) => row.id}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
        actions={(row) => (
          <>
            <RowButton
              text={t("renew")}
              label={t("renewOf", { email: row.email })}
              onClick={() => void renew.act(row)}
            />
            <RowButton
              text={t("revoke.action")}
              label={t("revokeOf", { email: row.email })}
              isDanger
              onClick={() => void revoke.act(row)}
            />
          </>
        )}
      />
      {isInviting && (
        <InviteDialog
          path={path}
          {...(org !== undefined && { org })}
          onMade={setMade}
          onClose={() => setInviting(false)}
        />
      )}
      {links.length > 0 && (
        <SecretDialog
          title={t("links.title")}
          text={t("links.text")}
          secret={links.join("\n\n")}
          onClose={() => setMade([])}
        />
      )}
    </Page>
  );
}

function Roles({ row }: { row: InvitationRow }): ReactElement {
  const { t } = useTranslation("invitations");
  const said = [];
  if (row.isAdmin) said.push(t("systemAdmin"));
  if (row.orgName !== null) said.push(`${row.orgName}: ${t(`role.${row.orgRole ?? "viewer"}`)}`);
  if (row.projectName !== null) {
    said.push(`${row.projectName}: ${t(`role.${row.projectRole ?? "viewer"}`)}`);
  }
  return <>{said.join(", ") || t("noPlace")}</>;
}
