import { TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import type { DashboardUser } from "@/api/shapes";
import { PasswordField, RoleSelect } from "@/components/fields";
import { FormDialog } from "@/components/FormDialog";

const ROLES = ["administrator", "viewer"] as const;

interface UserDialogProps {
  /** Null makes a new one. */
  user: DashboardUser | null;
  onClose: () => void;
}

export function UserDialog({ user, onClose }: UserDialogProps): ReactElement {
  const { t } = useTranslation("users");
  const [username, setUsername] = useState(user?.username ?? "");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState(user?.role ?? "viewer");
  const [description, setDescription] = useState(user?.description ?? "");
  const send = () =>
    user === null
      ? call("post", "/users", { body: { username, password, role, description } })
      : call("put", "/users/{username}", { path: { username }, body: { role, description } });
  return (
    <FormDialog
      title={user === null ? t("add") : t("editOne", { name: user.username })}
      submit={user === null ? t("create") : t("save")}
      done={t("saved")}
      refresh={["/users"]}
      onSubmit={send}
      onClose={onClose}
    >
      {user === null && (
        <>
          <TextInput
            label={t("field.username")}
            required
            autoComplete="off"
            value={username}
            onChange={(event) => setUsername(event.currentTarget.value)}
          />
          <PasswordField
            label={t("password.label")}
            description={t("password.rule")}
            isNew
            value={password}
            onChange={setPassword}
          />
        </>
      )}
      <RoleSelect roles={ROLES} value={role} onChange={setRole} />
      <TextInput
        label={t("field.description")}
        value={description}
        onChange={(event) => setDescription(event.currentTarget.value)}
      />
    </FormDialog>
  );
}
