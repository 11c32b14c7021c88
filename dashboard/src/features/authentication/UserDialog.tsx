import { Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import type { AuthUser } from "@/api/shapes";
import { PasswordField } from "@/components/fields";
import { FormDialog } from "@/components/FormDialog";

interface UserDialogProps {
  provider: string;
  /** Null makes a new one. */
  user: AuthUser | null;
  onClose: () => void;
}

export function UserDialog({ provider, user, onClose }: UserDialogProps): ReactElement {
  const { t } = useTranslation("authentication");
  const [name, setName] = useState(user?.user_id ?? "");
  const [password, setPassword] = useState("");
  const [isSuper, setSuper] = useState(user?.is_superuser ?? false);
  const send = () =>
    user === null
      ? call("post", "/authentication/{id}/users", {
          path: { id: provider },
          body: { user_id: name, password, is_superuser: isSuper },
        })
      : call("put", "/authentication/{id}/users/{user_id}", {
          path: { id: provider, user_id: name },
          body: { ...(password !== "" && { password }), is_superuser: isSuper },
        });
  return (
    <FormDialog
      title={user === null ? t("user.add") : t("editOne", { name: user.user_id })}
      submit={user === null ? t("create") : t("save")}
      done={t("saved")}
      refresh={["/authentication"]}
      onSubmit={send}
      onClose={onClose}
    >
      {user === null && (
        <TextInput
          label={t("user.id")}
          required
          autoComplete="off"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
      )}
      <PasswordField
        label={t("user.password")}
        description={user === null ? undefined : t("user.keep")}
        isNew
        isRequired={user === null}
        value={password}
        onChange={setPassword}
      />
      <Switch
        label={t("user.super")}
        description={t("user.superHelp")}
        checked={isSuper}
        onChange={(event) => setSuper(event.currentTarget.checked)}
      />
    </FormDialog>
  );
}
