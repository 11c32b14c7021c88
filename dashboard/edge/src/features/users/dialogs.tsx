import { TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { PasswordField, RoleSelect } from "@/components/fields";
import { FormDialog } from "@/components/FormDialog";
import { call } from "@edge/api/client";
import type { UserRow } from "@edge/api/shapes";

const ROLES = ["administrator", "viewer"];

interface DialogProps {
  onClose: () => void;
}

export function AddUserDialog({ onClose }: DialogProps): ReactElement {
  const { t } = useTranslation("users");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState("viewer");
  return (
    <FormDialog
      title={t("add")}
      submit={t("create")}
      done={t("created")}
      refresh={["/users"]}
      onSubmit={() => call("post", "/users", { body: { name, password, role } })}
      onClose={onClose}
    >
      <TextInput
        label={t("field.name")}
        required
        maxLength={64}
        autoComplete="off"
        data-autofocus
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <PasswordField
        label={t("password")}
        description={t("passwordHelp")}
        isNew
        value={password}
        onChange={setPassword}
      />
      <RoleSelect roles={ROLES} value={role} onChange={setRole} />
    </FormDialog>
  );
}

export function RoleDialog({ user, onClose }: DialogProps & { user: UserRow }): ReactElement {
  const { t } = useTranslation("users");
  const [role, setRole] = useState<string>(user.role);
  return (
    <FormDialog
      title={t("roleOne", { name: user.name })}
      submit={t("save")}
      done={t("saved")}
      refresh={["/users", "/me"]}
      onSubmit={() => call("put", "/users/{name}", { path: { name: user.name }, body: { role } })}
      onClose={onClose}
    >
      <RoleSelect roles={ROLES} value={role} onChange={setRole} />
    </FormDialog>
  );
}

export function ResetDialog({ user, onClose }: DialogProps & { user: UserRow }): ReactElement {
  const { t } = useTranslation("users");
  const [password, setPassword] = useState("");
  return (
    <FormDialog
      title={t("resetOne", { name: user.name })}
      submit={t("save")}
      done={t("saved")}
      refresh={["/users"]}
      onSubmit={() =>
        call("put", "/users/{name}/password", { path: { name: user.name }, body: { password } })
      }
      onClose={onClose}
    >
      <PasswordField
        label={t("password")}
        description={t("passwordHelp")}
        isNew
        value={password}
        onChange={setPassword}
      />
    </FormDialog>
  );
}
