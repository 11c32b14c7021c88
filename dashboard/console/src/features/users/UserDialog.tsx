import { Select, Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { RoleSelect } from "@/components/fields";
import { FormDialog } from "@/components/FormDialog";
import { call } from "@console/api/client";
import type { UserRow } from "@console/api/shapes";
import { MEMBER_ROLES } from "@console/components/memberRoles";
import { NewPassword } from "@console/components/NewPassword";
import { usePlaces } from "@console/components/place";
import { choicesOf } from "@console/components/PlaceSwitcher";

interface UserDialogProps {
  /** Null makes a new one. */
  user: UserRow | null;
  /** Nobody takes their own rights away by mistake. */
  isOwn: boolean;
  onClose: () => void;
}

export function UserDialog({ user, isOwn, onClose }: UserDialogProps): ReactElement {
  const { t, i18n } = useTranslation("users");
  const { projects = [] } = usePlaces();
  const [email, setEmail] = useState("");
  const [name, setName] = useState(user?.name ?? "");
  const [secret, setSecret] = useState({ password: "", again: "" });
  const [mustChangePassword, setMustChange] = useState(true);
  const [isAdmin, setAdmin] = useState(user?.isAdmin ?? false);
  const [isEnabled, setEnabled] = useState(user?.isEnabled ?? true);
  const [project, setProject] = useState<string | null>(null);
  const [role, setRole] = useState("viewer");
  const make = async () => {
    const made = await call<UserRow>("post", "/users", {
      body: { email, name, password: secret.password, isAdmin, language: i18n.language, mustChangePassword },
    });
    const found = projects.find(({ id }) => id === project);
    if (found === undefined || isAdmin) return;
    const path = { org: found.orgId, project: found.id };
    // Who is in a project is in its organization.
    await call("post", "/orgs/{org}/members", { path, body: { email, role: "viewer" } });
    await call("post", "/orgs/{org}/projects/{project}/members", {
      path,
      body: { userId: made.id, role },
    });
  };
  const change = () =>
    call("put", "/users/{user}", {
      path: { user: user?.id ?? "" },
      body: isOwn ? { name } : { name, isAdmin, isEnabled },
    });
  return (
    <FormDialog
      title={user === null ? t("add") : t("editOne", { name: user.email })}
      submit={user === null ? t("create") : t("save")}
      done={t("saved")}
      refresh={["/users", "/orgs", "/projects", "/profile"]}
      onSubmit={user === null ? make : change}
      onClose={onClose}
    >
      {user === null && (
        <TextInput
          label={t("email")}
          type="email"
          autoComplete="off"
          required
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
      )}
      <TextInput
        label={t("personName")}
        autoComplete="off"
        maxLength={64}
        required
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      {user === null && (
        <>
          <NewPassword label={t("password.label")} value={secret} onChange={setSecret} />
          <Switch
            label={t("password.mustChange")}
            checked={mustChangePassword}
            onChange={(event) => setMustChange(event.currentTarget.checked)}
          />
        </>
      )}
      <Switch
        label={t("systemAdmin")}
        description={t("systemAdminHelp")}
        checked={isAdmin}
        disabled={isOwn}
        onChange={(event) => setAdmin(event.currentTarget.checked)}
      />
      {user === null && !isAdmin && projects.length > 0 && (
        <>
          <Select
            label={t("project")}
            description={t("projectHelp")}
            clearable
            clearButtonProps={{ "aria-label": t("clear") }}
            searchable
            data={choicesOf(projects)}
            value={project}
            onChange={setProject}
          />
          {project !== null && <RoleSelect roles={MEMBER_ROLES} value={role} onChange={setRole} />}
        </>
      )}
      {user !== null && (
        <Switch
          label={t("field.enabled")}
          description={t("enabledHelp")}
          checked={isEnabled}
          disabled={isOwn}
          onChange={(event) => setEnabled(event.currentTarget.checked)}
        />
      )}
    </FormDialog>
  );
}
