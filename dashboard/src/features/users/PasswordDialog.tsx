import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { session, setSession } from "@/api/session";
import { PasswordField } from "@/components/fields";
import { FormDialog } from "@/components/FormDialog";

/** One's own password; everybody has to sign in again with the new one. */
export function PasswordDialog({ onClose }: { onClose: () => void }): ReactElement {
  const { t } = useTranslation("users");
  const [old, setOld] = useState("");
  const [next, setNext] = useState("");
  const send = async () => {
    await call("post", "/users/{username}/change_pwd", {
      path: { username: session()?.username ?? "" },
      body: { old_pwd: old, new_pwd: next },
    });
    setSession(null, true);
  };
  return (
    <FormDialog
      title={t("password.title")}
      submit={t("password.submit")}
      refresh={[]}
      onSubmit={send}
      onClose={onClose}
    >
      <PasswordField label={t("password.old")} value={old} onChange={setOld} />
      <PasswordField
        label={t("password.next")}
        description={t("password.rule")}
        isNew
        value={next}
        onChange={setNext}
      />
    </FormDialog>
  );
}
