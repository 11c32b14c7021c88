import { Switch, Text } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { FormDialog } from "@/components/FormDialog";
import { call } from "@console/api/client";
import type { UserRow } from "@console/api/shapes";
import { NewPassword } from "@console/components/NewPassword";

interface PasswordDialogProps {
  user: UserRow;
  /** Also vouches for the address, which nobody has proven. */
  confirms?: boolean;
  onClose: () => void;
}

/** A new password for somebody else, who has to sign in anew with it. */
export function PasswordDialog({ user, confirms = false, onClose }: PasswordDialogProps): ReactElement {
  const { t } = useTranslation("users");
  const [secret, setSecret] = useState({ password: "", again: "" });
  const [mustChange, setMustChange] = useState(true);
  const send = () =>
    call("put", confirms ? "/users/{user}/confirmation" : "/users/{user}/password", {
      path: { user: user.id },
      body: { password: secret.password, mustChange },
    });
  return (
    <FormDialog
      title={t(confirms ? "proof.confirmOf" : "password.resetOf", { email: user.email })}
      submit={t(confirms ? "proof.confirm" : "password.reset")}
      done={t("saved")}
      refresh={["/users", "/orgs"]}
      onSubmit={send}
      onClose={onClose}
    >
      <Text size="sm">
        {confirms ? t("proof.help", { email: user.email }) : t("password.resetHelp")}
      </Text>
      <NewPassword label={t("password.next")} value={secret} onChange={setSecret} />
      <Switch
        label={t("password.mustChange")}
        checked={mustChange}
        onChange={(event) => setMustChange(event.currentTarget.checked)}
      />
    </FormDialog>
  );
}
