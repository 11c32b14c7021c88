import { NativeSelect, Select, Switch, Textarea } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { RoleSelect } from "@/components/fields";
import { FormDialog } from "@/components/FormDialog";
import { call } from "@console/api/client";
import type { InvitationMade, List } from "@console/api/shapes";
import { MEMBER_ROLES } from "@console/components/memberRoles";
import { usePlaces } from "@console/components/place";
import { useOrgs } from "@console/components/useOrgs";

interface InviteDialogProps {
  path: string;
  /** None: the whole system invites. */
  org?: string;
  onMade: (made: InvitationMade[]) => void;
  onClose: () => void;
}

/** The addresses in a text, one a line or with anything between them. */
function addressesIn(text: string): string[] {
  return text.split(/[\s,;，；]+/).filter((each) => each !== "");
}

export function InviteDialog({ path, org, onMade, onClose }: InviteDialogProps): ReactElement {
  const { t, i18n } = useTranslation("invitations");
  const orgs = useOrgs();
  const { projects = [] } = usePlaces();
  const [emails, setEmails] = useState("");
  const [language, setLanguage] = useState(i18n.language);
  const [isAdmin, setAdmin] = useState(false);
  const [orgId, setOrgId] = useState<string | null>(org ?? null);
  const [role, setRole] = useState("viewer");
  const [projectId, setProjectId] = useState<string | null>(null);
  const [projectRole, setProjectRole] = useState("viewer");
  const there = projects.filter((project) => project.orgId === orgId);
  const place = {
    ...(orgId !== null && { role }),
    ...(projectId !== null && { projectId, projectRole }),
  };
  const body = {
    emails: addressesIn(emails),
    language,
    ...place,
    ...(org === undefined && { isAdmin, orgId }),
  };
  const send = async () => {
    const { items } = await call<List<InvitationMade>>("post", path, {
      ...(org !== undefined && { path: { org } }),
      body,
    });
    onMade(items);
  };
  return (
    <FormDialog
      title={t("invite")}
      submit={t("invite")}
      done={t("invited")}
      refresh={[path]}
      onSubmit={send}
      onClose={onClose}
    >
      <Textarea
        label={t("emails")}
        description={t("emailsHelp")}
        required
        autosize
        minRows={2}
        maxRows={10}
        value={emails}
        onChange={(event) => setEmails(event.currentTarget.value)}
      />
      <NativeSelect
        label={t("language")}
        data={[
          { value: "zh", label: "中文" },
          { value: "en", label: "English" },
        ]}
        value={language}
        onChange={(event) => setLanguage(event.currentTarget.value)}
      />
      {org === undefined && (
        <>
          <Switch
            label={t("systemAdmin")}
            checked={isAdmin}
            onChange={(event) => setAdmin(event.currentTarget.checked)}
          />
          <Select
            label={t("org")}
            clearable
            clearButtonProps={{ "aria-label": t("clear") }}
            data={orgs.map(({ id, name }) => ({ value: id, label: name }))}
            value={orgId}
            onChange={(next) => {
              setOrgId(next);
              setProjectId(null);
            }}
          />
        </>
      )}
      {orgId !== null && <RoleSelect roles={MEMBER_ROLES} value={role} onChange={setRole} />}
      {there.length > 0 && (
        <Select
          label={t("project")}
          clearable
          clearButtonProps={{ "aria-label": t("clear") }}
          data={there.map(({ id, name }) => ({ value: id, label: name }))}
          value={projectId}
          onChange={setProjectId}
        />
      )}
      {projectId !== null && (
        <NativeSelect
          label={t("projectRole")}
          data={MEMBER_ROLES.map((value) => ({ value, label: t(`role.${value}`) }))}
          value={projectRole}
          onChange={(event) => setProjectRole(event.currentTarget.value)}
        />
      )}
    </FormDialog>
  );
}
