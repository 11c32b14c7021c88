import { Anchor, Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { RoleSelect } from "@/components/fields";
import { FormDialog } from "@/components/FormDialog";
import { ApiError } from "@/lib/apiError";
import { call } from "@console/api/client";
import { MEMBER_ROLES } from "@console/components/memberRoles";
import { NewPassword } from "@console/components/NewPassword";

import { REFRESH } from "./refresh";

interface AddToOrgProps {
  org: string;
  onClose: () => void;
}

/** Somebody by the e-mail address; who has never been here is made with a first password. */
export function AddToOrg({ org, onClose }: AddToOrgProps): ReactElement {
  const { t, i18n } = useTranslation("members");
  const [email, setEmail] = useState("");
  const [role, setRole] = useState("viewer");
  const [isNew, setNew] = useState(false);
  const [name, setName] = useState("");
  const [secret, setSecret] = useState({ password: "", again: "" });
  const made = { name, password: secret.password, language: i18n.language };
  const body = { email, role, ...(isNew && made) };
  const [isUnproven, setUnproven] = useState(false);
  const send = async () => {
    try {
      await call("post", "/orgs/{org}/members", { path: { org }, body });
    } catch (error) {
      setUnproven(error instanceof ApiError && error.code === "ADDRESS_NOT_PROVEN");
      throw error;
    }
  };
  return (
    <FormDialog
      title={t("add")}
      submit={t("add")}
      done={t("saved")}
      refresh={REFRESH}
      onSubmit={send}
      onClose={onClose}
    >
      <TextInput
        label={t("email")}
        type="email"
        autoComplete="off"
        required
        value={email}
        onChange={(event) => setEmail(event.currentTarget.value)}
      />
      <RoleSelect roles={MEMBER_ROLES} value={role} onChange={setRole} />
      <Switch
        label={t("isNew")}
        description={t("isNewHelp")}
        checked={isNew}
        onChange={(event) => setNew(event.currentTarget.checked)}
      />
      {isNew && (
        <>
          <TextInput
            label={t("personName")}
            autoComplete="off"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <NewPassword label={t("password.label")} value={secret} onChange={setSecret} />
        </>
      )}
      {isUnproven && (
        <Anchor component={Link} to={`/orgs/${org}/invitations`} size="sm">
          {t("inviteInstead")}
        </Anchor>
      )}
    </FormDialog>
  );
}
